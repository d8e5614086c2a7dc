#include "engine/migrator.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/planted_fault.h"
#include "engine/segment_output.h"

namespace strata::engine {
namespace {

bool IsLive(PartitionState& p, const SegmentPtr& segment)
    STRATA_REQUIRES(p.mu) {
  const auto it = p.segments.find(segment->entry.offsets.base);
  return !p.deleted && it != p.segments.end() && it->second == segment;
}

bool IsTrimmed(PartitionState& p, const SegmentEntry& entry) {
  MutexLock lock(p.mu);
  return p.deleted || entry.offsets.end <= p.log_start;
}

// Whether nothing that can still be read lies between the cold end and
// `segment`: the cold part grows without holes.
bool ContinuesCold(PartitionState& p, const SegmentEntry& entry)
    STRATA_REQUIRES(p.mu) {
  return entry.offsets.base == p.cold_end ||
         (entry.offsets.base > p.cold_end && entry.offsets.base <= p.log_start);
}

// Reads are counted anew for each copy; when the last one was, stays.
void KeepLastAccess(const AccessStats& from, AccessStats& to) {
  const TimestampMs last = from.last.load(std::memory_order_relaxed);
  if (last > to.last.load(std::memory_order_relaxed)) {
    to.last.store(last, std::memory_order_relaxed);
  }
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

void TakeAccessFromCold(PartitionState& p, Offset base, AccessStats& access) {
  MutexLock lock(p.mu);
  const auto cold = p.cold_access.find(base);
  if (cold == p.cold_access.end()) return;
  KeepLastAccess(*cold->second, access);
  p.cold_access.erase(cold);
}

// Whether the bucket holds all that can be read of `local`: under its own
// entry, or, when it was merged meanwhile, under those of its parts.
bool IsCold(const ColdPartition& root, const SegmentEntry& local,
            Offset log_start) {
  const Offset base = std::max(local.offsets.base, log_start);
  const SegmentEntry* entry = root.Find(base);
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

// The objects that leave `root` when the log starts at `log_start`.
std::vector<ColdAddress> TrimmedObjects(const ColdRoot& root,
                                        Offset log_start) {
  std::vector<ColdAddress> objects;
  for (const auto& [base, entry] : root.entries) {
    if (entry.offsets.end > log_start) break;
    objects.push_back(*entry.cold);
  }
  return objects;
}

}  // namespace

struct Migrator::Job {
  PlannedJob plan;
  PartitionPtr partition;
  std::vector<SegmentPtr> inputs;  // local ones, ascending
  Engine::StatusDone done;
  std::unique_ptr<ColdWrite> cold_write;  // of an offload
  // Objects that no root names any more once the commit under way is done.
  std::vector<ColdAddress> garbage;
  bool offloaded = false;   // at least one segment
  MonotonicTime started{};  // with the segment that is moved now

  void Finish(Status status) {
    // Files of what was trimmed, cut or deleted meanwhile go at once: that is
    // no loss, there is nothing left to do.
    if (status.code() == StatusCode::kDataLoss && SomeGone()) {
      status = Status::Ok();
    }
    Engine::StatusDone d = std::move(done);
    d(std::move(status));
  }

  bool SomeGone() const {
    MutexLock lock(partition->mu);
    return partition->deleted ||
           !std::ranges::all_of(inputs, [&](const SegmentPtr& input)
                                            STRATA_REQUIRES(partition->mu) {
                                              return IsLive(*partition, input);
                                            });
  }
};

void Migrator::Execute(const PlannedJob& plan, Engine::StatusDone done) {
  auto job = std::make_shared<Job>();
  job->plan = plan;
  job->partition = context_.topics.Find(plan.partition);
  job->done = std::move(done);
  if (job->partition == nullptr) return job->Finish(Status::Ok());
  if (plan.kind != JobKind::kPromoteWarm) {
    PartitionState& p = *job->partition;
    MutexLock lock(p.mu);
    const std::set<uint64_t> ids(plan.segments.begin(), plan.segments.end());
    for (const auto& [base, segment] : p.segments) {
      if (ids.contains(segment->entry.id)) job->inputs.push_back(segment);
    }
  }
  switch (plan.kind) {
    case JobKind::kMerge: return BeginMerge(std::move(job));
    case JobKind::kOffload: return BeginOffload(std::move(job));
    case JobKind::kDropWarm: return DropWarm(std::move(job));
    case JobKind::kPromoteWarm: return PromoteToWarm(std::move(job), 0);
    case JobKind::kPromoteHot: {
      Status status = PromoteToHot(*job);
      return job->Finish(std::move(status));
    }
    case JobKind::kFlush:
    case JobKind::kPurge: break;
  }
  job->Finish(Status(StatusCode::kInvalidArgument, "not a migration"));
}

// ---- merge ----------------------------------------------------------------

// A merged segment must lie on one side of the cold end, so that has to be
// known.
void Migrator::BeginMerge(JobPtr job) {
  if (cold_roots_ == nullptr) return Merge(std::move(job));
  cold_roots_->LoadWhole(
      job->partition, [this, job](Result<ColdPartitionPtr> root) {
        if (!root.ok()) return job->Finish(root.status());
        context_.runtime.job_executor().Post([this, job] { Merge(job); });
      });
}

void Migrator::Merge(JobPtr job) {
  const std::vector<SegmentPtr>& inputs = job->inputs;
  if (inputs.size() < 2) return job->Finish(Status::Ok());
  std::vector<LoadedSegment> loaded(inputs.size());
  std::vector<SegmentBatch> batches;
  SegmentSpec spec{
      .id = context_.next_segment_id++,
      .partition = job->partition->id,
      .topic_name = job->partition->name.topic,
      .offsets = {inputs.front()->entry.offsets.base,
                  inputs.back()->entry.offsets.end},
      // As old as its oldest part: merging does not put off what is due.
      .sealed_at = inputs.front()->entry.sealed_at,
      .index_interval_bytes = context_.config.index_interval_bytes,
      .sections = {}};
  for (size_t i = 0; i < inputs.size(); ++i) {
    const SegmentEntry& entry = inputs[i]->entry;
    if (i > 0 && entry.offsets.base != inputs[i - 1]->entry.offsets.end) {
      return job->Finish(Status::Ok());  // no neighbours any more
    }
    Status read = LoadBatches(context_.warm, entry, loaded[i]);
    if (!read.ok()) return job->Finish(std::move(read));
    spec.sealed_at = std::min(spec.sealed_at, entry.sealed_at);
    batches.insert(batches.end(), loaded[i].batches.begin(),
                   loaded[i].batches.end());
  }
  const uint64_t file = context_.next_file_number++;
  Result<SegmentEntry> output =
      WriteSegmentFile(context_.warm_fs, file, spec, batches);
  Status written = output.status();
  if (written.ok()) written = context_.warm_fs.SyncDirectory("");
  if (!written.ok()) {
    reaper_.Retire({file});
    return job->Finish(std::move(written));
  }
  PublishMerge(std::move(job), *std::move(output));
}

void Migrator::PublishMerge(JobPtr job, SegmentEntry output) {
  Gate& gate = job->partition->segment_gate;
  gate.Enter([this, job, output = std::move(output)](Gate::Hold hold) mutable {
    PartitionState& p = *job->partition;
    bool live;
    {
      MutexLock lock(p.mu);
      const OffsetRange offsets = output.offsets;
      const bool on_one_side =
          (cold_roots_ == nullptr || p.cold_adopted) &&
          (p.cold_end <= offsets.base || p.cold_end >= offsets.end);
      live = on_one_side &&
             std::ranges::all_of(
                 job->inputs, [&](const SegmentPtr& s) STRATA_REQUIRES(p.mu) {
                   return IsLive(p, s);
                 });
    }
    if (!live) {
      reaper_.Retire({output.warm->file});
      return job->Finish(Status::Ok());
    }
    ManifestEdit edit;
    for (const SegmentPtr& input : job->inputs) {
      edit.ops.push_back(SegmentRemoved{p.id, input->entry.id});
    }
    edit.ops.push_back(SegmentAdded{.entry = output, .extra = {}});
    context_.manifest.Commit(
        std::move(edit), [this, job, output = std::move(output),
                          hold = std::move(hold)](Status status) mutable {
          if (!status.ok()) {
            if (status.code() != StatusCode::kUnknown) {
              reaper_.Retire({output.warm->file});
            }
            return job->Finish(status.code() == StatusCode::kConflict
                                   ? Status::Ok()
                                   : std::move(status));
          }
          auto merged = std::make_shared<Segment>(std::move(output));
          for (const SegmentPtr& input : job->inputs) {
            KeepLastAccess(*input->access, *merged->access);
          }
          context_.warm_bytes += merged->entry.image_bytes;
          RemoveSegments(*job->partition, job->inputs, std::move(merged));
          hold.Release();
          job->Finish(Status::Ok());
          PlanOnIfFull();
        });
  });
}

// Room in warm takes several steps (merge, offload, drop), one in each pass of
// the policy: appends that wait must not wait for the next tick each time.
void Migrator::PlanOnIfFull() {
  const double limit =
      static_cast<double>(context_.config.warm_tier_max_bytes) *
      context_.config.warm_high_watermark;
  if (static_cast<double>(context_.warm_bytes.load()) > limit) {
    context_.attention.RequestMigrations();
  }
}

// Takes `removed` out of the partition, and puts `added` (may be null) in.
void Migrator::RemoveSegments(PartitionState& p,
                              const std::vector<SegmentPtr>& removed,
                              SegmentPtr added) {
  std::vector<std::shared_ptr<HotCopy>> hot;
  std::vector<uint64_t> files;
  {
    MutexLock lock(p.mu);
    for (const SegmentPtr& segment : removed) {
      const auto it = p.segments.find(segment->entry.offsets.base);
      // Deleted or truncated meanwhile: who did that accounted for it.
      if (it == p.segments.end() || it->second != segment) continue;
      p.segments.erase(it);
      hot.push_back(std::move(segment->hot));
      files.push_back(segment->entry.warm->file);
      context_.warm_bytes -= segment->entry.image_bytes;
    }
    if (added != nullptr) {
      const Offset base = added->entry.offsets.base;
      if (p.deleted) {
        context_.warm_bytes -= added->entry.image_bytes;
        files.push_back(added->entry.warm->file);
      } else {
        p.segments.emplace(base, std::move(added));
      }
    }
  }
  for (const auto& copy : hot) {
    if (copy != nullptr) context_.hot.Evict(*copy);
  }
  reaper_.Retire(std::move(files));
  context_.attention.NotifyWritable();
}

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
          wanted = IsLive(p, input) && ContinuesCold(p, input->entry);
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
  context_.cold->Upload(entry, job->partition->name.topic, *std::move(source),
                        {}, [this, job, index](Result<ColdAddress> address) {
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
            return AddToRoot(job, index, std::move(entry), **root,
                             std::move(hold));
          }
          hold.Release();
          DeleteObjects({*entry.cold}, [job, status = root.status()](Status) {
            job->Finish(status);
          });
        });
  });
}

