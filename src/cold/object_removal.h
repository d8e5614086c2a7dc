// Deletes objects that a listing finds, whatever names them: of a deleted topic
// all, of a trimmed partition those below its log start.
#pragma once

#include <cstddef>
#include <memory>

#include "base/unique_function.h"
#include "cold/cold_tier.h"
#include "strata/object_store.h"

namespace strata {

// Both list at most `limit` (1 to 1000) objects and delete them one after the
// other; they end with the first error. `done` is called once, on the store's
// executor.
using RemovalDone = UniqueFunction<void(Result<ColdTier::Removed>)>;

// Of each partition the root first, so that none names what is gone.
void RemoveTopicObjects(std::shared_ptr<ObjectStore> store,
                        const TopicId& topic, size_t limit,
                        ObjectRequest request, RemovalDone done);

// Those whose key says that they end at or below `log_start`. Safe whoever owns
// the partition once a root with that log start is written: it never goes down,
// and the range in the key is the widest that the object ever had.
void RemoveObjectsBelow(std::shared_ptr<ObjectStore> store,
                        const PartitionId& partition, Offset log_start,
                        size_t limit, ObjectRequest request, RemovalDone done);

}  // namespace strata
