// SimulationCounters: what happened in simulations, to prove that everything
// that can happen does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace strata {

enum class SimOp : uint8_t {
  kAppend,
  kWrite,
  kRead,
  kTrim,
  kTruncate,
  kFlush,
  kDemoteToWarm,
  kDemoteToCold,
  kPromoteToWarm,
  kPromoteToHot,
  kRunMigrations,
  kSegments,
  kVerify,
  kCreateTopic,
  kDeleteTopic,
  kShutdown,
};
inline constexpr size_t kSimOps = 16;
std::string_view Name(SimOp op);

struct SimulationCounters {
  // Operations answered with Ok, and those under way when the process died,
  // by SimOp.
  std::array<uint64_t, kSimOps> succeeded{};
  std::array<uint64_t, kSimOps> cut_by_crash{};
  uint64_t crashes = 0;
  uint64_t crashes_in_open = 0;
  uint64_t clean_restarts = 0;
  uint64_t recreations = 0;  // of a deleted topic's name
  uint64_t bucket_faults = 0;
  uint64_t purges_cut = 0;  // left to the next life of the store
  uint64_t flushes = 0;
  uint64_t wal_moves = 0;  // batches copied forward
  uint64_t offloads = 0;
  uint64_t promotions = 0;
  uint64_t drops = 0;  // hotter copies dropped
  uint64_t replayed_batches = 0;
  uint64_t torn_bytes = 0;
  uint64_t damaged_reads = 0;  // errors after bits were flipped

  uint64_t Succeeded(SimOp op) const {
    return succeeded[static_cast<size_t>(op)];
  }
  uint64_t CutByCrash(SimOp op) const {
    return cut_by_crash[static_cast<size_t>(op)];
  }
  SimulationCounters& operator+=(const SimulationCounters& other);
  // One per line.
  std::string ToString() const;
};

}  // namespace strata