// The commit takes out of `root`, the one before it, what was trimmed.
void Migrator::AddToRoot(JobPtr job, size_t index, SegmentEntry entry,
                         const ColdPartition& root, Gate::Hold hold) {
  PartitionState& p = *job->partition;
  ColdEdit edit;
  bool wanted;
  {
    MutexLock lock(p.mu);
    wanted = IsLive(p, job->inputs[index]) && ContinuesCold(p, entry) &&
             entry.offsets.end > p.log_start;
    edit.log_start = p.log_start;
    edit.epochs = p.epochs;
  }
  if (!wanted) {
    // Somebody else was faster, or it is gone: go on behind it.
    hold.Release();
    return DeleteObjects(
        {*entry.cold}, [this, job, index](Status) { Offload(job, index + 1); });
  }
  job->garbage = TrimmedObjects(root, *edit.log_start);
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
        DeleteObjects(std::exchange(job->garbage, {}),
                      [this, job, index](Status deleted) {
                        if (!deleted.ok()) {
                          return job->Finish(std::move(deleted));
                        }
                        context_.runtime.job_executor().Post(
                            [this, job, index] { Offload(job, index + 1); });
                      });
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
        Gate& gate = job->partition->segment_gate;
        gate.Enter([this, job, root = *std::move(root)](Gate::Hold hold) {
          PublishDrop(job, root, std::move(hold));
        });
      });
}

