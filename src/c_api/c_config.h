// Structs of strata/c.h that carry their size, and the configuration among
// them.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "strata/c.h"
#include "strata/config.h"
#include "strata/status.h"

namespace strata::c_api {

// Writes as much of `defaults` as a caller's struct of `size` bytes holds; what
// it has beyond is zero.
template <typename Struct>
void Init(Struct defaults, Struct* out, size_t size) {
  if (out == nullptr || size < sizeof(size_t)) return;
  defaults.size = size;
  std::memset(static_cast<void*>(out), 0, size);
  std::memcpy(static_cast<void*>(out), &defaults,
              std::min(size, sizeof(out[0])));
}

// Overwrites `out`, which holds defaults, with as much as the caller's struct
// has. kInvalidArgument when that was not initialised, kUnsupported when it has
// members that are unknown here and were set.
template <typename Struct>
Status Take(const Struct& given, Struct& out) {
  if (given.size < sizeof(size_t) || given.size % alignof(Struct) != 0) {
    return {StatusCode::kInvalidArgument,
            "struct of size " + std::to_string(given.size) +
                ": it was not initialised by its init function"};
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(&given);
  const auto* end = bytes + given.size;
  if (given.size > sizeof out &&
      std::any_of(bytes + sizeof out, end, [](auto b) { return b != 0; })) {
    return {StatusCode::kUnsupported,
            "struct of size " + std::to_string(given.size) + ", of which " +
                std::to_string(sizeof out) + " bytes are known here, has a " +
                "member set behind them: the library is older than the header"};
  }
  std::memcpy(static_cast<void*>(&out), bytes,
              std::min(given.size, sizeof out));
  out.size = sizeof out;
  return Status::Ok();
}

strata_config DefaultConfig();

// kInvalidArgument without data_dir, and as Take.
Result<TieredStorageConfig> ToConfig(const strata_config& given);

}  // namespace strata::c_api
