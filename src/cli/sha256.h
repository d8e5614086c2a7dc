// Sha256 and RecordDigest: how the demo tells that it got back what it gave.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <string>

#include "strata/types.h"

namespace strata::cli {

// Thread-compatible.
class Sha256 {
 public:
  Sha256();
  void Update(ByteSpan bytes);
  // 64 lower-case hex digits of all bytes so far. Call once, at the end.
  std::string Hex();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// Count and SHA-256 of a sequence of records: over the length (8 bytes, little
// endian) and the bytes of each, so that no record can lend bytes to another.
// Thread-compatible.
class RecordDigest {
 public:
  void Add(ByteSpan record);
  uint64_t records() const { return records_; }
  uint64_t bytes() const { return bytes_; }
  // Call once, at the end.
  std::string Hex() { return hash_.Hex(); }

 private:
  Sha256 hash_;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace strata::cli
