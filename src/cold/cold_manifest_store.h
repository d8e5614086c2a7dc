// ColdManifest over an object store: one root object per partition
// (docs/formats/cold-layout.md), replaced by compare-and-set only.
#pragma once

#include <chrono>
#include <memory>

#include "cold/cold_manifest.h"
#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

// `store` can put if absent and if version. `runtime` outlives the answer.
// Requests to the store take at most `request_timeout` each.
std::unique_ptr<ColdManifest> MakeColdManifest(
    std::shared_ptr<ObjectStore> store, Runtime& runtime,
    std::chrono::milliseconds request_timeout);

}  // namespace strata
