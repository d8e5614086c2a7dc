// ReadWindow: what a read wants of one segment.
#pragma once

#include <cstdint>

#include "strata/types.h"

namespace strata {

// Batches that end behind `start` and at or before `end`, in order: added while
// the sum of their bytes stays at or below max_bytes. One that holds `start` is
// returned whole, one across `end` is not returned.
struct ReadWindow {
  Offset start;
  Offset end;
  uint64_t max_bytes = 0;
  // The first batch is returned whatever its size.
  bool at_least_one = true;
};

}  // namespace strata
