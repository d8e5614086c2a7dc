// SegmentIndex: what a reader keeps of an image to find batches in it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "format/segment_entry.h"
#include "format/segment_format.h"
#include "segment/byte_source.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// The parsed end of an image: footer, index, properties. Immutable; copies
// cost their memory.
class SegmentIndex {
 public:
  // Frames [begin, end) of the image. All their offsets lie within `offsets`,
  // which begins with the first frame's.
  struct Block {
    uint64_t begin = 0;
    uint64_t end = 0;
    OffsetRange offsets;
  };

  // Reads header and tail and checks every checksum of both. kDataLoss,
  // kUnsupported, or what the source answers.
  static Result<SegmentIndex> Parse(ByteSource& image, uint64_t image_bytes);

  // For a reader that fetches the end of an image first: how many of its last
  // bytes ParseTail needs. `tail` are at least the last kSegmentFooterBytes.
  static Result<uint64_t> TailBytes(ByteSpan tail, uint64_t image_bytes);
  // `tail` are the last bytes of the image, at least TailBytes of them.
  static Result<SegmentIndex> ParseTail(ByteSpan tail, uint64_t image_bytes);

  // kDataLoss unless the image is the one that `entry` speaks of: id, topic,
  // partition, length. The entry's range may be a part of the image's.
  Status CheckIdentity(const SegmentEntry& entry) const;

  size_t block_count() const { return entries_.size(); }
  // `i` < block_count().
  Block block(size_t i) const;
  // The only block that can hold `offset`: the last that begins at or below
  // it, or the first. block_count() when there is none at all.
  size_t BlockFor(Offset offset) const;
  // The block of the first batch whose max timestamp is `time` or later;
  // nullopt when no batch is.
  std::optional<size_t> BlockForTimestamp(TimestampMs time) const;

  const SegmentProperties& properties() const { return properties_; }
  uint64_t frames_end() const { return frames_end_; }
  uint64_t image_bytes() const { return image_bytes_; }

 private:
  SegmentIndex() = default;

  SegmentProperties properties_;
  std::vector<SegmentIndexEntry> entries_;
  uint64_t frames_end_ = 0;
  uint64_t image_bytes_ = 0;
};

}  // namespace strata
