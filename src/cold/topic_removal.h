// What a deleted topic has in the bucket goes, whatever names it.
#pragma once

#include <memory>

#include "base/unique_function.h"
#include "cold/cold_tier.h"
#include "strata/object_store.h"

namespace strata {

// Lists at most `limit` (1 to 1000) objects of the topic and deletes them one
// after the other; of each partition the root first, so that none names what is
// gone. Ends with the first error. `done` is called once, on the store's
// executor.
void RemoveTopicObjects(std::shared_ptr<ObjectStore> store,
                        const TopicId& topic, size_t limit,
                        ObjectRequest request,
                        UniqueFunction<void(Result<ColdTier::Removed>)> done);

}  // namespace strata
