#include "net/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"

namespace strata {
namespace {

const unsigned char* Raw(ByteSpan data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

unsigned char* Raw(Sha256Digest& digest) {
  return reinterpret_cast<unsigned char*>(digest.data());
}

// OpenSSL 3 looks an algorithm up anew wherever it is named; once is enough.
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* const algorithm =
      EVP_MD_fetch(nullptr, "SHA256", nullptr);
  STRATA_CHECK(algorithm != nullptr);
  return algorithm;
}

}  // namespace

Sha256Digest Sha256(ByteSpan data) {
  Sha256Digest digest;
  STRATA_CHECK(EVP_Digest(data.data(), data.size(), Raw(digest), nullptr,
                          Sha256Algorithm(), nullptr) == 1);
  return digest;
}

Sha256Digest HmacSha256(ByteSpan key, ByteSpan data) {
  Sha256Digest digest;
  STRATA_CHECK(HMAC(Sha256Algorithm(), key.data(), static_cast<int>(key.size()),
                    Raw(data), data.size(), Raw(digest), nullptr) != nullptr);
  return digest;
}

Md5Digest Md5(ByteSpan data) {
  Md5Digest digest;
  STRATA_CHECK(EVP_Digest(data.data(), data.size(),
                          reinterpret_cast<unsigned char*>(digest.data()),
                          nullptr, EVP_md5(), nullptr) == 1);
  return digest;
}

void DigestStream::Deleter::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

DigestStream::DigestStream(const evp_md_st* algorithm)
    : context_(EVP_MD_CTX_new()) {
  STRATA_CHECK(context_ != nullptr);
  STRATA_CHECK(EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
}

void DigestStream::Update(ByteSpan data) {
  STRATA_CHECK(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
}

void DigestStream::FinishInto(std::byte* digest) {
  STRATA_CHECK(EVP_DigestFinal_ex(context_.get(),
                                  reinterpret_cast<unsigned char*>(digest),
                                  nullptr) == 1);
}

Sha256Stream::Sha256Stream() : DigestStream(Sha256Algorithm()) {}

Sha256Digest Sha256Stream::Finish() {
  Sha256Digest digest;
  FinishInto(digest.data());
  return digest;
}

Md5Stream::Md5Stream() : DigestStream(EVP_md5()) {}

Md5Digest Md5Stream::Finish() {
  Md5Digest digest;
  FinishInto(digest.data());
  return digest;
}

std::string ToHex(ByteSpan data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * data.size());
  for (std::byte b : data) {
    const auto byte = std::to_integer<unsigned>(b);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::optional<std::string> FromHex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef0123456789ABCDEF";
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const size_t high = kDigits.find(text[i]);
    const size_t low = kDigits.find(text[i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) return std::nullopt;
    out.push_back(static_cast<char>((high % 16) << 4 | low % 16));
  }
  return out;
}

std::string ToBase64(ByteSpan data) {
  std::string out((data.size() + 2) / 3 * 4 + 1, '\0');  // and OpenSSL's NUL
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                Raw(data), static_cast<int>(data.size()));
  out.resize(static_cast<size_t>(n));
  return out;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int n =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  size_t padding = 0;  // which OpenSSL counts as bytes
  while (padding < 2 && text.size() > padding &&
         text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  out.resize(static_cast<size_t>(n) - padding);
  return out;
}

}  // namespace strata
