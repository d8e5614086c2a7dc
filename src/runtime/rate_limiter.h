// RateLimiter: bounds bytes a second of background work, by a token bucket on
// the injected clock.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/clock.h"
#include "runtime/executor.h"

namespace strata {

struct RateLimit {
  uint64_t bytes_per_second = 0;  // 0: unlimited
  // A request goes when the bytes granted so far are at most this many ahead of
  // the rate. It goes whole, however large; those behind it wait until its
  // bytes are paid for.
  uint64_t burst_bytes = 0;
};

// Thread-safe. Requests that wait when it is destroyed still go, in time.
class RateLimiter {
 public:
  // `clock` and `executor` outlive the limiter and its requests.
  RateLimiter(RateLimit limit, Clock& clock, Executor& executor);
  RateLimiter(RateLimiter&&) = default;
  RateLimiter& operator=(RateLimiter&&) = default;
  ~RateLimiter();

  // Posts `go` to the executor once `bytes` more may be moved, in order of the
  // calls; never calls it inside. Once the executor drops tasks, those that
  // wait are destroyed without being run.
  void Acquire(uint64_t bytes, Task go);

 private:
  class Bucket;
  std::shared_ptr<Bucket> bucket_;
};

}  // namespace strata
