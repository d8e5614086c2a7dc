// Clock: the only source of time. Injected everywhere; simulated in tests.
#pragma once

#include <chrono>

#include "strata/types.h"

namespace strata {

using Duration = std::chrono::nanoseconds;
// Time since an arbitrary start, never going back. For deadlines and ages
// within one process.
using MonotonicTime =
    std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime Now() const = 0;
  // Milliseconds since 1970 UTC; may step. For what is persisted.
  virtual TimestampMs WallNow() const = 0;
};

}  // namespace strata
