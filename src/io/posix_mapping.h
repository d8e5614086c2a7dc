// Maps a file for reading, guarded against SIGBUS (sigbus_guard.h).
#pragma once

#include <memory>
#include <string_view>

#include "io/file_system.h"

namespace strata {

// The first `size_bytes` of `fd`, which may be closed afterwards. `path` is
// for messages. kIoError when the system or kMaxGuardedRanges refuses one more
// map: release views.
Result<std::shared_ptr<Mapping>> MapFile(int fd, uint64_t size_bytes,
                                         std::string_view path);

}  // namespace strata
