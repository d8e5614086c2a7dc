// RequestGate: bounds how many requests are under way and how many wait.
#pragma once

#include <cstdint>
#include <deque>

#include "base/mutex.h"
#include "runtime/executor.h"
#include "strata/status.h"

namespace strata {

struct RequestGateLimits {
  uint32_t under_way = 1;
  uint32_t waiting = 0;
};

// Who enters leaves, once. Thread-safe.
class RequestGate {
 public:
  explicit RequestGate(RequestGateLimits limits) : limits_(limits) {}

  // Runs `start`, inside the call when there is room, else when one that is
  // under way leaves; first come, first served. kOverloaded, `start` destroyed,
  // when too many wait.
  Status Enter(Task start);
  // Enters only when there is room and nobody waits.
  bool TryEnter();
  // May run the `start` of one that waits.
  void Leave();
  // Destroys those that wait; for teardown.
  void Close();

  uint32_t under_way() const;

 private:
  const RequestGateLimits limits_;
  mutable Mutex mu_;
  uint32_t under_way_ STRATA_GUARDED_BY(mu_) = 0;
  std::deque<Task> waiting_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
