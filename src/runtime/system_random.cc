#include "runtime/system_random.h"

#include <sys/random.h>

#include "base/check.h"

namespace strata {
namespace {

Xoshiro256::State SeedFromKernel() {
  Xoshiro256::State seed;
  STRATA_CHECK(getentropy(seed.data(), sizeof(seed)) == 0);
  return seed;
}

}  // namespace

SystemRandom::SystemRandom() : generator_(SeedFromKernel()) {}

uint64_t SystemRandom::Next() {
  MutexLock lock(mutex_);
  return generator_.Next();
}

}  // namespace strata
