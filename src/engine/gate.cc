#include "engine/gate.h"

#include <utility>

namespace strata::engine {

void Gate::Enter(UniqueFunction<void(Hold)> task) {
  {
    MutexLock lock(mu_);
    if (held_) {
      waiting_.push_back(std::move(task));
      return;
    }
    held_ = true;
  }
  Start(std::move(task));
}

void Gate::Leave() {
  {
    MutexLock lock(mu_);
    held_ = false;
    if (handing_) return;
    handing_ = true;
  }
  while (true) {
    UniqueFunction<void(Hold)> next;
    {
      MutexLock lock(mu_);
      if (held_ || waiting_.empty()) {
        handing_ = false;
        return;
      }
      held_ = true;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    // If the executor drops the task at once, its hold is left in here.
    Start(std::move(next));
  }
}

void Gate::Start(UniqueFunction<void(Hold)> task) {
  executor_.Post([hold = Hold(this), task = std::move(task)]() mutable {
    task(std::move(hold));
  });
}

}  // namespace strata::engine
