// A whole image, piece by piece and checked, past the cache.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/unique_function.h"
#include "format/segment_entry.h"
#include "strata/object_store.h"

namespace strata {

struct ImageStreamOptions {
  uint64_t piece_bytes = 0;
  ObjectRequest request;  // of each piece
};

// Hands the image at *entry.cold to `piece`, in order, then calls `done` with
// Ok when entry.image_bytes bytes of entry.image_crc32c have passed. kDataLoss
// for a missing, short or damaged object; an error of `piece` ends it.
void StreamImage(std::shared_ptr<ObjectStore> store, const SegmentEntry& entry,
                 const ImageStreamOptions& options,
                 UniqueFunction<Status(ByteSpan)> piece,
                 UniqueFunction<void(Status)> done);

}  // namespace strata
