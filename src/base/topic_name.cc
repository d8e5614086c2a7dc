#include <fmt/format.h>

#include "strata/tiered_storage.h"

namespace strata {
namespace {

constexpr size_t kMaxTopicNameBytes = 249;

bool IsAllowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

// Names become parts of labels, never of paths; still none can lead out of a
// directory. What is hostile is told by position and value, not repeated.
Status ValidateTopicName(std::string_view name) {
  if (name.empty() || name.size() > kMaxTopicNameBytes) {
    return {StatusCode::kInvalidArgument,
            fmt::format("topic name of {} bytes: 1 to {} are allowed",
                        name.size(), kMaxTopicNameBytes)};
  }
  for (size_t i = 0; i < name.size(); ++i) {
    if (!IsAllowed(name[i])) {
      return {StatusCode::kInvalidArgument,
              fmt::format("topic name: byte 0x{:02x} at position {}: only "
                          "[a-zA-Z0-9._-] are allowed",
                          static_cast<unsigned char>(name[i]), i)};
    }
  }
  if (name == "." || name == "..") {
    return {StatusCode::kInvalidArgument,
            fmt::format("topic name \"{}\" is not allowed", name)};
  }
  return Status::Ok();
}

}  // namespace strata
