// ManifestState::Apply.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/unique_function.h"
#include "manifest/manifest_state.h"

namespace strata {
namespace {

Status Conflict(std::string message) {
  return {StatusCode::kConflict, std::move(message)};
}

// All of a partition but its segments and how they were read.
ManifestPartition WithoutSegments(const ManifestPartition& p) {
  return {.log_start = p.log_start,
          .flushed_end = p.flushed_end,
          .cold_end = p.cold_end,
          .cold_generation = p.cold_generation,
          .cold_claim = p.cold_claim,
          .fenced_by = p.fenced_by,
          .epochs = p.epochs,
          .damaged = p.damaged,
          .damaged_tail = p.damaged_tail,
          .extra = p.extra};
}

}  // namespace

// One call of Apply: each op checks itself and then changes the state, leaving
// behind how to undo it. Owned by one thread.
class ManifestState::Application {
 public:
  explicit Application(ManifestState& state) : state_(state) {}

  Status Run(const ManifestEdit& edit) {
    Status status = DoAll(edit);
    if (!status.ok()) {
      for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) (*undo)();
    }
    return status;
  }

 private:
  Status DoAll(const ManifestEdit& edit) {
    for (const ManifestOp& op : edit.ops) {
      STRATA_RETURN_IF_ERROR(
          std::visit([this](const auto& known) { return Do(known); }, op));
    }
    for (const auto& [id, ranges] : touched_) {
      const Status status = CheckTouched(id, ranges);
      if (!status.ok()) return Conflict(status.message());
    }
    return Status::Ok();
  }

  Status CheckTouched(const PartitionId& id,
                      const std::vector<OffsetRange>& uncovered) const {
    const auto found = state_.partitions_.find(id);
    if (found == state_.partitions_.end()) return Status::Ok();
    const std::string where = id.ToString();
    STRATA_RETURN_IF_ERROR(CheckBounds(found->second).WithContext(where));
    for (const OffsetRange& range : uncovered) {
      STRATA_RETURN_IF_ERROR(
          CheckCovered(found->second, range).WithContext(where));
    }
    return Status::Ok();
  }

  Status Do(const TopicCreated& op) {
    const std::string name = op.id.ToString();
    if (op.partitions == 0) return Conflict("topic without partitions");
    if (state_.topics_.contains(op.id)) {
      return Conflict(fmt::format("topic {} exists", name));
    }
    // Its objects would go with those of the old one.
    if (state_.purges_.contains(op.id)) {
      return Conflict(fmt::format("topic {} existed", name));
    }
    if (state_.topic_ids_.contains(op.name)) {
      return Conflict(fmt::format("a topic named {} exists", op.name));
    }
    state_.topics_[op.id] = {.name = op.name,
                             .partitions = op.partitions,
                             .settings = op.settings,
                             .extra = op.extra};
    state_.topic_ids_[op.name] = op.id;
    OnUndo([this, id = op.id, label = op.name] {
      state_.topics_.erase(id);
      state_.topic_ids_.erase(label);
    });
    return Status::Ok();
  }

  Status Do(const TopicDeleted& op) {
    auto topic = state_.topics_.extract(op.id);
    if (topic.empty()) {
      return Conflict(fmt::format("no topic {}", op.id.ToString()));
    }
    state_.topic_ids_.erase(topic.mapped().name);
    auto& partitions = state_.partitions_;
    for (auto it = partitions.lower_bound({op.id, 0});
         it != partitions.end() && it->first.topic == op.id;) {
      for (const auto& [base, entry] : it->second.segments) Unlink(entry);
      OnUndo([this, node = partitions.extract(it++)]() mutable {
        state_.partitions_.insert(std::move(node));
      });
    }
    OnUndo([this, node = std::move(topic)]() mutable {
      state_.topic_ids_[node.mapped().name] = node.key();
      state_.topics_.insert(std::move(node));
    });
    return Status::Ok();
  }

  Status Do(const SegmentAdded& op) {
    const SegmentEntry& entry = op.entry;
    if (entry.offsets.empty() || entry.first_epoch > entry.last_epoch ||
        !entry.warm) {
      return Conflict(Describe(entry) +
                      ": empty, without a warm address, or epochs descend");
    }
    STRATA_ASSIGN_OR_RETURN(ManifestPartition * partition,
                            Touch(entry.partition));
    if (const SegmentEntry* same = partition->FindSegment(entry.id)) {
      return Conflict(Describe(entry) + ": its id is taken by " +
                      Describe(*same));
    }
    const auto next = partition->segments.lower_bound(entry.offsets.base);
    if (next != partition->segments.end() && next->first < entry.offsets.end) {
      return Conflict(Describe(entry) + " overlaps " + Describe(next->second));
    }
    if (next != partition->segments.begin() &&
        std::prev(next)->second.offsets.end > entry.offsets.base) {
      return Conflict(Describe(entry) + " overlaps " +
                      Describe(std::prev(next)->second));
    }
    partition->segments.emplace_hint(next, entry.offsets.base, entry);
    partition->segment_bases[entry.id] = entry.offsets.base;
    if (!op.extra.empty()) partition->segment_extras[entry.id] = op.extra;
    OnUndo([partition, id = entry.id, base = entry.offsets.base] {
      partition->segments.erase(base);
      partition->segment_bases.erase(id);
      partition->segment_extras.erase(id);
    });
    ForgetAccess(*partition, entry.offsets.base);
    Link(entry);
    return Status::Ok();
  }

