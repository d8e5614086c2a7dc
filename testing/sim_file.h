// The insides of SimFileSystem: its state, and the files, maps and locks it
// hands out. Included by sim_file_system.cc and sim_file.cc only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "runtime/xoshiro.h"
#include "testing/sim_file_system.h"

namespace strata {

// Owned by the State, used under its mutex.
class SimDiskRandom final : public Random {
 public:
  explicit SimDiskRandom(uint64_t seed) : generator_(seed) {}
  uint64_t Next() override { return generator_.Next(); }

 private:
  Xoshiro256 generator_;
};

// Thread-safe through `mu`.
struct SimFileSystem::State {
  struct Fault {
    FileOp op = FileOp::kWrite;
    std::string path_prefix;
    uint64_t count = 0;
    StatusCode code = StatusCode::kIoError;
  };

  struct ReadHook {
    std::string path_prefix;
    uint64_t position = 0;
    std::function<void()> then;  // empty: none
  };

  explicit State(uint64_t seed) : random(seed) {}

  // Counts, records and, when frozen or a fault is due, refuses an operation.
  Status Begin(FileOp op, const std::string& path, const std::string& to = "")
      STRATA_REQUIRES(mu);
  void Crash(Random& chance, SimUnsyncedFate fate) STRATA_REQUIRES(mu);
  SimNodeRef MustFind(const std::string& path) STRATA_REQUIRES(mu);
  uint64_t FreeBytes() const STRATA_REQUIRES(mu);

  Mutex mu;
  SimDisk disk STRATA_GUARDED_BY(mu);
  SimDiskRandom random STRATA_GUARDED_BY(mu);
  // Grows at each crash; handles of an older one are dead.
  uint64_t generation STRATA_GUARDED_BY(mu) = 0;
  bool frozen STRATA_GUARDED_BY(mu) = false;
  uint64_t operations_left STRATA_GUARDED_BY(mu) = kUnlimited;
  uint64_t capacity_bytes STRATA_GUARDED_BY(mu) = kUnlimited;
  bool ignore_directory_sync STRATA_GUARDED_BY(mu) = false;
  std::vector<Fault> faults STRATA_GUARDED_BY(mu);
  ReadHook read_hook STRATA_GUARDED_BY(mu);
  uint64_t write_count STRATA_GUARDED_BY(mu) = 0;
  uint64_t bytes_read STRATA_GUARDED_BY(mu) = 0;
  uint64_t sync_count STRATA_GUARDED_BY(mu) = 0;
  uint64_t change_count STRATA_GUARDED_BY(mu) = 0;
  bool tracing STRATA_GUARDED_BY(mu) = false;
  std::vector<TraceEntry> trace STRATA_GUARDED_BY(mu);
};

std::unique_ptr<File> NewSimFile(std::shared_ptr<SimFileSystem::State> state,
                                 SimNodeRef node, std::string path,
                                 OpenMode mode, uint64_t generation);
std::unique_ptr<FileLock> NewSimLock(
    std::shared_ptr<SimFileSystem::State> state, SimNodeRef node,
    uint64_t generation);

// Both under the state's mutex.
void Damage(SimNode& node, uint64_t position, uint64_t length);
void LosePagesPast(SimNode& node, uint64_t size_bytes);

}  // namespace strata
