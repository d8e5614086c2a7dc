// Digests and encodings that clouds sign requests with, on OpenSSL. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "strata/types.h"

struct evp_md_ctx_st;

namespace strata {

using Sha256Digest = std::array<std::byte, 32>;

Sha256Digest Sha256(ByteSpan data);
Sha256Digest HmacSha256(ByteSpan key, ByteSpan data);

// Where a protocol asks for it: S3 names the content of objects by it.
std::array<std::byte, 16> Md5(ByteSpan data);

// SHA-256 of what comes in pieces. Thread-compatible.
class Sha256Stream {
 public:
  Sha256Stream();
  void Update(ByteSpan data);
  Sha256Digest Finish();  // once

 private:
  struct Deleter {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Deleter> context_;
};

// Lower case.
std::string ToHex(ByteSpan data);
// Nothing unless `text` is pairs of hex digits.
std::optional<std::string> FromHex(std::string_view text);
std::string ToBase64(ByteSpan data);
// Nothing unless `text` is base64 with its padding.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace strata
