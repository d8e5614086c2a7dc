// From a configuration to an object store on the network.
#pragma once

#include <memory>

#include "object_store/environment.h"
#include "strata/config.h"
#include "strata/object_store.h"

namespace strata {

// The bucket that `cold` names, beneath its prefix, with a client of its own.
// Nothing is sent. It needs no Runtime: see MakeS3ObjectStore. kInvalidArgument
// for what cannot be. `cold` is one of those on the network.
Result<std::shared_ptr<ObjectStore>> ConnectObjectStore(
    const ColdStorageConfig& cold, const Environment& environment);

}  // namespace strata
