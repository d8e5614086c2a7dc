#include <fmt/format.h>

#include "io/file_system.h"

namespace strata {
namespace {

constexpr size_t kMaxNameBytes = 255;   // NAME_MAX of Linux file systems
constexpr size_t kMaxPathBytes = 3000;  // below PATH_MAX with the root before

Status Invalid(std::string_view path, std::string_view fault) {
  std::string shown;
  for (char c : path.substr(0, 256)) {
    shown += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  return {StatusCode::kInvalidArgument,
          fmt::format("path '{}': {}", shown, fault)};
}

}  // namespace

Status ValidatePath(std::string_view path) {
  if (path.empty()) return Invalid(path, "empty");
  if (path.size() > kMaxPathBytes) return Invalid(path, "too long");
  if (path.find('\0') != path.npos) return Invalid(path, "has a NUL byte");
  if (path.front() == '/') return Invalid(path, "absolute");
  for (size_t begin = 0; begin <= path.size();) {
    size_t end = std::min(path.find('/', begin), path.size());
    std::string_view name = path.substr(begin, end - begin);
    if (name.empty()) return Invalid(path, "has an empty component");
    if (name == ".") return Invalid(path, "has a component '.'");
    if (name == "..") return Invalid(path, "has a component '..'");
    if (name.size() > kMaxNameBytes) {
      return Invalid(path, "has a component of more than 255 bytes");
    }
    begin = end + 1;
  }
  return Status::Ok();
}

}  // namespace strata
