// An object store in memory, for tests and for stores that need not last.
#pragma once

#include <memory>

#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

// Thread-safe. Share the answer between engines and it plays the bucket that
// outlives their crashes. `runtime` outlives it; requests run on its
// cold_executor.
std::shared_ptr<ObjectStore> MakeMemoryObjectStore(Runtime& runtime);

}  // namespace strata
