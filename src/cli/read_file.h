// A file as a whole.
#pragma once

#include <filesystem>
#include <string>

#include "strata/status.h"

namespace strata::cli {

// All bytes of `file`. kNotFound, kIoError naming it.
Result<std::string> ReadFile(const std::filesystem::path& file);

}  // namespace strata::cli
