// The object that says which topics a bucket has (format/cold_topics_format.h),
// replaced by compare-and-set only.
#pragma once

#include <memory>
#include <vector>

#include "base/unique_function.h"
#include "format/cold_topics_format.h"
#include "strata/object_store.h"

namespace strata {

// A change; it may be made again without harm.
struct ColdTopicsEdit {
  // Those whose id is there already take the place of what is there.
  std::vector<TopicCreated> put{};
  std::vector<TopicId> remove{};
};

// At generation 0 when there is no such object. `done` runs on the store's
// executor. kDataLoss, kUnsupported with the key.
void LoadTopics(std::shared_ptr<ObjectStore> store, ObjectRequest request,
                UniqueFunction<void(Result<ColdTopics>)> done);

// Applies `edit` to what is there, whoever wrote that, and answers what is
// there then. kConflict after many attempts that others were faster than;
// kUnknown: load it, or edit again.
void EditTopics(std::shared_ptr<ObjectStore> store, ColdTopicsEdit edit,
                ObjectRequest request,
                UniqueFunction<void(Result<ColdTopics>)> done);

}  // namespace strata
