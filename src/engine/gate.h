// Gate: lets one holder at a time into a section that spans asynchronous
// steps; others queue as continuations, first come first served.
#pragma once

#include <memory>

#include "base/unique_function.h"
#include "runtime/executor.h"

namespace strata::engine {

// Thread-safe. Tasks and holds may outlive it, and own it: what they need is
// shared. The executor must outlive them all.
class Gate {
  struct State;

 public:
  // Ownership of the gate; hands it to the next in line when it goes.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&&) noexcept = default;
    Hold& operator=(Hold&& other) noexcept {
      if (this != &other) {
        Release();
        state_ = std::move(other.state_);
      }
      return *this;
    }
    ~Hold() { Release(); }

    explicit operator bool() const { return state_ != nullptr; }
    void Release() {
      if (state_ != nullptr) Leave(std::move(state_));
    }

   private:
    friend class Gate;
    explicit Hold(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  explicit Gate(Executor& executor);

  // Runs `task` with the gate held, on the executor, never inside the call.
  void Enter(UniqueFunction<void(Hold)> task);

 private:
  static void Leave(std::shared_ptr<State> state);
  static void Start(std::shared_ptr<State> state,
                    UniqueFunction<void(Hold)> task);

  std::shared_ptr<State> state_;
};

}  // namespace strata::engine
