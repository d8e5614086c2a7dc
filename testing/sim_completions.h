// SimCompletions: completions run as tasks of the simulated runtime.
#pragma once

#include <functional>
#include <utility>

#include "strata/executor.h"
#include "testing/sim_runtime.h"

namespace strata {

class SimCompletions final : public CompletionExecutor {
 public:
  // `runtime` outlives this.
  explicit SimCompletions(SimRuntime& runtime) : runtime_(runtime) {}

  void Post(std::function<void()> task) override {
    runtime_.read_executor().Post(std::move(task));
  }

 private:
  SimRuntime& runtime_;
};

}  // namespace strata
