// Executor: where work runs. The core never blocks and never makes a thread;
// it posts continuations here. Real ones are thread pools, the simulated one
// runs everything on one thread in an order drawn from a seed.
#pragma once

#include "base/unique_function.h"
#include "runtime/clock.h"

namespace strata {

using Task = UniqueFunction<void()>;

// Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` later, never inside the call. Tasks may run at the same time
  // and in any order. After shutdown of the runtime a task is destroyed
  // without being run.
  virtual void Post(Task task) = 0;

  // Runs `task` not before `delay` from now.
  virtual void PostAfter(Duration delay, Task task) = 0;
};

}  // namespace strata
