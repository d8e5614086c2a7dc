// Flusher: from the tails of partitions to sealed segments in warm.
//
// One round takes several partitions: segment files are written and synced
// under temporary names, renamed, the directory is synced once, the manifest
// edit is synced once, and only then do the tails let go of their WAL space
// (P2). Dying between any two of these leaves the WAL as the truth and files
// that no edit names, which the next open removes.
#pragma once

#include <memory>
#include <vector>

#include "engine/context.h"
#include "engine/engine.h"
#include "engine/file_reaper.h"

namespace strata::engine {

// Thread-safe. Rounds may run at the same time on different partitions; a
// partition is in one at a time (its tail_gate).
class Flusher {
 public:
  Flusher(EngineContext& context, FileReaper& reaper)
      : context_(context), reaper_(reaper) {}

  // Flushes what the partitions hold when their turn comes. Ok also when there
  // was nothing. Blocking work runs on the job executor.
  void Flush(std::vector<PartitionPtr> partitions, Engine::StatusDone done);

  // Gives back WAL space that nobody holds any more.
  void ReleaseWal();

 private:
  struct Round;
  struct Run;
  using RoundPtr = std::shared_ptr<Round>;

  // Enters the gates one after the other, in the order of partition ids, so
  // that rounds cannot wait for each other in a circle.
  void EnterGates(RoundPtr round);
  static std::vector<std::unique_ptr<Run>> CutTail(
      const PartitionPtr& partition, uint64_t default_target_bytes);
  void Write(RoundPtr round);
  Status WriteFiles(Round& round);
  Status WriteFile(Round& round, const std::vector<Run*>& runs);
  void Commit(RoundPtr round);
  static bool AnyDeleted(const Round& round);
  void Publish(Round& round);
  void Finish(RoundPtr round, Status status);

  EngineContext& context_;
  FileReaper& reaper_;
};

}  // namespace strata::engine
