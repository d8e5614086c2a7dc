#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace strata {

uint32_t ExtendCrc32c(uint32_t crc, ByteSpan data) {
  // ISA-L takes an int length and neither pre- nor post-inverts.
  constexpr size_t kPiece = size_t{1} << 30;
  uint32_t state = ~crc;
  while (!data.empty()) {
    const size_t n = std::min(data.size(), kPiece);
    auto* bytes = const_cast<unsigned char*>(
        reinterpret_cast<const unsigned char*>(data.data()));
    state = crc32_iscsi(bytes, static_cast<int>(n), state);
    data = data.subspan(n);
  }
  return ~state;
}

uint32_t Crc32c(ByteSpan data) { return ExtendCrc32c(0, data); }

}  // namespace strata
