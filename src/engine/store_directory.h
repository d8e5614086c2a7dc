// What a data directory may hold, and how one that is not a store's is told.
#pragma once

#include <memory>
#include <string_view>

#include "io/file_system.h"

namespace strata::engine {

inline constexpr std::string_view kLockPath = "LOCK";

// Takes the store for this process: kConflict with who has it.
Result<std::unique_ptr<FileLock>> LockStore(FileSystem& files);

// Ok for a store's directory, and for an empty one if it may become one.
// Nothing is written. kInvalidArgument when it holds what is not ours,
// kNotFound when there is no store and `create_if_missing` is false, kDataLoss
// when there is a log but no manifest.
Status CheckStoreDirectory(FileSystem& files, bool create_if_missing);

}  // namespace strata::engine
