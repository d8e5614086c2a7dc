// One attempt to put an image into the bucket, verified.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/unique_function.h"
#include "cold/image_stream.h"
#include "format/segment_entry.h"
#include "strata/object_store.h"

namespace strata {

// How long sending `bytes` may take where a request may take `request`: as much
// longer as they take at 1 MiB/s.
std::chrono::milliseconds UploadTimeout(std::chrono::milliseconds request,
                                        uint64_t bytes);

struct UploadPlan {
  SegmentEntry entry;  // its cold address is where the image is to go
  std::shared_ptr<ObjectSource> source;
  ImageStreamOptions read_back;  // its request holds for the others too
};

// Put, then Head and all bytes read back. See ColdTier::Upload. The key is new:
// the Put needs no condition, so that it may be sent in parts and again.
void UploadImage(std::shared_ptr<ObjectStore> store, UploadPlan plan,
                 UniqueFunction<void(Result<ColdAddress>)> done);

}  // namespace strata
