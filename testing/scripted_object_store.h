// ScriptedObjectStore: answers what it is told instead of asking the store
// below, for tests of what decorators make of answers.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "object_store/store_call.h"
#include "runtime/runtime.h"

namespace strata {

enum class Scripted { kDone, kNotDone };

// Thread-safe.
class ScriptedObjectStore final
    : public ObjectStoreDecorator<ScriptedObjectStore> {
 public:
  ScriptedObjectStore(std::shared_ptr<ObjectStore> store, Runtime& runtime)
      : ObjectStoreDecorator(std::move(store)), runtime_(runtime) {}

  // The next request is answered so, after it was done or without. A
  // kDeadlineExceeded comes when the time of the request is over.
  void AnswerNext(Status status, Scripted done = Scripted::kNotDone) {
    MutexLock lock(mu_);
    answers_.emplace_back(std::move(status), done);
  }
  // When each request came.
  std::vector<MonotonicTime> times() const {
    MutexLock lock(mu_);
    return times_;
  }
  // Time until the answer of each request.
  void SetLatency(Duration latency) {
    MutexLock lock(mu_);
    latency_ = latency;
  }
  size_t most_at_once() const {
    MutexLock lock(mu_);
    return most_at_once_;
  }

  template <typename T>
  void Run(StoreCall<T> call, Done<T> done) {
    std::pair<Status, Scripted> answer{Status::Ok(), Scripted::kDone};
    Duration latency;
    {
      MutexLock lock(mu_);
      times_.push_back(runtime_.clock().Now());
      most_at_once_ = std::max(most_at_once_, ++at_once_);
      latency = latency_;
      if (!answers_.empty()) {
        answer = std::move(answers_.front());
        answers_.pop_front();
      }
    }
    auto end = [this, answer, done = std::move(done)](T real) {
      {
        MutexLock lock(mu_);
        --at_once_;
      }
      done(answer.first.ok() ? std::move(real) : T(answer.first));
    };
    if (answer.first.code() == StatusCode::kDeadlineExceeded) {
      latency = call.request.timeout;
    }
    runtime_.cold_executor().PostAfter(
        latency, [call = std::move(call), kind = answer.second,
                  not_done = answer.first, end = std::move(end)]() mutable {
          if (kind == Scripted::kNotDone) return end(T(not_done));
          call.send(call.request, std::move(end));
        });
  }

 private:
  Runtime& runtime_;
  mutable Mutex mu_;
  std::deque<std::pair<Status, Scripted>> answers_ STRATA_GUARDED_BY(mu_);
  std::vector<MonotonicTime> times_ STRATA_GUARDED_BY(mu_);
  Duration latency_ STRATA_GUARDED_BY(mu_) = Duration::zero();
  size_t at_once_ STRATA_GUARDED_BY(mu_) = 0;
  size_t most_at_once_ STRATA_GUARDED_BY(mu_) = 0;
};

}  // namespace strata
