#include "cli/line_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace strata::cli {
namespace {

constexpr size_t kReadBytes = 256 * 1024;

Status Failed(const std::string& name, int error) {
  return {error == ENOENT ? StatusCode::kNotFound : StatusCode::kIoError,
          fmt::format("{}: {}", name, std::strerror(error))};
}

}  // namespace

LineReader::LineReader(std::string name, int fd, uint64_t max_line_bytes)
    : name_(std::move(name)), fd_(fd), max_line_bytes_(max_line_bytes) {}

LineReader::~LineReader() {
  if (fd_ != STDIN_FILENO) ::close(fd_);
}

Result<std::unique_ptr<LineReader>> LineReader::Open(const std::string& path,
                                                     uint64_t max_line_bytes) {
  const bool standard = path.empty() || path == "-";
  const std::string name = standard ? "standard input" : path;
  const int fd =
      standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed(name, errno);
  std::unique_ptr<LineReader> reader(new LineReader(name, fd, max_line_bytes));
  struct stat info{};
  if (::fstat(fd, &info) != 0) return Failed(name, errno);
  if (S_ISDIR(info.st_mode)) return Failed(name, EISDIR);
  if (S_ISREG(info.st_mode)) {
    reader->is_file_ = true;
    reader->size_bytes_ = static_cast<uint64_t>(info.st_size);
  }
  return reader;
}

Result<LineReader::Event> LineReader::Next(Clock::time_point deadline) {
  bool in_time = true;
  for (;;) {
    const size_t newline = buffer_.find('\n', scanned_);
    if (newline != std::string::npos) return Take(newline - begin_, 1);
    scanned_ = buffer_.size();
    const size_t rest = buffer_.size() - begin_;
    if (ended_ && rest == 0) return Event{Event::Kind::kEnd};
    if (ended_ || rest > max_line_bytes_) return Take(rest, 0);
    if (!in_time) return Event{Event::Kind::kIdle};
    STRATA_ASSIGN_OR_RETURN(const bool filled, Fill(deadline));
    in_time = filled && Clock::now() < deadline;
  }
}

Result<bool> LineReader::Fill(Clock::time_point deadline) {
  pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      std::max(deadline - Clock::now(), Clock::duration(0)));
  // Interrupted by a signal: the caller looks at that when idle.
  if (::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  const size_t held = buffer_.size();
  buffer_.resize(held + kReadBytes);
  const ssize_t got = ::read(fd_, buffer_.data() + held, kReadBytes);
  buffer_.resize(held + static_cast<size_t>(got > 0 ? got : 0));
  if (got < 0 && errno == EINTR) return false;
  if (got < 0) return Failed(name_, errno);
  ended_ = got == 0;
  return true;
}

Result<LineReader::Event> LineReader::Take(size_t length, size_t newline) {
  ++lines_;
  if (length > max_line_bytes_) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: line {} is longer than {} bytes", name_,
                              lines_, max_line_bytes_));
  }
  const std::string_view line(buffer_.data() + begin_, length);
  begin_ += length + newline;
  scanned_ = begin_;
  bytes_read_ += length + newline;
  return Event{Event::Kind::kLine, line};
}

}  // namespace strata::cli
