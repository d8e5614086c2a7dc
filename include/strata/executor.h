// Where a host has the completions of asynchronous calls run:
//
//   class LoopExecutor final : public strata::CompletionExecutor {
//    public:
//     void Post(std::function<void()> task) override {
//       loop_.RunSoon(std::move(task));
//     }
//     ...
//   };
//
//   strata::OpenOptions options;
//   options.executor = std::make_shared<LoopExecutor>(loop);
//
// Without one the store runs them on one thread of its own.
#pragma once

#include <functional>

namespace strata {

// Thread-safe. Kept by the store until the last completion has been posted,
// which may be in the store's destructor.
class CompletionExecutor {
 public:
  virtual ~CompletionExecutor() = default;

  // Runs `task` once, soon, on any thread, but never inside this call: the
  // store may post under its locks. Tasks may run at the same time; the store
  // posts what has an order (the appends of a partition) one after the other.
  virtual void Post(std::function<void()> task) = 0;
};

}  // namespace strata
