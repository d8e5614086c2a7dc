// Segment image: the run of one partition as it lies in warm files and cold
// objects. docs/formats/segment.md is the specification. Pure codecs of what
// stands around the frames: header, index, properties, footer.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "format/segment_entry.h"
#include "format/tagged_fields.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

inline constexpr size_t kSegmentHeaderBytes = 32;
inline constexpr size_t kSegmentFooterBytes = 56;
// Images in one file start at multiples of this, so that a page belongs to one
// image.
inline constexpr uint64_t kSegmentImageAlignment = 4096;
// Largest properties block, so that a reader's memory is bounded. Room for a
// full list of epochs and the named sections.
inline constexpr size_t kMaxSegmentPropertiesBytes = 1 << 20;

void EncodeSegmentHeader(uint64_t segment_id,
                         std::span<std::byte, kSegmentHeaderBytes> out);
// The segment's id. kDataLoss for damage, kUnsupported for a newer version.
Result<uint64_t> DecodeSegmentHeader(ByteSpan bytes);

// One block: the frames from `position` up to the next entry's position.
struct SegmentIndexEntry {
  Offset first_offset;    // base offset of the block's first frame
  uint64_t position = 0;  // of that frame in the image
  // Greatest of all frames of this block and those before it.
  TimestampMs max_timestamp = kNoTimestamp;

  friend bool operator==(const SegmentIndexEntry&,
                         const SegmentIndexEntry&) = default;
};

// `entries` ascend strictly by offset and position, and by timestamp from
// kNoTimestamp on.
std::string EncodeSegmentIndex(std::span<const SegmentIndexEntry> entries);
// kDataLoss unless the block is well-formed and its blocks tile
// [kSegmentHeaderBytes, frames_end).
Result<std::vector<SegmentIndexEntry>> DecodeSegmentIndex(ByteSpan bytes,
                                                          uint64_t frames_end);

// Where an epoch of the partition begins within the segment.
struct SegmentEpoch {
  Epoch epoch;
  Offset start;  // base offset of its first batch

  friend bool operator==(const SegmentEpoch&, const SegmentEpoch&) = default;
};

// What an image says about itself, so that a store can be rebuilt from images.
struct SegmentProperties {
  uint64_t id = 0;
  PartitionId partition;
  std::string topic_name;            // a label: the id names the topic
  OffsetRange offsets;               // logical range when written
  std::vector<SegmentEpoch> epochs;  // strictly ascending, both fields
  uint64_t batch_count = 0;
  uint64_t record_count = 0;
  // Over the batches' max timestamps.
  TimestampMs min_timestamp = kNoTimestamp;
  TimestampMs max_timestamp = kNoTimestamp;
  TimestampMs sealed_at = 0;
  uint64_t frames_bytes = 0;
  // Small opaque states of a server, by name.
  std::map<std::string, std::string> sections;
  // Optional fields of newer versions, kept as they are.
  TaggedFields unknown;

  friend bool operator==(const SegmentProperties&,
                         const SegmentProperties&) = default;
};

std::string EncodeSegmentProperties(const SegmentProperties& properties);
// kDataLoss for malformed, missing or contradictory fields, kUnsupported for a
// required field of a newer version.
Result<SegmentProperties> DecodeSegmentProperties(ByteSpan bytes);
// The entry that `properties` tell, without addresses, size and checksum of
// the image.
SegmentEntry EntryOf(const SegmentProperties& properties);

// Frames lie in [kSegmentHeaderBytes, index_position), then follow index,
// properties and the footer itself without holes.
struct SegmentFooter {
  uint64_t index_position = 0;
  uint32_t index_bytes = 0;
  uint32_t index_crc32c = 0;
  uint32_t properties_bytes = 0;
  uint32_t properties_crc32c = 0;

  uint64_t properties_position() const { return index_position + index_bytes; }
  uint64_t image_bytes() const {
    return properties_position() + properties_bytes + kSegmentFooterBytes;
  }
  friend bool operator==(const SegmentFooter&, const SegmentFooter&) = default;
};

void EncodeSegmentFooter(const SegmentFooter& footer,
                         std::span<std::byte, kSegmentFooterBytes> out);
// `bytes` are the last kSegmentFooterBytes of an image of `image_bytes`.
// kDataLoss for damage or another length, kUnsupported for a newer version.
Result<SegmentFooter> DecodeSegmentFooter(ByteSpan bytes, uint64_t image_bytes);

}  // namespace strata
