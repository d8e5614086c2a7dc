// Reading what is left of a damaged image: for repair.
#pragma once

#include "format/segment_entry.h"
#include "segment/segment_writer.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// Calls `consume` with every batch of the segment of `entry` that can still be
// found in `image`, ascending and verified; answers what `consume` answers.
// The image may be cut short, and hold anything where it could not be read.
//
// Behind a broken frame header the rest of its block is lost; of an image
// whose index is lost too, all that follows. An image of another segment holds
// nothing.
Status SalvageBatches(ByteSpan image, const SegmentEntry& entry,
                      const BatchConsumer& consume);

}  // namespace strata
