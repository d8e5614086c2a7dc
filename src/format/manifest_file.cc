#include "format/manifest_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/magic.h"

namespace strata {
namespace {

// Positions of the header's fields; docs/formats/manifest.md.
constexpr size_t kHeaderCrcAt = 8;
constexpr size_t kVersionAt = 12;
constexpr size_t kHeaderBytesAt = 16;
constexpr size_t kTaggedBytesAt = 20;
constexpr size_t kNumberAt = 24;
constexpr size_t kStoreIdAt = 32;
constexpr size_t kTaggedAt = 48;

// Of a record's.
constexpr size_t kRecordCrcAt = 0;
constexpr size_t kBodyBytesAt = 4;
constexpr size_t kSyncedThroughAt = 8;
constexpr size_t kBodyCrcAt = 16;
constexpr size_t kReservedAt = 20;

// Number and position come first, so that neither a record of another file in
// a reused disk block nor one in a wrong place passes for this one.
uint32_t RecordCrc(uint64_t number, uint64_t position, const std::byte* p) {
  std::array<std::byte, 16> seed;
  StoreLittle(seed.data(), number);
  StoreLittle(seed.data() + 8, position);
  return ExtendCrc32c(
      Crc32c(seed),
      {p + kBodyBytesAt, kManifestRecordHeaderBytes - kBodyBytesAt});
}

Status Damaged(std::string message) {
  return {StatusCode::kDataLoss, std::move(message)};
}

struct DecodedHeader {
  ManifestHeader header;
  uint64_t bytes = 0;
};

Result<DecodedHeader> DecodeHeader(ByteSpan file) {
  if (file.size() < kTaggedAt) {
    return Damaged(
        fmt::format("header at 0 cut short: expected {} bytes, "
                    "found {}",
                    kTaggedAt, file.size()));
  }
  const std::byte* p = file.data();
  if (AsText(file.first(kManifestMagic.size())) != kManifestMagic) {
    return Damaged(fmt::format(
        "header at 0: expected magic {}, found bytes "
        "{:02x}",
        kManifestMagic, fmt::join(file.first(kManifestMagic.size()), " ")));
  }
  const auto bytes = LoadLittle<uint32_t>(p + kHeaderBytesAt);
  if (bytes < kTaggedAt || bytes > file.size() ||
      bytes % kManifestAlignment != 0) {
    return Damaged(fmt::format("header at 0: length {} in a file of {} bytes",
                               bytes, file.size()));
  }
  const auto expected = LoadLittle<uint32_t>(p + kHeaderCrcAt);
  const uint32_t found = Crc32c(file.subspan(kVersionAt, bytes - kVersionAt));
  if (expected != found) {
    return Damaged(
        fmt::format("header checksum at 0: expected {:08x}, found "
                    "{:08x}",
                    expected, found));
  }
  const auto version = LoadLittle<uint32_t>(p + kVersionAt);
  if (version != kManifestVersion) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("manifest format {} needs a newer version: "
                              "expected {}",
                              version, kManifestVersion));
  }
  const auto tagged = LoadLittle<uint32_t>(p + kTaggedBytesAt);
  if (tagged > bytes - kTaggedAt) {
    return Damaged(
        fmt::format("header at 0: {} bytes of tagged fields in a "
                    "header of {}",
                    tagged, bytes));
  }
  DecodedHeader out;
  out.bytes = bytes;
  out.header.number = LoadLittle<uint64_t>(p + kNumberAt);
  std::memcpy(out.header.store_id.bytes.data(), p + kStoreIdAt, 16);
  Result<TaggedFields> extra =
      DecodeTaggedFields(file.subspan(kTaggedAt, tagged));
  if (!extra.ok()) return extra.status().WithContext("header at 0");
  out.header.extra = *std::move(extra);
  return out;
}

struct DecodedRecord {
  uint64_t synced_through = 0;
  ByteSpan body;
  uint64_t end = 0;  // where the next record starts
};

// What a valid record header says; nullopt for anything else.
std::optional<uint64_t> SyncedThroughAt(ByteSpan file, uint64_t number,
                                        uint64_t position) {
  const std::byte* p = file.data() + position;
  if (LoadLittle<uint32_t>(p + kRecordCrcAt) !=
      RecordCrc(number, position, p)) {
    return std::nullopt;
  }
  return LoadLittle<uint64_t>(p + kSyncedThroughAt);
}

