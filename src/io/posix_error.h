// From errno to Status, and the retry on EINTR.
#pragma once

#include <cerrno>
#include <string_view>

#include "strata/status.h"

namespace strata {

// kNotFound, kAlreadyExists, kNoSpace or kIoError; the message is
// "<operation> <path>: <text of errno>".
Status ErrnoStatus(std::string_view operation, std::string_view path,
                   int error);

// Calls `call` until it does not fail with EINTR; answers what it did.
template <typename Call>
auto RetryOnEintr(Call call) {
  for (;;) {
    auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

}  // namespace strata
