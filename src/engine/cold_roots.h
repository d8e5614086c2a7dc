// ColdRoots: a partition's cold part as the object store has it, reconciled
// with what the local manifest knows.
//
// The order of an offload is upload, root commit, local edit. A crash between
// the last two leaves a root that reaches further than the local cold_end;
// the first look at the root after open adopts it. A root that lacks what the
// local manifest says is cold (the bucket was emptied, is not mounted, is an
// older copy) is read as far as it goes, and nothing is moved on its word. One
// that another store has claimed fences the partition: it is read, and never
// written again.
#pragma once

#include <memory>
#include <vector>

#include "engine/context.h"
#include "engine/engine.h"

namespace strata::engine {

// Thread-safe. Only with cold storage.
class ColdRoots {
 public:
  explicit ColdRoots(EngineContext& context) : context_(context) {}

  // What the root names, as much as there is; from memory after the first time.
  void Load(PartitionPtr partition, Engine::Done<ColdPartitionPtr> done);
  // As Load, for whoever writes to the root or removes a copy: kReadOnly when
  // another store has claimed it; kDataLoss, with what was expected and found,
  // unless it covers all that is cold.
  // Such a root is asked for anew the next time.
  void LoadWhole(PartitionPtr partition, Engine::Done<ColdPartitionPtr> done);
  // As Load, from the object store even if it is in memory.
  void Reload(PartitionPtr partition, Engine::Done<ColdPartitionPtr> done);

  // The entries of `root` that own one of `offsets`; what it does not cover is
  // left out.
  void LoadEntries(PartitionPtr partition, ColdPartitionPtr root,
                   std::vector<Offset> offsets, Engine::Done<ColdEntries> done);
  // Hands the entries of `root` that own an offset of `range` to `each`,
  // ascending, a run at a time. `each` is called under no lock and ends the
  // walk by an error.
  using EachRun = UniqueFunction<Status(std::vector<SegmentEntry>)>;
  void ForEach(PartitionPtr partition, ColdPartitionPtr root, OffsetRange range,
               EachRun each, Engine::StatusDone done);

 private:
  void SeeClaim(const PartitionPtr& partition, const ColdPartitionPtr& root);
  void LoadNextEntry(PartitionPtr partition, ColdPartitionPtr root,
                     std::vector<Offset> offsets, ColdEntries found,
                     Engine::Done<ColdEntries> done);
  void LoadChecked(PartitionPtr partition, Engine::Done<ColdPartitionPtr> done);
  Status Refuse(PartitionState& partition, const ColdPartition& root,
                OffsetRange expected);
  void Adopt(PartitionPtr partition, ColdPartitionPtr root,
             Engine::Done<ColdPartitionPtr> done);

  EngineContext& context_;
};

}  // namespace strata::engine
