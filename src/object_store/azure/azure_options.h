// AzureOptions: where a container is and how blobs are put there.
#pragma once

#include <cstdint>
#include <string>

#include "object_store/azure/azure_account.h"
#include "strata/status.h"

namespace strata {

struct AzureOptions {
  AzureAccount account{};
  std::string container{};

  // Puts above this size are sent in blocks of at least `block_bytes`,
  // `blocks_at_once` at the same time.
  uint64_t blocks_above_bytes = uint64_t{16} << 20;
  uint64_t block_bytes = uint64_t{16} << 20;
  uint32_t blocks_at_once = 4;
};

// Azure's own limits.
inline constexpr uint64_t kMaxAzurePutBytes = uint64_t{5000} << 20;
inline constexpr uint64_t kMaxAzureBlockBytes = uint64_t{4000} << 20;
inline constexpr uint64_t kMaxAzureBlocks = 50'000;

// kInvalidArgument naming the first option that cannot be; Ok otherwise.
Status CheckAzureOptions(const AzureOptions& options);

}  // namespace strata
