// Which offsets of a range nobody owns. Pure.
#pragma once

#include <vector>

#include "strata/types.h"

namespace strata::engine {

// The parts of `range` that none of `owners` covers, ascending. Owners may be
// in any order and may overlap.
std::vector<OffsetRange> Uncovered(OffsetRange range,
                                   std::vector<OffsetRange> owners);

}  // namespace strata::engine
