// SimWorld: everything around the engine, simulated from one seed: time and
// tasks, a disk that crashes, a bucket that fails; and the life of the engine
// upon it: open, clean shutdown, power loss.
#pragma once

#include <memory>
#include <optional>

#include "engine/engine.h"
#include "runtime/xoshiro.h"
#include "testing/faulty_object_store.h"
#include "testing/journal.h"
#include "testing/sim_completions.h"
#include "testing/sim_file_system.h"
#include "testing/sim_runtime.h"

namespace strata {

// Chance, in the words of who draws operations. Owned by one thread.
class Dice {
 public:
  explicit Dice(uint64_t seed) : generator_(seed) {}

  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound) { return generator_.Next() % bound; }
  // Uniform in [low, high].
  uint64_t Between(uint64_t low, uint64_t high) {
    return low + Below(high - low + 1);
  }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  template <typename T, size_t kSize>
  T Pick(const T (&choices)[kSize]) {
    return choices[Below(kSize)];
  }
  uint64_t Next() { return generator_.Next(); }

 private:
  Xoshiro256 generator_;
};

// Owned by one thread.
class SimWorld {
 public:
  SimWorld(uint64_t seed, bool verbose);
  ~SimWorld();

  // Opens the store. Not Ok when the disk froze on the way: Kill then.
  Status Open();
  // The machine is gone; another one, with empty disks, gets what the bucket
  // has. The engine is closed, or left behind.
  Status RestoreElsewhere();
  // The machine goes on by itself, and there will be another one.
  void LeaveBehind();
  // The process dies and the machine loses power: tasks, engine and what was
  // not synced are gone.
  void Kill();
  // After a clean shutdown; power fails at once.
  void Close() { Kill(); }

  // Runs tasks and moves time until `done`; false when the disk froze first or
  // a failure is in the journal, which there is when nothing moves any more.
  bool RunUntil(const bool& done, std::string_view what);
  // Runs up to `tasks` tasks that are ready.
  void RunSome(uint64_t tasks);
  // Whether the simulated process has to die now.
  bool frozen() const { return disk.frozen(); }

  // The bucket works and is fast.
  void HealBucket();
  // The bucket gets slow, unreliable or away.
  void SpoilBucket();
  uint64_t bucket_faults() const {
    return bucket == nullptr ? 0 : bucket->faults();
  }
  // Whether a request made now, or one that a new one may share, can fail.
  bool BucketMayFail() {
    return spoiled_ || runtime.clock().Now() < healed_at_ + kMaxBucketDelay;
  }

  Dice dice;
  Journal& journal() { return *journal_; }
  const TieredStorageConfig& config() const { return config_; }

  SimRuntime runtime;
  SimFileSystem disk;
  std::unique_ptr<SimFileSystem> data;
  std::unique_ptr<SimFileSystem> warm;
  std::shared_ptr<FaultyObjectStore> bucket;   // null: cold storage disabled
  std::unique_ptr<engine::Engine> engine;      // null while closed
  std::unique_ptr<engine::Engine> old_engine;  // that was left behind, or null

 private:
  static constexpr Duration kMaxBucketDelay = std::chrono::seconds(30);

  static TieredStorageConfig DrawConfig(Dice& dice);
  engine::EngineEnvironment Environment();

  std::shared_ptr<Journal> journal_;
  std::shared_ptr<CompletionExecutor> executor_ =
      std::make_shared<SimCompletions>(runtime);
  TieredStorageConfig config_;
  bool spoiled_ = false;
  MonotonicTime healed_at_{};
  // Of the old engine.
  std::unique_ptr<SimFileSystem> old_data_;
  std::unique_ptr<SimFileSystem> old_warm_;
};

}  // namespace strata
