// STRATA_CHECK: ends the process on a bug of ours. Never used on input.
#pragma once

namespace strata {

// Prints the condition and where it stands, then aborts.
[[noreturn]] void CheckFailed(const char* file, int line,
                              const char* condition);

}  // namespace strata

#define STRATA_CHECK(condition)                              \
  do {                                                       \
    if (!(condition)) [[unlikely]] {                         \
      ::strata::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                        \
  } while (false)
