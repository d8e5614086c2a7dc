#include "engine/repairer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "engine/coverage.h"
#include "engine/segment_swap.h"
#include "segment/segment_salvage.h"

namespace strata::engine {

namespace {

bool IsDeleted(PartitionState& p) {
  MutexLock lock(p.mu);
  return p.deleted;
}

}  // namespace

struct Repairer::Work {
  PartitionPtr partition;
  Engine::Done<RepairReport> done;
  RepairReport report;

  // Why the bucket could not be asked what it has.
  Status cold_unknown;

  // What takes the place of a segment that cannot be read.
  struct Rewritten {
    SegmentPtr old;
    SegmentPtr anew;
    uint64_t batches = 0;
    std::vector<OffsetRange> lost;
  };
  std::vector<Rewritten> rewritten;
  std::vector<uint64_t> extra_copies;  // damaged, and cold as well
  std::vector<uint64_t> files;         // written, not yet in the manifest

  // From here on under the gates.
  Gate::Hold segment_hold;
  Gate::Hold tail_hold;
  std::vector<OffsetRange> damaged;  // as recovery found
  std::vector<OffsetRange> gaps;     // that no batch owns
  bool damaged_tail = false;
  std::vector<SegmentPtr> fillers;
  std::vector<EpochStart> epochs;
};

void Repairer::Repair(PartitionPtr partition, Engine::Done<RepairReport> done) {
  auto work = std::make_shared<Work>();
  work->partition = partition;
  work->done = std::move(done);
  // Once all that is intact is in segments, the WAL is not needed to tell what
  // is lost.
  flusher_.Flush({std::move(partition)}, [this, work](Status status) {
    if (!status.ok()) return work->done(std::move(status));
    AdoptColdEnd(work);
  });
}

// What became cold right before a crash is known to the bucket only.
void Repairer::AdoptColdEnd(WorkPtr work) {
  const auto inspect = [this, work] {
    context_.runtime.job_executor().Post([this, work] { Inspect(work); });
  };
  if (cold_roots_ == nullptr) return inspect();
  cold_roots_->LoadWhole(work->partition,
                         [work, inspect](const Result<ColdPartitionPtr>& root) {
                           // One that lacks what was cold has nothing that is
                           // not known here.
                           if (root.status().code() != StatusCode::kDataLoss) {
                             work->cold_unknown = root.status();
                           }
                           inspect();
                         });
}

void Repairer::Inspect(WorkPtr work) {
  std::vector<SegmentPtr> segments;
  {
    PartitionState& p = *work->partition;
    MutexLock lock(p.mu);
    for (const auto& [base, segment] : p.segments) {
      if (segment->entry.offsets.end > p.log_start) segments.push_back(segment);
    }
  }
  Status status;
  for (const SegmentPtr& segment : segments) {
    if (context_.stopping.load(std::memory_order_acquire)) {
      status = Status(StatusCode::kClosed, "the store is shut down");
    } else {
      status = InspectSegment(*work, segment);
    }
    if (!status.ok()) return Finish(*work, std::move(status));
  }
  EnterGates(std::move(work));
}

Status Repairer::InspectSegment(Work& work, const SegmentPtr& segment) {
  const Status status = context_.warm.VerifyImage(segment->entry);
  if (status.ok()) return status;
  PartitionState& p = *work.partition;
  bool cold;
  {
    MutexLock lock(p.mu);
    if (!p.IsLive(segment)) return Status::Ok();  // moved while it was read
    cold = segment->entry.offsets.end <= p.cold_end;
  }
  // A sector that cannot be read is damage like any other; what a newer
  // version wrote is none.
  if (status.code() != StatusCode::kDataLoss &&
      status.code() != StatusCode::kIoError) {
    return status;
  }
  context_.log.Warning("{}: {}", p.name.ToString(), status.ToString());
  if (cold) {
    work.extra_copies.push_back(segment->entry.id);
    return Status::Ok();
  }
  if (!work.cold_unknown.ok()) {
    return work.cold_unknown.WithContext(fmt::format(
        "{}: whether the bucket has offsets [{}, {}), which cannot be read "
        "here",
        p.name.ToString(), segment->entry.offsets.base.value(),
        segment->entry.offsets.end.value()));
  }
  return WriteAnew(work, segment);
}

Status Repairer::LoadWhatIsLeft(PartitionState& p, const SegmentPtr& segment,
                                LoadedSegment& out) {
  if (LoadFromHot(p, segment, out)) return Status::Ok();
  STRATA_ASSIGN_OR_RETURN(out.bytes,
                          context_.warm.ReadWhatIsLeft(segment->entry));
  return SalvageBatches(out.bytes, segment->entry,
                        [&out](const SegmentBatch& batch) {
                          out.batches.push_back(batch);
                          return Status::Ok();
                        });
}

// The hot copy, if it is still there, has everything.
bool Repairer::LoadFromHot(PartitionState& p, const SegmentPtr& segment,
                           LoadedSegment& out) {
  std::shared_ptr<HotCopy> copy;
  {
    MutexLock lock(p.mu);
    copy = segment->hot;
  }
  if (copy == nullptr) return false;
  const OffsetRange offsets = segment->entry.offsets;
  const auto views = context_.hot.Read(
      *copy,
      {.start = offsets.base, .end = offsets.end, .max_bytes = UINT64_MAX});
  if (!views || !views->ok()) return false;
  size_t bytes = 0;
  for (const BatchView& view : **views) bytes += view.bytes().size();
  out.bytes.reserve(bytes);  // spans stay
  for (const BatchView& view : **views) {
    const size_t at = out.bytes.size();
    out.bytes.insert(out.bytes.end(), view.bytes().begin(), view.bytes().end());
    const ByteSpan payload = ByteSpan(out.bytes).subspan(at);
    out.batches.push_back(
        ToSegmentBatch(p.id, {.facts = {.offsets = view.offsets(),
                                        .epoch = view.epoch(),
                                        .tier = view.tier(),
                                        .format = view.format(),
                                        .record_count = view.record_count(),
                                        .max_timestamp = view.max_timestamp()},
                              .payload = payload,
                              .payload_crc32c = Crc32c(payload)}));
  }
  // Fewer when not all of them could be pinned or copied.
  if (out.batches.size() == segment->entry.batch_count) return true;
  out = {};
  return false;
}

Status Repairer::WriteAnew(Work& work, const SegmentPtr& segment) {
  const SegmentEntry& old = segment->entry;
  PartitionState& p = *work.partition;
  LoadedSegment left;
  STRATA_RETURN_IF_ERROR(LoadWhatIsLeft(p, segment, left));
  std::vector<OffsetRange> kept;
  for (const SegmentBatch& batch : left.batches) {
    kept.push_back(batch.header.offsets);
  }
  const uint64_t file = context_.next_file_number++;
  work.files.push_back(file);
  STRATA_ASSIGN_OR_RETURN(
      SegmentEntry entry,
      WriteSegmentFile(
          context_.warm_fs, file,
          {.id = context_.next_segment_id++,
           .partition = p.id,
           .topic_name = p.name.topic,
           .offsets = old.offsets,
           .sealed_at = old.sealed_at,
           .index_interval_bytes = context_.config.index_interval_bytes,
           .sections = {}},
          left.batches));
  work.rewritten.push_back({.old = segment,
                            .anew = std::make_shared<Segment>(std::move(entry)),
                            .batches = kept.size(),
                            .lost = Uncovered(old.offsets, std::move(kept))});
  return Status::Ok();
}

void Repairer::EnterGates(WorkPtr work) {
  Gate& segment_gate = work->partition->segment_gate;
  segment_gate.Enter([this, work](Gate::Hold segment_hold) {
    work->segment_hold = std::move(segment_hold);
    Gate& tail_gate = work->partition->tail_gate;
    tail_gate.Enter([this, work](Gate::Hold tail_hold) {
      work->tail_hold = std::move(tail_hold);
      Commit(work);
    });
  });
}

void Repairer::Commit(WorkPtr work) {
  PartitionState& p = *work->partition;
  ManifestEdit edit;
  PartitionChanged change;
  change.partition = p.id;
  std::vector<uint64_t> useless;
  {
    MutexLock lock(p.mu);
    // A segment may have been merged or deleted meanwhile, or have become cold
    // after all: then the bucket has what cannot be read here.
    std::erase_if(work->rewritten,
                  [&](const Work::Rewritten& r) STRATA_REQUIRES(p.mu) {
                    const bool cold = r.old->entry.offsets.end <= p.cold_end;
                    const bool live = p.IsLive(r.old);
                    if (live && !cold) return false;
                    if (live) work->extra_copies.push_back(r.old->entry.id);
                    useless.push_back(r.anew->entry.warm->file);
                    return true;
                  });
    work->damaged = p.damaged;
    work->damaged_tail = p.damaged_tail;
    if (!p.damaged.empty() || p.damaged_tail) {
      // It takes no appends while it is damaged, so that nothing is unflushed.
      work->gaps = Uncovered({p.flushed_end, p.log_end}, p.damaged);
      change.flushed_end = p.log_end;
      change.damaged.emplace();
      change.damaged_tail = false;
      work->epochs = p.epochs;
      StartEpoch(work->epochs, Epoch(p.CurrentEpoch().value() + 1), p.log_end);
      change.epochs = work->epochs;
    }
  }
  reaper_.Retire(std::move(useless));
  Status written = FillLost(*work);
  if (written.ok() && !work->files.empty()) {
    written = context_.warm_fs.SyncDirectory("");
  }
  if (!written.ok()) return Finish(*work, std::move(written));
  for (const Work::Rewritten& r : work->rewritten) {
    edit.ops.push_back(SegmentRemoved{p.id, r.old->entry.id});
    edit.ops.push_back(SegmentAdded{.entry = r.anew->entry, .extra = {}});
  }
  for (const SegmentPtr& filler : work->fillers) {
    edit.ops.push_back(SegmentAdded{.entry = filler->entry, .extra = {}});
  }
  if (change.epochs) edit.ops.push_back(std::move(change));
  if (edit.ops.empty()) return DropExtraCopies(std::move(work));
  context_.manifest.Commit(std::move(edit), [this, work](Status status) {
    if (status.code() == StatusCode::kConflict && IsDeleted(*work->partition)) {
      status = Status(
          StatusCode::kNotFound,
          fmt::format("topic '{}' was deleted", work->partition->name.topic));
    }
    if (!status.ok()) return Finish(*work, std::move(status));
    Apply(*work);
    DropExtraCopies(work);
  });
}

// A segment without batches for each range that is in none.
Status Repairer::FillLost(Work& work) {
  work.report.lost = work.damaged;
  std::vector<OffsetRange> empty = work.damaged;
  empty.insert(empty.end(), work.gaps.begin(), work.gaps.end());
  for (const OffsetRange& range : empty) {
    const uint64_t file = context_.next_file_number++;
    work.files.push_back(file);
    STRATA_ASSIGN_OR_RETURN(
        SegmentEntry entry,
        WriteSegmentFile(
            context_.warm_fs, file,
            {.id = context_.next_segment_id++,
             .partition = work.partition->id,
             .topic_name = work.partition->name.topic,
             .offsets = range,
             .sealed_at = context_.Now(),
             .index_interval_bytes = context_.config.index_interval_bytes,
             .sections = {}},
            {}));
    work.fillers.push_back(std::make_shared<Segment>(std::move(entry)));
  }
  return Status::Ok();
}

void Repairer::Apply(Work& work) {
  PartitionState& p = *work.partition;
  std::vector<SegmentPtr> removed;
  std::vector<SegmentPtr> added = work.fillers;
  for (const Work::Rewritten& r : work.rewritten) {
    removed.push_back(r.old);
    added.push_back(r.anew);
    ++work.report.segments_rewritten;
    work.report.batches_kept += r.batches;
    work.report.lost.insert(work.report.lost.end(), r.lost.begin(),
                            r.lost.end());
  }
  std::ranges::sort(work.report.lost, {}, &OffsetRange::base);
  SwapSegments(context_, reaper_, p, removed, added);
  work.files.clear();
  MutexLock lock(p.mu);
  if (work.epochs.empty()) return;
  work.report.reopened = true;
  p.flushed_end = p.log_end;
  p.damaged.clear();
  p.damaged_tail = false;
  p.epochs = work.epochs;
  p.WakeReaders();
}

// The bucket has them: the local ones only stand in the way.
void Repairer::DropExtraCopies(WorkPtr work) {
  work->segment_hold.Release();
  work->tail_hold.Release();
  if (work->extra_copies.empty()) return Finish(*work, Status::Ok());
  work->report.copies_dropped = work->extra_copies.size();
  migrator_.Execute(
      {.kind = JobKind::kDropWarm,
       .partition = work->partition->id,
       .segments = work->extra_copies,
       .bytes = 0,
       .pressure = 0},
      [this, work](Status status) { Finish(*work, std::move(status)); });
}

void Repairer::Finish(Work& work, Status status) {
  // With an unknown outcome the manifest may name them.
  if (!status.ok() && status.code() != StatusCode::kUnknown) {
    reaper_.Retire(std::exchange(work.files, {}));
  }
  work.segment_hold.Release();
  work.tail_hold.Release();
  context_.attention.RequestMigrations();
  Engine::Done<RepairReport> done = std::move(work.done);
  if (!status.ok()) return done(std::move(status));
  {
    MutexLock lock(work.partition->mu);
    work.partition->stuck = Status::Ok();
  }
  // Who was refused before looks again now.
  context_.attention.NotifyWritable();
  done(std::move(work.report));
}

}  // namespace strata::engine
