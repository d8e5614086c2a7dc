#include "engine/flusher.h"

#include <algorithm>
#include <utility>

#include "base/planted_fault.h"
#include "engine/segment_output.h"

namespace strata::engine {

// What one partition gives to one segment.
struct Flusher::Run {
  PartitionPtr partition;
  OffsetRange offsets;
  std::vector<HotBatch> batches;
  std::vector<std::shared_ptr<Chunk>> chunks;  // distinct, keep the payloads
  uint64_t bytes = 0;
  SegmentEntry entry;  // once written
};

struct Flusher::Round {
  std::vector<PartitionPtr> partitions;  // ascending by id
  std::vector<Gate::Hold> holds;         // of their tail gates
  std::vector<std::unique_ptr<Run>> runs;
  std::vector<uint64_t> files;  // written
  bool some_deleted = false;    // of the partitions
  MonotonicTime started{};
  Engine::StatusDone done;
};

void Flusher::Flush(std::vector<PartitionPtr> partitions,
                    Engine::StatusDone done) {
  auto round = std::make_shared<Round>();
  std::ranges::sort(partitions, {},
                    [](const PartitionPtr& p) { return p->id; });
  round->partitions = std::move(partitions);
  round->done = std::move(done);
  EnterGates(std::move(round));
}

void Flusher::EnterGates(RoundPtr round) {
  if (round->holds.size() == round->partitions.size()) {
    context_.runtime.job_executor().Post(
        [this, round = std::move(round)]() mutable {
          Write(std::move(round));
        });
    return;
  }
  Gate& gate = round->partitions[round->holds.size()]->tail_gate;
  gate.Enter([this, round = std::move(round)](Gate::Hold hold) mutable {
    round->holds.push_back(std::move(hold));
    EnterGates(std::move(round));
  });
}

namespace {

// Adds `chunk` unless it is there: batches of one chunk come in a row.
void AddChunk(std::vector<std::shared_ptr<Chunk>>& chunks,
              const std::shared_ptr<Chunk>& chunk) {
  if (chunks.empty() || chunks.back() != chunk) chunks.push_back(chunk);
}

}  // namespace

// Cuts the tail into segments: at the target size, and where offsets are lost,
// since a segment owns all of its range. What was trimmed needs no segment: a
// run without batches tells the manifest that it is done with.
std::vector<std::unique_ptr<Flusher::Run>> Flusher::CutTail(
    const PartitionPtr& partition, uint64_t default_target_bytes) {
  std::vector<std::unique_ptr<Run>> runs;
  const uint64_t target =
      partition->settings.target_segment_bytes.value_or(default_target_bytes);
  MutexLock lock(partition->mu);
  if (partition->deleted) return runs;
  Offset next = partition->flushed_end;
  bool cut = true;
  const auto begin_run = [&] {
    runs.push_back(std::make_unique<Run>());
    runs.back()->partition = partition;
    runs.back()->offsets = {next, next};
    cut = false;
  };
  for (const TailBatch& tail : partition->tail) {
    const OffsetRange offsets = tail.offsets();
    for (const OffsetRange& lost : partition->damaged) {
      if (lost.base >= next && lost.end <= offsets.base) {
        next = lost.end;
        cut = true;
      }
    }
    const bool trimmed = offsets.end <= partition->log_start;
    const bool after_trimmed = !trimmed && !cut && runs.back()->batches.empty();
    if (cut || after_trimmed || runs.back()->bytes >= target) begin_run();
    Run& run = *runs.back();
    if (!trimmed) {
      run.batches.push_back(tail.batch);
      run.bytes += FrameBytes(tail.batch.payload.size());
      AddChunk(run.chunks, tail.chunk);
    }
    next = run.offsets.end = offsets.end;
  }
  return runs;
}

void Flusher::Write(RoundPtr round) {
  round->started = context_.Ticks();
  for (const PartitionPtr& partition : round->partitions) {
    for (auto& run : CutTail(partition, context_.config.target_segment_bytes))
      round->runs.push_back(std::move(run));
  }
  if (round->runs.empty()) return Finish(std::move(round), Status::Ok());
  Status written = WriteFiles(*round);
  if (!written.ok()) return Finish(std::move(round), std::move(written));
  Commit(std::move(round));
}

Status Flusher::WriteFiles(Round& round) {
  std::vector<Run*> bundle;
  for (const auto& run : round.runs) {
    if (run->batches.empty()) continue;
    if (run->bytes < context_.config.min_segment_bytes) {
      bundle.push_back(run.get());
    } else {
      STRATA_RETURN_IF_ERROR(WriteFile(round, {run.get()}));
    }
  }
  if (!bundle.empty()) STRATA_RETURN_IF_ERROR(WriteFile(round, bundle));
  if (FaultPlanted(PlantedFault::kDirectorySyncLeftOut)) return Status::Ok();
  return context_.warm_fs.SyncDirectory("");
}

Status Flusher::WriteFile(Round& round, const std::vector<Run*>& runs) {
  const uint64_t number = context_.next_file_number++;
  STRATA_ASSIGN_OR_RETURN(auto file,
                          SegmentFileWriter::Create(context_.warm_fs, number));
  round.files.push_back(number);
  std::vector<SegmentBatch> batches;
  for (Run* run : runs) {
    batches.clear();
    for (const HotBatch& batch : run->batches) {
      batches.push_back(ToSegmentBatch(run->partition->id, batch));
    }
    STRATA_ASSIGN_OR_RETURN(
        run->entry,
        file->Add({.id = context_.next_segment_id++,
                   .partition = run->partition->id,
                   .topic_name = run->partition->name.topic,
                   .offsets = run->offsets,
                   .sealed_at = context_.Now(),
                   .index_interval_bytes = context_.config.index_interval_bytes,
                   .sections = {}},
                  batches));
  }
  return file->Finish();
}

void Flusher::Commit(RoundPtr round) {
  if (FaultPlanted(PlantedFault::kWalReleasedEarly)) {
    for (auto& run : round->runs) {
      MutexLock lock(run->partition->mu);
      run->partition->PopTail(run->offsets.end);
    }
    ReleaseWal();
  }
  // A topic deleted meanwhile must not make the edit fail for the others.
  const size_t gone =
      std::erase_if(round->runs, [](const std::unique_ptr<Run>& run) {
        MutexLock lock(run->partition->mu);
        return run->partition->deleted;
      });
  if (gone > 0) round->some_deleted = true;
  if (round->runs.empty()) return Finish(std::move(round), Status::Ok());
  ManifestEdit edit;
  for (const auto& run : round->runs) {
    if (!run->batches.empty()) {
      edit.ops.push_back(SegmentAdded{.entry = run->entry, .extra = {}});
    }
    PartitionChanged change;
    change.partition = run->partition->id;
    change.flushed_end = run->offsets.end;
    edit.ops.push_back(std::move(change));
  }
  context_.manifest.Commit(
      std::move(edit), [this, round = std::move(round)](Status status) mutable {
        if (status.code() == StatusCode::kConflict && AnyDeleted(*round)) {
          return Commit(std::move(round));
        }
        if (!status.ok()) return Finish(std::move(round), std::move(status));
        context_.runtime.job_executor().Post(
            [this, round = std::move(round)]() mutable {
              Publish(*round);
              Finish(std::move(round), Status::Ok());
            });
      });
}

bool Flusher::AnyDeleted(const Round& round) {
  return std::ranges::any_of(round.runs, [](const std::unique_ptr<Run>& run) {
    MutexLock lock(run->partition->mu);
    return run->partition->deleted;
  });
}

void Flusher::Publish(Round& round) {
  for (auto& run : round.runs) {
    SegmentPtr segment;
    if (!run->batches.empty()) {
      segment = std::make_shared<Segment>(run->entry);
      // Cached before the tail lets go, so that the chunks change accounts
      // instead of going.
      segment->hot =
          context_.hot.CacheFlushed(std::move(run->batches), run->chunks);
      run->chunks.clear();
    }
    PartitionState& p = *run->partition;
    std::vector<TailBatch> flushed;  // let go outside of the lock
    MutexLock lock(p.mu);
    if (p.deleted) {
      round.some_deleted = true;
      continue;
    }
    flushed = p.PopTail(run->offsets.end);
    p.flushed_end = std::max(p.flushed_end, run->offsets.end);
    if (segment != nullptr) {
      Add(context_.counters.warm_writes, run->entry.batch_count);
      context_.warm_bytes += run->entry.image_bytes;
      p.segments.emplace(run->offsets.base, std::move(segment));
    }
  }
  Add(context_.counters.flushes, 1);
  context_.RecordSince(round.started, context_.counters.flush);
}

// WAL space goes only after the manifest says that it is not needed: the next
// open takes a missing file above that mark for loss.
void Flusher::ReleaseWal() {
  const std::optional<WalReleasable> releasable = context_.wal.Releasable();
  if (!releasable) return;
  context_.manifest.Commit({.ops = {WalNeeded{releasable->needed_from_seq}}},
                           [this, file = releasable->file](Status status) {
                             if (status.ok()) context_.wal.Release(file);
                           });
}

void Flusher::Finish(RoundPtr round, Status status) {
  if (!status.ok()) {
    context_.log.Warning("flush of {} partitions failed: {}",
                         round->partitions.size(), status.ToString());
  }
  // Who deleted a topic could not know of its new files; those of a failed
  // round are garbage, unless they may be in the manifest all the same.
  const bool failed = !status.ok() && status.code() != StatusCode::kUnknown;
  if (failed || round->some_deleted) reaper_.Retire(round->files);
  Engine::StatusDone done = std::move(round->done);
  round.reset();  // leaves the gates
  ReleaseWal();
  if (status.ok()) context_.attention.NotifyWritable();
  done(std::move(status));
}

}  // namespace strata::engine
