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
struct evp_md_st;

namespace strata {

using Sha256Digest = std::array<std::byte, 32>;
using Md5Digest = std::array<std::byte, 16>;

Sha256Digest Sha256(ByteSpan data);
Sha256Digest HmacSha256(ByteSpan key, ByteSpan data);

// Where a protocol asks for it: S3 names the content of objects by it, Azure
// checks what it is sent.
Md5Digest Md5(ByteSpan data);

// A digest of what comes in pieces. Thread-compatible.
class DigestStream {
 public:
  void Update(ByteSpan data);

 protected:
  explicit DigestStream(const evp_md_st* algorithm);
  void FinishInto(std::byte* digest);  // once

 private:
  struct Deleter {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Deleter> context_;
};

class Sha256Stream : public DigestStream {
 public:
  Sha256Stream();
  Sha256Digest Finish();  // once
};

class Md5Stream : public DigestStream {
 public:
  Md5Stream();
  Md5Digest Finish();  // once
};

// Lower case.
std::string ToHex(ByteSpan data);
// Nothing unless `text` is pairs of hex digits.
std::optional<std::string> FromHex(std::string_view text);
std::string ToBase64(ByteSpan data);
// Nothing unless `text` is base64 with its padding.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace strata
