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

std::string Status::ToString() const {
  std::string text(StatusCodeName(code_));
  if (!message_.empty()) text.append(": ").append(message_);
  return text;
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return *this;
  Status in_context = *this;
  in_context.message_ = std::string(context) + ": " + message_;
  return in_context;
}

Status Status::WithRetryAfter(std::chrono::milliseconds wait) const {
  Status waiting = *this;
  waiting.retry_after_ = wait;
  return waiting;
}

std::ostream& operator<<(std::ostream& out, const Status& status) {
  return out << status.ToString();
}

}  // namespace strata
