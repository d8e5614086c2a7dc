#include "engine/gate.h"

#include <deque>
#include <utility>

#include "base/mutex.h"

namespace strata::engine {

struct Gate::State {
  explicit State(Executor& runs_on) : executor(runs_on) {}

  Executor& executor;
  Mutex mu;
  // Somebody hands the gate on: when tasks are dropped as they are posted,
  // leaving must not nest once per waiter.
  bool handing STRATA_GUARDED_BY(mu) = false;
  bool held STRATA_GUARDED_BY(mu) = false;
  std::deque<UniqueFunction<void(Hold)>> waiting STRATA_GUARDED_BY(mu);
};

Gate::Gate(Executor& executor) : state_(std::make_shared<State>(executor)) {}

void Gate::Enter(UniqueFunction<void(Hold)> task) {
  // The task may own the gate, and be dropped by the executor at once.
  std::shared_ptr<State> state = state_;
  {
    MutexLock lock(state->mu);
    if (state->held) {
      state->waiting.push_back(std::move(task));
      return;
    }
    state->held = true;
  }
  Start(std::move(state), std::move(task));
}

void Gate::Leave(std::shared_ptr<State> state) {
  {
    MutexLock lock(state->mu);
    state->held = false;
    if (state->handing) return;
    state->handing = true;
  }
  while (true) {
    UniqueFunction<void(Hold)> next;
    {
      MutexLock lock(state->mu);
      if (state->held || state->waiting.empty()) {
        state->handing = false;
        return;
      }
      state->held = true;
      next = std::move(state->waiting.front());
      state->waiting.pop_front();
    }
    // If the executor drops the task at once, its hold is left in here.
    Start(state, std::move(next));
  }
}

void Gate::Start(std::shared_ptr<State> state,
                 UniqueFunction<void(Hold)> task) {
  Executor& executor = state->executor;
  executor.Post([hold = Hold(std::move(state)),
                 task = std::move(task)]() mutable { task(std::move(hold)); });
}

}  // namespace strata::engine
