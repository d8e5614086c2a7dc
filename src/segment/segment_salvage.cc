#include "segment/segment_salvage.h"

#include <algorithm>

#include "format/segment_format.h"
#include "segment/byte_source.h"
#include "segment/frame_cursor.h"
#include "segment/segment_index.h"

namespace strata {
namespace {

Status SalvageFrames(ByteSpan frames, const FrameRun& run, OffsetRange wanted,
                     const BatchConsumer& consume) {
  FrameCursor cursor(frames, run);
  for (;;) {
    const Result<const DecodedFrame*> frame = cursor.Next();
    if (!frame.ok() || *frame == nullptr) return Status::Ok();
    if (!cursor.VerifyLast().ok()) continue;
    const Offset end = (*frame)->header.offsets.end;
    if (end <= wanted.base || end > wanted.end) continue;
    STRATA_RETURN_IF_ERROR(consume({.header = (*frame)->header,
                                    .payload = (*frame)->payload,
                                    .tagged = (*frame)->tagged}));
  }
}

// Frames follow each other from the header on; what stands behind the last one
// is none.
Status SalvageWithoutIndex(ByteSpan image, const SegmentEntry& entry,
                           const BatchConsumer& consume) {
  if (image.size() <= kSegmentHeaderBytes) return Status::Ok();
  const Result<uint64_t> id =
      DecodeSegmentHeader(image.first(kSegmentHeaderBytes));
  if (id.ok() && *id != entry.id) return Status::Ok();
  return SalvageFrames(image.subspan(kSegmentHeaderBytes),
                       {.partition = entry.partition,
                        .offsets = {Offset(0), kMaxLogEnd},
                        .position = kSegmentHeaderBytes},
                       entry.offsets, consume);
}

}  // namespace

Status SalvageBatches(ByteSpan image, const SegmentEntry& entry,
                      const BatchConsumer& consume) {
  // The end of a longer image is not its footer.
  const bool whole = image.size() == entry.image_bytes;
  SpanSource source(image);
  const Result<SegmentIndex> index =
      whole ? SegmentIndex::Parse(source, image.size())
            : Status(StatusCode::kDataLoss, "cut short");
  if (!index.ok()) return SalvageWithoutIndex(image, entry, consume);
  if (!index->CheckIdentity(entry).ok()) return Status::Ok();
  for (size_t i = 0; i < index->block_count(); ++i) {
    const SegmentIndex::Block block = index->block(i);
    STRATA_RETURN_IF_ERROR(
        SalvageFrames(image.subspan(block.begin, block.end - block.begin),
                      {.partition = entry.partition,
                       .offsets = block.offsets,
                       .position = block.begin},
                      entry.offsets, consume));
  }
  return Status::Ok();
}

}  // namespace strata
