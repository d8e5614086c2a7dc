// CRC32C (Castagnoli), the checksum of every Strata format and of Kafka's
// record batches. Crc32c of "123456789" is 0xe3069283.
#pragma once

#include <cstdint>

#include "strata/types.h"

namespace strata {

// The CRC32C of `data`. Runs at memory speed (ISA-L).
uint32_t Crc32c(ByteSpan data);

// The CRC32C of a ++ data, where `crc` is the CRC32C of a.
uint32_t ExtendCrc32c(uint32_t crc, ByteSpan data);

}  // namespace strata
