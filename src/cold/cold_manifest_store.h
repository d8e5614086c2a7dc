// ColdManifest over an object store: one root object per partition
// (docs/formats/cold-layout.md), replaced by compare-and-set only, and
// immutable groups below it. Memory and requests per commit do not grow with
// the number of segments.
#pragma once

#include <chrono>
#include <memory>

#include "cold/cold_manifest.h"
#include "cold/fold.h"
#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

struct ColdManifestOptions {
  // For each request to the store.
  std::chrono::milliseconds request_timeout{0};
  size_t group_size = kColdGroupSize;
  // Groups kept in memory, of all partitions together.
  uint64_t group_cache_max_bytes = 16 << 20;
};

// `store` can put if absent and if version. `runtime` outlives the answer.
std::unique_ptr<ColdManifest> MakeColdManifest(
    std::shared_ptr<ObjectStore> store, Runtime& runtime,
    const ColdManifestOptions& options);

}  // namespace strata
