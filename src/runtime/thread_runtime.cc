#include "runtime/thread_runtime.h"

#include "base/check.h"
#include "runtime/system_clock.h"
#include "runtime/system_random.h"
#include "runtime/thread_pool.h"

namespace strata {
namespace {

// Thread-safe. May be destroyed as soon as a waiter has seen it set.
class ThreadEvent final : public Event {
 public:
  void Set() override {
    MutexLock lock(mutex_);
    set_ = true;
    changed_.SignalAll();
  }

  bool WaitUntil(std::optional<MonotonicTime> deadline) override {
    MutexLock lock(mutex_);
    while (!set_) {
      if (!deadline) {
        changed_.Wait(mutex_);
      } else if (std::chrono::steady_clock::now() >= *deadline) {
        return false;
      } else {
        changed_.WaitUntil(mutex_, *deadline);
      }
    }
    return true;
  }

 private:
  Mutex mutex_;
  Condition changed_;
  bool set_ STRATA_GUARDED_BY(mutex_) = false;
};

// Thread-safe.
class ThreadRuntime final : public Runtime {
 public:
  explicit ThreadRuntime(const ThreadRuntimeOptions& options)
      : log_("log", options.log_threads, timers_),
        job_("job", options.job_threads, timers_),
        read_("read", options.read_threads, timers_),
        cold_("cold", options.cold_threads, timers_) {}

  // All stop before the first is joined: a running task may post to any.
  ~ThreadRuntime() override {
    timers_.Stop();
    for (ThreadPool* pool : {&log_, &job_, &read_, &cold_}) pool->Stop();
    timers_.Join();
    for (ThreadPool* pool : {&log_, &job_, &read_, &cold_}) pool->Join();
  }

  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }
  Executor& log_executor() override { return log_; }
  Executor& job_executor() override { return job_; }
  Executor& read_executor() override { return read_; }
  Executor& cold_executor() override { return cold_; }
  std::unique_ptr<Event> NewEvent() override {
    return std::make_unique<ThreadEvent>();
  }

 private:
  SystemClock clock_;
  SystemRandom random_;
  TimerThread timers_;
  ThreadPool log_;
  ThreadPool job_;
  ThreadPool read_;
  ThreadPool cold_;
};

}  // namespace

std::unique_ptr<Runtime> MakeThreadRuntime(
    ThreadRuntimeOptions options) noexcept {
  return std::make_unique<ThreadRuntime>(options);
}

}  // namespace strata
