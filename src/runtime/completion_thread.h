// CompletionThread: where completions run when the host gave no executor.
#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "runtime/condition.h"
#include "strata/executor.h"

namespace strata {

// One thread. Unlike a pool of the runtime it drops nothing. Thread-safe.
class CompletionThread final : public CompletionExecutor {
 public:
  CompletionThread();
  // After Finish.
  ~CompletionThread() override;

  void Post(std::function<void()> task) override;

  // Runs what was posted and ends the thread. What comes later, from objects
  // that outlived the store, runs inside Post. Once, not on the thread itself.
  void Finish();

 private:
  void Work();

  Mutex mutex_;
  Condition changed_;  // a task came, or the end
  std::deque<std::function<void()>> tasks_ STRATA_GUARDED_BY(mutex_);
  bool finished_ STRATA_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace strata
