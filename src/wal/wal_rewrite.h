// Moving groups that could not be made durable to new files.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "wal/wal_files.h"
#include "wal/wal_spares.h"

namespace strata {

// Changes the group in `bytes` from one life to another: the checksums of its
// headers are seeded with it. kDataLoss when the group is damaged.
Status ReseedWalGroup(std::span<std::byte> bytes, const TopicId& log_id,
                      uint64_t old_life, uint64_t life);

// Writes the file header. On the writer's strand.
Status WriteWalHeader(WalFile& file, const TopicId& log_id);

// What failed to be written or synced is not tried again on the same pages:
// the kernel may have dropped them and say Ok the next time. The groups, which
// follow each other, are written from their chunks, which are not changed, to
// new files, whose header says that what older files hold of them does not
// count. All is synced when it returns. Blocking.
Result<std::vector<std::shared_ptr<WalFile>>> RewriteWalGroups(
    std::span<const WalGroup> groups, const TopicId& log_id, WalSpares& spares);

}  // namespace strata
