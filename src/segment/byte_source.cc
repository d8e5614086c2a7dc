#include "segment/byte_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace strata {
namespace {

// How much of [position, position + wanted) lies below `end`.
size_t Within(uint64_t position, size_t wanted, uint64_t end) {
  return position >= end ? 0 : std::min<uint64_t>(wanted, end - position);
}

}  // namespace

Status ReadExactly(ByteSource& source, uint64_t position,
                   std::span<std::byte> out) {
  STRATA_ASSIGN_OR_RETURN(const size_t found, source.Read(position, out));
  if (found == out.size()) return Status::Ok();
  return {StatusCode::kDataLoss,
          fmt::format("segment image cut short: expected {} bytes at {}, found "
                      "{}",
                      out.size(), position, found)};
}

Result<size_t> SpanSource::Read(uint64_t position, std::span<std::byte> out) {
  const size_t n = Within(position, out.size(), image_.size());
  if (n > 0) std::ranges::copy(image_.subspan(position, n), out.begin());
  return n;
}

Result<size_t> FileSource::Read(uint64_t position, std::span<std::byte> out) {
  const size_t n = Within(position, out.size(), image_bytes_);
  if (n == 0) return size_t{0};
  return file_.Read(image_position_ + position, out.first(n));
}

}  // namespace strata
