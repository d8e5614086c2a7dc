// Output: standard output, buffered, every write checked.
#pragma once

#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

#include "strata/status.h"

namespace strata::cli {

// Owned by one thread. Flush before the end: what is buffered at destruction
// is dropped.
class Output {
 public:
  explicit Output(int fd = STDOUT_FILENO) : fd_(fd) {}

  // kIoError, kNoSpace when the buffer had to be written and could not. A pipe
  // closed by its reader is no error: closed() tells, the rest is dropped.
  Status Write(std::string_view text);
  Status Flush();

  // Sleeps; shorter when the reader goes or a signal comes.
  void Rest(std::chrono::milliseconds time);

  // The reader has gone: stop.
  bool closed() const { return closed_; }

 private:
  int fd_;
  bool closed_ = false;
  std::string buffer_;
};

// Writes `text` and flushes.
Status Print(std::string_view text);

}  // namespace strata::cli
