// S3Options: where a bucket is and how objects are put there.
#pragma once

#include <cstdint>
#include <string>

#include "strata/status.h"

namespace strata {

enum class S3Dialect : uint8_t {
  kAws,     // AWS, and those that are like it: MinIO, Ceph, R2
  kGoogle,  // the XML API of Google Cloud Storage, with an HMAC key
};

struct S3Options {
  S3Dialect dialect = S3Dialect::kAws;
  // "https://host[:port]". Empty: the cloud's own for the region.
  std::string endpoint{};
  std::string region = "us-east-1";
  std::string bucket{};
  // The bucket in the path rather than in front of the host.
  bool path_style = false;

  // "", "AES256" or "aws:kms"; the last with a key id or the account's own.
  std::string server_side_encryption{};
  std::string kms_key_id{};
  std::string storage_class{};  // "" for the bucket's

  // Unconditional puts above this size are sent in parts of at least
  // `part_bytes` (S3 wants 5 MiB), `parts_at_once` at the same time.
  uint64_t multipart_above_bytes = uint64_t{16} << 20;
  uint64_t part_bytes = uint64_t{16} << 20;
  uint32_t parts_at_once = 4;
};

// S3's own limit for one request.
inline constexpr uint64_t kMaxS3SinglePutBytes = uint64_t{5} << 30;

// kInvalidArgument naming the first option that cannot be; Ok otherwise.
Status CheckS3Options(const S3Options& options);
// Where the cloud itself is, for the region.
std::string DefaultS3Endpoint(const S3Options& options);

}  // namespace strata
