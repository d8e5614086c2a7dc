#include "runtime/service_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "runtime/condition.h"
#include "runtime/thread_pool.h"

namespace strata {
namespace {

// Threads of pools that ended on one of their own. They are about to end: the
// next pool joins them, or the end of the process, so that none is left in a
// library that is being cleaned up. Never destroyed: a thread may come late.
class Leftovers {
 public:
  static Leftovers& Instance() {
    static Leftovers* const all = [] {
      std::atexit([] { Instance().JoinAtExit(); });
      return new Leftovers;
    }();
    return *all;
  }

  void Add(std::thread thread) {
    MutexLock lock(mu_);
    threads_.push_back(std::move(thread));
  }
  void Began() { ++alive_; }
  void Ended() { --alive_; }
  // A pool may just be on its way out.
  void JoinAtExit() {
    for (int ms = 0; alive_ > 0 && ms < kLongestWaitMs; ++ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    Join();
  }
  void Join() {
    std::vector<std::thread> threads;
    {
      MutexLock lock(mu_);
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) {
      const bool own = thread.get_id() == std::this_thread::get_id();
      own ? thread.detach() : thread.join();
    }
  }

 private:
  // Whoever leaves a pool to the end of the process waits no longer.
  static constexpr int kLongestWaitMs = 200;

  std::atomic<int> alive_{0};  // pools
  Mutex mu_;
  std::vector<std::thread> threads_ STRATA_GUARDED_BY(mu_);
};

}  // namespace

struct ServicePool::Shared {
  void Work();
  // The next task that is due; none once closed and empty.
  Task WaitForTask();

  Mutex mutex;
  Condition changed;
  std::deque<Task> tasks STRATA_GUARDED_BY(mutex);
  std::multimap<MonotonicTime, Task> timers STRATA_GUARDED_BY(mutex);
  bool closed STRATA_GUARDED_BY(mutex) = false;
};

void ServicePool::Shared::Work() {
  // A task is destroyed before the next is taken.
  while (Task task = WaitForTask()) task();
}

Task ServicePool::Shared::WaitForTask() {
  MutexLock lock(mutex);
  while (true) {
    const MonotonicTime now = std::chrono::steady_clock::now();
    while (!timers.empty() && timers.begin()->first <= now) {
      tasks.push_back(std::move(timers.extract(timers.begin()).mapped()));
    }
    if (!tasks.empty()) {
      Task task = std::move(tasks.front());
      tasks.pop_front();
      return task;
    }
    if (closed) return nullptr;
    if (timers.empty()) {
      changed.Wait(mutex);
    } else {
      changed.WaitUntil(mutex, timers.begin()->first);
    }
  }
}

ServicePool::ServicePool(const std::string& name, size_t threads)
    : shared_(std::make_shared<Shared>()) {
  STRATA_CHECK(threads > 0);
  Leftovers::Instance().Join();
  Leftovers::Instance().Began();
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([shared = shared_, name] {
      NameThread("strata-" + name);
      shared->Work();
    });
  }
}

ServicePool::~ServicePool() {
  {
    std::multimap<MonotonicTime, Task> dropped;  // outside the lock
    MutexLock lock(shared_->mutex);
    shared_->closed = true;
    dropped.swap(shared_->timers);
    shared_->changed.SignalAll();
  }
  const bool on_own_thread = std::ranges::any_of(threads_, [](auto& thread) {
    return thread.get_id() == std::this_thread::get_id();
  });
  for (std::thread& thread : threads_) {
    if (on_own_thread) {
      Leftovers::Instance().Add(std::move(thread));
    } else {
      thread.join();
    }
  }
  Leftovers::Instance().Ended();
}

void ServicePool::PostAfter(Duration delay, Task task) {
  MutexLock lock(shared_->mutex);
  if (delay <= Duration::zero()) {
    shared_->tasks.push_back(std::move(task));
  } else if (!shared_->closed) {
    shared_->timers.emplace(std::chrono::steady_clock::now() + delay,
                            std::move(task));
  }
  shared_->changed.SignalOne();
}

}  // namespace strata
