// Reads an object that is replaced by compare-and-set, with its version.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/unique_function.h"
#include "strata/object_store.h"

namespace strata {

// Calls `take` with the bytes of `key` and a version that is not newer than
// them: a commit on that version fails if they were replaced. Errors that it
// answers are answered with the key; after kDataLoss the object is read again:
// bytes may be damaged on their way, which is believed the third time, and the
// object may be replaced between the question for its version and that for its
// bytes.
// kNotFound when there is no object; kDataLoss for one above `max_bytes`.
// `done` runs on the store's executor.
using TakeVersioned = UniqueFunction<Status(ByteSpan, ObjectVersion)>;
void FetchVersioned(std::shared_ptr<ObjectStore> store, std::string key,
                    uint64_t max_bytes, ObjectRequest request,
                    TakeVersioned take, UniqueFunction<void(Status)> done);

}  // namespace strata
