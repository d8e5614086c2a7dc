// ThreadRuntime: the real Runtime, on thread pools, the system's clocks and
// the kernel's random bytes.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/runtime.h"

namespace strata {

// Threads of each executor, at least one.
struct ThreadRuntimeOptions {
  size_t log_threads = 2;
  size_t job_threads = 4;
  size_t read_threads = 2;
  size_t cold_threads = 4;
};

// Starts the threads. Ends the process when the system refuses one.
//
// Its destructor takes no more tasks, destroys those that have not begun
// without running them, waits for those that have, and joins the threads. It
// must not run on one of them.
std::unique_ptr<Runtime> MakeThreadRuntime(
    ThreadRuntimeOptions options = {}) noexcept;

}  // namespace strata