  Status Do(const SegmentRemoved& op) {
    STRATA_ASSIGN_OR_RETURN(ManifestPartition * partition,
                            TouchSegment(op.partition, op.id));
    auto base = partition->segment_bases.extract(op.id);
    auto segment = partition->segments.extract(base.mapped());
    auto extra = partition->segment_extras.extract(op.id);
    touched_[op.partition].push_back(segment.mapped().offsets);
    ForgetAccess(*partition, base.mapped());
    Unlink(segment.mapped());
    OnUndo([partition, base = std::move(base), segment = std::move(segment),
            extra = std::move(extra)]() mutable {
      partition->segment_bases.insert(std::move(base));
      partition->segments.insert(std::move(segment));
      partition->segment_extras.insert(std::move(extra));
    });
    return Status::Ok();
  }

  Status Do(const SegmentTruncated& op) {
    STRATA_ASSIGN_OR_RETURN(ManifestPartition * partition,
                            TouchSegment(op.partition, op.id));
    SegmentEntry& entry =
        partition->segments.at(partition->segment_bases.at(op.id));
    if (op.end <= entry.offsets.base || op.end >= entry.offsets.end) {
      return Conflict(fmt::format("{} cannot be cut at {}", Describe(entry),
                                  op.end.value()));
    }
    const Offset before = std::exchange(entry.offsets.end, op.end);
    touched_[op.partition].push_back({op.end, before});
    OnUndo([&entry, before] { entry.offsets.end = before; });
    return Status::Ok();
  }

  Status Do(const PartitionChanged& op) {
    STRATA_ASSIGN_OR_RETURN(ManifestPartition * p, Touch(op.partition));
    if (op.log_start && *op.log_start < p->log_start) {
      return Conflict(fmt::format("{}: log start goes down from {} to {}",
                                  op.partition.ToString(), p->log_start.value(),
                                  op.log_start->value()));
    }
    std::vector<OffsetRange>& uncovered = touched_[op.partition];
    if (op.flushed_end) {
      uncovered.push_back({p->flushed_end, *op.flushed_end});
    }
    if (op.cold_end) uncovered.push_back({*op.cold_end, p->cold_end});
    if (op.damaged) {
      uncovered.insert(uncovered.end(), p->damaged.begin(), p->damaged.end());
    }
    OnUndo([p, before = WithoutSegments(*p)]() mutable {
      before.segments = std::move(p->segments);
      before.segment_bases = std::move(p->segment_bases);
      before.segment_extras = std::move(p->segment_extras);
      before.access = std::move(p->access);
      *p = std::move(before);
    });
    Replace(op, *p);
    if (op.access) {
      OnUndo([p, before = std::exchange(p->access, *op.access)]() mutable {
        p->access = std::move(before);
      });
    }
    return Status::Ok();
  }

  static void Replace(const PartitionChanged& op, ManifestPartition& p) {
    p.log_start = op.log_start.value_or(p.log_start);
    p.flushed_end = op.flushed_end.value_or(p.flushed_end);
    p.cold_end = op.cold_end.value_or(p.cold_end);
    p.cold_generation = op.cold_generation.value_or(p.cold_generation);
    p.cold_claim = op.cold_claim.value_or(p.cold_claim);
    p.fenced_by = op.fenced_by.value_or(p.fenced_by);
    if (op.epochs) p.epochs = *op.epochs;
    if (op.damaged) p.damaged = *op.damaged;
    p.damaged_tail = op.damaged_tail.value_or(p.damaged_tail);
    for (const auto& [tag, bytes] : op.extra) p.extra[tag] = bytes;
  }

  Status Do(const WalNeeded& op) {
    const uint64_t before = state_.wal_needed_;
    state_.wal_needed_ = std::max(before, op.from_seq);
    OnUndo([this, before] { state_.wal_needed_ = before; });
    return Status::Ok();
  }

