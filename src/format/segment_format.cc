#include "format/segment_format.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/frame.h"
#include "format/magic.h"

namespace strata {
namespace {

// docs/formats/segment.md.
constexpr uint32_t kVersion = 1;

// Header.
constexpr size_t kHeaderMagicAt = 0;
constexpr size_t kHeaderVersionAt = 8;
constexpr size_t kHeaderSegmentIdAt = 16;
constexpr size_t kHeaderCrcAt = 28;

// Footer.
constexpr size_t kIndexPositionAt = 0;
constexpr size_t kIndexBytesAt = 8;
constexpr size_t kIndexCrcAt = 12;
constexpr size_t kPropertiesPositionAt = 16;
constexpr size_t kPropertiesBytesAt = 24;
constexpr size_t kPropertiesCrcAt = 28;
constexpr size_t kImageBytesAt = 32;
constexpr size_t kFooterVersionAt = 48;
constexpr size_t kFooterCrcAt = 52;

template <typename... Args>
Status DataLoss(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kDataLoss,
          fmt::format(format, std::forward<Args>(args)...)};
}

// Size, magic, checksum over [0, crc_at), version: in the order in which a
// foreign file, a damaged one and a newer one are told apart.
Status CheckFixedBlock(std::string_view what, ByteSpan bytes, size_t magic_at,
                       std::string_view magic, size_t version_at,
                       size_t crc_at) {
  if (bytes.size() != crc_at + 4) {
    return DataLoss("segment {}: expected {} bytes, found {}", what, crc_at + 4,
                    bytes.size());
  }
  const std::string_view found_magic =
      AsText(bytes).substr(magic_at, magic.size());
  if (found_magic != magic) {
    return DataLoss("segment {}: expected magic \"{}\", found {:02x}", what,
                    magic, fmt::join(AsBytes(found_magic), ""));
  }
  const uint32_t expected = LoadLittle<uint32_t>(bytes.data() + crc_at);
  const uint32_t found = Crc32c(bytes.first(crc_at));
  if (expected != found) {
    return DataLoss("segment {} checksum: expected {:08x}, found {:08x}", what,
                    expected, found);
  }
  const uint32_t version = LoadLittle<uint32_t>(bytes.data() + version_at);
  if (version != kVersion) {
    return {StatusCode::kUnsupported,
            fmt::format("segment {}: version {} needs another version of "
                        "Strata, which knows {}",
                        what, version, kVersion)};
  }
  return Status::Ok();
}

}  // namespace

void EncodeSegmentHeader(uint64_t segment_id,
                         std::span<std::byte, kSegmentHeaderBytes> out) {
  std::byte* p = out.data();
  std::memset(p, 0, out.size());
  std::memcpy(p + kHeaderMagicAt, kSegmentMagic.data(), kSegmentMagic.size());
  StoreLittle(p + kHeaderVersionAt, kVersion);
  StoreLittle(p + kHeaderSegmentIdAt, segment_id);
  StoreLittle(p + kHeaderCrcAt, Crc32c(out.first(kHeaderCrcAt)));
}

Result<uint64_t> DecodeSegmentHeader(ByteSpan bytes) {
  STRATA_RETURN_IF_ERROR(CheckFixedBlock("header", bytes, kHeaderMagicAt,
                                         kSegmentMagic, kHeaderVersionAt,
                                         kHeaderCrcAt));
  return LoadLittle<uint64_t>(bytes.data() + kHeaderSegmentIdAt);
}

void EncodeSegmentFooter(const SegmentFooter& footer,
                         std::span<std::byte, kSegmentFooterBytes> out) {
  std::byte* p = out.data();
  StoreLittle(p + kIndexPositionAt, footer.index_position);
  StoreLittle(p + kIndexBytesAt, footer.index_bytes);
  StoreLittle(p + kIndexCrcAt, footer.index_crc32c);
  StoreLittle(p + kPropertiesPositionAt, footer.properties_position());
  StoreLittle(p + kPropertiesBytesAt, footer.properties_bytes);
  StoreLittle(p + kPropertiesCrcAt, footer.properties_crc32c);
  StoreLittle(p + kImageBytesAt, footer.image_bytes());
  std::memcpy(p + kSegmentFooterMagicAt, kSegmentFooterMagic.data(),
              kSegmentFooterMagic.size());
  StoreLittle(p + kFooterVersionAt, kVersion);
  StoreLittle(p + kFooterCrcAt, Crc32c(out.first(kFooterCrcAt)));
}

