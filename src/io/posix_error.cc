#include "io/posix_error.h"

#include <fmt/format.h>

#include <system_error>

namespace strata {
namespace {

StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT: return StatusCode::kNotFound;
    case EEXIST: return StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT: return StatusCode::kNoSpace;
    default: return StatusCode::kIoError;
  }
}

}  // namespace

Status ErrnoStatus(std::string_view operation, std::string_view path,
                   int error) {
  return {CodeOf(error),
          fmt::format("{} {}: {} (errno {})", operation, path,
                      std::generic_category().message(error), error)};
}

}  // namespace strata
