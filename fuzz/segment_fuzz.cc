// Any bytes as a segment image: opened, read block by block and in one go,
// verified. The parts behind checksums are decoded without them as well.
#include <cstddef>
#include <cstdint>

#include "format/segment_format.h"
#include "segment/byte_source.h"
#include "segment/frame_cursor.h"
#include "segment/segment_index.h"
#include "segment/segment_reader.h"

namespace strata {
namespace {

void WalkAnyFrames(ByteSpan bytes) {
  // As a partition of its own choice, so that more than one frame can pass.
  const Result<DecodedFrame> first = DecodeFrame(bytes, kSegmentLife);
  if (!first.ok()) return;
  const FrameHeader& h = first->header;
  FrameCursor cursor(bytes, {.partition = {h.topic, h.partition},
                             .offsets = {Offset(0), Offset(UINT64_MAX)}});
  for (;;) {
    const auto frame = cursor.Next();
    if (!frame.ok() || *frame == nullptr) return;
    (void)cursor.VerifyLast();
  }
}

void ReadImage(ByteSpan bytes) {
  SpanSource source(bytes);
  const Result<SegmentIndex> index = SegmentIndex::Parse(source, bytes.size());
  if (!index.ok()) return;
  SegmentEntry entry = EntryOf(index->properties());
  entry.image_bytes = bytes.size();
  (void)VerifySegmentImage(source, entry);
  (void)ForEachBatch(source, *index, entry.offsets,
                     [](const SegmentBatch&) { return Status::Ok(); });
  (void)index->BlockForTimestamp(entry.max_timestamp);
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const strata::ByteSpan bytes(reinterpret_cast<const std::byte*>(data), size);
  strata::ReadImage(bytes);
  strata::WalkAnyFrames(bytes);
  (void)strata::DecodeSegmentHeader(bytes);
  (void)strata::DecodeSegmentFooter(bytes, size);
  (void)strata::DecodeSegmentIndex(bytes, size);
  (void)strata::DecodeSegmentProperties(bytes);
  return 0;
}
