// The way up: from the bucket into warm, from warm into memory.
#include <utility>

#include "engine/migrator_job.h"
#include "engine/segment_output.h"
#include "engine/segment_swap.h"

namespace strata::engine {
namespace {

bool IsTrimmed(PartitionState& p, const SegmentEntry& entry) {
  MutexLock lock(p.mu);
  return p.deleted || entry.offsets.end <= p.log_start;
}

void TakeAccessFromCold(PartitionState& p, Offset base, AccessStats& access) {
  MutexLock lock(p.mu);
  const auto cold = p.cold_access.find(base);
  if (cold == p.cold_access.end()) return;
  KeepLastAccess(*cold->second, access);
  p.cold_access.erase(cold);
}

}  // namespace

void Migrator::PromoteToWarm(JobPtr job, size_t index) {
  if (cold_roots_ == nullptr || index == job->plan.segments.size() ||
      context_.stopping.load(std::memory_order_acquire)) {
    return job->Finish(Status::Ok());
  }
  job->started = context_.Ticks();
  cold_roots_->Load(
      job->partition, [this, job, index](Result<ColdPartitionPtr> root) {
        if (!root.ok()) return job->Finish(root.status());
        const Offset base = job->plan.bases[index];
        cold_roots_->LoadEntries(
            job->partition, *root, {base},
            [this, job, index, base](Result<ColdEntries> found) {
              if (!found.ok()) return job->Finish(found.status());
              context_.runtime.job_executor().Post([this, job, index, base,
                                                    found = *std::move(found)] {
                const SegmentEntry* entry = FindEntry(found, base);
                const bool there =
                    entry != nullptr && entry->id == job->plan.segments[index];
                if (!there) return PromoteToWarm(job, index + 1);
                Hydrate(job, index, *entry);
              });
            });
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
          auto hydrated = std::make_shared<Segment>(entry);
          hydrated->promoted_at = context_.Now();
          const std::shared_ptr<AccessStats> access = hydrated->access;
          SwapSegments(context_, reaper_, *job->partition, {},
                       {std::move(hydrated)});
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
      live = p.IsLive(segment);
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

}  // namespace strata::engine
