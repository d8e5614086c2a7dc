#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace strata {
namespace {

// ISA-L's AVX-512 code (seen in 2.30, from 256 bytes on) leaves the upper
// halves of the vector registers in use. Until they are cleared, what was
// compiled for SSE runs several times slower: the copies and locks behind a
// checksum of 1 KiB cost eight times the checksum.
#ifdef __x86_64__
__attribute__((target("avx"))) void ClearUpperHalves() { _mm256_zeroupper(); }
void LeaveVectorCode() {
  static const bool has_avx = __builtin_cpu_supports("avx") != 0;
  if (has_avx) ClearUpperHalves();
}
#else
void LeaveVectorCode() {}
#endif

}  // namespace

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
  LeaveVectorCode();
  return ~state;
}

uint32_t Crc32c(ByteSpan data) { return ExtendCrc32c(0, data); }

}  // namespace strata
