// Whether the answer of a ranged GET is what was asked for. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/http.h"
#include "strata/status.h"

namespace strata {

struct RangeAnswer {
  std::string what;             // the object, for messages
  std::string checksum_header;  // which may have the object's CRC32C, in hex
  uint64_t position = 0;
  std::span<std::byte> out;  // filled as far as the response says
};

// How many bytes of `out` were filled: all but at the object's end. The
// checksum is compared when the range is the whole object. kUnavailable when
// the answer is cut, damaged, or of another range.
Result<size_t> CheckRange(const RangeAnswer& range,
                          const HttpResponse& response);

// All of `text` as a number.
std::optional<uint64_t> ParseDecimal(std::string_view text);

}  // namespace strata
