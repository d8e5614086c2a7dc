// How a root stays small: its oldest entries move into a group, the oldest
// groups into one of the level above. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "format/cold_root_format.h"

namespace strata {

// What a group takes over.
inline constexpr size_t kColdGroupSize = 64;

// The group that is due: of the oldest `group_size` entries of `root`, once it
// has a quarter more, so that the newest can be read without a group; of the
// oldest `group_size` groups of a level, once it has them.
std::optional<ColdGroup> GroupDue(const ColdRoot& root, size_t group_size);

// `root` with what is in the group of `ref` replaced by it.
void PutGroup(ColdRoot& root, const ColdGroupRef& ref);

}  // namespace strata
