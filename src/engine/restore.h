// A store out of a bucket: the local manifest that says what the bucket has.
#pragma once

#include <vector>

#include "cold/bucket_image.h"
#include "engine/engine.h"
#include "format/manifest_format.h"

namespace strata::engine {

// What a manifest has to say for a store whose every batch lies in the bucket
// of `image`, in one edit. Each partition ends at its cold end and begins a new
// epoch there: what the lost store had beyond it is cut.
struct Restored {
  ManifestEdit edit;
  RestoreReport report;
};
Restored RestoreFrom(const BucketImage& image, TimestampMs now);

// See TieredStorage::Restore. Blocks.
Result<RestoreReport> Restore(const TieredStorageConfig& config,
                              EngineEnvironment environment);

// See TieredStorage::ListBucket. Blocks.
Result<std::vector<BucketPartition>> ListBucket(
    const TieredStorageConfig& config, Runtime& runtime,
    std::shared_ptr<ObjectStore> cold);

}  // namespace strata::engine
