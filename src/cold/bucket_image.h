// What a bucket says of all its topics and partitions, read at one go.
#pragma once

#include <map>
#include <memory>

#include "base/unique_function.h"
#include "cold/cold_manifest.h"
#include "format/cold_topics_format.h"
#include "strata/object_store.h"

namespace strata {

struct BucketImage {
  ColdTopics topics{};
  // Of partitions that have a root. Each is of the moment when it was read.
  std::map<PartitionId, ColdPartitionPtr> roots{};
};

// Cost: a HEAD and a GET for each partition, some at a time. Ends with the
// first error, which names the key. kNotFound, with what was looked for, when
// the bucket does not say which topics it has. `done` runs on the store's
// executor.
void LoadBucketImage(std::shared_ptr<ObjectStore> store, ObjectRequest request,
                     UniqueFunction<void(Result<BucketImage>)> done);

}  // namespace strata
