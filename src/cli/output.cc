#include "cli/output.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <cstring>

namespace strata::cli {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

Status WriteError(int error) {
  return {error == ENOSPC ? StatusCode::kNoSpace : StatusCode::kIoError,
          fmt::format("standard output: {}", std::strerror(error))};
}

}  // namespace

Status Output::Write(std::string_view text) {
  if (closed_) return Status::Ok();
  buffer_.append(text);
  return buffer_.size() < kBufferBytes ? Status::Ok() : Flush();
}

Status Output::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !closed_) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      closed_ = true;
    } else if (errno != EINTR) {
      return WriteError(errno);
    }
  }
  buffer_.clear();
  return Status::Ok();
}

void Output::Rest(std::chrono::milliseconds time) {
  // Of the end that is written only the reader's going is told.
  pollfd end{.fd = fd_, .events = 0, .revents = 0};
  if (::poll(&end, 1, static_cast<int>(time.count())) <= 0) return;
  closed_ = true;
}

Status Print(std::string_view text) {
  Output out;
  STRATA_RETURN_IF_ERROR(out.Write(text));
  return out.Flush();
}

}  // namespace strata::cli
