// RateLimitedObjectStore: bounds what the object store costs, by requests and
// by bytes a second.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

// 0: no limit. Bursts: what a second may bring.
struct StoreRates {
  uint64_t requests_per_second = 0;
  uint64_t bytes_per_second = 0;  // of puts and gets, as asked for
};

// Thread-safe. Requests wait for their turn in order; one whose deadline passes
// meanwhile is kDeadlineExceeded when its turn comes. `runtime` outlives it and
// its requests.
std::shared_ptr<ObjectStore> MakeRateLimitedObjectStore(
    std::shared_ptr<ObjectStore> store, StoreRates rates, Runtime& runtime);

}  // namespace strata
