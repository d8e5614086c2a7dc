// The last step of whoever replaces sealed segments: in memory, what an edit
// made durable.
#pragma once

#include <vector>

#include "engine/context.h"
#include "engine/file_reaper.h"
#include "engine/partition_state.h"

namespace strata::engine {

// Takes `removed` out of the partition and puts `added` in; counts the bytes
// of both, evicts the hot copies and retires the files of what is gone. What
// was deleted or truncated meanwhile is passed over. Under the segment_gate.
void SwapSegments(EngineContext& context, FileReaper& reaper, PartitionState& p,
                  const std::vector<SegmentPtr>& removed,
                  const std::vector<SegmentPtr>& added);

}  // namespace strata::engine
