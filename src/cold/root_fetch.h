// Reads a root object with its version.
#pragma once

#include <memory>

#include "base/unique_function.h"
#include "cold/cold_manifest.h"
#include "strata/object_store.h"

namespace strata {

// The root under `key`; at generation 0 when there is none. It is not older
// than its version: a commit on that version fails if it is newer. kDataLoss,
// naming the key, for a damaged root. `done` runs on the store's executor.
void FetchRoot(std::shared_ptr<ObjectStore> store, std::string key,
               PartitionId partition, ObjectRequest request,
               UniqueFunction<void(Result<ColdPartitionPtr>)> done);

}  // namespace strata
