#include "object_store/rate_limited_object_store.h"

#include <utility>

#include "object_store/store_call.h"
#include "runtime/rate_limiter.h"

namespace strata {
namespace {

class RateLimitedObjectStore final
    : public ObjectStoreDecorator<RateLimitedObjectStore> {
 public:
  RateLimitedObjectStore(std::shared_ptr<ObjectStore> store, StoreRates rates,
                         Runtime& runtime)
      : ObjectStoreDecorator(std::move(store)),
        clock_(runtime.clock()),
        requests_({.bytes_per_second = rates.requests_per_second,
                   .burst_bytes = rates.requests_per_second},
                  runtime.clock(), runtime.cold_executor()),
        bytes_(std::make_shared<RateLimiter>(
            RateLimit{.bytes_per_second = rates.bytes_per_second,
                      .burst_bytes = rates.bytes_per_second},
            runtime.clock(), runtime.cold_executor())) {}

  template <typename T>
  void Run(StoreCall<T> call, Done<T> done) {
    const RequestDeadline deadline(call.request, clock_);
    const uint64_t moved = call.bytes;
    auto send = [call = std::move(call), deadline,
                 done = std::move(done)]() mutable {
      Status wanted = CheckStillWanted(call.request, deadline);
      if (!wanted.ok()) return done(std::move(wanted));
      call.request.timeout = deadline.Left();
      call.send(std::move(call.request), std::move(done));
    };
    requests_.Acquire(
        1, [bytes = bytes_, moved, send = std::move(send)]() mutable {
          if (moved == 0) return send();
          bytes->Acquire(moved, std::move(send));
        });
  }

 private:
  const Clock& clock_;
  RateLimiter requests_;
  const std::shared_ptr<RateLimiter> bytes_;  // requests that wait hold it
};

}  // namespace

std::shared_ptr<ObjectStore> MakeRateLimitedObjectStore(
    std::shared_ptr<ObjectStore> store, StoreRates rates, Runtime& runtime) {
  return std::make_shared<RateLimitedObjectStore>(std::move(store), rates,
                                                  runtime);
}

}  // namespace strata
