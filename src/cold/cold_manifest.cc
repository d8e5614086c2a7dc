#include "cold/cold_manifest.h"

namespace strata {

const SegmentEntry* ColdPartition::Find(Offset offset) const {
  auto after = entries.upper_bound(offset);
  if (after == entries.begin()) return nullptr;
  const SegmentEntry& entry = std::prev(after)->second;
  return entry.offsets.Contains(offset) ? &entry : nullptr;
}

}  // namespace strata
