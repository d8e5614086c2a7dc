#include "format/segment_entry.h"

namespace strata {

std::string PartitionId::ToString() const {
  return topic.ToString() + "/" + std::to_string(partition);
}

}  // namespace strata
