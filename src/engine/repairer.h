// Repairer: accepts what a partition has lost, so that it can go on.
//
// Segments that cannot be read any more are written anew with what is left of
// them; ranges that recovery found missing get a segment without batches. All
// of it is one edit: before it nothing has changed, behind it the lost offsets
// are gaps.
#pragma once

#include <vector>

#include "engine/cold_roots.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/file_reaper.h"
#include "engine/flusher.h"
#include "engine/migrator.h"
#include "engine/segment_output.h"

namespace strata::engine {

// Thread-safe.
class Repairer {
 public:
  // `cold_roots` is null when cold is disabled.
  Repairer(EngineContext& context, ColdRoots* cold_roots, Flusher& flusher,
           Migrator& migrator, FileReaper& reaper)
      : context_(context),
        cold_roots_(cold_roots),
        flusher_(flusher),
        migrator_(migrator),
        reaper_(reaper) {}

  // See TieredStorage::Repair.
  void Repair(PartitionPtr partition, Engine::Done<RepairReport> done);

 private:
  struct Work;
  using WorkPtr = std::shared_ptr<Work>;

  void AdoptColdEnd(WorkPtr work);
  void Inspect(WorkPtr work);
  Status InspectSegment(Work& work, const SegmentPtr& segment);
  // Copies what can still be had of a damaged segment.
  Status LoadWhatIsLeft(PartitionState& p, const SegmentPtr& segment,
                        LoadedSegment& out);
  bool LoadFromHot(PartitionState& p, const SegmentPtr& segment,
                   LoadedSegment& out);
  Status WriteAnew(Work& work, const SegmentPtr& segment);
  void EnterGates(WorkPtr work);
  void Commit(WorkPtr work);
  Status FillLost(Work& work);
  void Apply(Work& work);
  void DropExtraCopies(WorkPtr work);
  void Finish(Work& work, Status status);

  EngineContext& context_;
  ColdRoots* const cold_roots_;
  Flusher& flusher_;
  Migrator& migrator_;
  FileReaper& reaper_;
};

}  // namespace strata::engine
