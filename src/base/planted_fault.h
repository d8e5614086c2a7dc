// Planted faults: known mistakes that a test switches on to prove that the
// simulation would find them. Only a build with STRATA_PLANTED_FAULTS has
// them; in every other one FaultPlanted is the constant false.
#pragma once

#include <atomic>
#include <cstdint>

namespace strata {

enum class PlantedFault : uint8_t {
  kNone,
  kDirectorySyncLeftOut,  // the name of a flushed file not made durable
  kWalReleasedEarly,      // WAL space released before the manifest edit
  kSourceRemovedEarly,    // warm file removed before its edit is published
  kCrcIgnored,            // bytes handed out whatever their checksum says
  kGapAnsweredOk,         // a missing range skipped instead of reported
  kClaimIgnored,          // a root changed whoever has claimed it
};

#ifdef STRATA_PLANTED_FAULTS

// Relaxed order: set by tests before anything runs.
inline std::atomic<PlantedFault> planted_fault{PlantedFault::kNone};

// At most one at a time; kNone takes it away.
inline void PlantFault(PlantedFault fault) {
  planted_fault.store(fault, std::memory_order_relaxed);
}
inline bool FaultPlanted(PlantedFault fault) {
  return planted_fault.load(std::memory_order_relaxed) == fault;
}

#else

constexpr bool FaultPlanted(PlantedFault) { return false; }

#endif

}  // namespace strata
