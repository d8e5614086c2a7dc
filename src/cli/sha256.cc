#include "cli/sha256.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"

namespace strata::cli {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  STRATA_CHECK(context_ != nullptr);
  STRATA_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::Update(ByteSpan bytes) {
  STRATA_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) ==
               1);
}

std::string Sha256::Hex() {
  std::array<unsigned char, 32> digest{};
  STRATA_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

void RecordDigest::Add(ByteSpan record) {
  std::array<std::byte, 8> length{};
  for (size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::byte>(uint64_t{record.size()} >> (8 * i));
  }
  hash_.Update(length);
  hash_.Update(record);
  ++records_;
  bytes_ += record.size();
}

}  // namespace strata::cli
