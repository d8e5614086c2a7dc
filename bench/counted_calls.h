// Counters of calls that this program counts by standing in their way:
// operator new, and the calls that sync a file.
#pragma once

#include <cstdint>

namespace strata::bench {

// Since the program started, by all threads.
uint64_t Allocations();
uint64_t FileSyncs();

}  // namespace strata::bench
