#include "segment/segment_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/crc32c.h"
#include "segment/frame_cursor.h"

namespace strata {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;

// The first block behind `first` that no longer fits into one piece with it.
size_t PieceEnd(const SegmentIndex& index, size_t first) {
  const uint64_t begin = index.block(first).begin;
  size_t end = first + 1;
  while (end < index.block_count() &&
         index.block(end).end - begin <= kPieceBytes) {
    ++end;
  }
  return end;
}

Status ConsumeBlock(ByteSpan frames, const SegmentIndex& index,
                    const SegmentIndex::Block& block, OffsetRange offsets,
                    const BatchConsumer& consume) {
  FrameCursor cursor(frames, {.partition = index.properties().partition,
                              .offsets = block.offsets,
                              .position = block.begin});
  for (;;) {
    STRATA_ASSIGN_OR_RETURN(const DecodedFrame* frame, cursor.Next());
    if (frame == nullptr) return Status::Ok();
    STRATA_RETURN_IF_ERROR(cursor.VerifyLast());
    const Offset end = frame->header.offsets.end;
    if (end <= offsets.base || end > offsets.end) continue;
    STRATA_RETURN_IF_ERROR(consume({.header = frame->header,
                                    .payload = frame->payload,
                                    .tagged = frame->tagged}));
  }
}

Status VerifyWhole(ByteSource& image, const SegmentEntry& entry) {
  std::vector<std::byte> piece(std::min(kPieceBytes, entry.image_bytes));
  uint32_t found = 0;
  for (uint64_t at = 0; at < entry.image_bytes; at += piece.size()) {
    piece.resize(std::min<uint64_t>(piece.size(), entry.image_bytes - at));
    STRATA_RETURN_IF_ERROR(ReadExactly(image, at, piece));
    found = ExtendCrc32c(found, piece);
  }
  if (found == entry.image_crc32c) return Status::Ok();
  return {StatusCode::kDataLoss,
          fmt::format("checksum of the segment image of {} bytes: expected "
                      "{:08x}, found {:08x}",
                      entry.image_bytes, entry.image_crc32c, found)};
}

}  // namespace

Status ForEachBatch(ByteSource& image, const SegmentIndex& index,
                    OffsetRange offsets, const BatchConsumer& consume) {
  std::vector<std::byte> piece;
  size_t i = index.BlockFor(offsets.base);
  while (i < index.block_count() && index.block(i).offsets.base < offsets.end) {
    const size_t end = PieceEnd(index, i);
    const uint64_t begin = index.block(i).begin;
    piece.resize(index.block(end - 1).end - begin);
    STRATA_RETURN_IF_ERROR(ReadExactly(image, begin, piece));
    for (; i < end; ++i) {
      const SegmentIndex::Block block = index.block(i);
      STRATA_RETURN_IF_ERROR(ConsumeBlock(
          ByteSpan(piece).subspan(block.begin - begin, block.end - block.begin),
          index, block, offsets, consume));
    }
  }
  return Status::Ok();
}

Status VerifySegmentImage(ByteSource& image, const SegmentEntry& entry) {
  STRATA_ASSIGN_OR_RETURN(const SegmentIndex index,
                          SegmentIndex::Parse(image, entry.image_bytes));
  STRATA_RETURN_IF_ERROR(index.CheckIdentity(entry));
  uint64_t batches = 0;
  uint64_t records = 0;
  // Up from 0: the first batch may begin before the logical range.
  const OffsetRange all{Offset(0), index.properties().offsets.end};
  STRATA_RETURN_IF_ERROR(
      ForEachBatch(image, index, all, [&](const SegmentBatch& batch) {
        ++batches;
        records += batch.header.record_count;
        return Status::Ok();
      }));
  const SegmentProperties& p = index.properties();
  if (batches != p.batch_count || records != p.record_count) {
    return {StatusCode::kDataLoss,
            fmt::format("segment frames: expected {} batches with {} records, "
                        "found {} with {}",
                        p.batch_count, p.record_count, batches, records)};
  }
  // Last: what is found before it names the place.
  return VerifyWhole(image, entry);
}

}  // namespace strata
