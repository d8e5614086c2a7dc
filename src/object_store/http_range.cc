#include "object_store/http_range.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/crc32c.h"

namespace strata {
namespace {

// "bytes 0-9/100".
struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t total = 0;
};

// Of the object, as the end of such a header has it.
std::optional<uint64_t> ParseTotal(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  return ParseDecimal(text.substr(slash + 1));
}

std::optional<ContentRange> ParseContentRange(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (dash == text.npos || slash == text.npos || slash < dash) {
    return std::nullopt;
  }
  const auto first = ParseDecimal(text.substr(0, dash));
  const auto last = ParseDecimal(text.substr(dash + 1, slash - dash - 1));
  const auto total = ParseDecimal(text.substr(slash + 1));
  if (!first || !last || !total) return std::nullopt;
  return ContentRange{*first, *last, *total};
}

}  // namespace

std::optional<uint64_t> ParseDecimal(std::string_view text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

Result<size_t> CheckRange(const RangeAnswer& range,
                          const HttpResponse& response) {
  const uint64_t position = range.position;
  const std::span<std::byte> out = range.out;
  const size_t filled = response.filled;
  const auto fault = [&](std::string_view what) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("{} at {}: {}", range.what, position, what));
  };
  const std::string* header = response.Find("content-range");
  // Azurite answers the range that begins at the end with nothing.
  const uint64_t size = ParseTotal(header ? *header : "").value_or(filled);
  if (filled == 0 && size <= position && !out.empty()) {
    return Status(
        StatusCode::kOutOfRange,
        fmt::format("{} at {}: it has {} bytes", range.what, position, size));
  }
  uint64_t total = filled;
  if (response.status == 206) {
    const auto found = ParseContentRange(header ? *header : "");
    if (!found || found->first != position ||
        found->last + 1 != position + filled) {
      return fault("the answer is of another range");
    }
    total = found->total;
  } else if (position != 0) {
    return fault("the server ignores ranges");
  }
  if (filled < out.size() && position + filled != total) {
    return fault(fmt::format("expected {} bytes, got {}", out.size(), filled));
  }
  const std::string* expected = response.Find(range.checksum_header);
  if (position == 0 && filled == total && expected != nullptr) {
    const std::string crc = fmt::format("{:08x}", Crc32c(out.first(filled)));
    if (crc != *expected) {
      return fault(fmt::format("arrived damaged: crc32c expected {}, found {}",
                               expected->substr(0, 8), crc));
    }
  }
  return filled;
}

}  // namespace strata
