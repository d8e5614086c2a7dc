#include "object_store/s3/sigv4.h"

#include <fmt/format.h>

#include <cctype>
#include <ctime>
#include <map>

#include "net/digest.h"

namespace strata {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

// Without spaces around, runs of spaces within as one.
std::string Collapse(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

Sha256Digest SecretOf(const SigningKey& key, std::string_view date) {
  const std::string start = std::string(key.scheme.key_prefix) + key.secret_key;
  Sha256Digest secret = HmacSha256(AsBytes(start), AsBytes(date));
  for (std::string_view part :
       {std::string_view(key.region), std::string_view(key.service),
        key.scheme.terminator}) {
    secret = HmacSha256(secret, AsBytes(part));
  }
  return secret;
}

}  // namespace

Signature SignV4(const SignableRequest& request, const SigningKey& key,
                 std::string_view timestamp) {
  // Several of one name become one, values in the order given.
  std::map<std::string, std::string> headers;
  for (const HttpHeader& header : request.headers) {
    std::string value = Collapse(header.value);
    const auto [it, added] = headers.try_emplace(Lower(header.name), value);
    if (!added) it->second += "," + value;
  }
  std::string lines;
  std::string names;
  for (const auto& [name, value] : headers) {
    lines += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }

  Signature signature;
  signature.canonical_request = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}", request.method, PercentEncodePath(request.path),
      EncodeQuery(request.query), lines, names, request.payload_hash);
  const std::string_view date = timestamp.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/{}", date, key.region,
                                        key.service, key.scheme.terminator);
  signature.string_to_sign =
      fmt::format("{}\n{}\n{}\n{}", key.scheme.algorithm, timestamp, scope,
                  ToHex(Sha256(AsBytes(signature.canonical_request))));
  signature.authorization =
      fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                  key.scheme.algorithm, key.access_key, scope, names,
                  ToHex(HmacSha256(SecretOf(key, date),
                                   AsBytes(signature.string_to_sign))));
  return signature;
}

std::string SigningTimestamp(TimestampMs time) {
  const std::time_t seconds = time / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                     utc.tm_sec);
}

}  // namespace strata
