// SimLife: the lives of the simulated store: open, clean restart, death by
// power loss, and after each open the comparison of all that is there with
// all that has to be.
#pragma once

#include "testing/checked_store.h"
#include "testing/sim_counters.h"
#include "testing/sim_world.h"

namespace strata {

// Owned by one thread.
class SimLife {
 public:
  SimLife(SimWorld& world, CheckedStore& store, SimulationCounters& counters)
      : world_(world), store_(store), counters_(counters) {}

  // The first open, and any after the store was closed.
  void Open() { Open(0); }
  // Clean shutdown; the power fails right after it.
  void Close();
  // The machine goes on without anybody to look at it; the next open is on
  // another one.
  void LeaveBehind();
  void Restart();
  // Power loss between two tasks, and open again.
  void Crash();
  // The same when the disk has frozen.
  void DieIfFrozen();

  // Reads everything through the model's checks.
  void ReadAll();
  // After bits were flipped: all that is read is right, or kDataLoss.
  void ReadAllDamaged();
  // What recovery() has to say, from the next open on, is not a failure.
  void ExpectDamage() { expect_damage_ = true; }

 private:
  using ReadResult = Result<std::vector<BatchView>>;

  // Dies in about one of `crash_in` attempts; never when 0.
  void Open(uint64_t crash_in);
  bool Resynchronise();
  bool Resynchronise(const engine::PartitionPtr& partition, bool clean);
  // Again when the bucket's last faults were in the way. kClosed when the
  // process has to die first.
  ReadResult ReadPatiently(const engine::PartitionPtr& partition, Offset start);
  ReadResult ReadOnce(const engine::PartitionPtr& partition, Offset start);
  void ReadAll(const engine::PartitionPtr& partition);
  void ReadAllDamaged(const engine::PartitionPtr& partition);
  void CountUnderWay();
  void Die();
  void End();
  void Fail(std::string what) { world_.journal().Fail(std::move(what)); }
  bool failed() { return world_.journal().failed(); }

  SimWorld& world_;
  CheckedStore& store_;
  SimulationCounters& counters_;
  // No open has succeeded since the last clean shutdown.
  bool may_be_clean_ = true;
  bool must_be_clean_ = true;
  bool expect_damage_ = false;
};

}  // namespace strata
