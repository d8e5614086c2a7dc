// File over a descriptor.
#pragma once

#include <memory>
#include <string>

#include "io/file_system.h"
#include "io/unique_fd.h"

namespace strata {

// `fd` is a regular file; `path` is for messages.
std::unique_ptr<File> NewPosixFile(UniqueFd fd, std::string path);

}  // namespace strata
