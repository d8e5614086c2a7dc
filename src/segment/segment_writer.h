// Writes segment images (docs/formats/segment.md) batch by batch into a sink.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "format/frame.h"
#include "format/segment_entry.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// One batch on its way into or out of a segment; borrows its bytes. The
// payload's checksum is the one that the WAL computed, never a new one.
struct SegmentBatch {
  FrameHeader header;
  ByteSpan payload;
  ByteSpan tagged = {};  // header.tagged_bytes of encoded fields
};

using BatchConsumer = std::function<Status(const SegmentBatch&)>;
// Calls the consumer with one batch after the other, ascending, and stops at
// its first error, which it returns.
using BatchProducer = std::function<Status(const BatchConsumer&)>;

// What an image is to say of itself.
struct SegmentSpec {
  uint64_t id = 0;
  PartitionId partition;
  std::string topic_name;  // a label
  // Logical range. Every batch ends within it; the first may begin before it
  // (a trim within a batch).
  OffsetRange offsets;
  TimestampMs sealed_at = 0;
  // A block of the index ends with the frame that reaches this size.
  uint64_t index_interval_bytes = 4096;
  std::map<std::string, std::string> sections = {};  // small, by name
};

// Takes the pieces of an image in order.
class SegmentSink {
 public:
  virtual ~SegmentSink() = default;
  virtual Status Append(ByteSpan bytes) = 0;
};

// Writes one image; answers its entry without addresses. Checks each batch
// before it is written: kInvalidArgument when it does not belong here (kind,
// partition, range, order, epoch going back), kDataLoss when its payload does
// not match its checksum. After an error the sink holds a useless part.
Result<SegmentEntry> WriteSegmentImage(const SegmentSpec& spec,
                                       const BatchProducer& batches,
                                       SegmentSink& sink);
Result<SegmentEntry> WriteSegmentImage(const SegmentSpec& spec,
                                       std::span<const SegmentBatch> batches,
                                       SegmentSink& sink);
// The most that an image takes whose frames are of `frames_bytes` together.
uint64_t MaxSegmentImageBytes(uint64_t frames_bytes,
                              uint64_t index_interval_bytes);
// A producer over batches in memory, which it borrows.
BatchProducer ProduceFrom(std::span<const SegmentBatch> batches);

}  // namespace strata
