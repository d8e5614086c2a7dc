// Gate: lets one holder at a time into a section that spans asynchronous
// steps; others queue as continuations, first come first served.
#pragma once

#include <deque>

#include "base/mutex.h"
#include "runtime/executor.h"

namespace strata::engine {

// Thread-safe. Must outlive its holders.
class Gate {
 public:
  // Ownership of the gate; hands it to the next in line when it goes.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Hold& operator=(Hold&& other) noexcept {
      if (this != &other) {
        Release();
        gate_ = std::exchange(other.gate_, nullptr);
      }
      return *this;
    }
    ~Hold() { Release(); }

    explicit operator bool() const { return gate_ != nullptr; }
    void Release() {
      if (gate_ != nullptr) std::exchange(gate_, nullptr)->Leave();
    }

   private:
    friend class Gate;
    explicit Hold(Gate* gate) : gate_(gate) {}
    Gate* gate_ = nullptr;
  };

  explicit Gate(Executor& executor) : executor_(executor) {}

  // Runs `task` with the gate held, on the executor, never inside the call.
  void Enter(UniqueFunction<void(Hold)> task);

 private:
  void Leave();
  void Start(UniqueFunction<void(Hold)> task);

  Executor& executor_;
  Mutex mu_;
  // Somebody hands the gate on: when tasks are dropped as they are posted,
  // leaving must not nest once per waiter.
  bool handing_ STRATA_GUARDED_BY(mu_) = false;
  bool held_ STRATA_GUARDED_BY(mu_) = false;
  std::deque<UniqueFunction<void(Hold)>> waiting_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata::engine
