// What writes to the bucket or relies on it: offload, drop, collection there.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/planted_fault.h"
#include "engine/migrator_job.h"
#include "engine/segment_swap.h"

namespace strata::engine {
namespace {

// Objects that a trim deletes with one listing.
constexpr size_t kRemovedAtOnce = 1000;

// Whether nothing that can still be read lies between the cold end and
// `segment`: the cold part grows without holes.
bool ContinuesCold(PartitionState& p, const SegmentEntry& entry)
    STRATA_REQUIRES(p.mu) {
  return entry.offsets.base == p.cold_end ||
         (entry.offsets.base > p.cold_end && entry.offsets.base <= p.log_start);
}

void LeaveAccessToCold(PartitionState& p,
                       const std::vector<SegmentPtr>& dropped) {
  MutexLock lock(p.mu);
  for (const SegmentPtr& segment : dropped) {
    if (segment->access->last.load(std::memory_order_relaxed) == 0) continue;
    KeepLastAccess(*segment->access,
                   *p.ColdAccess(segment->entry.offsets.base));
  }
}

// Of what has to be cold before `local` may go.
Offset FirstNeeded(const SegmentEntry& local, Offset log_start) {
  return std::max(local.offsets.base, log_start);
}

// Whether the bucket, whose root names `cold` among others, holds all that can
// be read of `local`: under its own entry, or, when it was merged meanwhile,
// under those of its parts.
bool IsCold(const ColdPartition& root, const ColdEntries& cold,
            const SegmentEntry& local, Offset log_start) {
  const SegmentEntry* entry = FindEntry(cold, FirstNeeded(local, log_start));
  if (entry == nullptr || root.cold_end() < local.offsets.end) return false;
  return entry->id != local.id || (entry->offsets == local.offsets &&
                                   entry->image_bytes == local.image_bytes &&
                                   entry->image_crc32c == local.image_crc32c);
}

Status NotInBucket(const PartitionState& p, const SegmentEntry& local,
                   const ColdPartition& root) {
  return {StatusCode::kDataLoss,
          fmt::format("{}: segment {} [{}, {}) is cold by the local manifest, "
                      "the bucket's root (generation {}) lacks it or holds "
                      "another image; the local copy stays",
                      p.name.ToString(), local.id, local.offsets.base.value(),
                      local.offsets.end.value(), root.generation)};
}

Status ColdDisabled() {
  return {StatusCode::kUnsupported, "cold storage is disabled"};
}

Status RootOfACutLog(const PartitionState& p, const ColdPartition& root) {
  return {
      StatusCode::kConflict,
      fmt::format("{}: root generation {} names offsets up to {} that a "
                  "truncation cut; nothing is offloaded behind them",
                  p.name.ToString(), root.generation, root.cold_end().value())};
}

}  // namespace

// ---- offload --------------------------------------------------------------

void Migrator::BeginOffload(JobPtr job) {
  if (cold_roots_ == nullptr) {
    return job->Finish(ColdDisabled());
  }
  job->cold_write = ColdWrite::Begin(job->partition);
  if (job->cold_write == nullptr) return job->Finish(Status::Ok());
  Offload(std::move(job), 0);
}

void Migrator::Offload(JobPtr job, size_t index) {
  if (index == job->inputs.size() ||
      context_.stopping.load(std::memory_order_acquire)) {
    job->Finish(Status::Ok());
    if (job->offloaded) PlanOnIfFull();
    return;
  }
  job->started = context_.Ticks();
  const PartitionPtr partition = job->partition;
  claims_->Hold(partition,
                [this, job = std::move(job), index](Status held) mutable {
                  if (!held.ok()) return job->Finish(std::move(held));
                  OffloadHeld(std::move(job), index);
                });
}

void Migrator::OffloadHeld(JobPtr job, size_t index) {
  // First what the bucket has already: an offload may have died before its
  // local edit.
  cold_roots_->LoadWhole(
      job->partition, [this, job, index](Result<ColdPartitionPtr> root) {
        if (!root.ok()) return job->Finish(root.status());
        PartitionState& p = *job->partition;
        const SegmentPtr& input = job->inputs[index];
        bool wanted;
        bool there;
        bool cut;
        {
          MutexLock lock(p.mu);
          cut = !p.cold_adopted && (*root)->cold_end() > p.cold_end;
          there = input->entry.offsets.end <=
                  std::max(p.cold_end, p.log_start);  // or not needed there
          wanted = p.IsLive(input) && ContinuesCold(p, input->entry);
        }
        if (cut) return job->Finish(RootOfACutLog(p, **root));
        if (there) return Offload(job, index + 1);
        if (!wanted) return job->Finish(Status::Ok());
        Upload(job, index);
      });
}

void Migrator::Upload(JobPtr job, size_t index) {
  const SegmentEntry& entry = job->inputs[index]->entry;
  Result<std::shared_ptr<ObjectSource>> source =
      context_.warm.OpenSource(entry);
  if (!source.ok()) return job->Finish(source.status());
  {
    MutexLock lock(job->partition->mu);
    job->claim = job->partition->claim.known.number;
  }
  context_.cold->Upload(entry, job->claim, job->partition->name.topic,
                        *std::move(source), {},
                        [this, job, index](Result<ColdAddress> address) {
                          if (!address.ok())
                            return job->Finish(address.status());
                          SegmentEntry uploaded = job->inputs[index]->entry;
                          uploaded.warm.reset();
                          uploaded.cold = *std::move(address);
                          CommitOffload(job, index, std::move(uploaded));
                        });
}

void Migrator::CommitOffload(JobPtr job, size_t index, SegmentEntry entry) {
  Gate& gate = job->partition->segment_gate;
  gate.Enter([this, job, index,
              entry = std::move(entry)](Gate::Hold hold) mutable {
    cold_roots_->Load(
        job->partition,
        [this, job, index, entry = std::move(entry),
         hold = std::move(hold)](Result<ColdPartitionPtr> root) mutable {
          if (root.ok()) {
            return AddToRoot(job, index, std::move(entry), std::move(hold));
          }
          hold.Release();
          DeleteObjects({*entry.cold}, [job, status = root.status()](Status) {
            job->Finish(status);
          });
        });
  });
}

void Migrator::AddToRoot(JobPtr job, size_t index, SegmentEntry entry,
                         Gate::Hold hold) {
  PartitionState& p = *job->partition;
  ColdEdit edit;
  bool held;
  bool wanted;
  {
    MutexLock lock(p.mu);
    // Under a later one the object counts as left behind, and may be gone.
    held = p.claim.held && p.claim.known.number == job->claim;
    edit.claim = p.claim.known;
    wanted = p.IsLive(job->inputs[index]) && ContinuesCold(p, entry) &&
             entry.offsets.end > p.log_start;
    edit.log_start = p.log_start;
    edit.epochs = p.epochs;
  }
  if (!wanted || !held) {
    // Somebody else was faster, it is gone, or the claim is lost: go on from
    // what is there now.
    hold.Release();
    return DeleteObjects({*entry.cold},
                         [this, job, next = index + (wanted ? 0 : 1)](Status) {
                           Offload(job, next);
                         });
  }
  edit.topic_name = p.name.topic;
  edit.add.push_back(entry);
  context_.cold_manifest->Commit(
      p.id, std::move(edit),
      [this, job, index, entry = std::move(entry),
       hold = std::move(hold)](Result<ColdPartitionPtr> committed) mutable {
        FinishOffload(std::move(job), index, std::move(entry), std::move(hold),
                      std::move(committed));
      });
}

void Migrator::FinishOffload(JobPtr job, size_t index, SegmentEntry entry,
                             Gate::Hold hold, Result<ColdPartitionPtr> root) {
  if (!root.ok()) {
    Status status = root.status();
    const bool unknown = status.code() == StatusCode::kUnknown;
    if (unknown || status.code() == StatusCode::kConflict) {
      // The root is not what was thought: the next look at it tells what it
      // names, this object perhaps.
      context_.cold_manifest->Forget(job->partition->id);
      MutexLock lock(job->partition->mu);
      job->partition->cold_adopted = false;
    }
    // Not before: who has the gate next must not trust the old root.
    hold.Release();
    if (unknown) return job->Finish(std::move(status));
    return DeleteObjects({*entry.cold}, [this, job, status](Status) {
      if (status.code() != StatusCode::kConflict) return job->Finish(status);
      // Planned anew, unless the root is one that refuses again and again.
      cold_roots_->LoadWhole(
          job->partition,
          [job](Result<ColdPartitionPtr> now) { job->Finish(now.status()); });
    });
  }
  PartitionChanged change;
  change.partition = job->partition->id;
  change.cold_end = entry.offsets.end;
  change.cold_generation = (*root)->generation;
  context_.manifest.Commit(
      {.ops = {std::move(change)}},
      [this, job, index, entry = std::move(entry),
       generation = (*root)->generation,
       hold = std::move(hold)](Status status) mutable {
        if (status.code() == StatusCode::kConflict) {
          // The topic was deleted meanwhile; its purge waits for this job.
          hold.Release();
          return job->Finish(Status::Ok());
        }
        if (!status.ok()) return job->Finish(std::move(status));
        PartitionState& p = *job->partition;
        {
          MutexLock lock(p.mu);
          p.cold_end = std::max(p.cold_end, entry.offsets.end);
          p.cold_generation = generation;
        }
        hold.Release();
        job->offloaded = true;
        Add(context_.counters.offloads, 1);
        context_.RecordSince(job->started, context_.counters.offload);
        Add(context_.counters.cold_writes, entry.batch_count);
        context_.runtime.job_executor().Post(
            [this, job, index] { Offload(job, index + 1); });
      });
}

// ---- drop -----------------------------------------------------------------

// What is cold is what the bucket's root names; the local cold_end alone is no
// reason to remove a copy.
void Migrator::DropWarm(JobPtr job) {
  if (cold_roots_ == nullptr) return job->Finish(ColdDisabled());
  cold_roots_->LoadWhole(
      job->partition, [this, job](Result<ColdPartitionPtr> root) {
        if (!root.ok()) return job->Finish(root.status());
        std::vector<Offset> needed;
        {
          MutexLock lock(job->partition->mu);
          for (const SegmentPtr& segment : job->inputs) {
            needed.push_back(
                FirstNeeded(segment->entry, job->partition->log_start));
          }
        }
        cold_roots_->LoadEntries(
            job->partition, *root, std::move(needed),
            [this, job, root = *root](Result<ColdEntries> cold) mutable {
              if (!cold.ok()) return job->Finish(cold.status());
              Gate& gate = job->partition->segment_gate;
              gate.Enter([this, job, root = std::move(root),
                          cold = *std::move(cold)](Gate::Hold hold) {
                PublishDrop(job, root, cold, std::move(hold));
              });
            });
      });
}

void Migrator::PublishDrop(JobPtr job, ColdPartitionPtr root,
                           const ColdEntries& cold, Gate::Hold hold) {
  PartitionState& p = *job->partition;
  ManifestEdit edit;
  std::vector<SegmentPtr> dropped;
  Status refused;
  // An offload may have gone through before this got the gate.
  if (auto now = context_.cold_manifest->Cached(p.id)) root = std::move(now);
  {
    MutexLock lock(p.mu);
    for (const SegmentPtr& segment : job->inputs) {
      const SegmentEntry& entry = segment->entry;
      // Only an extra copy may go.
      if (!p.IsLive(segment) || entry.offsets.end > p.cold_end ||
          entry.offsets.end <= p.log_start) {
        continue;
      }
      const Offset first = FirstNeeded(entry, p.log_start);
      // Trimmed into meanwhile: planned anew.
      if (FindEntry(cold, first) == nullptr && root->Covers(first)) continue;
      if (!IsCold(*root, cold, entry, p.log_start)) {
        refused = NotInBucket(p, entry, *root);
        continue;
      }
      edit.ops.push_back(SegmentRemoved{p.id, entry.id});
      dropped.push_back(segment);
    }
  }
  if (dropped.empty()) return job->Finish(std::move(refused));
  if (FaultPlanted(PlantedFault::kSourceRemovedEarly)) {
    for (const SegmentPtr& segment : dropped) {
      (void)context_.warm_fs.Remove(SegmentFileName(segment->entry.warm->file))
          .ok();
    }
  }
  context_.manifest.Commit(
      std::move(edit),
      [this, job, refused = std::move(refused), dropped = std::move(dropped),
       hold = std::move(hold)](Status status) mutable {
        if (status.ok()) {
          SwapSegments(context_, reaper_, *job->partition, dropped, {});
          LeaveAccessToCold(*job->partition, dropped);
          Add(context_.counters.demotions, dropped.size());
        }
        hold.Release();
        // Deleted meanwhile.
        if (status.code() == StatusCode::kConflict) status = Status::Ok();
        job->Finish(status.ok() ? std::move(refused) : std::move(status));
      });
}

// ---- collection -----------------------------------------------------------

// Without the gate: the log start of the root is nobody's concern but the
// bucket's readers', and the bucket may take long.
void Migrator::CollectCold(const PartitionPtr& partition,
                           Engine::StatusDone done) {
  bool pending;
  {
    MutexLock lock(partition->mu);
    pending = partition->cold_trim_pending;
  }
  std::unique_ptr<ColdWrite> write = ColdWrite::Begin(partition);
  if (!pending || write == nullptr || cold_roots_ == nullptr) {
    return done(Status::Ok());
  }
  auto answer = [partition, done = std::move(done)](Status status) mutable {
    if (status.code() == StatusCode::kReadOnly) {
      // What is another store's is trimmed by that one.
      {
        MutexLock lock(partition->mu);
        partition->cold_trim_pending = false;
      }
      status = Status::Ok();
    }
    done(std::move(status));
  };
  claims_->Hold(partition, [this, partition, write = std::move(write),
                            answer = std::move(answer)](Status held) mutable {
    if (!held.ok()) return answer(std::move(held));
    TellLogStart(partition, std::move(write), std::move(answer));
  });
}

void Migrator::TellLogStart(const PartitionPtr& partition,
                            std::unique_ptr<ColdWrite> write,
                            Engine::StatusDone done) {
  cold_roots_->LoadWhole(partition, [this, partition, write = std::move(write),
                                     done = std::move(done)](
                                        Result<ColdPartitionPtr> root) mutable {
    if (!root.ok()) return done(root.status());
    ColdEdit edit;
    edit.topic_name = partition->name.topic;
    {
      MutexLock lock(partition->mu);
      edit.log_start = partition->log_start;
      edit.claim = partition->claim.known;
      if (!partition->claim.held)
        root = Status(
            StatusCode::kUnavailable,
            partition->name.ToString() + ": its claim has to be made anew");
    }
    if (!root.ok()) return done(root.status());
    const Offset log_start = *edit.log_start;
    context_.cold_manifest->Commit(
        partition->id, std::move(edit),
        [this, partition, log_start, write = std::move(write),
         done = std::move(done)](Result<ColdPartitionPtr> committed) mutable {
          if (!committed.ok()) return done(committed.status());
          RemoveTrimmed(partition, log_start, std::move(write),
                        std::move(done));
        });
  });
}

void Migrator::RemoveTrimmed(PartitionPtr partition, Offset log_start,
                             std::unique_ptr<ColdWrite> write,
                             Engine::StatusDone done) {
  const PartitionId id = partition->id;
  context_.cold->RemoveBelow(
      id, log_start, kRemovedAtOnce,
      [this, partition = std::move(partition), log_start,
       write = std::move(write),
       done = std::move(done)](Result<ColdTier::Removed> removed) mutable {
        if (!removed.ok()) return done(removed.status());
        const bool stopping = context_.stopping.load(std::memory_order_acquire);
        if (removed->more && !stopping) {
          return RemoveTrimmed(std::move(partition), log_start,
                               std::move(write), std::move(done));
        }
        if (!removed->more) {
          MutexLock lock(partition->mu);
          if (partition->log_start == log_start) {
            partition->cold_trim_pending = false;
          }
        }
        done(Status::Ok());
      });
}

// One after the other; the first error is answered, what follows it stays as
// garbage that nothing names.
void Migrator::DeleteObjects(std::vector<ColdAddress> addresses,
                             Engine::StatusDone done) {
  if (addresses.empty()) return done(Status::Ok());
  const ColdAddress last = std::move(addresses.back());
  addresses.pop_back();
  context_.cold->Delete(last, [this, addresses = std::move(addresses),
                               done = std::move(done)](Status status) mutable {
    if (!status.ok()) return done(std::move(status));
    DeleteObjects(std::move(addresses), std::move(done));
  });
}

}  // namespace strata::engine
