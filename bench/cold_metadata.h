// What the metadata of cold segments costs: in a bucket in memory, so that only
// our own work and our requests count.
#pragma once

#include <filesystem>

#include "bench/cases.h"
#include "bench/counts.h"

namespace strata::bench {

// A commit to a root below which there are many segments, beside one to a root
// with few.
Result<Case> CommitColdSegment(const std::filesystem::path&, const Scale&);

// Bytes and requests of commits, by the number of segments before them.
Result<std::vector<Count>> ColdMetadata(const std::filesystem::path&,
                                        const Scale&);

}  // namespace strata::bench
