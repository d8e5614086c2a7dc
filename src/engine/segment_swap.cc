#include "engine/segment_swap.h"

#include <memory>
#include <utility>

namespace strata::engine {

void SwapSegments(EngineContext& context, FileReaper& reaper, PartitionState& p,
                  const std::vector<SegmentPtr>& removed,
                  const std::vector<SegmentPtr>& added) {
  std::vector<std::shared_ptr<HotCopy>> hot;
  std::vector<uint64_t> files;
  {
    MutexLock lock(p.mu);
    for (const SegmentPtr& segment : removed) {
      // Who took it out before accounted for it.
      if (!p.IsLive(segment)) continue;
      p.segments.erase(segment->entry.offsets.base);
      hot.push_back(std::move(segment->hot));
      files.push_back(segment->entry.warm->file);
      context.warm_bytes -= segment->entry.image_bytes;
    }
    for (const SegmentPtr& segment : added) {
      if (p.deleted) {
        files.push_back(segment->entry.warm->file);
      } else {
        context.warm_bytes += segment->entry.image_bytes;
        p.segments.emplace(segment->entry.offsets.base, segment);
      }
    }
  }
  for (const auto& copy : hot) {
    if (copy != nullptr) context.hot.Evict(*copy);
  }
  reaper.Retire(std::move(files));
  context.attention.NotifyWritable();
}

}  // namespace strata::engine
