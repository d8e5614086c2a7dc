// The real FileSystem: a directory, and nothing outside it.
//
// Every path is walked component by component from the root's descriptor and
// no symbolic link is followed on the way or at the end, so that a link in the
// tree, whoever put it there, leads nowhere (kIoError).
#pragma once

#include <filesystem>
#include <memory>

#include "io/file_system.h"

namespace strata {

// `root` itself may be reached through symbolic links: it is the operator's
// choice. It stays the same directory when it is renamed later. With `create`
// it and its parents are created if absent, durably; else kNotFound.
Result<std::unique_ptr<FileSystem>> OpenPosixFileSystem(
    const std::filesystem::path& root, bool create);

}  // namespace strata
