// Status and Result: how every Strata call reports failure.
//
// Nothing is thrown across the API. A call that can fail returns a Status, or
// a Result<T> that holds either a T or the Status that explains its absence.
// Both are [[nodiscard]]: dropping one is a compile error in our build.
//
//   strata::Result<strata::AppendResult> r = storage->Append(tp, request);
//   if (!r.ok()) {
//     if (r.status().code() == strata::StatusCode::kOverloaded) Retry();
//     else Fail(r.status().ToString());
//   }
#pragma once

#include <chrono>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace strata {

// Few codes; each is defined by what the caller does next. The message names
// what, where, what was expected and what was found.
enum class StatusCode {
  kOk = 0,
  // The call itself is wrong; repeating it unchanged fails again. Fix the call.
  kInvalidArgument,
  // The named thing does not exist. Create it, or ask for another.
  kNotFound,
  // The thing to be created exists already. Use it, or choose another name.
  kAlreadyExists,
  // The offset lies outside [log start, log end). Ask Bounds and go on there.
  kOutOfRange,
  // A precondition (expected offset, object version, epoch) did not hold, or
  // another process has the store open. Nothing was changed. Read the current
  // state and decide again.
  kConflict,
  // A limit is reached (memory, queue, WAL length, views held). Nothing was
  // changed. Wait, release views, or try again later.
  kOverloaded,
  // The deadline passed before the outcome was known to be success. For calls
  // that change something the change may still happen: read back.
  kDeadlineExceeded,
  // The caller asked to stop (a std::stop_token).
  kCancelled,
  // A disk is full. Trim, delete, offload or demote; those still work.
  kNoSpace,
  // Something outside (the object store) does not answer now. Retry later with
  // backoff.
  kUnavailable,
  // The outcome is unknown: the change may or may not have happened. Both
  // copies are kept. Read back before repeating.
  kUnknown,
  // Bytes that were acknowledged are damaged or missing. The message names
  // file, position, expected and found. Intact data stays readable.
  kDataLoss,
  // The store, or this partition, takes no more writes in this state; the
  // message says why and what mends it (reopen, repair).
  kReadOnly,
  // A newer format, or a feature that this build lacks. Use another build.
  kUnsupported,
  // The operating system or the object store refused an operation, which says
  // nothing about the bytes (permission, too many open files, an I/O error on
  // open; credentials, no such bucket, a certificate). Mend that first.
  kIoError,
  // The store is shut down. Open it again.
  kClosed,
};

// The code's name without its k, for example "DataLoss". Never empty.
std::string_view StatusCodeName(StatusCode code);

// Thread-compatible value. Success carries no message; it is one null pointer.
class [[nodiscard]] Status {
 public:
  Status() = default;
  // With kOk the message is dropped.
  Status(StatusCode code, std::string message);
  Status(const Status& other);
  Status& operator=(const Status& other);
  // A Status that was moved from is Ok.
  Status(Status&&) = default;
  Status& operator=(Status&&) = default;

  static Status Ok() { return {}; }

  bool ok() const { return failure_ == nullptr; }
  StatusCode code() const { return ok() ? StatusCode::kOk : failure_->code; }
  // Valid as long as this; empty for success.
  const std::string& message() const;

  // "DataLoss: wal/00000000000000000007.wal at 4096: ..."; "Ok" for success.
  std::string ToString() const;

  // The same code with "context: " in front of the message; Ok stays Ok.
  Status WithContext(std::string_view context) const;

  // How long the other side asked to be left alone; zero if it did not say.
  // Copies and WithContext keep it.
  std::chrono::milliseconds retry_after() const {
    return ok() ? std::chrono::milliseconds(0) : failure_->retry_after;
  }
  Status WithRetryAfter(std::chrono::milliseconds wait) const;

  friend bool operator==(const Status& a, const Status& b) {
    return a.code() == b.code() && a.message() == b.message() &&
           a.retry_after() == b.retry_after();
  }

 private:
  struct Failure {
    StatusCode code;
    std::string message;
    std::chrono::milliseconds retry_after{0};
  };
  explicit Status(Failure failure)
      : failure_(std::make_unique<const Failure>(std::move(failure))) {}
  std::unique_ptr<const Failure> failure_;
};

std::ostream& operator<<(std::ostream& out, const Status& status);

// Either a T or a Status that is not Ok. Reading the value of a failed Result
// is a bug of the caller and ends the process.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT
  Result(Status status)                                      // NOLINT
      : state_(std::in_place_index<1>, std::move(status)) {
    if (std::get<1>(state_).ok()) std::abort();
  }

  bool ok() const { return state_.index() == 0; }

  // Ok when there is a value.
  Status status() const& { return ok() ? Status() : std::get<1>(state_); }
  Status status() && {
    return ok() ? Status() : std::move(std::get<1>(state_));
  }

  T& value() & { return Checked(); }
  const T& value() const& { return const_cast<Result*>(this)->Checked(); }
  T&& value() && { return std::move(Checked()); }

  T& operator*() & { return Checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(Checked()); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &value(); }

 private:
  T& Checked() {
    if (!ok()) std::abort();
    return std::get<0>(state_);
  }

  std::variant<T, Status> state_;
};

}  // namespace strata

// Returns the Status of `expr` from the enclosing function unless it is Ok.
#define STRATA_RETURN_IF_ERROR(expr)                 \
  do {                                               \
    ::strata::Status strata_status_ = (expr);        \
    if (!strata_status_.ok()) return strata_status_; \
  } while (false)

#define STRATA_CONCAT_INNER_(a, b) a##b
#define STRATA_CONCAT_(a, b) STRATA_CONCAT_INNER_(a, b)
#define STRATA_ASSIGN_OR_RETURN_(temp, lhs, expr)  \
  auto temp = (expr);                              \
  if (!temp.ok()) return std::move(temp).status(); \
  lhs = *std::move(temp)

// `STRATA_ASSIGN_OR_RETURN(auto x, F());` assigns the value of F() to x, or
// returns its Status from the enclosing function.
#define STRATA_ASSIGN_OR_RETURN(lhs, expr) \
  STRATA_ASSIGN_OR_RETURN_(STRATA_CONCAT_(strata_result_, __LINE__), lhs, expr)
