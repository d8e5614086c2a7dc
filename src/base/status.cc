#include "strata/status.h"

namespace strata {

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return "Ok";
    case StatusCode::kInvalidArgument: return "InvalidArgument";
    case StatusCode::kNotFound: return "NotFound";
    case StatusCode::kAlreadyExists: return "AlreadyExists";
    case StatusCode::kOutOfRange: return "OutOfRange";
    case StatusCode::kConflict: return "Conflict";
    case StatusCode::kOverloaded: return "Overloaded";
    case StatusCode::kDeadlineExceeded: return "DeadlineExceeded";
    case StatusCode::kCancelled: return "Cancelled";
    case StatusCode::kNoSpace: return "NoSpace";
    case StatusCode::kUnavailable: return "Unavailable";
    case StatusCode::kUnknown: return "Unknown";
    case StatusCode::kDataLoss: return "DataLoss";
    case StatusCode::kReadOnly: return "ReadOnly";
    case StatusCode::kUnsupported: return "Unsupported";
    case StatusCode::kIoError: return "IoError";
    case StatusCode::kClosed: return "Closed";
  }
  return "InvalidCode";
}

Status::Status(StatusCode code, std::string message)
    : failure_(code == StatusCode::kOk
                   ? nullptr
                   : new Failure{.code = code, .message = std::move(message)}) {
}

Status::Status(const Status& other)
    : failure_(other.ok() ? nullptr
                          : std::make_unique<Failure>(*other.failure_)) {}

Status& Status::operator=(const Status& other) {
  if (this != &other) *this = Status(other);
  return *this;
}

const std::string& Status::message() const {
  static const std::string empty;
  return ok() ? empty : failure_->message;
}

std::string Status::ToString() const {
  std::string text(StatusCodeName(code()));
  if (!message().empty()) text.append(": ").append(message());
  return text;
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return *this;
  return Status(
      Failure{.code = code(),
              .message = std::string(context).append(": ").append(message()),
              .retry_after = retry_after()});
}

Status Status::WithRetryAfter(std::chrono::milliseconds wait) const {
  if (ok()) return *this;
  return Status(
      Failure{.code = code(), .message = message(), .retry_after = wait});
}

std::ostream& operator<<(std::ostream& out, const Status& status) {
  return out << status.ToString();
}

}  // namespace strata
