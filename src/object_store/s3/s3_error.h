// What an answer of S3 means: HTTP status and error code to Status. Pure.
#pragma once

#include "net/http.h"
#include "object_store/http_meaning.h"
#include "strata/status.h"

namespace strata {

struct S3Meaning {
  Status status;               // Ok for 2xx
  bool token_expired = false;  // credentials to be asked for anew
};

// For the codes see ObjectStore. Messages have the server's code, its words
// (cut), and the request's id.
S3Meaning MeaningOf(const StoreQuestion& question, const HttpOutcome& outcome);

}  // namespace strata
