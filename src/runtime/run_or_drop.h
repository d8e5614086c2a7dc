// RunOrDrop: a task that tells its state when it was destroyed without having
// been run, as happens at shutdown. Without it, what waits in that state and
// holds it alive in turn would never go.
#pragma once

#include <memory>
#include <utility>

namespace strata {

// Calls state->Run() when run, else state->Drop() when destroyed.
// Thread-compatible; goes into a Task.
template <typename State>
class RunOrDrop {
 public:
  explicit RunOrDrop(std::shared_ptr<State> state) : state_(std::move(state)) {}
  RunOrDrop(RunOrDrop&&) noexcept = default;
  RunOrDrop& operator=(RunOrDrop&&) = delete;
  ~RunOrDrop() {
    if (state_ != nullptr) state_->Drop();
  }

  void operator()() { std::exchange(state_, nullptr)->Run(); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace strata
