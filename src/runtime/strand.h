// Strand: order on an executor. Its tasks run one at a time, in the order in
// which they were posted, so that what only they touch needs no lock.
#pragma once

#include <memory>

#include "runtime/executor.h"

namespace strata {

// Thread-safe. Tasks posted before its destruction still run; a task may
// destroy the strand on which it runs.
class Strand {
 public:
  // `executor` outlives the strand and its tasks.
  explicit Strand(Executor& executor);
  Strand(Strand&&) = default;
  Strand& operator=(Strand&&) = default;
  ~Strand();

  // Runs `task` after all tasks posted before it have returned and been
  // destroyed; never inside the call. Posts from different threads are ordered
  // as their calls are. Once the executor drops tasks, all of the strand's are
  // destroyed without being run.
  void Post(Task task);

 private:
  class Queue;
  std::shared_ptr<Queue> queue_;
};

}  // namespace strata
