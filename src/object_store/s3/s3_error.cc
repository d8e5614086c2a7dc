#include "object_store/s3/s3_error.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "object_store/s3/s3_xml.h"

namespace strata {
namespace {

bool TokenExpired(std::string_view code) {
  return OneOf(code, {"ExpiredToken", "ExpiredTokenException",
                      "TokenRefreshRequired", "RequestExpired"});
}

// By the server's word for it; kOk where that says nothing that its HTTP
// status does not.
StatusCode CodeOfWord(std::string_view code, const StoreQuestion& question) {
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

std::string Message(const StoreQuestion& question, const HttpResponse& response,
                    const S3ErrorDocument& error) {
  std::string text =
      fmt::format("{}: {} answered {}", question.what,
                  HttpMethodName(question.method), response.status);
  if (!error.code.empty()) text += " " + ServerWords(error.code);
  if (!error.message.empty()) text += ": " + ServerWords(error.message);
  const std::string* region = response.Find("x-amz-bucket-region");
  const std::string& at = region != nullptr ? *region : error.region;
  const bool elsewhere = response.status / 100 == 3 || !error.region.empty();
  if (elsewhere && !at.empty()) {
    text += fmt::format(" (the bucket is in region {})", ServerWords(at));
  }
  const std::string* id = response.Find("x-amz-request-id");
  const std::string& request_id = id != nullptr ? *id : error.request_id;
  if (!request_id.empty()) {
    text += fmt::format(" (request {})", ServerWords(request_id));
  }
  return text;
}

}  // namespace

S3Meaning MeaningOf(const StoreQuestion& question, const HttpOutcome& outcome) {
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
