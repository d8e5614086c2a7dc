// Which job it is, merging, and collection of what was trimmed locally.
#include "engine/migrator.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/migrator_job.h"
#include "engine/segment_output.h"
#include "engine/segment_swap.h"

namespace strata::engine {

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
                   return p.IsLive(s);
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
          SwapSegments(context_, reaper_, *job->partition, job->inputs,
                       {std::move(merged)});
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
      hold.Release();
      return CollectCold(partition, std::move(done));
    }
    context_.manifest.Commit(
        std::move(edit),
        [this, partition, trimmed = std::move(trimmed), hold = std::move(hold),
         done = std::move(done)](Status status) mutable {
          if (status.code() == StatusCode::kConflict) status = Status::Ok();
          if (!status.ok()) return done(std::move(status));
          SwapSegments(context_, reaper_, *partition, trimmed, {});
          hold.Release();
          CollectCold(partition, std::move(done));
        });
  });
}

}  // namespace strata::engine