  Status Do(const Checkpoint& op) {
    KeepCheckpoint();
    Checkpoint& now = state_.checkpoint_;
    const Checkpoint before = std::exchange(now, op);
    now.wal_synced_seq = std::max(op.wal_synced_seq, before.wal_synced_seq);
    now.next_segment_id = std::max(op.next_segment_id, before.next_segment_id);
    now.next_file_number =
        std::max(op.next_file_number, before.next_file_number);
    return Status::Ok();
  }

  Status Do(const SnapshotEnd&) { return Status::Ok(); }

  Status Do(const PurgePending& op) {
    const std::string name = op.id.ToString();
    if (state_.topics_.contains(op.id)) {
      return Conflict(fmt::format("topic {} to be purged exists", name));
    }
    const auto [purge, added] = state_.purges_.try_emplace(
        op.id, ManifestPurge{op.name, op.claims, op.extra});
    if (!added) return Conflict(fmt::format("{} is being purged", name));
    OnUndo([this, id = op.id] { state_.purges_.erase(id); });
    return Status::Ok();
  }

  Status Do(const PurgeDone& op) {
    auto purge = state_.purges_.extract(op.id);
    if (purge.empty()) {
      return Conflict(fmt::format("no purge of {}", op.id.ToString()));
    }
    OnUndo([this, purge = std::move(purge)]() mutable {
      state_.purges_.insert(std::move(purge));
    });
    return Status::Ok();
  }

  Status Do(const SessionBegun& op) {
    std::vector<uint64_t>& sessions = state_.sessions_;
    OnUndo([&sessions, before = sessions]() mutable {
      sessions = std::move(before);
    });
    sessions.push_back(op.session);
    if (sessions.size() > kMaxSessions) sessions.erase(sessions.begin());
    return Status::Ok();
  }

  Status Do(const UnknownOp& op) {
    std::vector<UnknownOp>& kept = state_.unknown_ops_;
    if (std::ranges::find(kept, op) != kept.end()) return Status::Ok();
    kept.push_back(op);
    OnUndo([&kept] { kept.pop_back(); });
    return Status::Ok();
  }

  // The partition, made if nothing was said about it before; it is checked at
  // the end.
  Result<ManifestPartition*> Touch(const PartitionId& id) {
    const auto topic = state_.topics_.find(id.topic);
    if (topic == state_.topics_.end() ||
        id.partition >= topic->second.partitions) {
      return Conflict(fmt::format("no partition {}", id.ToString()));
    }
    const auto [it, added] = state_.partitions_.try_emplace(id);
    if (added) OnUndo([this, id] { state_.partitions_.erase(id); });
    touched_.try_emplace(id);
    return &it->second;
  }

  Result<ManifestPartition*> TouchSegment(const PartitionId& id,
                                          uint64_t segment) {
    STRATA_ASSIGN_OR_RETURN(ManifestPartition * partition, Touch(id));
    if (partition->FindSegment(segment) != nullptr) return partition;
    return Conflict(fmt::format("no segment {} in {}", segment, id.ToString()));
  }

  // What was noted was of another segment, or of before a promotion.
  void ForgetAccess(ManifestPartition& partition, Offset base) {
    auto access = partition.access.extract(base);
    if (access.empty()) return;
    OnUndo([&partition, access = std::move(access)]() mutable {
      partition.access.insert(std::move(access));
    });
  }

  // Counts a segment to its file, and ids and numbers as used.
  void Link(const SegmentEntry& entry) {
    ++state_.file_segments_[entry.warm->file];
    OnUndo([this, file = entry.warm->file] { Uncount(file); });
    KeepCheckpoint();
    Checkpoint& checkpoint = state_.checkpoint_;
    checkpoint.next_segment_id =
        std::max(checkpoint.next_segment_id, entry.id + 1);
    checkpoint.next_file_number =
        std::max(checkpoint.next_file_number, entry.warm->file + 1);
  }
  void Unlink(const SegmentEntry& entry) {
    Uncount(entry.warm->file);
    OnUndo([this, file = entry.warm->file] { ++state_.file_segments_[file]; });
  }
  void Uncount(uint64_t file) {
    const auto it = state_.file_segments_.find(file);
    if (--it->second == 0) state_.file_segments_.erase(it);
  }

  void KeepCheckpoint() {
    if (checkpoint_kept_) return;
    checkpoint_kept_ = true;
    OnUndo(
        [this, before = state_.checkpoint_] { state_.checkpoint_ = before; });
  }

  void OnUndo(UniqueFunction<void()> undo) { undo_.push_back(std::move(undo)); }

  ManifestState& state_;
  std::vector<UniqueFunction<void()>> undo_;
  // Ranges that may have lost their owner.
  std::map<PartitionId, std::vector<OffsetRange>> touched_;
  bool checkpoint_kept_ = false;
};

Status ManifestState::Apply(const ManifestEdit& edit) {
  return Application(*this).Run(edit);
}

}  // namespace strata
