// The object store behind the cold tier, as configuration or host name it.
#pragma once

#include <memory>

#include "object_store/host_object_store.h"
#include "runtime/log.h"
#include "runtime/runtime.h"
#include "strata/config.h"
#include "strata/object_store.h"

namespace strata::engine {

struct ColdStore {
  std::shared_ptr<ObjectStore> store;  // null: cold is disabled
  // Set when it has threads of its own, to be closed before the runtime stops.
  std::shared_ptr<HostObjectStore> door;
  // Whether another machine, or another store, can reach it.
  bool shared = true;
};

// `host` in place of what `config` says, if set. A bucket on the network gets
// retries and adaptive concurrency, and, unless `read_only`, is asked whether
// it honours conditions: kUnsupported if not, kIoError for credentials, names
// and certificates that are wrong. One that does not answer within a few
// seconds is taken as it is, with a warning: the log takes writes without it.
// Blocks meanwhile.
Result<ColdStore> OpenColdStore(const TieredStorageConfig& config,
                                std::shared_ptr<ObjectStore> host,
                                Runtime& runtime, const Logger& log,
                                bool read_only);

}  // namespace strata::engine
