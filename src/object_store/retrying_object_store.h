// RetryingObjectStore: repeats requests that failed for a reason that passes.
#pragma once

#include <chrono>
#include <memory>

#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

struct RetryOptions {
  // Tries of one request in all, the first included.
  int max_attempts = 8;
  // Before the second try at most so long, twice as long before each next one;
  // a random part between half and all of it.
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds max_pause = std::chrono::seconds(10);
  // Of one try, so that a connection that hangs does not take all the time of
  // the request; for puts and gets, a second more per MiB. 0: none.
  std::chrono::milliseconds attempt_timeout = std::chrono::seconds(10);
};

// Thread-safe. `runtime` outlives it and its requests.
//
//  * Tried again: kUnavailable, kOverloaded, a try that took too long; and
//    kUnknown, unless of a conditional Put, which is answered so: only who
//    asked can tell by reading whether it was done.
//  * A wait that the server asked for is waited, within the request's deadline.
//  * A change that may have been done by an earlier try is kUnknown in the end,
//    unless it succeeds.
//  * kOverloaded ends here, as kUnavailable.
std::shared_ptr<ObjectStore> MakeRetryingObjectStore(
    std::shared_ptr<ObjectStore> store, RetryOptions options, Runtime& runtime);

}  // namespace strata