void Migrator::PublishDrop(JobPtr job, ColdPartitionPtr root, Gate::Hold hold) {
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
      if (!IsLive(p, segment) || entry.offsets.end > p.cold_end ||
          entry.offsets.end <= p.log_start) {
        continue;
      }
      if (!IsCold(*root, entry, p.log_start)) {
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
          RemoveSegments(*job->partition, dropped, nullptr);
          LeaveAccessToCold(*job->partition, dropped);
          Add(context_.counters.demotions, dropped.size());
        }
        hold.Release();
        // Deleted meanwhile.
        if (status.code() == StatusCode::kConflict) status = Status::Ok();
        job->Finish(status.ok() ? std::move(refused) : std::move(status));
      });
}

// ---- promote --------------------------------------------------------------

void Migrator::PromoteToWarm(JobPtr job, size_t index) {
  if (cold_roots_ == nullptr || index == job->plan.segments.size() ||
      context_.stopping.load(std::memory_order_acquire)) {
    return job->Finish(Status::Ok());
  }
  job->started = context_.Ticks();
  cold_roots_->Load(
      job->partition, [this, job, index](Result<ColdPartitionPtr> root) {
        if (!root.ok()) return job->Finish(root.status());
        const uint64_t id = job->plan.segments[index];
        const auto found = std::ranges::find_if(
            (*root)->entries,
            [&](const auto& entry) { return entry.second.id == id; });
        if (found == (*root)->entries.end()) {
          return PromoteToWarm(job, index + 1);
        }
        const SegmentEntry entry = found->second;
        context_.runtime.job_executor().Post(
            [this, job, index, entry] { Hydrate(job, index, entry); });
      });
}

