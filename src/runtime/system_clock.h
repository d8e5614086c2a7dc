// SystemClock: the machine's clocks.
#pragma once

#include "runtime/clock.h"

namespace strata {

// Thread-safe; stateless.
class SystemClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    return std::chrono::steady_clock::now();
  }
  TimestampMs WallNow() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::floor<std::chrono::milliseconds>(now).count();
  }
};

}  // namespace strata
