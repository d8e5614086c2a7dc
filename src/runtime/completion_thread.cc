#include "runtime/completion_thread.h"

#include <utility>

#include "base/check.h"
#include "runtime/thread_pool.h"

namespace strata {

CompletionThread::CompletionThread()
    : thread_([this] {
        NameThread("strata-done");
        Work();
      }) {}

CompletionThread::~CompletionThread() { STRATA_CHECK(!thread_.joinable()); }

void CompletionThread::Post(std::function<void()> task) {
  {
    MutexLock lock(mutex_);
    if (!finished_) {
      tasks_.push_back(std::move(task));
      changed_.SignalOne();
      return;
    }
  }
  task();
}

void CompletionThread::Finish() {
  {
    MutexLock lock(mutex_);
    finished_ = true;
    changed_.SignalOne();
  }
  JoinThread(thread_);
}

void CompletionThread::Work() {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      while (tasks_.empty() && !finished_) changed_.Wait(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace strata
