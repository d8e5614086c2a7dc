// What an answer over HTTP means, as far as the clouds agree. Pure.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "net/http.h"
#include "strata/status.h"

namespace strata {

// What was asked, as far as the meaning of an answer depends on it.
struct StoreQuestion {
  std::string what;  // "s3:bucket/key", for messages
  HttpMethod method = HttpMethod::kGet;
  bool changes = false;      // changes something at the server
  bool conditional = false;  // a Put with a precondition
};

// Of a request without a whole answer.
Status Unanswered(const StoreQuestion& question, const HttpOutcome& outcome);

// Of an HTTP status that is no success, where the server has no word for it.
// For the codes see ObjectStore.
StatusCode CodeOfHttp(int status, const StoreQuestion& question);

// The Retry-After of an answer in seconds; zero when there is none or it is a
// date.
std::chrono::milliseconds RetryAfter(const HttpResponse& response);

// What a server says, fit for a message: cut, without odd characters.
std::string ServerWords(std::string text);

// `text` without these secrets, should a server repeat them.
std::string Redacted(std::string text,
                     std::initializer_list<std::string_view> secrets);

// Whether the server's word for an error is one of these.
bool OneOf(std::string_view word, std::initializer_list<const char*> words);

// An ETag without its quotes.
std::string_view Unquoted(std::string_view etag);

}  // namespace strata
