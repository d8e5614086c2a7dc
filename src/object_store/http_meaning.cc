#include "object_store/http_meaning.h"

#include <algorithm>
#include <charconv>

namespace strata {
namespace {

constexpr size_t kMaxServerWords = 300;

}  // namespace

Status Unanswered(const StoreQuestion& question, const HttpOutcome& outcome) {
  if (!question.changes || !outcome.may_have_reached) {
    return outcome.status.WithContext(question.what);
  }
  return Status(StatusCode::kUnknown, outcome.status.message())
      .WithContext(question.what);
}

StatusCode CodeOfHttp(int status, const StoreQuestion& question) {
  switch (status) {
    case 404:
      if (question.conditional) return StatusCode::kConflict;
      return question.changes ? StatusCode::kIoError : StatusCode::kNotFound;
    case 408: return StatusCode::kUnavailable;
    case 409: return StatusCode::kUnavailable;
    case 412: return StatusCode::kConflict;
    case 416: return StatusCode::kOutOfRange;
    case 429: return StatusCode::kOverloaded;
    // Without a word of the store's it may be a proxy that did not wait long
    // enough.
    case 503:
      return question.conditional ? StatusCode::kUnknown
                                  : StatusCode::kOverloaded;
    case 501: return StatusCode::kUnsupported;
    default: break;
  }
  if (status == 401 || status == 403) return StatusCode::kIoError;
  if (status >= 300 && status < 400) return StatusCode::kIoError;
  if (status >= 400 && status < 500) return StatusCode::kInvalidArgument;
  // A server that failed may have done it before.
  return question.changes ? StatusCode::kUnknown : StatusCode::kUnavailable;
}

std::chrono::milliseconds RetryAfter(const HttpResponse& response) {
  constexpr uint32_t kMaxSeconds = 3600;
  const std::string* value = response.Find("retry-after");
  uint32_t seconds = 0;
  if (value == nullptr ||
      std::from_chars(value->data(), value->data() + value->size(), seconds)
              .ec != std::errc()) {
    return std::chrono::milliseconds(0);
  }
  return std::chrono::seconds(std::min(seconds, kMaxSeconds));
}

std::string ServerWords(std::string text) {
  text.resize(std::min(text.size(), kMaxServerWords));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string Redacted(std::string text,
                     std::initializer_list<std::string_view> secrets) {
  for (std::string_view secret : secrets) {
    if (secret.empty()) continue;
    for (size_t at = 0; (at = text.find(secret, at)) != text.npos;) {
      text.replace(at, secret.size(), "...");
    }
  }
  return text;
}

bool OneOf(std::string_view word, std::initializer_list<const char*> words) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view Unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) {
    return etag.substr(1, etag.size() - 2);
  }
  return etag;
}

}  // namespace strata
