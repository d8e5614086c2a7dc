// What is known of a sealed segment: the value that manifest, bucket root,
// policy and tiers exchange.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "strata/types.h"

namespace strata {

// A partition as files, manifests and objects name it.
struct PartitionId {
  TopicId topic;
  uint32_t partition = 0;

  // "<32 hex digits>/3".
  std::string ToString() const;
  friend auto operator<=>(const PartitionId&, const PartitionId&) = default;
};

// A segment image in a local file. Many may share one file (a bundle).
struct WarmAddress {
  uint64_t file = 0;  // file number, never reused
  uint64_t position = 0;
  uint64_t length = 0;
  friend bool operator==(const WarmAddress&, const WarmAddress&) = default;
};

// A segment image in an object.
struct ColdAddress {
  std::string key;
  uint64_t position = 0;
  uint64_t length = 0;
  friend bool operator==(const ColdAddress&, const ColdAddress&) = default;
};

struct SegmentEntry {
  // Number of the segment, unique in the store that sealed it, never reused.
  uint64_t id = 0;
  PartitionId partition;
  // The logical range. Batches of the image outside of it (after a truncation)
  // are not part of the log; offsets of it without a batch are gaps.
  OffsetRange offsets;
  Epoch first_epoch;
  Epoch last_epoch;
  uint64_t batch_count = 0;
  uint64_t record_count = 0;
  uint64_t dead_records = 0;
  TimestampMs min_timestamp = kNoTimestamp;
  TimestampMs max_timestamp = kNoTimestamp;
  // By the store's clock, milliseconds since 1970: ages are counted from here.
  TimestampMs sealed_at = 0;
  // Of the whole image, every tier's copy has the same bytes.
  uint64_t image_bytes = 0;
  uint32_t image_crc32c = 0;
  std::optional<WarmAddress> warm;
  std::optional<ColdAddress> cold;

  friend bool operator==(const SegmentEntry&, const SegmentEntry&) = default;
};

}  // namespace strata

template <>
struct std::hash<strata::PartitionId> {
  size_t operator()(const strata::PartitionId& id) const noexcept {
    return std::hash<strata::TopicId>()(id.topic) * 31 + id.partition;
  }
};
