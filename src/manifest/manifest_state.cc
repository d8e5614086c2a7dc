#include "manifest/manifest_state.h"

#include <algorithm>
#include <utility>

namespace strata {

const SegmentEntry* ManifestPartition::FindSegment(uint64_t id) const {
  const auto base = segment_bases.find(id);
  return base == segment_bases.end() ? nullptr : &segments.at(base->second);
}

const ManifestPartition& ManifestState::partition(const PartitionId& id) const {
  static const ManifestPartition kEmpty;
  const auto found = partitions_.find(id);
  return found == partitions_.end() ? kEmpty : found->second;
}

namespace {

constexpr size_t kSegmentsPerEdit = 1024;

// Cuts ops into edits. Owned by one thread.
class EditList {
 public:
  void Add(ManifestOp op) { edits_.back().ops.push_back(std::move(op)); }
  // The state is valid here: an edit may end.
  void MayCut() {
    if (edits_.back().ops.size() >= kSegmentsPerEdit) edits_.emplace_back();
  }
  std::vector<ManifestEdit> Take() { return std::move(edits_); }

 private:
  std::vector<ManifestEdit> edits_{1};
};

// All that excuses a hole comes first, so that the flushed end can follow the
// segments, edit by edit.
void AddPartition(const PartitionId& id, const ManifestPartition& p,
                  EditList& edits) {
  edits.Add(PartitionChanged{.partition = id,
                             .log_start = p.log_start,
                             .flushed_end = p.cold_end,
                             .cold_end = p.cold_end,
                             .cold_generation = p.cold_generation,
                             .cold_claim = p.cold_claim,
                             .fenced_by = p.fenced_by,
                             .epochs = p.epochs,
                             .damaged = p.damaged,
                             .damaged_tail = p.damaged_tail,
                             .extra = p.extra});
  size_t added = 0;
  for (const auto& [base, entry] : p.segments) {
    const auto extra = p.segment_extras.find(entry.id);
    edits.Add(SegmentAdded{entry, extra == p.segment_extras.end()
                                      ? TaggedFields{}
                                      : extra->second});
    if (++added % kSegmentsPerEdit == 0) {
      edits.Add(PartitionChanged{
          .partition = id,
          .flushed_end = std::max(p.cold_end, entry.offsets.end)});
      edits.MayCut();
    }
  }
  // Behind the segments, which would take their part of `access` with them.
  PartitionChanged last{.partition = id, .flushed_end = p.flushed_end};
  if (!p.access.empty()) last.access = p.access;
  edits.Add(std::move(last));
  edits.MayCut();
}

}  // namespace

std::vector<ManifestEdit> ManifestState::ToSnapshot() const {
  EditList edits;
  for (const auto& [id, topic] : topics_) {
    edits.Add(TopicCreated{.id = id,
                           .name = topic.name,
                           .partitions = topic.partitions,
                           .settings = topic.settings,
                           .extra = topic.extra});
    edits.MayCut();
  }
  for (const auto& [id, partition] : partitions_) {
    AddPartition(id, partition, edits);
  }
  for (const auto& [id, purge] : purges_) {
    edits.Add(PurgePending{.id = id,
                           .name = purge.name,
                           .claims = purge.claims,
                           .extra = purge.extra});
    edits.MayCut();
  }
  for (const uint64_t session : sessions_) edits.Add(SessionBegun{session});
  for (const UnknownOp& op : unknown_ops_) edits.Add(op);
  edits.Add(WalNeeded{wal_needed_});
  edits.Add(checkpoint_);
  edits.Add(SnapshotEnd{});
  return edits.Take();
}

}  // namespace strata
