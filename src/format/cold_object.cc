#include "format/cold_object.h"

#include <fmt/format.h>

#include "base/crc32c.h"

namespace strata {
namespace {

constexpr size_t kVersionAt = 8;
constexpr size_t kCrcAt = 12;
constexpr size_t kBodyBytesAt = 16;

// Of everything but the checksum itself.
uint32_t CrcOf(ByteSpan bytes) {
  return ExtendCrc32c(Crc32c(bytes.first(kCrcAt)), bytes.subspan(kBodyBytesAt));
}

}  // namespace

Status DamagedColdObject(const ColdObjectKind& kind, std::string_view message) {
  return {StatusCode::kDataLoss, fmt::format("{}: {}", kind.name, message)};
}

std::string SealColdObject(const ColdObjectKind& kind, std::string_view body) {
  ByteWriter out;
  out.Bytes(AsBytes(kind.magic));
  out.Fixed<uint32_t>(kind.version);
  out.Fixed<uint32_t>(0);  // the checksum comes last
  out.Fixed<uint64_t>(body.size());
  out.Bytes(AsBytes(body));
  std::string bytes = out.Take();
  StoreLittle<uint32_t>(reinterpret_cast<std::byte*>(bytes.data()) + kCrcAt,
                        CrcOf(AsBytes(bytes)));
  return bytes;
}

Result<ByteSpan> OpenColdObject(const ColdObjectKind& kind, ByteSpan bytes) {
  if (bytes.size() < kColdObjectHeaderBytes) {
    return DamagedColdObject(
        kind, fmt::format("expected a header of {} bytes, found {}",
                          kColdObjectHeaderBytes, bytes.size()));
  }
  if (AsText(bytes.first(kind.magic.size())) != kind.magic) {
    return DamagedColdObject(kind,
                             fmt::format("expected \"{}\" at 0", kind.magic));
  }
  const auto body_bytes = LoadLittle<uint64_t>(bytes.data() + kBodyBytesAt);
  if (body_bytes != bytes.size() - kColdObjectHeaderBytes) {
    return DamagedColdObject(
        kind, fmt::format("expected a body of {} bytes, found {}", body_bytes,
                          bytes.size() - kColdObjectHeaderBytes));
  }
  const auto expected = LoadLittle<uint32_t>(bytes.data() + kCrcAt);
  const uint32_t found = CrcOf(bytes);
  if (expected != found) {
    return DamagedColdObject(
        kind, fmt::format("checksum at {}: expected {:08x}, found {:08x}",
                          kCrcAt, expected, found));
  }
  const auto version = LoadLittle<uint32_t>(bytes.data() + kVersionAt);
  if (version != kind.version) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("{}: version {} needs another build, this one "
                              "reads {}",
                              kind.name, version, kind.version));
  }
  return bytes.subspan(kColdObjectHeaderBytes);
}

}  // namespace strata
