// Condition: a condition variable on base/mutex.h. Only for the real runtime;
// the core posts continuations and never waits.
#pragma once

#include <condition_variable>

#include "base/mutex.h"
#include "runtime/clock.h"

namespace strata {

// Thread-safe. Waits may end without a signal: wait in a loop.
class Condition {
 public:
  void Wait(Mutex& mutex) STRATA_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.native(), std::adopt_lock);
    changed_.wait(lock);
    lock.release();
  }
  void WaitUntil(Mutex& mutex, MonotonicTime deadline) STRATA_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.native(), std::adopt_lock);
    changed_.wait_until(lock, deadline);
    lock.release();
  }
  void SignalOne() { changed_.notify_one(); }
  void SignalAll() { changed_.notify_all(); }

 private:
  std::condition_variable changed_;
};

}  // namespace strata
