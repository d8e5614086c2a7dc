// Migrator: executes one planned job at a time of each kind: merge, offload,
// drop, promote. Copies are made and made durable first, published in the
// manifest next, and only then removed where they came from (P2, P5).
//
// Long work (reading, writing, uploading) runs without the partition's
// segment_gate; the swap at the end holds it and checks that its inputs are
// still what they were, by the identity of their Segment. When they are not,
// the outputs are garbage and the job answers Ok: the policy plans anew.
#pragma once

#include <vector>

#include "engine/claims.h"
#include "engine/cold_roots.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/file_reaper.h"
#include "engine/segment_output.h"
#include "tiering/policy.h"

namespace strata::engine {

// Thread-safe.
class Migrator {
 public:
  // Without cold storage `cold_roots` and `publisher` are null.
  Migrator(EngineContext& context, ColdRoots* cold_roots, Claims* claims,
           FileReaper& reaper)
      : context_(context),
        cold_roots_(cold_roots),
        claims_(claims),
        reaper_(reaper) {}

  // Any kind but kFlush and kPurge. Blocks on files: call it on the job
  // executor.
  void Execute(const PlannedJob& job, Engine::StatusDone done);

  // Removes what lies wholly below the log start, locally and in the bucket.
  void Collect(PartitionPtr partition, Engine::StatusDone done);

 private:
  struct Job;
  using JobPtr = std::shared_ptr<Job>;

  void BeginMerge(JobPtr job);
  void Merge(JobPtr job);
  void PublishMerge(JobPtr job, SegmentEntry output);

  void BeginOffload(JobPtr job);
  void Offload(JobPtr job, size_t index);
  void OffloadHeld(JobPtr job, size_t index);
  void Upload(JobPtr job, size_t index);
  void CommitOffload(JobPtr job, size_t index, SegmentEntry entry);
  void AddToRoot(JobPtr job, size_t index, SegmentEntry entry, Gate::Hold hold);
  void FinishOffload(JobPtr job, size_t index, SegmentEntry entry,
                     Gate::Hold hold, Result<ColdPartitionPtr> root);

  void DropWarm(JobPtr job);
  void PublishDrop(JobPtr job, ColdPartitionPtr root, const ColdEntries& cold,
                   Gate::Hold hold);

  void PromoteToWarm(JobPtr job, size_t index);
  void Hydrate(JobPtr job, size_t index, SegmentEntry entry);
  Result<SegmentEntry> FinishHydration(SegmentFileWriter& writer,
                                       const SegmentEntry& entry);
  void PublishHydrated(JobPtr job, size_t index, SegmentEntry entry);
  Status PromoteToHot(Job& job);
  void CountPromotion(MonotonicTime started);

  void PlanOnIfFull();
  void CollectCold(const PartitionPtr& partition, Engine::StatusDone done);
  void TellLogStart(const PartitionPtr& partition,
                    std::unique_ptr<ColdWrite> write, Engine::StatusDone done);
  // Deletes what lies wholly below `log_start`, which the root knows of.
  void RemoveTrimmed(PartitionPtr partition, Offset log_start,
                     std::unique_ptr<ColdWrite> write, Engine::StatusDone done);
  void DeleteObjects(std::vector<ColdAddress> addresses,
                     Engine::StatusDone done);

  EngineContext& context_;
  ColdRoots* const cold_roots_;
  Claims* const claims_;  // null: cold storage disabled
  FileReaper& reaper_;
};

}  // namespace strata::engine