void Migrator::Hydrate(JobPtr job, size_t index, SegmentEntry entry) {
  const uint64_t number = context_.next_file_number++;
  Result<std::unique_ptr<SegmentFileWriter>> file =
      SegmentFileWriter::Create(context_.warm_fs, number);
  if (!file.ok()) return job->Finish(file.status());
  // Shared by the two callbacks of the download, which never overlap.
  std::shared_ptr<SegmentFileWriter> writer = *std::move(file);
  context_.cold->Download(
      entry,
      [writer](ByteSpan piece) { return writer->AppendImagePiece(piece); },
      [this, job, index, writer, entry](Status status) mutable {
        // Trimmed while it was downloaded: the object may be gone.
        if (!status.ok() && IsTrimmed(*job->partition, entry)) {
          return PromoteToWarm(job, index + 1);
        }
        if (!status.ok()) return job->Finish(std::move(status));
        context_.runtime.job_executor().Post(
            [this, job, index, writer, entry]() mutable {
              Result<SegmentEntry> hydrated = FinishHydration(*writer, entry);
              if (!hydrated.ok()) {
                reaper_.Retire({writer->file_number()});
                return job->Finish(hydrated.status());
              }
              PublishHydrated(job, index, *std::move(hydrated));
            });
      });
}

Result<SegmentEntry> Migrator::FinishHydration(SegmentFileWriter& writer,
                                               const SegmentEntry& entry) {
  STRATA_ASSIGN_OR_RETURN(SegmentEntry hydrated, writer.FinishImage(entry));
  STRATA_RETURN_IF_ERROR(writer.Finish());
  STRATA_RETURN_IF_ERROR(context_.warm_fs.SyncDirectory(""));
  // Where it is cold the bucket knows; here it is a local copy.
  hydrated.cold.reset();
  return hydrated;
}

void Migrator::PublishHydrated(JobPtr job, size_t index, SegmentEntry entry) {
  Gate& gate = job->partition->segment_gate;
  gate.Enter([this, job, index,
              entry = std::move(entry)](Gate::Hold hold) mutable {
    PartitionState& p = *job->partition;
    bool wanted;
    {
      MutexLock lock(p.mu);
      const auto above = p.segments.lower_bound(entry.offsets.base);
      wanted = !p.deleted && entry.offsets.end > p.log_start &&
               entry.offsets.end <= p.cold_end &&
               p.FindSegment(entry.offsets.base) == nullptr &&
               (above == p.segments.end() || above->first >= entry.offsets.end);
    }
    if (!wanted) {
      reaper_.Retire({entry.warm->file});
      hold.Release();
      return PromoteToWarm(job, index + 1);
    }
    context_.manifest.Commit(
        {.ops = {SegmentAdded{.entry = entry, .extra = {}}}},
        [this, job, index, entry,
         hold = std::move(hold)](Status status) mutable {
          if (!status.ok()) {
            if (status.code() != StatusCode::kUnknown) {
              reaper_.Retire({entry.warm->file});
            }
            return job->Finish(status.code() == StatusCode::kConflict
                                   ? Status::Ok()
                                   : std::move(status));
          }
          context_.warm_bytes += entry.image_bytes;
          auto hydrated = std::make_shared<Segment>(entry);
          hydrated->promoted_at = context_.Now();
          const std::shared_ptr<AccessStats> access = hydrated->access;
          RemoveSegments(*job->partition, {}, std::move(hydrated));
          TakeAccessFromCold(*job->partition, entry.offsets.base, *access);
          hold.Release();
          CountPromotion(job->started);
          Add(context_.counters.warm_writes, entry.batch_count);
          context_.runtime.job_executor().Post(
              [this, job, index] { PromoteToWarm(job, index + 1); });
        });
  });
}

