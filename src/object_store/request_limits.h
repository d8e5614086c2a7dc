// RequestLimits: when a request on the network is given up; and how one begins.
#pragma once

#include <optional>
#include <stop_token>
#include <utility>

#include "net/http.h"
#include "strata/object_store.h"

namespace strata {

struct RequestLimits {
  std::optional<MonotonicTime> deadline{};
  std::stop_token cancel{};
};

// Calls `work(limits, done)` on a thread of `http`, unless the request is given
// up by then or `valid` is not Ok, which is answered there.
template <typename T, typename Work>
void StartRequest(HttpClient& http, Status valid, ObjectRequest request,
                  ObjectStore::Done<T> done, Work work) {
  RequestLimits limits{.cancel = std::move(request.cancel)};
  if (request.timeout.count() > 0) {
    limits.deadline = http.clock().Now() + request.timeout;
  }
  http.executor().Post([valid = std::move(valid), limits = std::move(limits),
                        done = std::move(done),
                        work = std::move(work)]() mutable {
    if (!valid.ok()) return done(std::move(valid));
    if (limits.cancel.stop_requested()) {
      return done(Status(StatusCode::kCancelled, "request cancelled"));
    }
    work(std::move(limits), std::move(done));
  });
}

}  // namespace strata
