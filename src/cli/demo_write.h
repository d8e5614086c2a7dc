// The demo's first half: puts the input into the store, from several threads,
// and waits until the tiers have come to rest.
#pragma once

#include <string>
#include <vector>

#include "cli/demo_history.h"
#include "cli/demo_input.h"

namespace strata::cli {

struct DemoWritten {
  // What is acknowledged, also when the rest failed or was interrupted.
  std::vector<DemoShare> shares;
  uint64_t batches = 0;
  uint64_t bytes = 0;
  double seconds = 0;
  Status status;
};

// Appends all passes of the input at kDisk, a topic per source, with a
// progress bar that shows what each tier holds.
DemoWritten WriteDemoInput(TieredStorage& store, const DemoInput& input,
                           uint64_t run);

// Runs the tier policy until it finds nothing to do. kUnavailable when it
// still does after a long while.
Status SettleTiers(TieredStorage& store);

// "hot 3.2 MiB, warm 12.0 MiB, cold 8.1 MiB, 3 jobs".
std::string TierBytes(const TieredStorageStats& stats);

}  // namespace strata::cli
