// SystemRandom: numbers that start from the kernel's random bytes.
#pragma once

#include "base/mutex.h"
#include "runtime/random.h"
#include "runtime/xoshiro.h"

namespace strata {

// Thread-safe.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  uint64_t Next() override;

 private:
  Mutex mutex_;
  Xoshiro256 generator_ STRATA_GUARDED_BY(mutex_);
};

}  // namespace strata
