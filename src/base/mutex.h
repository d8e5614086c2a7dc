// Mutex and MutexLock: std::mutex with clang's thread-safety annotations, so
// that "which lock guards this field" is checked by the compiler.
#pragma once

#include <mutex>

#if defined(__clang__)
#define STRATA_TSA_(x) __attribute__((x))
#else
#define STRATA_TSA_(x)
#endif

// On a field: only touched with `mu` held.
#define STRATA_GUARDED_BY(mu) STRATA_TSA_(guarded_by(mu))
// On a function: the caller holds the locks.
#define STRATA_REQUIRES(...) STRATA_TSA_(requires_capability(__VA_ARGS__))
// On a function: the caller must not hold the locks.
#define STRATA_EXCLUDES(...) STRATA_TSA_(locks_excluded(__VA_ARGS__))

namespace strata {

class STRATA_TSA_(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() STRATA_TSA_(acquire_capability()) { mu_.lock(); }
  void Unlock() STRATA_TSA_(release_capability()) { mu_.unlock(); }

  // For Condition (src/runtime/condition.h) only.
  std::mutex& native() { return mu_; }

 private:
  std::mutex mu_;
};

class STRATA_TSA_(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mu) STRATA_TSA_(acquire_capability(mu)) : mu_(mu) {
    mu_.Lock();
  }
  ~MutexLock() STRATA_TSA_(release_capability()) { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

}  // namespace strata