Result<SegmentFooter> DecodeSegmentFooter(ByteSpan bytes,
                                          uint64_t image_bytes) {
  STRATA_RETURN_IF_ERROR(CheckFixedBlock("footer", bytes, kSegmentFooterMagicAt,
                                         kSegmentFooterMagic, kFooterVersionAt,
                                         kFooterCrcAt));
  const std::byte* p = bytes.data();
  const auto found_bytes = LoadLittle<uint64_t>(p + kImageBytesAt);
  if (found_bytes != image_bytes) {
    return DataLoss("segment footer: expected an image of {} bytes, found {}",
                    image_bytes, found_bytes);
  }
  const SegmentFooter footer{
      .index_position = LoadLittle<uint64_t>(p + kIndexPositionAt),
      .index_bytes = LoadLittle<uint32_t>(p + kIndexBytesAt),
      .index_crc32c = LoadLittle<uint32_t>(p + kIndexCrcAt),
      .properties_bytes = LoadLittle<uint32_t>(p + kPropertiesBytesAt),
      .properties_crc32c = LoadLittle<uint32_t>(p + kPropertiesCrcAt)};
  const auto properties_position =
      LoadLittle<uint64_t>(p + kPropertiesPositionAt);
  const bool tiled = footer.index_position >= kSegmentHeaderBytes &&
                     footer.index_position <= image_bytes &&
                     footer.index_position % kFrameAlignment == 0 &&
                     footer.properties_position() == properties_position &&
                     footer.image_bytes() == image_bytes;
  if (!tiled) {
    return DataLoss(
        "segment footer: index at {} of {} bytes, properties at {} of {} bytes "
        "do not tile an image of {} bytes",
        footer.index_position, footer.index_bytes, properties_position,
        footer.properties_bytes, image_bytes);
  }
  if (footer.properties_bytes > kMaxSegmentPropertiesBytes) {
    return DataLoss(
        "segment footer: expected at most {} bytes of properties, "
        "found {}",
        kMaxSegmentPropertiesBytes, footer.properties_bytes);
  }
  return footer;
}

std::string EncodeSegmentIndex(std::span<const SegmentIndexEntry> entries) {
  ByteWriter out;
  out.Varint(entries.size());
  SegmentIndexEntry last;
  for (const SegmentIndexEntry& entry : entries) {
    STRATA_CHECK(entry.max_timestamp >= last.max_timestamp);
    out.Varint(entry.first_offset.value() - last.first_offset.value());
    out.Varint(entry.position - last.position);
    out.Varint(static_cast<uint64_t>(entry.max_timestamp) -
               static_cast<uint64_t>(last.max_timestamp));
    last = entry;
  }
  return out.Take();
}

namespace {

std::optional<uint64_t> AddWithin(uint64_t value, uint64_t delta,
                                  uint64_t limit) {
  if (value > limit || delta > limit - value) return std::nullopt;
  return value + delta;
}

// The entry after `last`; nullopt when the bytes end or a value leaves its
// range.
std::optional<SegmentIndexEntry> ReadIndexEntry(ByteReader& in,
                                                const SegmentIndexEntry& last,
                                                uint64_t frames_end) {
  const std::optional<uint64_t> offset_delta = in.Varint();
  const std::optional<uint64_t> position_delta = in.Varint();
  const std::optional<uint64_t> time_delta = in.Varint();
  if (!offset_delta || !position_delta || !time_delta) return std::nullopt;
  const auto offset =
      AddWithin(last.first_offset.value(), *offset_delta, UINT64_MAX);
  const auto position = AddWithin(last.position, *position_delta, frames_end);
  // One up, so that kNoTimestamp is 0 and the sum stays unsigned.
  const auto time = AddWithin(static_cast<uint64_t>(last.max_timestamp) + 1,
                              *time_delta, uint64_t{1} << 63);
  if (!offset || !position || !time) return std::nullopt;
  if (*position == frames_end || *position % kFrameAlignment != 0) {
    return std::nullopt;
  }
  return SegmentIndexEntry{
      .first_offset = Offset(*offset),
      .position = *position,
      .max_timestamp = static_cast<TimestampMs>(*time - 1)};
}

}  // namespace

Result<std::vector<SegmentIndexEntry>> DecodeSegmentIndex(ByteSpan bytes,
                                                          uint64_t frames_end) {
  ByteReader in(bytes);
  const std::optional<uint64_t> count = in.Varint();
  // An entry has at least three bytes.
  if (!count || *count > in.remaining() / 3) {
    return DataLoss("segment index: {} entries do not fit into {} bytes",
                    count.value_or(0), bytes.size());
  }
  std::vector<SegmentIndexEntry> entries;
  entries.reserve(*count);
  SegmentIndexEntry last;
  for (uint64_t i = 0; i < *count; ++i) {
    const size_t at = in.position();
    const auto entry = ReadIndexEntry(in, last, frames_end);
    const bool in_order =
        entry && (i == 0 ? entry->position == kSegmentHeaderBytes
                         : entry->position > last.position &&
                               entry->first_offset > last.first_offset);
    if (!in_order) {
      return DataLoss("segment index: entry {} at {} damaged", i, at);
    }
    entries.push_back(last = *entry);
  }
  if (in.remaining() > 0) {
    return DataLoss("segment index: expected its end at {}, found {} bytes",
                    in.position(), bytes.size());
  }
  if (entries.empty() && frames_end != kSegmentHeaderBytes) {
    return DataLoss(
        "segment index: expected entries for frames up to {}, "
        "found none",
        frames_end);
  }
  return entries;
}

}  // namespace strata
