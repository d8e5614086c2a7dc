#include "runtime/thread_pool.h"

#include <pthread.h>

#include "base/check.h"

namespace strata {

void NameThread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

void JoinThread(std::thread& thread) {
  // A task that destroys the runtime it runs on would wait for itself.
  STRATA_CHECK(thread.get_id() != std::this_thread::get_id());
  thread.join();
}

TimerThread::TimerThread() : thread_([this] { Work(); }) {}

void TimerThread::Add(MonotonicTime when, Executor& target, Task task) {
  MutexLock lock(mutex_);
  if (stopped_) return;
  const auto added = timers_.emplace(std::pair(when, added_++),
                                     Timer{&target, std::move(task)});
  if (added.first == timers_.begin()) earlier_.SignalOne();
}

void TimerThread::Stop() {
  Timers dropped;  // destroyed after the lock is released
  MutexLock lock(mutex_);
  stopped_ = true;
  dropped.swap(timers_);
  earlier_.SignalAll();
}

void TimerThread::Join() { JoinThread(thread_); }

void TimerThread::Work() {
  NameThread("strata-timer");
  while (std::optional<Timer> timer = WaitForDue()) {
    timer->target->Post(std::move(timer->task));
  }
}

std::optional<TimerThread::Timer> TimerThread::WaitForDue() {
  MutexLock lock(mutex_);
  while (!stopped_) {
    if (timers_.empty()) {
      earlier_.Wait(mutex_);
      continue;
    }
    const MonotonicTime due = timers_.begin()->first.first;
    if (due > std::chrono::steady_clock::now()) {
      earlier_.WaitUntil(mutex_, due);
      continue;
    }
    Timer timer = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    return timer;
  }
  return std::nullopt;
}

ThreadPool::ThreadPool(std::string_view name, size_t threads,
                       TimerThread& timers)
    : timers_(timers) {
  STRATA_CHECK(threads > 0);
  for (size_t i = 0; i < threads; ++i) {
    std::string thread_name = "strata-" + std::string(name) + "-";
    thread_name += std::to_string(i);
    threads_.emplace_back([this, thread_name] {
      NameThread(thread_name);
      Work();
    });
  }
}

void ThreadPool::Post(Task task) {
  MutexLock lock(mutex_);
  if (stopped_) return;  // `task` is destroyed by the caller, without the lock
  tasks_.push_back(std::move(task));
  posted_.SignalOne();
}

void ThreadPool::PostAfter(Duration delay, Task task) {
  if (delay <= Duration::zero()) return Post(std::move(task));
  timers_.Add(std::chrono::steady_clock::now() + delay, *this, std::move(task));
}

void ThreadPool::Stop() {
  std::deque<Task> dropped;  // destroyed after the lock is released
  MutexLock lock(mutex_);
  stopped_ = true;
  dropped.swap(tasks_);
  posted_.SignalAll();
}

void ThreadPool::Join() {
  for (std::thread& thread : threads_) JoinThread(thread);
}

void ThreadPool::Work() {
  // A task is destroyed before the next is taken.
  while (std::optional<Task> task = WaitForTask()) (*task)();
}

std::optional<Task> ThreadPool::WaitForTask() {
  MutexLock lock(mutex_);
  while (tasks_.empty() && !stopped_) posted_.Wait(mutex_);
  if (stopped_) return std::nullopt;
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

}  // namespace strata
