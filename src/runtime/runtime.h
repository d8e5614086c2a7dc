// Runtime: the door to time, chance and threads, as one bundle that is
// injected into the engine. ThreadRuntime (thread_runtime.h) is the real one;
// testing/sim_runtime.h the deterministic one.
#pragma once

#include <memory>
#include <optional>

#include "runtime/clock.h"
#include "runtime/executor.h"
#include "runtime/random.h"

namespace strata {

// One-shot signal on which a thread outside the core waits. Thread-safe.
class Event {
 public:
  virtual ~Event() = default;
  virtual void Set() = 0;
  // True when set; false when `deadline` passed first. Under simulation this
  // runs the executor until one of the two holds.
  virtual bool WaitUntil(std::optional<MonotonicTime> deadline) = 0;
};

// Thread-safe. Outlives everything that was given a reference to it.
class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
  // Log writing and syncing: WAL and manifest. Two threads, so that a manifest
  // sync does not hold up a WAL sync.
  virtual Executor& log_executor() = 0;
  // Flush, offload, promotion, garbage collection: long disk work.
  virtual Executor& job_executor() = 0;
  // Reads that touch disk: first access of a warm segment, checksums.
  virtual Executor& read_executor() = 0;
  // Blocking calls of object stores, apart from all of the above so that a
  // slow bucket never holds up appends.
  virtual Executor& cold_executor() = 0;

  virtual std::unique_ptr<Event> NewEvent() = 0;
};

}  // namespace strata
