// ThreadPool and TimerThread: the moving parts of ThreadRuntime.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/condition.h"
#include "runtime/executor.h"

namespace strata {

// Names the calling thread; Linux shows at most 15 characters.
void NameThread(const std::string& name);
// Waits for a thread, which must not be the calling one.
void JoinThread(std::thread& thread);

// Posts tasks to executors when they are due, from one thread of its own.
// Thread-safe, except that Join is called once and before destruction.
class TimerThread {
 public:
  TimerThread();

  // Posts `task` to `target`, which outlives this, not before `when`.
  void Add(MonotonicTime when, Executor& target, Task task);
  // Destroys all tasks, now and later.
  void Stop();
  // Waits for the thread; after Stop.
  void Join();

 private:
  struct Timer {
    Executor* target = nullptr;
    Task task;
  };
  // The number keeps timers of the same time apart.
  using Timers = std::map<std::pair<MonotonicTime, uint64_t>, Timer>;

  void Work();
  // The next timer that is due; nullopt once stopped.
  std::optional<Timer> WaitForDue();

  Mutex mutex_;
  Condition earlier_;  // the first timer changed, or we stop
  Timers timers_ STRATA_GUARDED_BY(mutex_);
  uint64_t added_ STRATA_GUARDED_BY(mutex_) = 0;
  bool stopped_ STRATA_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Runs tasks on a fixed number of threads, first come first served.
// Thread-safe, except that Join is called once and before destruction.
class ThreadPool final : public Executor {
 public:
  // Threads are named "strata-<name>-<n>". `timers` outlives this.
  ThreadPool(std::string_view name, size_t threads, TimerThread& timers);

  void Post(Task task) override;
  void PostAfter(Duration delay, Task task) override;
  // Destroys the tasks that have not begun, and all that come later.
  void Stop();
  // Waits for the threads; after Stop.
  void Join();

 private:
  void Work();
  // The next task; nullopt once stopped.
  std::optional<Task> WaitForTask();

  TimerThread& timers_;
  Mutex mutex_;
  Condition posted_;  // a task came, or we stop
  std::deque<Task> tasks_ STRATA_GUARDED_BY(mutex_);
  bool stopped_ STRATA_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace strata
