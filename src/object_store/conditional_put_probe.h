// ProbeConditionalPuts: does a bucket honour preconditions? Some servers
// overwrite whatever was asked for, others refuse the question.
#pragma once

#include <memory>
#include <string>

#include "strata/object_store.h"

namespace strata {

// What an object store really does, from three or four small requests.
struct ConditionalPuts {
  bool if_absent = false;
  bool if_version = false;
};

// Puts a small object at `key`, which nobody else uses, asks for it to be
// replaced under conditions that do not hold, and under one that does, and
// deletes it. `request` holds for each of its requests. Answers an error when
// one of them fails for another reason than the condition.
void ProbeConditionalPuts(std::shared_ptr<ObjectStore> store, std::string key,
                          ObjectRequest request,
                          ObjectStore::Done<Result<ConditionalPuts>> done);

}  // namespace strata
