// SharedKey: how requests to Azure Storage prove who made them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/uri.h"
#include "net/http.h"
#include "strata/types.h"

namespace strata {

// A request as it will be sent. Names and values that the URL encodes are
// signed decoded in the query and encoded in the path.
struct SharedKeyRequest {
  std::string_view method;
  std::string path;  // of the URL, encoded; the account too where it is in it
  QueryParameters query{};
  HttpHeaders headers{};  // with x-ms-date and x-ms-version
  uint64_t body_length = 0;
};

std::string SharedKeyStringToSign(const SharedKeyRequest& request,
                                  std::string_view account);

// Value of the Authorization header. `key`: the account's, decoded.
std::string SharedKeyAuthorization(const SharedKeyRequest& request,
                                   std::string_view account,
                                   std::string_view key);

// A time as the x-ms-date header has it: "Fri, 26 Jun 2015 23:39:12 GMT".
std::string HttpDate(TimestampMs time);

}  // namespace strata
