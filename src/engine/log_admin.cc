#include "engine/log_admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/segment_output.h"

namespace strata::engine {
namespace {

// More are a mistake rather than a wish: each costs memory and a root.
constexpr uint32_t kMaxPartitions = 100'000;

std::vector<uint64_t> FilesOf(const std::vector<SegmentPtr>& segments) {
  std::vector<uint64_t> files;
  for (const SegmentPtr& segment : segments) {
    files.push_back(segment->entry.warm->file);
  }
  return files;
}

Status WasDeleted(const PartitionState& partition) {
  return {StatusCode::kNotFound,
          fmt::format("topic '{}' was deleted", partition.name.topic)};
}

// What the caller is told about the commit of an edit that was right when it
// was made. Under the gates only the deletion of the topic should come between.
Status AnswerOf(PartitionState& partition, Status committed) {
  MutexLock lock(partition.mu);
  return committed.code() == StatusCode::kConflict && partition.deleted
             ? WasDeleted(partition)
             : std::move(committed);
}

}  // namespace

void LogAdmin::CreateTopic(std::string name, uint32_t partitions,
                           TopicSettings settings,
                           Engine::Done<TopicInfo> done) {
  Status valid = ValidateTopicName(name);
  if (valid.ok() && (partitions == 0 || partitions > kMaxPartitions)) {
    valid = Status(StatusCode::kInvalidArgument,
                   fmt::format("topic '{}' with {} partitions, expected 1 to "
                               "{}",
                               name, partitions, kMaxPartitions));
  }
  if (valid.ok()) {
    valid = settings.Validate().WithContext(fmt::format("topic '{}'", name));
  }
  if (valid.ok() && context_.topics.Find(name) != nullptr) {
    valid = Status(StatusCode::kAlreadyExists,
                   fmt::format("topic '{}' exists already", name));
  }
  if (!valid.ok()) return done(std::move(valid));
  const TopicInfo info{.name = std::move(name),
                       .id = context_.runtime.random().NewTopicId(),
                       .partitions = partitions,
                       .settings = settings};
  TopicCreated created;
  created.id = info.id;
  created.name = info.name;
  created.partitions = info.partitions;
  created.settings = info.settings;
  context_.manifest.Commit(
      {.ops = {std::move(created)}},
      [this, info, done = std::move(done)](Status status) mutable {
        if (status.code() == StatusCode::kConflict) {
          return done(
              Status(StatusCode::kAlreadyExists,
                     fmt::format("topic '{}' exists already", info.name)));
        }
        if (!status.ok()) return done(std::move(status));
        // The manifest admits one topic of a name, so it cannot be there.
        TopicPtr topic = MakeTopic(info, context_.runtime.job_executor());
        for (const PartitionPtr& p : topic->partitions) {
          MutexLock lock(p->mu);
          p->claim.appends_ahead =
              cold_roots_ != nullptr && context_.identity.shared_bucket;
        }
        status = context_.topics.Add(std::move(topic));
        if (!status.ok()) return done(std::move(status));
        done(info);
      });
}

void LogAdmin::DeleteTopic(std::string name, Engine::Done<TopicPtr> done) {
  const TopicPtr topic = context_.topics.Find(name);
  const Status unknown(StatusCode::kNotFound,
                       fmt::format("no topic '{}'", name));
  if (topic == nullptr) return done(unknown);
  ManifestEdit edit;
  edit.ops.push_back(TopicDeleted{topic->info.id});
  if (MayBeCold(*topic)) {
    PurgePending purge{.id = topic->info.id, .name = topic->info.name};
    for (const PartitionPtr& p : topic->partitions) {
      MutexLock lock(p->mu);
      purge.claims.push_back(p->claim.known);
    }
    edit.ops.push_back(std::move(purge));
  }
  context_.manifest.Commit(
      std::move(edit),
      [this, topic, unknown, done = std::move(done)](Status status) mutable {
        // Somebody else deleted it first.
        if (status.code() == StatusCode::kConflict) return done(unknown);
        if (!status.ok()) return done(std::move(status));
        context_.topics.Remove(topic->info.name);
        Drop(*topic);
        done(topic);
      });
}

// The bucket may have what the local side does not know of: an upload that was
// cut by a crash. And cold storage may be disabled for now only.
bool LogAdmin::MayBeCold(const Topic& topic) const {
  if (cold_roots_ != nullptr) return true;
  return std::ranges::any_of(topic.partitions, [](const PartitionPtr& p) {
    MutexLock lock(p->mu);
    return p->cold_end > Offset(0);
  });
}

void LogAdmin::Drop(const Topic& topic) {
  std::vector<SegmentPtr> segments;
  for (const PartitionPtr& p : topic.partitions) {
    std::vector<TailBatch> tail;  // let go outside of the lock
    MutexLock lock(p->mu);
    p->deleted = true;
    p->WakeReaders();
    tail = p->CutTail(Offset(0));
    for (auto& [base, segment] : p->segments) {
      segments.push_back(std::move(segment));
    }
    p->segments.clear();
  }
  for (const SegmentPtr& segment : segments) {
    context_.warm_bytes -= segment->entry.image_bytes;
    if (segment->hot != nullptr) context_.hot.Evict(*segment->hot);
  }
  reaper_.Retire(FilesOf(segments));
  context_.attention.NotifyWritable();
}

void LogAdmin::Trim(PartitionPtr partition, Offset before,
                    Engine::StatusDone done) {
  Gate& gate = partition->tail_gate;
  gate.Enter([this, partition = std::move(partition), before,
              done = std::move(done)](Gate::Hold hold) mutable {
    Status refused;
    bool nothing = false;
    {
      MutexLock lock(partition->mu);
      const Offset end = partition->VisibleEnd(context_.wal.durable_seq());
      if (partition->deleted) {
        refused = WasDeleted(*partition);
      } else if (before > end) {
        refused =
            Status(StatusCode::kOutOfRange,
                   fmt::format("{}: cannot trim before {}, the log ends at {}",
                               partition->name.ToString(), before.value(),
                               end.value()));
      }
      nothing = before <= partition->log_start;
    }
    if (!refused.ok() || nothing) return done(std::move(refused));
    PartitionChanged change;
    change.partition = partition->id;
    change.log_start = before;
    context_.manifest.Commit(
        {.ops = {std::move(change)}},
        [this, partition = std::move(partition), before, hold = std::move(hold),
         done = std::move(done)](Status status) mutable {
          status = AnswerOf(*partition, std::move(status));
          if (status.ok()) {
            MutexLock lock(partition->mu);
            partition->log_start = before;
            partition->stuck = Status::Ok();  // maybe by what was trimmed
            partition->WakeReaders();
            partition->cold_trim_pending = partition->cold_end > Offset(0);
          }
          hold.Release();
          if (status.ok()) context_.attention.RequestMigrations();
          done(std::move(status));
        });
  });
}

struct LogAdmin::Truncation {
  PartitionPtr partition;
  Offset offset;
  Epoch epoch;
  Engine::StatusDone done;
  Gate::Hold segment_hold;
  Gate::Hold tail_hold;
  std::vector<SegmentPtr> removed;
  SegmentPtr shortened;  // its end becomes `offset`
  std::vector<EpochStart> epochs;
};

void LogAdmin::TruncateTail(PartitionPtr partition, Offset offset, Epoch epoch,
                            Engine::StatusDone done) {
  auto truncation = std::make_unique<Truncation>();
  truncation->partition = partition;
  truncation->offset = offset;
  truncation->epoch = epoch;
  truncation->done = std::move(done);
  auto enter = [this,
                truncation = std::move(truncation)](Status status) mutable {
    if (!status.ok()) return truncation->done(std::move(status));
    Gate& segment_gate = truncation->partition->segment_gate;
    segment_gate.Enter(
        [this, truncation = std::move(truncation)](Gate::Hold hold) mutable {
          truncation->segment_hold = std::move(hold);
          AdoptRoot(std::move(truncation));
        });
  };
  // The bucket may be cold further than the local side knows.
  if (cold_roots_ == nullptr) return enter(Status::Ok());
  cold_roots_->Load(partition, [enter = std::move(enter)](
                                   Result<ColdPartitionPtr> root) mutable {
    enter(root.status());
  });
}

// An offload whose outcome is unknown may have left a colder end behind while
// this one waited for the gates. The root is in memory, most of the time.
void LogAdmin::AdoptRoot(TruncationPtr truncation) {
  if (cold_roots_ == nullptr) return EnterTail(std::move(truncation));
  const PartitionPtr partition = truncation->partition;
  cold_roots_->Load(partition, [this, truncation = std::move(truncation)](
                                   Result<ColdPartitionPtr> root) mutable {
    if (!root.ok()) return truncation->done(root.status());
    EnterTail(std::move(truncation));
  });
}

// Last, once the bucket has answered: a flush of many partitions waits for
// whoever holds the tail of one.
void LogAdmin::EnterTail(TruncationPtr truncation) {
  Gate& tail_gate = truncation->partition->tail_gate;
  tail_gate.Enter(
      [this, truncation = std::move(truncation)](Gate::Hold hold) mutable {
        truncation->tail_hold = std::move(hold);
        CheckTruncation(std::move(truncation));
      });
}

void LogAdmin::CheckTruncation(TruncationPtr truncation) {
  PartitionState& p = *truncation->partition;
  const Offset offset = truncation->offset;
  Status refused;
  SegmentEntry holds_offset;
  {
    MutexLock lock(p.mu);
    const Offset lowest = std::max(p.log_start, p.cold_end);
    const std::string name = p.name.ToString();
    const size_t at = p.TailIndex(offset);
    if (p.deleted) {
      refused = WasDeleted(p);
    } else if (Status fenced = p.Fenced(); !fenced.ok()) {
      refused = std::move(fenced);
    } else if (truncation->epoch <= p.CurrentEpoch()) {
      refused = Status(
          StatusCode::kInvalidArgument,
          fmt::format("{}: epoch {} is not above the current {}", name,
                      truncation->epoch.value(), p.CurrentEpoch().value()));
    } else if (truncation->epoch > kMaxGivenEpoch) {
      refused = Status(
          StatusCode::kInvalidArgument,
          fmt::format("{}: epoch {} is above the greatest that is taken, {}",
                      name, truncation->epoch.value(), kMaxGivenEpoch.value()));
    } else if (offset < lowest || offset > p.log_end) {
      refused = Status(
          StatusCode::kOutOfRange,
          fmt::format("{}: cannot truncate at {}, expected [{}, {}] (log start "
                      "{}, cold end {}, log end {})",
                      name, offset.value(), lowest.value(), p.log_end.value(),
                      p.log_start.value(), p.cold_end.value(),
                      p.log_end.value()));
    } else if (at < p.tail.size() && p.tail[at].offsets().base < offset) {
      refused = Status(
          StatusCode::kInvalidArgument,
          fmt::format("{}: offset {} lies inside the batch [{}, "
                      "{})",
                      name, offset.value(), p.tail[at].offsets().base.value(),
                      p.tail[at].offsets().end.value()));
    } else {
      p.truncating = true;
      if (const SegmentPtr segment = p.FindSegment(offset)) {
        if (segment->entry.offsets.base < offset) holds_offset = segment->entry;
      }
    }
  }
  if (!refused.ok()) return truncation->done(std::move(refused));
  if (!holds_offset.warm) return SyncTruncation(std::move(truncation));
  // Whether a batch of the segment lies across the offset, its bytes tell.
  const ReadWindow window{.start = offset,
                          .end = holds_offset.offsets.end,
                          .max_bytes = 1,
                          .at_least_one = true};
  context_.warm.Read(
      holds_offset, window,
      [this, truncation = std::move(truncation)](
          Result<std::vector<BatchView>> batches) mutable {
        if (!batches.ok()) {
          return FinishTruncation(std::move(truncation), batches.status());
        }
        if (!batches->empty() &&
            batches->front().base_offset() < truncation->offset) {
          const OffsetRange batch = batches->front().offsets();
          Status inside(StatusCode::kInvalidArgument,
                        fmt::format("{}: offset {} lies inside the batch [{}, "
                                    "{})",
                                    truncation->partition->name.ToString(),
                                    truncation->offset.value(),
                                    batch.base.value(), batch.end.value()));
          return FinishTruncation(std::move(truncation), std::move(inside));
        }
        SyncTruncation(std::move(truncation));
      });
}

// What stays must not be lost afterwards: the hole would lie below the start of
// an epoch, where nobody looks for it.
void LogAdmin::SyncTruncation(TruncationPtr truncation) {
  uint64_t seq = 0;
  {
    PartitionState& p = *truncation->partition;
    MutexLock lock(p.mu);
    const size_t cut = p.TailIndex(truncation->offset);
    for (size_t i = 0; i < cut; ++i) seq = std::max(seq, p.tail[i].wal_seq);
  }
  context_.wal.WhenDurable(
      seq, [this, truncation = std::move(truncation)](Status status) mutable {
        if (!status.ok()) {
          if (status.code() == StatusCode::kUnknown) {
            status = Status(StatusCode::kUnavailable, status.message());
          }
          return FinishTruncation(std::move(truncation), std::move(status));
        }
        CommitTruncation(std::move(truncation));
      });
}

void LogAdmin::CommitTruncation(TruncationPtr truncation) {
  PartitionState& p = *truncation->partition;
  const Offset offset = truncation->offset;
  ManifestEdit edit;
  PartitionChanged change;
  change.partition = p.id;
  {
    MutexLock lock(p.mu);
    for (const auto& [base, segment] : p.segments) {
      if (base >= offset) {
        truncation->removed.push_back(segment);
        edit.ops.push_back(SegmentRemoved{p.id, segment->entry.id});
      } else if (segment->entry.offsets.end > offset) {
        truncation->shortened = segment;
        edit.ops.push_back(SegmentTruncated{p.id, segment->entry.id, offset});
      }
    }
    change.flushed_end = std::min(p.flushed_end, offset);
    std::vector<OffsetRange> damaged;
    for (OffsetRange range : p.damaged) {
      range.end = std::min(range.end, offset);
      if (!range.empty()) damaged.push_back(range);
    }
    change.damaged = std::move(damaged);
    change.damaged_tail = false;
    // The table that StartEpoch will make, once the edit is durable.
    truncation->epochs = p.epochs;
    StartEpoch(truncation->epochs, truncation->epoch, offset);
    change.epochs = truncation->epochs;
  }
  edit.ops.push_back(std::move(change));
  context_.manifest.Commit(
      std::move(edit),
      [this, truncation = std::move(truncation)](Status status) mutable {
        status = AnswerOf(*truncation->partition, std::move(status));
        if (status.ok()) ApplyTruncation(*truncation);
        FinishTruncation(std::move(truncation), std::move(status));
      });
}

void LogAdmin::ApplyTruncation(Truncation& truncation) {
  PartitionState& p = *truncation.partition;
  const Offset offset = truncation.offset;
  std::vector<std::shared_ptr<HotCopy>> hot;
  {
    std::vector<TailBatch> cut;  // let go outside of the lock
    MutexLock lock(p.mu);
    cut = p.CutTail(offset);
    for (const SegmentPtr& segment : truncation.removed) {
      hot.push_back(std::move(segment->hot));
      p.segments.erase(segment->entry.offsets.base);
    }
    if (const SegmentPtr& old = truncation.shortened; old != nullptr) {
      SegmentEntry entry = old->entry;
      entry.offsets.end = offset;
      auto shorter = std::make_shared<Segment>(std::move(entry));
      shorter->access = old->access;
      hot.push_back(std::move(old->hot));
      p.segments[old->entry.offsets.base] = std::move(shorter);
    }
    p.flushed_end = std::min(p.flushed_end, offset);
    p.log_end = offset;
    p.stuck = Status::Ok();  // maybe by what was cut
    std::erase_if(p.damaged,
                  [&](const OffsetRange& r) { return r.base >= offset; });
    if (!p.damaged.empty()) {
      p.damaged.back().end = std::min(p.damaged.back().end, offset);
    }
    p.damaged_tail = false;
    p.epochs = std::move(truncation.epochs);
    ++p.cuts;
    p.WakeReaders();
  }
  for (const auto& copy : hot) {
    if (copy != nullptr) context_.hot.Evict(*copy);
  }
  for (const SegmentPtr& segment : truncation.removed) {
    context_.warm_bytes -= segment->entry.image_bytes;
  }
  reaper_.Retire(FilesOf(truncation.removed));
}

void LogAdmin::FinishTruncation(TruncationPtr truncation, Status status) {
  // With an unknown outcome no batch may be acknowledged under the old epoch:
  // appends stay closed until the next open knows.
  if (status.code() != StatusCode::kUnknown) {
    MutexLock lock(truncation->partition->mu);
    truncation->partition->truncating = false;
  }
  Engine::StatusDone done = std::move(truncation->done);
  truncation.reset();  // leaves the gates
  context_.attention.NotifyWritable();
  done(std::move(status));
}

}  // namespace strata::engine
