// The demo's second half: reads everything back and compares.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "cli/demo_history.h"

namespace strata::cli {

// Reads that one tier served.
struct TierReads {
  uint64_t bytes = 0;
  // Of each read, copying its bytes out included.
  std::vector<double> micros;

  // Bytes by the time of the reads that brought them; 0 without reads.
  double MegabytesPerSecond() const;
  // The time that `share` (0 to 1) of the reads stay at or below.
  double Percentile(double share) const;
};

struct DemoReadBack {
  std::array<TierReads, 3> tiers;  // by StorageTier
  uint64_t shares = 0;
  uint64_t records = 0;
  // Shares whose topic was deleted since.
  uint64_t deleted = 0;
  // Empty: all is as it was written.
  std::vector<std::string> differences;
};

// Reads each share from whatever tiers hold it and compares count and SHA-256.
// kCancelled on an interrupt; what cannot be read is a difference.
Result<DemoReadBack> ReadDemoBack(TieredStorage& store,
                                  const std::vector<DemoShare>& shares);

}  // namespace strata::cli
