// What the cold tier needs of an object store, to be asked before anything
// depends on it.
#pragma once

#include <cstdint>

#include "strata/object_store.h"

namespace strata {

struct ColdRequirements {
  uint64_t target_segment_bytes = 0;  // as configured, for the message
  uint64_t largest_image_bytes = 0;   // what that can come to
};

// kUnsupported, naming the store and what it lacks.
Status CheckColdRequirements(const ObjectStore& store,
                             const ColdRequirements& required);

}  // namespace strata
