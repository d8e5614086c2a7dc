// Replay: from the WAL's frames to the tails of the partitions at open.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/topics.h"
#include "wal/wal_recovery.h"

namespace strata::engine {

// Which frames still count is decided by the manifest alone: those of topics
// that exist, above flushed_end, and admitted by the epoch table. So replaying
// twice is replaying once. Frames that were copied forward lie out of order
// and twice: all are gathered first and put into offset order then. Owned by
// one thread.
class Replay final : public WalVisitor {
 public:
  Replay(const Topics& topics, RecoveryReport& report)
      : topics_(topics), report_(report) {}

  void OnFrame(RecoveredFrame frame) override;
  void OnDamage(const WalDamage& damage) override;

  // After the last frame: fills the tails. Offsets that no frame has are
  // damage, and partitions that may have had batches in damage that nobody can
  // name are marked. Answers those whose damage is new.
  std::set<PartitionId> Finish();

 private:
  using Frames = std::map<Offset, RecoveredFrame>;  // by base offset

  void FillTail(PartitionState& p, Frames& frames) STRATA_REQUIRES(p.mu);
  void PushBatch(PartitionState& p, RecoveredFrame frame,
                 std::shared_ptr<Chunk> gap_chunk) STRATA_REQUIRES(p.mu);
  void AddDamage(PartitionState& p, OffsetRange range, std::string detail)
      STRATA_REQUIRES(p.mu);

  const Topics& topics_;
  RecoveryReport& report_;
  std::map<PartitionId, Frames> frames_;
  // Partitions with a frame since the last damage that nobody can name.
  std::set<PartitionId> seen_;
  std::set<PartitionId> newly_damaged_;
  bool unidentified_ = false;
};

}  // namespace strata::engine
