#include "segment/segment_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/check.h"
#include "base/crc32c.h"

namespace strata {
namespace {

Status CheckImageBytes(uint64_t image_bytes) {
  constexpr uint64_t kLeast = kSegmentHeaderBytes + kSegmentFooterBytes;
  if (image_bytes >= kLeast) return Status::Ok();
  return {StatusCode::kDataLoss,
          fmt::format("segment image: expected at least {} bytes, found {}",
                      kLeast, image_bytes)};
}

Status CheckBlock(std::string_view what, ByteSpan bytes, uint64_t position,
                  uint32_t expected) {
  const uint32_t found = Crc32c(bytes);
  if (expected == found) return Status::Ok();
  return {StatusCode::kDataLoss,
          fmt::format("segment {} checksum at {} of the image: expected "
                      "{:08x}, found {:08x}",
                      what, position, expected, found)};
}

Result<SegmentFooter> FooterOf(ByteSpan tail, uint64_t image_bytes) {
  STRATA_RETURN_IF_ERROR(CheckImageBytes(image_bytes));
  STRATA_CHECK(tail.size() >= kSegmentFooterBytes &&
               tail.size() <= image_bytes);
  return DecodeSegmentFooter(tail.last(kSegmentFooterBytes), image_bytes);
}

}  // namespace

Result<SegmentIndex> SegmentIndex::Parse(ByteSource& image,
                                         uint64_t image_bytes) {
  STRATA_RETURN_IF_ERROR(CheckImageBytes(image_bytes));
  std::array<std::byte, kSegmentHeaderBytes> header;
  STRATA_RETURN_IF_ERROR(ReadExactly(image, 0, header));
  STRATA_ASSIGN_OR_RETURN(const uint64_t id, DecodeSegmentHeader(header));
  std::vector<std::byte> tail(kSegmentFooterBytes);
  STRATA_RETURN_IF_ERROR(ReadExactly(image, image_bytes - tail.size(), tail));
  STRATA_ASSIGN_OR_RETURN(const uint64_t needed, TailBytes(tail, image_bytes));
  tail.resize(needed);
  STRATA_RETURN_IF_ERROR(ReadExactly(image, image_bytes - needed, tail));
  Result<SegmentIndex> index = ParseTail(tail, image_bytes);
  if (index.ok() && index->properties().id != id) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("segment header: expected id {} as in the "
                              "properties, found {}",
                              index->properties().id, id));
  }
  return index;
}

Result<uint64_t> SegmentIndex::TailBytes(ByteSpan tail, uint64_t image_bytes) {
  STRATA_ASSIGN_OR_RETURN(const SegmentFooter footer,
                          FooterOf(tail, image_bytes));
  return image_bytes - footer.index_position;
}

Result<SegmentIndex> SegmentIndex::ParseTail(ByteSpan tail,
                                             uint64_t image_bytes) {
  STRATA_ASSIGN_OR_RETURN(const SegmentFooter footer,
                          FooterOf(tail, image_bytes));
  STRATA_CHECK(tail.size() >= image_bytes - footer.index_position);
  tail = tail.last(image_bytes - footer.index_position);
  const ByteSpan index_bytes = tail.first(footer.index_bytes);
  const ByteSpan properties_bytes =
      tail.subspan(footer.index_bytes, footer.properties_bytes);
  STRATA_RETURN_IF_ERROR(CheckBlock("index", index_bytes, footer.index_position,
                                    footer.index_crc32c));
  STRATA_RETURN_IF_ERROR(CheckBlock("properties", properties_bytes,
                                    footer.properties_position(),
                                    footer.properties_crc32c));
  SegmentIndex index;
  index.frames_end_ = footer.index_position;
  index.image_bytes_ = image_bytes;
  STRATA_ASSIGN_OR_RETURN(
      index.entries_, DecodeSegmentIndex(index_bytes, footer.index_position));
  STRATA_ASSIGN_OR_RETURN(index.properties_,
                          DecodeSegmentProperties(properties_bytes));
  const uint64_t frames_bytes = index.frames_end_ - kSegmentHeaderBytes;
  if (index.properties_.frames_bytes != frames_bytes) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("segment properties: expected {} bytes of "
                              "frames, found {}",
                              frames_bytes, index.properties_.frames_bytes));
  }
  const Offset end = index.properties_.offsets.end;
  if (!index.entries_.empty() && index.entries_.back().first_offset >= end) {
    return Status(
        StatusCode::kDataLoss,
        fmt::format("segment index: expected offsets below {}, found {}",
                    end.value(), index.entries_.back().first_offset.value()));
  }
  return index;
}

Status SegmentIndex::CheckIdentity(const SegmentEntry& entry) const {
  const SegmentProperties& p = properties_;
  if (p.id == entry.id && p.partition == entry.partition &&
      image_bytes_ == entry.image_bytes &&
      entry.offsets.base >= p.offsets.base &&
      entry.offsets.end <= p.offsets.end) {
    return Status::Ok();
  }
  return {
      StatusCode::kDataLoss,
      fmt::format("another segment: expected {} of {} with offsets [{}, "
                  "{}) in {} bytes, found {} of {} with [{}, {}) in {}",
                  entry.id, entry.partition.ToString(),
                  entry.offsets.base.value(), entry.offsets.end.value(),
                  entry.image_bytes, p.id, p.partition.ToString(),
                  p.offsets.base.value(), p.offsets.end.value(), image_bytes_)};
}

SegmentIndex::Block SegmentIndex::block(size_t i) const {
  STRATA_CHECK(i < entries_.size());
  const bool last = i + 1 == entries_.size();
  return {.begin = entries_[i].position,
          .end = last ? frames_end_ : entries_[i + 1].position,
          .offsets = {
              entries_[i].first_offset,
              last ? properties_.offsets.end : entries_[i + 1].first_offset}};
}

size_t SegmentIndex::BlockFor(Offset offset) const {
  const auto after = std::ranges::upper_bound(entries_, offset, {},
                                              &SegmentIndexEntry::first_offset);
  return after == entries_.begin() ? 0 : after - entries_.begin() - 1;
}

std::optional<size_t> SegmentIndex::BlockForTimestamp(TimestampMs time) const {
  const auto found = std::ranges::lower_bound(
      entries_, time, {}, &SegmentIndexEntry::max_timestamp);
  if (found == entries_.end()) return std::nullopt;
  return found - entries_.begin();
}

}  // namespace strata
