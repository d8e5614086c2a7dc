// Parsed indexes of cold segments, kept within a bound.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "cold/chunk_store.h"
#include "cold/single_flight_cache.h"
#include "segment/segment_index.h"

namespace strata {

// Thread-safe.
struct ColdIndex {
  explicit ColdIndex(SegmentIndex parsed) : index(std::move(parsed)) {}

  const SegmentIndex index;
  // The offset at which the last read ended: one that begins here goes on with
  // a scan. A hint, relaxed order.
  mutable std::atomic<uint64_t> scanned_to{UINT64_MAX};
};

// Object key and position of the image.
using IndexKey = std::pair<std::string, uint64_t>;
using IndexCache = SingleFlightCache<IndexKey, ColdIndex>;

// The index of the image at *entry.cold, from the cache or the end of the
// image; `done` may run inside the call. kDataLoss, naming the key, when it is
// damaged or the image of another segment.
void LoadIndex(IndexCache& cache, std::shared_ptr<ChunkStore> chunks,
               const SegmentEntry& entry, IndexCache::Done done);

}  // namespace strata
