// ManifestState: what the manifest's edits add up to: topics, partitions, warm
// segments and where they lie. A pure value.
//
// Invariants, per partition:
//  * segments do not overlap, are not empty, and end at or below flushed_end;
//  * cold_end <= flushed_end; a hydrated segment may lie below cold_end;
//  * every offset of [max(log_start, cold_end), flushed_end) is in one segment
//    or in `damaged` (P3: one owner per offset; P2: never in no tier);
//  * log_start never goes down; epochs ascend.
// Over all: topic ids and names, and segment ids within a partition, are
// unique; every segment has a warm address; none shares bytes with another; a
// topic to be purged is not there any more.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "format/manifest_format.h"
#include "format/segment_entry.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

struct ManifestTopic {
  std::string name{};
  uint32_t partitions = 0;
  TopicSettings settings{};
  TaggedFields extra{};
  friend bool operator==(const ManifestTopic&, const ManifestTopic&) = default;
};

// A deleted topic whose objects are to be removed from the bucket.
struct ManifestPurge {
  std::string name{};
  std::vector<ColdClaim> claims{};
  TaggedFields extra{};
  friend bool operator==(const ManifestPurge&, const ManifestPurge&) = default;
};

struct ManifestPartition {
  Offset log_start{};
  Offset flushed_end{};
  Offset cold_end{};
  uint64_t cold_generation = 0;
  ColdClaim cold_claim{};
  ColdClaim fenced_by{};  // number 0: nobody took it over
  std::vector<EpochStart> epochs{};
  std::vector<OffsetRange> damaged{};
  bool damaged_tail = false;
  // By base offset; all have a warm address.
  std::map<Offset, SegmentEntry> segments{};
  std::map<uint64_t, Offset> segment_bases{};  // id to base offset
  // Of segments that have any, by id.
  std::map<uint64_t, TaggedFields> segment_extras{};
  TaggedFields extra{};
  // By base offset, of segments that are neither added nor removed since.
  std::map<Offset, SegmentAccess> access{};
  friend bool operator==(const ManifestPartition&,
                         const ManifestPartition&) = default;

  // The segment of this id; nullptr when there is none.
  const SegmentEntry* FindSegment(uint64_t id) const;
};

// Thread-compatible value.
class ManifestState {
 public:
  // Sessions that are remembered.
  static constexpr size_t kMaxSessions = 256;

  // Applies all ops of `edit` in order, or none: kConflict, naming op and
  // reason, when one contradicts the state or the result would break an
  // invariant. Cost: the size of the edit times a logarithm, not the state's.
  Status Apply(const ManifestEdit& edit);

  // Edits that rebuild this state from an empty one, each valid by itself and
  // of at most 1024 segments; the last one ends with SnapshotEnd.
  std::vector<ManifestEdit> ToSnapshot() const;

  // Checks the whole state: the one checker for tests, simulation and verify.
  // kDataLoss naming partition, expected and found.
  Status CheckInvariants() const;

  const std::map<TopicId, ManifestTopic>& topics() const { return topics_; }
  const std::map<std::string, TopicId, std::less<>>& topic_ids() const {
    return topic_ids_;
  }
  // Only partitions about which something was said.
  const std::map<PartitionId, ManifestPartition>& partitions() const {
    return partitions_;
  }
  // An empty one when nothing was said about it.
  const ManifestPartition& partition(const PartitionId& id) const;
  // WAL groups below it are not needed.
  uint64_t wal_needed() const { return wal_needed_; }
  // The last one, with the greatest next ids told or seen.
  const Checkpoint& checkpoint() const { return checkpoint_; }
  // Above every id and number told or seen.
  uint64_t next_segment_id() const { return checkpoint_.next_segment_id; }
  uint64_t next_file_number() const { return checkpoint_.next_file_number; }
  // File number to live segments in it. A file that is not here holds none.
  const std::map<uint64_t, uint64_t>& file_segments() const {
    return file_segments_;
  }
  const std::map<TopicId, ManifestPurge>& purges() const { return purges_; }
  // The latest ones, the last one behind the others.
  const std::vector<uint64_t>& sessions() const { return sessions_; }
  const std::vector<UnknownOp>& unknown_ops() const { return unknown_ops_; }

  friend bool operator==(const ManifestState&, const ManifestState&) = default;

 private:
  class Application;

  std::map<TopicId, ManifestTopic> topics_;
  std::map<std::string, TopicId, std::less<>> topic_ids_;
  std::map<PartitionId, ManifestPartition> partitions_;
  uint64_t wal_needed_ = 0;
  Checkpoint checkpoint_;
  std::map<uint64_t, uint64_t> file_segments_;
  std::map<TopicId, ManifestPurge> purges_;
  std::vector<uint64_t> sessions_;  // at most kMaxSessions
  std::vector<UnknownOp> unknown_ops_;
};

// The segment in words, for messages: "segment 7 of <topic>/3 [100, 200)".
std::string Describe(const SegmentEntry& entry);

// kDataLoss unless epochs and damaged ranges ascend, and cold_end and the last
// segment's end are at or below flushed_end.
Status CheckBounds(const ManifestPartition& partition);

// kDataLoss, naming the first offset without an owner, unless every offset of
// `range` that is in [max(log_start, cold_end), flushed_end) is in a segment
// or in `damaged`.
Status CheckCovered(const ManifestPartition& partition, OffsetRange range);

}  // namespace strata
