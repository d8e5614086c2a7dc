#include "runtime/rate_limiter.h"

#include <algorithm>
#include <deque>

#include "base/mutex.h"
#include "runtime/run_or_drop.h"

namespace strata {
namespace {

// What `bytes` take at the rate, at most a year, so that sums do not overflow.
Duration TimeFor(uint64_t bytes, uint64_t bytes_per_second) {
  constexpr double kYear = 365 * 24 * 3600;
  const double seconds =
      static_cast<double>(bytes) / static_cast<double>(bytes_per_second);
  return Duration(static_cast<int64_t>(std::min(seconds, kYear) * 1e9));
}

}  // namespace

// The token bucket as one point in time: what has been granted is paid for by
// `paid_at_`; a request goes when that is at most a burst ahead of now. Held
// by the limiter and by its one timer. Thread-safe.
class RateLimiter::Bucket : public std::enable_shared_from_this<Bucket> {
 public:
  Bucket(RateLimit limit, Clock& clock, Executor& executor)
      : rate_(limit.bytes_per_second),
        burst_(rate_ == 0 ? Duration::zero()
                          : TimeFor(limit.burst_bytes, rate_)),
        clock_(clock),
        executor_(executor) {}

  void Acquire(uint64_t bytes, Task go) {
    if (rate_ == 0) return executor_.Post(std::move(go));
    {
      MutexLock lock(mutex_);
      waiting_.push_back({TimeFor(bytes, rate_), std::move(go)});
      if (std::exchange(pumping_, true)) return;
    }
    Run();
  }

  // Grants what may go, then sets the timer for what may not yet.
  void Run() {
    Duration wait = Duration::zero();
    while (wait == Duration::zero()) {
      Task go;
      {
        MutexLock lock(mutex_);
        pumping_ = !waiting_.empty();
        if (!pumping_) return;
        wait = GrantFirst(go);
      }
      if (go) executor_.Post(std::move(go));
    }
    executor_.PostAfter(wait, RunOrDrop<Bucket>(shared_from_this()));
  }

  void Drop() {
    std::deque<Request> dropped;  // destroyed after the lock is released
    MutexLock lock(mutex_);
    pumping_ = false;
    dropped.swap(waiting_);
  }

 private:
  struct Request {
    Duration cost{};
    Task go;
  };

  // Moves the first request into `go`, or answers how long it has to wait.
  Duration GrantFirst(Task& go) STRATA_REQUIRES(mutex_) {
    const MonotonicTime now = clock_.Now();
    const MonotonicTime paid_at = std::max(paid_at_, now);
    if (paid_at - burst_ > now) return paid_at - burst_ - now;
    paid_at_ = paid_at + waiting_.front().cost;
    go = std::move(waiting_.front().go);
    waiting_.pop_front();
    return Duration::zero();
  }

  const uint64_t rate_;
  const Duration burst_;
  Clock& clock_;
  Executor& executor_;
  Mutex mutex_;
  std::deque<Request> waiting_ STRATA_GUARDED_BY(mutex_);
  MonotonicTime paid_at_ STRATA_GUARDED_BY(mutex_);
  // Somebody grants, or a timer is set for it.
  bool pumping_ STRATA_GUARDED_BY(mutex_) = false;
};

RateLimiter::RateLimiter(RateLimit limit, Clock& clock, Executor& executor)
    : bucket_(std::make_shared<Bucket>(limit, clock, executor)) {}

RateLimiter::~RateLimiter() = default;

void RateLimiter::Acquire(uint64_t bytes, Task go) {
  bucket_->Acquire(bytes, std::move(go));
}

}  // namespace strata
