#include "object_store/azure/azure_error.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "object_store/azure/azure_xml.h"

namespace strata {
namespace {

// By the service's word for it; kOk where that says nothing that its HTTP
// status does not.
StatusCode CodeOfWord(std::string_view code, const StoreQuestion& question) {
  if (OneOf(code, {"ServerBusy", "TooManyRequests"})) {
    return StatusCode::kOverloaded;
  }
  // Azure answers a put under If-None-Match with 409, not 412.
  if (OneOf(code, {"BlobAlreadyExists", "ConditionNotMet"})) {
    return StatusCode::kConflict;
  }
  if (code == "BlobNotFound") {
    return question.conditional ? StatusCode::kConflict : StatusCode::kNotFound;
  }
  // The bytes did not arrive as they were sent; or what was staged is gone,
  // since somebody else wrote the blob meanwhile: nothing was changed.
  if (OneOf(code, {"Md5Mismatch", "InvalidBlockList", "IncompleteBody"})) {
    return StatusCode::kUnavailable;
  }
  // For somebody to mend: the account, the container, what was made of the
  // blob by other means.
  if (OneOf(code,
            {"AccountBeingCreated", "AccountIsDisabled", "AuthenticationFailed",
             "BlobArchived", "BlobBeingRehydrated", "BlobImmutableDueToPolicy",
             "ContainerBeingDeleted", "ContainerDisabled", "ContainerNotFound",
             "InvalidAuthenticationInfo", "InvalidBlobType",
             "InvalidResourceName", "LeaseIdMissing", "ResourceNotFound",
             "SnapshotsPresent", "UnauthorizedBlobOverwrite"})) {
    return StatusCode::kIoError;
  }
  return StatusCode::kOk;
}

}  // namespace

Status AzureMeaningOf(const StoreQuestion& question,
                      const HttpOutcome& outcome) {
  if (!outcome.status.ok()) return Unanswered(question, outcome);
  const HttpResponse& response = outcome.response;
  if (response.status / 100 == 2) return Status::Ok();
  AzureErrorDocument error = ParseAzureError(response.body);
  // The only place of it in the answer to a HEAD.
  if (const std::string* word = response.Find("x-ms-error-code")) {
    error.code = *word;
  }
  StatusCode code = CodeOfWord(error.code, question);
  if (code == StatusCode::kOk) code = CodeOfHttp(response.status, question);

  std::string text =
      fmt::format("{}: {} answered {}", question.what,
                  HttpMethodName(question.method), response.status);
  if (!error.code.empty()) text += " " + ServerWords(error.code);
  if (!error.message.empty()) text += ": " + ServerWords(error.message);
  const std::string* id = response.Find("x-ms-request-id");
  if (id != nullptr) text += fmt::format(" (request {})", ServerWords(*id));
  return Status(code, std::move(text)).WithRetryAfter(RetryAfter(response));
}

}  // namespace strata
