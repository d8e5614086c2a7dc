// Sequential reading of whole images: for merge, promotion and verification.
#pragma once

#include "segment/byte_source.h"
#include "segment/segment_index.h"
#include "segment/segment_writer.h"

namespace strata {

// Calls `consume` with every batch of the image that belongs to `offsets`
// (ends within it), ascending, headers and payloads verified; stops at its
// first error. The batch's bytes are valid during the call. Holds about 1 MiB,
// or the largest block.
Status ForEachBatch(ByteSource& image, const SegmentIndex& index,
                    OffsetRange offsets, const BatchConsumer& consume);

// Checks every checksum of the image: of the whole, header, footer, index,
// properties, frames and payloads; and that it is the one `entry` speaks of.
// kDataLoss names the first fault.
Status VerifySegmentImage(ByteSource& image, const SegmentEntry& entry);

}  // namespace strata
