// What an answer of S3 means: HTTP status and error code to Status. Pure.
#pragma once

#include <string>
#include <string_view>

#include "net/http.h"
#include "strata/status.h"

namespace strata {

// What was asked, as far as the meaning of an answer depends on it.
struct S3Question {
  std::string what;  // "s3:bucket/key", for messages
  HttpMethod method = HttpMethod::kGet;
  bool changes = false;      // changes something at the server
  bool conditional = false;  // a Put with a precondition
};

struct S3Meaning {
  Status status;               // Ok for 2xx
  bool token_expired = false;  // credentials to be asked for anew
};

// For the codes see ObjectStore. Messages have the server's code, its words
// (cut), and the request's id.
S3Meaning MeaningOf(const S3Question& question, const HttpOutcome& outcome);

// The Retry-After of an answer in seconds; zero when there is none or it is a
// date.
std::chrono::milliseconds RetryAfter(const HttpResponse& response);

}  // namespace strata
