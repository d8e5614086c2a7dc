// LineReader: the lines of a file or of standard input, any bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "strata/status.h"

namespace strata::cli {

// Owned by one thread.
class LineReader {
 public:
  using Clock = std::chrono::steady_clock;

  struct Event {
    // kIdle: no line is whole yet, and the time to wait is over or a signal
    // has come.
    enum class Kind { kLine, kIdle, kEnd } kind = Kind::kEnd;
    // Without its newline, valid until the next call. A last line without a
    // newline is a line, too.
    std::string_view line{};
  };

  // "" or "-" is standard input. kNotFound, kIoError naming the file.
  static Result<std::unique_ptr<LineReader>> Open(const std::string& path,
                                                  uint64_t max_line_bytes);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // Waits for a line until `deadline`. kInvalidArgument naming the line's
  // number when it is longer than max_line_bytes; kIoError.
  Result<Event> Next(Clock::time_point deadline);

  // Whether the input is a file, all of which is there, and not a stream, in
  // which lines may be long in coming.
  bool is_file() const { return is_file_; }

  // Bytes of the file; 0 where that cannot be told.
  uint64_t size_bytes() const { return size_bytes_; }
  // Of them, those read as lines.
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  LineReader(std::string name, int fd, uint64_t max_line_bytes);
  Result<bool> Fill(Clock::time_point deadline);  // false: nothing came
  // The next `length` bytes as a line that ends with `newline` bytes more.
  Result<Event> Take(size_t length, size_t newline);

  const std::string name_;
  const int fd_;
  const uint64_t max_line_bytes_;
  bool is_file_ = false;
  uint64_t size_bytes_ = 0;
  uint64_t bytes_read_ = 0;
  uint64_t lines_ = 0;
  std::string buffer_;
  size_t begin_ = 0;    // of what is not yet read as lines
  size_t scanned_ = 0;  // no newline between begin_ and here
  bool ended_ = false;
};

}  // namespace strata::cli
