// The keys beneath a directory, in the order of an object store.
#pragma once

#include <string>

#include "io/file_system.h"
#include "strata/object_store.h"

namespace strata {

// Where a FileObjectStore keeps what is not an object.
inline constexpr char kTemporaryDirectory[] = ".tmp";
inline constexpr char kLockFile[] = ".lock";

// The version of the object whose file is `stat`.
ObjectVersion VersionOf(const FileStat& stat);

// As ObjectStore::List. Files whose path is not a key are skipped. kIoError,
// naming it, for what is neither file nor directory.
Result<ListPage> ListFiles(FileSystem& files, const std::string& prefix,
                           const std::string& after, size_t limit);

}  // namespace strata
