// ServicePool: an executor with threads of its own, for an object that belongs
// to no Runtime and may lose its last owner on one of these threads.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/executor.h"

namespace strata {

// Thread-safe.
class ServicePool final : public Executor {
 public:
  // Threads are named "strata-<name>".
  ServicePool(const std::string& name, size_t threads);
  // Runs what was posted, destroys what is not due yet, and waits for the
  // threads. When called on one of them it waits for none: they end by
  // themselves once their tasks have.
  ~ServicePool() override;

  void Post(Task task) override {
    PostAfter(Duration::zero(), std::move(task));
  }
  void PostAfter(Duration delay, Task task) override;

 private:
  struct Shared;

  // The threads hold it too.
  const std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace strata
