#include "object_store/s3/s3_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "object_store/s3/s3_xml.h"

namespace strata {
namespace {

constexpr size_t kMaxServerWords = 300;

bool OneOf(std::string_view code, std::initializer_list<const char*> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

std::string Printable(std::string text) {
  text.resize(std::min(text.size(), kMaxServerWords));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

bool TokenExpired(std::string_view code) {
  return OneOf(code, {"ExpiredToken", "ExpiredTokenException",
                      "TokenRefreshRequired", "RequestExpired"});
}

// By the server's word for it; kOk where that says nothing that its HTTP
// status does not.
StatusCode CodeOfWord(std::string_view code, const S3Question& question) {
  if (OneOf(code,
            {"SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling",
             "ThrottlingException", "RequestLimitExceeded", "RequestThrottled",
             "TooManyRequests", "ServerBusy", "ServiceUnavailable"})) {
    return StatusCode::kOverloaded;
  }
  if (code == "NoSuchKey") {
    return question.conditional ? StatusCode::kConflict : StatusCode::kNotFound;
  }
  // Of a part, or of the end of an upload that was already done or given up.
  if (code == "NoSuchUpload") return StatusCode::kUnavailable;
  if (OneOf(code, {"NoSuchBucket", "RequestTimeTooSkewed",
                   "AuthorizationHeaderMalformed", "InvalidBucketName"})) {
    return StatusCode::kIoError;
  }
  // The bytes did not arrive as they were sent, or too slowly; two conditional
  // writes met and neither was done.
  if (OneOf(code, {"BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody",
                   "RequestTimeout", "ConditionalRequestConflict",
                   "OperationAborted"})) {
    return StatusCode::kUnavailable;
  }
  return StatusCode::kOk;
}

StatusCode CodeOfHttp(int status, const S3Question& question) {
  switch (status) {
    case 404:
      if (question.conditional) return StatusCode::kConflict;
      return question.changes ? StatusCode::kIoError : StatusCode::kNotFound;
    case 408: return StatusCode::kUnavailable;
    case 409: return StatusCode::kUnavailable;
    case 412: return StatusCode::kConflict;
    case 416: return StatusCode::kOutOfRange;
    case 429: return StatusCode::kOverloaded;
    // Without a word of S3's it may be a proxy that did not wait long enough.
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

// Of a request without a whole answer.
Status Unanswered(const S3Question& question, const HttpOutcome& outcome) {
  if (!question.changes || !outcome.may_have_reached) {
    return outcome.status.WithContext(question.what);
  }
  return Status(StatusCode::kUnknown, outcome.status.message())
      .WithContext(question.what);
}

std::string Message(const S3Question& question, const HttpResponse& response,
                    const S3ErrorDocument& error) {
  std::string text =
      fmt::format("{}: {} answered {}", question.what,
                  HttpMethodName(question.method), response.status);
  if (!error.code.empty()) text += " " + Printable(error.code);
  if (!error.message.empty()) text += ": " + Printable(error.message);
  const std::string* region = response.Find("x-amz-bucket-region");
  const std::string& at = region != nullptr ? *region : error.region;
  const bool elsewhere = response.status / 100 == 3 || !error.region.empty();
  if (elsewhere && !at.empty()) {
    text += fmt::format(" (the bucket is in region {})", Printable(at));
  }
  const std::string* id = response.Find("x-amz-request-id");
  const std::string& request_id = id != nullptr ? *id : error.request_id;
  if (!request_id.empty()) {
    text += fmt::format(" (request {})", Printable(request_id));
  }
  return text;
}

}  // namespace

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

S3Meaning MeaningOf(const S3Question& question, const HttpOutcome& outcome) {
  if (!outcome.status.ok()) return {.status = Unanswered(question, outcome)};
  const HttpResponse& response = outcome.response;
  const auto document = ParseS3Error(response.body);
  // An upload can be refused with 200 when its end takes long.
  if (response.status / 100 == 2 && !document) return {};
  const S3ErrorDocument error = document.value_or(S3ErrorDocument{});

  S3Meaning meaning;
  StatusCode code = CodeOfWord(error.code, question);
  if (code == StatusCode::kOk) {
    const bool late_error = response.status / 100 == 2;
    code = CodeOfHttp(late_error ? 500 : response.status, question);
  }
  meaning.token_expired = TokenExpired(error.code);
  if (meaning.token_expired) code = StatusCode::kIoError;
  meaning.status = Status(code, Message(question, response, error))
                       .WithRetryAfter(RetryAfter(response));
  return meaning;
}

}  // namespace strata
