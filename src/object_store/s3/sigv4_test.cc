#include "object_store/s3/sigv4.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "net/digest.h"
#include "testing/golden_file.h"

namespace strata {
namespace {

// One case of testing/golden/sigv4_test_suite.txt: its parts by name.
using Case = std::map<std::string, std::string>;

std::map<std::string, Case> Cases() {
  std::map<std::string, Case> cases;
  std::istringstream lines(
      ReadSourceFile("testing/golden/sigv4_test_suite.txt"));
  std::string name, part;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("=== ")) {
      name = line.substr(4);
    } else if (line.starts_with("--- ")) {
      part = line.substr(4);
    } else if (!name.empty()) {
      std::string& text = cases[name][part];
      if (!text.empty()) text += '\n';
      text += line.empty() ? "\r" : line;  // an empty line is a line
    }
  }
  for (auto& [unused, parts] : cases) {
    for (auto& [which, text] : parts) std::erase(text, '\r');
  }
  return cases;
}

QueryParameters ParseQuery(const std::string& query) {
  QueryParameters parameters;
  std::istringstream parts(query);
  for (std::string part; std::getline(parts, part, '&');) {
    const size_t equals = std::min(part.find('='), part.size());
    const size_t value = std::min(equals + 1, part.size());
    parameters.emplace_back(
        *PercentDecode(part.substr(0, equals), PlusSign::kPlus),
        *PercentDecode(part.substr(value), PlusSign::kPlus));
  }
  return parameters;
}

SignableRequest ParseRequest(const std::string& text) {
  SignableRequest request;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  request.method = line.starts_with("GET") ? "GET" : "POST";
  const size_t begin = line.find(' ') + 1;
  const std::string target = line.substr(begin, line.rfind(' ') - begin);
  const size_t query = target.find('?');
  request.path = target.substr(0, query);
  if (query != target.npos) {
    request.query = ParseQuery(target.substr(query + 1));
  }
  while (std::getline(lines, line) && !line.empty()) {
    if (line.starts_with(' ')) {  // goes on
      request.headers.back().value += "\n" + line;
      continue;
    }
    const size_t colon = line.find(':');
    request.headers.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  std::string body;
  std::getline(lines, body, '\0');
  request.payload_hash = ToHex(Sha256(AsBytes(body)));
  return request;
}

const SigningKey kKey{.access_key = "AKIDEXAMPLE",
                      .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                      .region = "us-east-1",
                      .service = "service"};

TEST(SigV4Test, PublishedVectors) {
  const auto cases = Cases();
  EXPECT_EQ(cases.size(), 27u);
  for (const auto& [name, expected] : cases) {
    const Signature signature =
        SignV4(ParseRequest(expected.at("req")), kKey, "20150830T123600Z");
    EXPECT_EQ(signature.canonical_request, expected.at("creq")) << name;
    EXPECT_EQ(signature.string_to_sign, expected.at("sts")) << name;
    EXPECT_EQ(signature.authorization, expected.at("authz")) << name;
  }
}

TEST(SigV4Test, GoogleSchemeSignsWithItsOwnNames) {
  SigningKey key = kKey;
  key.scheme = kGoogleSigning;
  const Signature signature =
      SignV4({.method = "GET", .path = "/", .headers = {{"host", "h"}}}, key,
             "20260101T000000Z");
  EXPECT_TRUE(signature.string_to_sign.starts_with(
      "GOOG4-HMAC-SHA256\n20260101T000000Z\n"
      "20260101/us-east-1/service/goog4_request\n"));
}

TEST(SigV4Test, TimestampIsUtc) {
  EXPECT_EQ(SigningTimestamp(1440938160999), "20150830T123600Z");
}

}  // namespace
}  // namespace strata
