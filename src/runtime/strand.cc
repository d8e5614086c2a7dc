#include "runtime/strand.h"

#include <deque>

#include "base/mutex.h"
#include "runtime/run_or_drop.h"

namespace strata {

// Held by the strand and by its one task on the executor. Thread-safe.
class Strand::Queue : public std::enable_shared_from_this<Queue> {
 public:
  explicit Queue(Executor& executor) : executor_(executor) {}

  void Post(Task task) {
    {
      MutexLock lock(mutex_);
      tasks_.push_back(std::move(task));
      if (std::exchange(scheduled_, true)) return;
    }
    Schedule();
  }

  // One task a turn, so that a busy strand leaves room for others.
  void Run() {
    Take()();
    {
      MutexLock lock(mutex_);
      scheduled_ = !tasks_.empty();
      if (!scheduled_) return;
    }
    Schedule();
  }

  void Drop() {
    std::deque<Task> dropped;
    MutexLock lock(mutex_);
    scheduled_ = false;
    dropped.swap(tasks_);
  }

 private:
  void Schedule() { executor_.Post(RunOrDrop<Queue>(shared_from_this())); }

  Task Take() {
    MutexLock lock(mutex_);
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  Executor& executor_;
  Mutex mutex_;
  std::deque<Task> tasks_ STRATA_GUARDED_BY(mutex_);
  // A turn is posted or running.
  bool scheduled_ STRATA_GUARDED_BY(mutex_) = false;
};

Strand::Strand(Executor& executor)
    : queue_(std::make_shared<Queue>(executor)) {}

Strand::~Strand() = default;

void Strand::Post(Task task) { queue_->Post(std::move(task)); }

}  // namespace strata
