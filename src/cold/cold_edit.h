// What a ColdEdit makes of a root. Pure.
#pragma once

#include "cold/cold_manifest.h"

namespace strata {

// `root` with `edit` applied, at the generation of `root`: equal to it when
// the edit says nothing new. kConflict when an added entry does not begin at
// the cold end or the root is claimed otherwise; kInvalidArgument when the
// outcome is not a valid root.
Result<ColdRoot> ApplyColdEdit(const PartitionId& partition, ColdRoot root,
                               const ColdEdit& edit);

}  // namespace strata
