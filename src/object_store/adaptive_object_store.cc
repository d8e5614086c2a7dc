#include "object_store/adaptive_object_store.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/mutex.h"
#include "object_store/store_call.h"

namespace strata {

// Additive increase, multiplicative decrease. Thread-safe.
class AdaptiveObjectStore::Gate {
 public:
  Gate(ConcurrencyLimits limits, Runtime& runtime)
      : limits_(limits),
        runtime_(runtime),
        limit_(static_cast<double>(limits.start)) {}

  Runtime& runtime() { return runtime_; }

  size_t limit() const {
    MutexLock lock(mu_);
    return static_cast<size_t>(limit_);
  }

  // Posts `start` to the executor when there is room; false when too many wait.
  bool Enter(Task start) {
    MutexLock lock(mu_);
    if (waiting_.size() >= limits_.max_waiting) return false;
    waiting_.push_back(std::move(start));
    StartWaiting();
    return true;
  }

  // Which round a request that begins now belongs to.
  uint64_t Round() const {
    MutexLock lock(mu_);
    return round_;
  }

  // A request of `round` was answered.
  void Leave(StatusCode code, uint64_t round) {
    MutexLock lock(mu_);
    --under_way_;
    if (code == StatusCode::kOverloaded) {
      // Those that were under way at the time say the same once more.
      if (round == round_) {
        limit_ = std::max(static_cast<double>(limits_.min), limit_ * 2 / 3);
        ++round_;
      }
    } else if (code != StatusCode::kUnavailable) {
      limit_ = std::min(static_cast<double>(limits_.max), limit_ + 1 / limit_);
    }
    StartWaiting();
  }

 private:
  void StartWaiting() STRATA_REQUIRES(mu_) {
    while (!waiting_.empty() && under_way_ < static_cast<size_t>(limit_)) {
      ++under_way_;
      runtime_.cold_executor().Post(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }

  const ConcurrencyLimits limits_;
  Runtime& runtime_;
  mutable Mutex mu_;
  double limit_ STRATA_GUARDED_BY(mu_);
  size_t under_way_ STRATA_GUARDED_BY(mu_) = 0;
  uint64_t round_ STRATA_GUARDED_BY(mu_) = 0;
  std::deque<Task> waiting_ STRATA_GUARDED_BY(mu_);
};

class AdaptiveObjectStore::Store final : public ObjectStoreDecorator<Store> {
 public:
  Store(std::shared_ptr<ObjectStore> store, std::shared_ptr<Gate> gate)
      : ObjectStoreDecorator(std::move(store)), gate_(std::move(gate)) {}

  template <typename T>
  void Run(StoreCall<T> call, Done<T> done) {
    const RequestDeadline deadline(call.request, gate_->runtime().clock());
    auto refused = done;
    const bool entered =
        gate_->Enter([gate = gate_, call = std::move(call), deadline,
                      done = std::move(done)]() mutable {
          Status wanted = CheckStillWanted(call.request, deadline);
          const uint64_t round = gate->Round();
          if (!wanted.ok()) {
            gate->Leave(StatusCode::kUnavailable, round);
            return done(std::move(wanted));
          }
          call.request.timeout = deadline.Left();
          call.send(std::move(call.request),
                    [gate, round, done = std::move(done)](T answer) {
                      gate->Leave(StatusOf(answer).code(), round);
                      done(std::move(answer));
                    });
        });
    if (entered) return;
    gate_->runtime().cold_executor().Post([refused = std::move(refused)] {
      refused(Status(StatusCode::kOverloaded,
                     "too many requests wait for the object store"));
    });
  }

 private:
  const std::shared_ptr<Gate> gate_;
};

AdaptiveObjectStore::AdaptiveObjectStore(std::shared_ptr<ObjectStore> store,
                                         ConcurrencyLimits limits,
                                         Runtime& runtime)
    : gate_(std::make_shared<Gate>(limits, runtime)),
      store_(std::make_shared<Store>(std::move(store), gate_)) {}

size_t AdaptiveObjectStore::limit() const { return gate_->limit(); }

}  // namespace strata
