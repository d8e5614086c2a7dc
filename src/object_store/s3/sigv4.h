// Signature Version 4: how requests to S3, and to those that speak like it,
// prove who made them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/uri.h"
#include "net/http.h"
#include "strata/types.h"

namespace strata {

// What differs between clouds that sign the same way.
struct SigningScheme {
  std::string_view algorithm;      // "AWS4-HMAC-SHA256"
  std::string_view key_prefix;     // "AWS4"
  std::string_view terminator;     // "aws4_request"
  std::string_view header_prefix;  // "x-amz-"
};
inline constexpr SigningScheme kAwsSigning{"AWS4-HMAC-SHA256", "AWS4",
                                           "aws4_request", "x-amz-"};
inline constexpr SigningScheme kGoogleSigning{"GOOG4-HMAC-SHA256", "GOOG4",
                                              "goog4_request", "x-goog-"};

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct SigningKey {
  SigningScheme scheme = kAwsSigning;
  std::string access_key;
  std::string secret_key;
  std::string region;
  std::string service;
};

// A request as it will be sent. The path is taken as it is: S3 encodes each
// byte once and normalises nothing.
struct SignableRequest {
  std::string_view method;
  std::string path;  // not encoded
  QueryParameters query{};
  HttpHeaders headers{};  // all are signed; with Host and the date
  std::string payload_hash{};
};

struct Signature {
  std::string canonical_request;
  std::string string_to_sign;
  std::string authorization;  // value of that header
};

// `timestamp` as in the date header: "20150830T123600Z".
Signature SignV4(const SignableRequest& request, const SigningKey& key,
                 std::string_view timestamp);

// A time as the date header has it.
std::string SigningTimestamp(TimestampMs time);

}  // namespace strata
