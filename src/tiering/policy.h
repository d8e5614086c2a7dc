// Tier policy: what should move, as a pure function of what there is. It says
// what to do and how urgent it is; JobRunner decides when, the engine how.
//
// Rules, by falling pressure:
//  1. Flush for room: unflushed memory or WAL length at half its limit. The
//     tails that hold the oldest WAL file go, then the largest others, until a
//     quarter of the limit is left.
//  2. Room in warm: above the high watermark, down to the low one. Extra copies
//     (cold has them) are dropped first, least recently used first. Sole copies
//     are offloaded, oldest first; a later pass drops them. A sole copy is
//     never dropped.
//  3. Age: tails are flushed, extra copies dropped, sole copies offloaded. Age
//     is the time since sealing by the store's clock; a clock that went back
//     makes it 0.
//  4. Promotion of what is read often: a copy more, if it fits.
//
// Offload goes in offset order within a partition: what lies below a due
// segment is due too. Small neighbours are merged first: a run of them waits
// until nothing more can join, or its first one has twice the age, or warm
// needs the room; then it is merged, and what a later pass finds merged is
// offloaded.
//
// With cold disabled there is nothing to offload to and nothing is proposed
// that could only fail.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "format/segment_entry.h"
#include "strata/types.h"

namespace strata {

enum class JobKind : uint8_t {
  kFlush,        // the tail of a partition: hot to warm
  kMerge,        // neighbours, sole copies in warm, into one segment
  kOffload,      // sole copies in warm: upload, keep the warm copy
  kDropWarm,     // warm copies of what cold has
  kPromoteWarm,  // adds warm copies of cold segments
  kPromoteHot,   // adds hot copies of warm segments
  kPurge,        // what a deleted topic has in cold; not of this policy
};

// "flush", "merge", "offload", "drop-warm", "promote-warm", "promote-hot",
// "purge".
std::string_view Name(JobKind kind);

struct PlannedJob {
  JobKind kind = JobKind::kFlush;
  PartitionId partition{};
  // Ids, ascending by offset. Empty for kFlush, which takes the tail, and for
  // kPurge, whose partition stands for the topic.
  std::vector<uint64_t> segments{};
  // Where each of them begins.
  std::vector<Offset> bases{};
  uint64_t bytes = 0;     // to be moved; 0 when nothing is copied
  double pressure = 0.0;  // the highest goes first

  friend bool operator==(const PlannedJob&, const PlannedJob&) = default;
};

// A job takes no more, so that it ends soon; the next pass plans the rest.
inline constexpr size_t kMaxSegmentsPerJob = 64;
// An offload ends with the segment that reaches this many target sizes.
inline constexpr uint64_t kMaxOffloadTargets = 4;

// The store's limits and what fills them now.
struct PolicyLimits {
  std::chrono::milliseconds hot_max_age{0};
  uint64_t unflushed_bytes = 0;
  uint64_t unflushed_max_bytes = 0;
  uint64_t wal_bytes = 0;
  uint64_t wal_max_bytes = 0;
  // Free in the account of cached hot memory, or used by what may be evicted.
  uint64_t hot_cache_free_bytes = 0;
  uint64_t warm_max_bytes = 0;
  double warm_high_watermark = 1.0;
  double warm_low_watermark = 1.0;
  std::chrono::milliseconds warm_max_age{0};
  uint64_t target_segment_bytes = 0;
  bool enable_promotion = false;
  uint64_t promotion_threshold = 1;
  bool cold_enabled = false;
  // The disk has no room for new files: sole copies go up as they are, not
  // merged, and extra copies go, whatever warm may hold.
  bool disk_full = false;
};

// What of a partition is not flushed yet.
struct PolicyTail {
  PartitionId partition{};
  uint64_t bytes = 0;
  TimestampMs oldest_at =
      0;  // when its oldest batch came, by the store's clock
  bool holds_oldest_wal = false;  // has batches in the oldest WAL file
  std::optional<std::chrono::milliseconds> hot_max_age{};  // the topic's own
};

// A sealed segment.
struct PolicySegment {
  PartitionId partition{};
  uint64_t id = 0;
  OffsetRange offsets{};
  uint64_t bytes = 0;
  TimestampMs sealed_at = 0;
  // When the warm copy came back from cold, if it did: the age after which it
  // leaves again counts from here.
  std::optional<TimestampMs> promoted_at{};
  TimestampMs last_access = 0;
  uint64_t access_count = 0;  // since sealing or the last promotion
  bool in_hot = false;
  bool in_warm = false;
  bool in_cold = false;
  bool busy = false;   // in a job
  bool stays = false;  // cannot move now, and makes no room by itself
  // The topic's own.
  std::optional<std::chrono::milliseconds> warm_max_age{};
  std::optional<uint64_t> target_segment_bytes{};
  std::optional<bool> enable_promotion{};
};

// Spans are borrowed during the call; any order.
struct PolicyInput {
  TimestampMs now = 0;
  PolicyLimits limits{};
  std::span<const PolicyTail> tails{};
  std::span<const PolicySegment> segments{};
};

// The jobs to run now, highest pressure first, the same for the same input
// whatever the order of its spans. A segment, and the tail of a partition, is
// in at most one of them; busy segments and those that stay are in none.
std::vector<PlannedJob> PlanTiers(const PolicyInput& input);

}  // namespace strata
