// Reading a source from one end to the other, for its checksums.
#pragma once

#include <cstdint>
#include <functional>

#include "strata/object_store.h"

namespace strata {

// Calls `sink` with all bytes of `source` in [position, position + length), in
// order: at once where they are contiguous, else in pieces.
Status ReadThrough(ObjectSource& source, uint64_t position, uint64_t length,
                   const std::function<void(ByteSpan)>& sink);

}  // namespace strata
