#include "object_store/retrying_object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <stop_token>
#include <utility>

#include "base/mutex.h"
#include "object_store/store_call.h"

namespace strata {
namespace {

// What the tries of one request share. Its steps follow each other; only the
// end of a pause is raced for, by its timer and the caller's wish to stop.
template <typename T>
class Tries : public std::enable_shared_from_this<Tries<T>> {
 public:
  Tries(StoreCall<T> call, ObjectStore::Done<T> done,
        const RetryOptions& options, Runtime& runtime)
      : call_(std::move(call)),
        done_(std::move(done)),
        options_(options),
        runtime_(runtime),
        deadline_(call_.request, runtime.clock()) {}

  void Try() {
    ++attempt_;
    ObjectRequest request = call_.request;
    request.timeout = TimeOfTry();
    call_.send(std::move(request), [self = this->shared_from_this()](T answer) {
      self->Answered(std::move(answer));
    });
  }

 private:
  std::chrono::milliseconds TimeOfTry() const {
    const std::chrono::milliseconds left = deadline_.Left();
    if (options_.attempt_timeout.count() == 0) return left;
    const auto one =
        options_.attempt_timeout + std::chrono::seconds(call_.bytes >> 20);
    return left.count() == 0 ? one : std::min(left, one);
  }

  bool MayRepeat(StatusCode code) const {
    switch (code) {
      case StatusCode::kUnavailable:
      case StatusCode::kOverloaded: return true;
      case StatusCode::kUnknown: return !call_.conditional;
      case StatusCode::kDeadlineExceeded:
        return !deadline_.PassedIn(Duration::zero());
      default: return false;
    }
  }

  void Answered(T answer) {
    const Status status = StatusOf(answer);
    if (status.ok()) return Finish(std::move(answer));
    maybe_done_ = maybe_done_ || status.code() == StatusCode::kUnknown;
    if (!MayRepeat(status.code()) || attempt_ >= options_.max_attempts) {
      return GiveUp(status);
    }
    const Duration pause = Pause(status);
    if (deadline_.PassedIn(pause)) return GiveUp(status);
    WaitFor(pause);
  }

  Duration Pause(const Status& status) {
    const Duration most = std::min<Duration>(
        options_.max_pause,
        options_.first_pause * (int64_t{1} << std::min(attempt_ - 1, 20)));
    const auto half = static_cast<uint64_t>(most.count() / 2);
    const Duration jittered(half + runtime_.random().Below(half + 1));
    return std::max<Duration>(jittered, status.retry_after());
  }

  void WaitFor(Duration pause) {
    {
      MutexLock lock(mu_);
      waiting_ = true;
    }
    auto go_on = [self = this->shared_from_this()] { self->GoOn(); };
    using OnCancel = std::stop_callback<std::function<void()>>;
    auto on_cancel = std::make_shared<OnCancel>(
        call_.request.cancel,
        [this, go_on] { runtime_.cold_executor().Post(go_on); });
    // The timer owns it: whoever comes first, it goes with the timer.
    runtime_.cold_executor().PostAfter(
        pause, [go_on, on_cancel = std::move(on_cancel)] { go_on(); });
  }

  void GoOn() {
    {
      MutexLock lock(mu_);
      if (!std::exchange(waiting_, false)) return;
    }
    if (call_.request.cancel.stop_requested()) {
      return GiveUp({StatusCode::kCancelled, "request cancelled"});
    }
    Try();
  }

  void GiveUp(const Status& why) {
    StatusCode code = why.code();
    if (code == StatusCode::kOverloaded) code = StatusCode::kUnavailable;
    // kConflict of a later try may be about what an earlier one did.
    if (maybe_done_) code = StatusCode::kUnknown;
    std::string message = why.message();
    if (attempt_ > 1) message += fmt::format(" ({} tries)", attempt_);
    Finish(Status(code, std::move(message)).WithRetryAfter(why.retry_after()));
  }

  void Finish(T answer) {
    call_.send = nullptr;  // lets the source go
    ObjectStore::Done<T> done = std::move(done_);
    done(std::move(answer));
  }

  StoreCall<T> call_;
  ObjectStore::Done<T> done_;
  const RetryOptions options_;
  Runtime& runtime_;
  const RequestDeadline deadline_;
  int attempt_ = 0;
  bool maybe_done_ = false;
  Mutex mu_;
  bool waiting_ STRATA_GUARDED_BY(mu_) = false;
};

class RetryingObjectStore final
    : public ObjectStoreDecorator<RetryingObjectStore> {
 public:
  RetryingObjectStore(std::shared_ptr<ObjectStore> store, RetryOptions options,
                      Runtime& runtime)
      : ObjectStoreDecorator(std::move(store)),
        options_(options),
        runtime_(runtime) {}

  template <typename T>
  void Run(StoreCall<T> call, Done<T> done) {
    std::make_shared<Tries<T>>(std::move(call), std::move(done), options_,
                               runtime_)
        ->Try();
  }

 private:
  const RetryOptions options_;
  Runtime& runtime_;
};

}  // namespace

std::shared_ptr<ObjectStore> MakeRetryingObjectStore(
    std::shared_ptr<ObjectStore> store, RetryOptions options,
    Runtime& runtime) {
  return std::make_shared<RetryingObjectStore>(std::move(store), options,
                                               runtime);
}

}  // namespace strata
