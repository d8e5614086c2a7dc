#include "engine/coverage.h"

#include <algorithm>

namespace strata::engine {

std::vector<OffsetRange> Uncovered(OffsetRange range,
                                   std::vector<OffsetRange> owners) {
  std::ranges::sort(owners, {}, &OffsetRange::base);
  std::vector<OffsetRange> holes;
  Offset next = range.base;
  for (const OffsetRange& owner : owners) {
    if (next >= range.end) break;
    if (owner.base > next) {
      holes.push_back({next, std::min(owner.base, range.end)});
    }
    next = std::max(next, owner.end);
  }
  if (next < range.end) holes.push_back({next, range.end});
  return holes;
}

}  // namespace strata::engine
