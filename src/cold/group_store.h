// Group objects: written once, read through a cache. What a group is:
// format/cold_group_format.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/unique_function.h"
#include "cold/single_flight_cache.h"
#include "format/cold_root_format.h"
#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

// Thread-safe. Owned by shared_ptr: requests hold it.
class GroupStore : public std::enable_shared_from_this<GroupStore> {
 public:
  using Cache = SingleFlightCache<std::string, ColdGroup>;
  using GroupPtr = Cache::ValuePtr;

  // `runtime` outlives all that is asked for.
  GroupStore(std::shared_ptr<ObjectStore> store, Runtime& runtime,
             std::chrono::milliseconds request_timeout,
             uint64_t cache_max_bytes);

  // Puts `group`, which is valid, under a key of its own and reads it back. A
  // failure may leave an object behind that nothing names.
  void Write(PartitionId partition, ColdGroup group, uint64_t claim,
             UniqueFunction<void(Result<ColdGroupRef>)> done);
  // Continues with the group, maybe inside the call; one request however many
  // ask. kDataLoss, naming the key, when it is missing, damaged or not what
  // `ref` says.
  void Load(const PartitionId& partition, const ColdGroupRef& ref,
            Cache::Done done);
  // From memory; null when it is not there.
  GroupPtr Find(const ColdGroupRef& ref) { return cache_->Find(ref.key); }

  // Drops all who wait; for teardown.
  void Close() { cache_->Close(); }

 private:
  void Fetch(PartitionId partition, ColdGroupRef ref, Cache::LoadDone done);

  const std::shared_ptr<ObjectStore> store_;
  Runtime& runtime_;
  const std::chrono::milliseconds request_timeout_;
  const std::shared_ptr<Cache> cache_;
};

}  // namespace strata
