// Small steps between memory, segments and files that several jobs share.
#pragma once

#include <span>
#include <vector>

#include "hot/hot_tier.h"
#include "segment/segment_file_writer.h"
#include "warm/warm_tier.h"

namespace strata::engine {

SegmentBatch ToSegmentBatch(const PartitionId& partition,
                            const HotBatch& batch);
HotBatch ToHotBatch(const SegmentBatch& batch);

// One segment in a file of its own, synced and under its final name; the
// caller syncs the directory.
Result<SegmentEntry> WriteSegmentFile(FileSystem& files, uint64_t number,
                                      const SegmentSpec& spec,
                                      std::span<const SegmentBatch> batches);

// The batches of a segment, copied into memory of their own.
struct LoadedSegment {
  std::vector<std::byte> bytes;
  std::vector<SegmentBatch> batches;
};

// Reads and verifies all of `entry`.
Status LoadBatches(WarmTier& warm, const SegmentEntry& entry,
                   LoadedSegment& out);

}  // namespace strata::engine
