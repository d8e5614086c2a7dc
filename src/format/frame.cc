#include "format/frame.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/tagged_fields.h"

namespace strata {
namespace {

// Positions of the header's fields; docs/formats/frame.md.
constexpr size_t kCrcAt = 0;
constexpr size_t kKindAt = 4;
constexpr size_t kFormatAt = 5;
constexpr size_t kFlagsAt = 6;
constexpr size_t kPayloadBytesAt = 8;
constexpr size_t kPayloadCrcAt = 12;
constexpr size_t kTopicAt = 16;
constexpr size_t kPartitionAt = 32;
constexpr size_t kEpochAt = 36;
constexpr size_t kBaseAt = 40;
constexpr size_t kEndAt = 48;
constexpr size_t kMaxTimestampAt = 56;
constexpr size_t kRecordCountAt = 64;
constexpr size_t kTaggedBytesAt = 68;

// The life number comes first, so that a frame of the file's former life never
// passes for one of this life.
uint32_t HeaderCrc(const std::byte* header, uint64_t life, ByteSpan tagged) {
  std::array<std::byte, 8> seed;
  StoreLittle(seed.data(), life);
  const uint32_t crc = ExtendCrc32c(
      Crc32c(seed), {header + kKindAt, kFrameHeaderBytes - kKindAt});
  return ExtendCrc32c(crc, tagged);
}

}  // namespace

uint64_t FrameBytes(uint64_t payload_bytes, uint64_t tagged_bytes) {
  return AlignUp(kFrameHeaderBytes + tagged_bytes + payload_bytes,
                 kFrameAlignment);
}

void EncodeFrameHeader(const FrameHeader& header, uint64_t life,
                       std::span<std::byte, kFrameHeaderBytes> out,
                       ByteSpan tagged) {
  STRATA_CHECK(header.tagged_bytes == tagged.size());
  std::byte* p = out.data();
  p[kKindAt] = static_cast<std::byte>(header.kind);
  p[kFormatAt] = static_cast<std::byte>(header.format);
  StoreLittle(p + kFlagsAt, header.flags);
  StoreLittle(p + kPayloadBytesAt, header.payload_bytes);
  StoreLittle(p + kPayloadCrcAt, header.payload_crc32c);
  std::memcpy(p + kTopicAt, header.topic.bytes.data(), 16);
  StoreLittle(p + kPartitionAt, header.partition);
  StoreLittle(p + kEpochAt, header.epoch.value());
  StoreLittle(p + kBaseAt, header.offsets.base.value());
  StoreLittle(p + kEndAt, header.offsets.end.value());
  StoreLittle(p + kMaxTimestampAt, header.max_timestamp);
  StoreLittle(p + kRecordCountAt, header.record_count);
  StoreLittle(p + kTaggedBytesAt, header.tagged_bytes);
  StoreLittle(p + kCrcAt, HeaderCrc(p, life, tagged));
}

Result<DecodedFrame> DecodeFrame(ByteSpan bytes, uint64_t life) {
  Result<DecodedFrame> frame{DecodedFrame{}};
  Status status = DecodeFrameInto(bytes, life, *frame);
  if (!status.ok()) return status;
  return frame;
}

Status DecodeFrameInto(ByteSpan bytes, uint64_t life, DecodedFrame& frame) {
  if (bytes.size() < kFrameHeaderBytes) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("frame header cut short: expected {} bytes, "
                              "found {}",
                              kFrameHeaderBytes, bytes.size()));
  }
  const std::byte* p = bytes.data();
  FrameHeader& h = frame.header;
  h.tagged_bytes = LoadLittle<uint32_t>(p + kTaggedBytesAt);
  if (h.tagged_bytes > bytes.size() - kFrameHeaderBytes) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("frame header damaged: {} bytes of tagged fields "
                              "do not fit into {}",
                              h.tagged_bytes, bytes.size()));
  }
  frame.tagged = bytes.subspan(kFrameHeaderBytes, h.tagged_bytes);
  const uint32_t expected = LoadLittle<uint32_t>(p + kCrcAt);
  const uint32_t found = HeaderCrc(p, life, frame.tagged);
  if (expected != found) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("frame header checksum: expected {:08x}, found "
                              "{:08x} (life {})",
                              expected, found, life));
  }
  const auto kind = static_cast<uint8_t>(p[kKindAt]);
  if (kind > static_cast<uint8_t>(FrameKind::kGap)) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("frame kind {} needs a newer version", kind));
  }
  h.kind = static_cast<FrameKind>(kind);
  h.format = static_cast<BatchFormat>(p[kFormatAt]);
  h.flags = LoadLittle<uint16_t>(p + kFlagsAt);
  h.payload_bytes = LoadLittle<uint32_t>(p + kPayloadBytesAt);
  h.payload_crc32c = LoadLittle<uint32_t>(p + kPayloadCrcAt);
  std::memcpy(h.topic.bytes.data(), p + kTopicAt, 16);
  h.partition = LoadLittle<uint32_t>(p + kPartitionAt);
  h.epoch = Epoch(LoadLittle<uint32_t>(p + kEpochAt));
  h.offsets.base = Offset(LoadLittle<uint64_t>(p + kBaseAt));
  h.offsets.end = Offset(LoadLittle<uint64_t>(p + kEndAt));
  h.max_timestamp = LoadLittle<int64_t>(p + kMaxTimestampAt);
  h.record_count = LoadLittle<uint32_t>(p + kRecordCountAt);
  if (h.kind != FrameKind::kPadding && h.offsets.empty()) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("frame with empty offset range [{}, {})",
                              h.offsets.base.value(), h.offsets.end.value()));
  }
  frame.frame_bytes = FrameBytes(h.payload_bytes, h.tagged_bytes);
  if (frame.frame_bytes > bytes.size()) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("frame cut short: expected {} bytes, found {}",
                              frame.frame_bytes, bytes.size()));
  }
  if (!frame.tagged.empty()) {
    const Result<TaggedFields> tags = DecodeTaggedFields(frame.tagged);
    if (!tags.ok()) return tags.status().WithContext("frame");
  }
  frame.payload =
      bytes.subspan(kFrameHeaderBytes + h.tagged_bytes, h.payload_bytes);
  return Status::Ok();
}

Status VerifyPayload(const DecodedFrame& frame) {
  const uint32_t found = Crc32c(frame.payload);
  if (found == frame.header.payload_crc32c) return Status::Ok();
  return Status(StatusCode::kDataLoss,
                fmt::format("payload checksum of offsets [{}, {}): expected "
                            "{:08x}, found {:08x}",
                            frame.header.offsets.base.value(),
                            frame.header.offsets.end.value(),
                            frame.header.payload_crc32c, found));
}

}  // namespace strata