Result<DecodedRecord> DecodeRecord(ByteSpan file, uint64_t number,
                                   uint64_t position) {
  const uint64_t room = file.size() - position;
  if (room < kManifestRecordHeaderBytes) {
    return Damaged(
        fmt::format("record at {} cut short: expected {} bytes, "
                    "found {}",
                    position, kManifestRecordHeaderBytes, room));
  }
  const std::byte* p = file.data() + position;
  if (!SyncedThroughAt(file, number, position)) {
    return Damaged(
        fmt::format("record header checksum at {}: expected "
                    "{:08x}, found {:08x}",
                    position, LoadLittle<uint32_t>(p + kRecordCrcAt),
                    RecordCrc(number, position, p)));
  }
  DecodedRecord record;
  record.synced_through = LoadLittle<uint64_t>(p + kSyncedThroughAt);
  const uint64_t length = LoadLittle<uint32_t>(p + kBodyBytesAt);
  const uint64_t whole =
      AlignUp(kManifestRecordHeaderBytes + length, kManifestAlignment);
  if (whole > room) {
    return Damaged(
        fmt::format("record at {} cut short: expected {} bytes, "
                    "found {}",
                    position, whole, room));
  }
  const ByteSpan padded =
      file.subspan(position, whole).subspan(kManifestRecordHeaderBytes);
  record.body = padded.first(length);
  const auto expected = LoadLittle<uint32_t>(p + kBodyCrcAt);
  const uint32_t found = Crc32c(padded);
  if (expected != found) {
    return Damaged(
        fmt::format("record checksum at {}: expected {:08x}, found "
                    "{:08x}",
                    position, expected, found));
  }
  record.end = position + whole;
  return record;
}

// Whether a record behind `position` says that the file was synced beyond it.
bool IsKnownSynced(ByteSpan file, uint64_t number, uint64_t position) {
  for (uint64_t at = position; at + kManifestRecordHeaderBytes <= file.size();
       at += kManifestAlignment) {
    const std::optional<uint64_t> synced = SyncedThroughAt(file, number, at);
    if (synced && *synced > position) return true;
  }
  return false;
}

bool EndsSnapshot(const ManifestEdit& edit) {
  return std::ranges::any_of(edit.ops, [](const ManifestOp& op) {
    return std::holds_alternative<SnapshotEnd>(op);
  });
}

}  // namespace

std::string EncodeManifestHeader(const ManifestHeader& header) {
  const std::string tagged = EncodeTaggedFields(header.extra);
  std::string out(AlignUp(kTaggedAt + tagged.size(), kManifestAlignment), '\0');
  auto* p = reinterpret_cast<std::byte*>(out.data());
  std::memcpy(p, kManifestMagic.data(), kManifestMagic.size());
  StoreLittle(p + kVersionAt, kManifestVersion);
  StoreLittle(p + kHeaderBytesAt, static_cast<uint32_t>(out.size()));
  StoreLittle(p + kTaggedBytesAt, static_cast<uint32_t>(tagged.size()));
  StoreLittle(p + kNumberAt, header.number);
  std::memcpy(p + kStoreIdAt, header.store_id.bytes.data(), 16);
  std::memcpy(p + kTaggedAt, tagged.data(), tagged.size());
  StoreLittle(p + kHeaderCrcAt, Crc32c(AsBytes(out).subspan(kVersionAt)));
  return out;
}

void AppendManifestRecord(const ManifestRecordPlace& place, ByteSpan body,
                          std::string& out) {
  STRATA_CHECK(place.position % kManifestAlignment == 0);
  STRATA_CHECK(body.size() <= kMaxManifestEditBytes);
  const size_t at = out.size();
  out.resize(at + AlignUp(kManifestRecordHeaderBytes + body.size(),
                          kManifestAlignment));
  auto* p = reinterpret_cast<std::byte*>(out.data()) + at;
  std::ranges::copy(body, p + kManifestRecordHeaderBytes);
  StoreLittle(p + kBodyBytesAt, static_cast<uint32_t>(body.size()));
  StoreLittle(p + kSyncedThroughAt, place.synced_through);
  StoreLittle(p + kBodyCrcAt,
              Crc32c(AsBytes(out).subspan(at + kManifestRecordHeaderBytes)));
  StoreLittle(p + kReservedAt, uint32_t{0});
  StoreLittle(p + kRecordCrcAt, RecordCrc(place.number, place.position, p));
}

Result<ManifestTail> ReadManifest(
    ByteSpan file, const std::function<Status(const ManifestEdit&)>& apply) {
  STRATA_ASSIGN_OR_RETURN(const DecodedHeader header, DecodeHeader(file));
  ManifestTail tail;
  tail.header = header.header;
  const uint64_t number = tail.header.number;
  uint64_t position = header.bytes;
  while (position < file.size() || tail.snapshot_end == 0) {
    const Result<DecodedRecord> record = DecodeRecord(file, number, position);
    if (!record.ok()) {
      // A snapshot was synced before the file got its name.
      if (tail.snapshot_end == 0) {
        return record.status().WithContext("snapshot");
      }
      if (IsKnownSynced(file, number, position)) return record.status();
      break;
    }
    const std::string where = fmt::format("record at {}", position);
    const Result<ManifestEdit> edit = DecodeManifestEdit(record->body);
    if (!edit.ok()) return edit.status().WithContext(where);
    STRATA_RETURN_IF_ERROR(apply(*edit).WithContext(where));
    position = record->end;
    if (tail.snapshot_end == 0 && EndsSnapshot(*edit)) {
      tail.snapshot_end = position;
    }
  }
  tail.good_end = position;
  tail.torn_bytes = file.size() - position;
  return tail;
}

}  // namespace strata
