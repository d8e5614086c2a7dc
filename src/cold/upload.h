// One attempt to put an image into the bucket, verified.
#pragma once

#include <memory>

#include "base/unique_function.h"
#include "cold/image_stream.h"
#include "format/segment_entry.h"
#include "strata/object_store.h"

namespace strata {

struct UploadPlan {
  SegmentEntry entry;  // its cold address is where the image is to go
  std::shared_ptr<ObjectSource> source;
  ImageStreamOptions read_back;  // its request holds for the others too
};

// Put-if-absent, then Head and all bytes read back. See ColdTier::Upload.
void UploadImage(std::shared_ptr<ObjectStore> store, UploadPlan plan,
                 UniqueFunction<void(Result<ColdAddress>)> done);

}  // namespace strata
