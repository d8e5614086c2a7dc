// One read of one cold segment.
#pragma once

#include <memory>
#include <vector>

#include "base/unique_function.h"
#include "cold/chunk_store.h"
#include "cold/index_cache.h"
#include "segment/read_window.h"

namespace strata {

using ColdReadDone = UniqueFunction<void(Result<std::vector<BatchView>>)>;

// Reads the batches of `window`; `done` may run inside the call. entry.cold is
// set. See ColdTier::Read.
void ReadColdSegment(std::shared_ptr<ChunkStore> chunks, IndexCache& indexes,
                     SegmentEntry entry, const ReadWindow& window,
                     ColdReadDone done);

}  // namespace strata