Status Migrator::PromoteToHot(Job& job) {
  for (const SegmentPtr& segment : job.inputs) {
    const MonotonicTime started = context_.Ticks();
    LoadedSegment loaded;
    STRATA_RETURN_IF_ERROR(LoadBatches(context_.warm, segment->entry, loaded));
    std::vector<HotBatch> batches;
    for (const SegmentBatch& batch : loaded.batches) {
      batches.push_back(ToHotBatch(batch));
    }
    STRATA_ASSIGN_OR_RETURN(std::shared_ptr<HotCopy> copy,
                            context_.hot.CachePromoted(std::move(batches)));
    PartitionState& p = *job.partition;
    bool live;
    {
      MutexLock lock(p.mu);
      live = IsLive(p, segment);
      if (live) std::swap(segment->hot, copy);
    }
    segment->access->count.store(0, std::memory_order_relaxed);
    segment->access->promotion_queued.store(false, std::memory_order_relaxed);
    if (live) CountPromotion(started);
    // Now the older copy, or the new one of a segment that is gone.
    if (copy != nullptr) context_.hot.Evict(*copy);
  }
  return Status::Ok();
}

void Migrator::CountPromotion(MonotonicTime started) {
  Add(context_.counters.promotions, 1);
  context_.RecordSince(started, context_.counters.promote);
}

// ---- collection -----------------------------------------------------------

void Migrator::Collect(PartitionPtr partition, Engine::StatusDone done) {
  Gate& gate = partition->segment_gate;
  gate.Enter([this, partition,
              done = std::move(done)](Gate::Hold hold) mutable {
    std::vector<SegmentPtr> trimmed;
    ManifestEdit edit;
    {
      MutexLock lock(partition->mu);
      for (const auto& [base, segment] : partition->segments) {
        if (segment->entry.offsets.end > partition->log_start) break;
        trimmed.push_back(segment);
        edit.ops.push_back(SegmentRemoved{partition->id, segment->entry.id});
      }
    }
    if (trimmed.empty()) {
      return CollectCold(std::move(partition), std::move(hold),
                         std::move(done));
    }
    context_.manifest.Commit(
        std::move(edit),
        [this, partition, trimmed = std::move(trimmed), hold = std::move(hold),
         done = std::move(done)](Status status) mutable {
          if (status.code() == StatusCode::kConflict) status = Status::Ok();
          if (!status.ok()) return done(std::move(status));
          RemoveSegments(*partition, trimmed, nullptr);
          CollectCold(std::move(partition), std::move(hold), std::move(done));
        });
  });
}

void Migrator::CollectCold(PartitionPtr partition, Gate::Hold hold,
                           Engine::StatusDone done) {
  bool pending;
  {
    MutexLock lock(partition->mu);
    pending = partition->cold_trim_pending;
  }
  std::unique_ptr<ColdWrite> write = ColdWrite::Begin(partition);
  if (!pending || write == nullptr || cold_roots_ == nullptr) {
    hold.Release();
    return done(Status::Ok());
  }
  cold_roots_->LoadWhole(partition, [this, partition, hold = std::move(hold),
                                     write = std::move(write),
                                     done = std::move(done)](
                                        Result<ColdPartitionPtr> root) mutable {
    if (!root.ok()) return done(root.status());
    ColdEdit edit;
    edit.topic_name = partition->name.topic;
    {
      MutexLock lock(partition->mu);
      edit.log_start = partition->log_start;
    }
    const Offset log_start = *edit.log_start;
    std::vector<ColdAddress> garbage = TrimmedObjects(**root, log_start);
    context_.cold_manifest->Commit(
        partition->id, std::move(edit),
        [this, partition, log_start, garbage = std::move(garbage),
         hold = std::move(hold), write = std::move(write),
         done = std::move(done)](Result<ColdPartitionPtr> committed) mutable {
          if (!committed.ok()) return done(committed.status());
          {
            MutexLock lock(partition->mu);
            if (partition->log_start == log_start) {
              partition->cold_trim_pending = false;
            }
          }
          hold.Release();
          DeleteObjects(std::move(garbage), std::move(done));
        });
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
