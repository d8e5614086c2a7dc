// AdaptiveObjectStore: as many requests at once as the store takes: one more
// with each round that goes well, a third less when it says slow down.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

struct ConcurrencyLimits {
  size_t min = 1;
  size_t max = 64;
  size_t start = 16;
  // Requests that may wait for their turn; kOverloaded above.
  size_t max_waiting = 4096;
};

// Thread-safe. `runtime` outlives it and its requests.
class AdaptiveObjectStore {
 public:
  // The decorated store, and a look at it.
  AdaptiveObjectStore(std::shared_ptr<ObjectStore> store,
                      ConcurrencyLimits limits, Runtime& runtime);

  const std::shared_ptr<ObjectStore>& store() const { return store_; }
  // Requests that may be under way now.
  size_t limit() const;

 private:
  class Gate;
  class Store;

  const std::shared_ptr<Gate> gate_;
  const std::shared_ptr<ObjectStore> store_;
};

}  // namespace strata
