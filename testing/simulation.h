// Simulation: the whole engine, unchanged, on a simulated machine, against the
// reference model. One seed draws a configuration and a run of operations,
// crashes and bucket faults, and replays exactly. docs/internals/simulation.md
// tells what is checked.
#pragma once

#include <cstdint>
#include <string>

#include "testing/sim_counters.h"

namespace strata {

struct SimulationOptions {
  // Every step goes to standard error.
  bool verbose = false;
  // The disk forgets directory entries as if directories were never synced.
  bool ignore_directory_sync = false;
  // At the end bits of files are flipped behind the store's back: what it then
  // answers has to be right or an error.
  bool flip_bits = false;
};

struct SimulationResult {
  bool ok = false;
  // What went wrong, the last steps, and how to run it again.
  std::string failure;
  // Equal for runs that went the same way.
  uint64_t trace_hash = 0;
  SimulationCounters counters;
};

SimulationResult RunSimulation(uint64_t seed,
                               const SimulationOptions& options = {});

}  // namespace strata
