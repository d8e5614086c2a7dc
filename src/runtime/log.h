// Logger: how the engine writes a log line. Formats are checked at compile
// time; where lines go is the host's choice (include/strata/logging.h).
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "strata/logging.h"

namespace strata {

// Warnings and errors go to standard error, the rest nowhere. Thread-safe.
std::shared_ptr<LogSink> NewStderrLogSink();

// Thread-safe; cheap to copy. Log where a failure is handled, once, and never
// under a lock.
class Logger {
 public:
  // Without a sink: NewStderrLogSink.
  explicit Logger(std::shared_ptr<LogSink> sink = nullptr);

  template <typename... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void Info(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void Warning(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void Error(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  // Control characters become spaces: a hostile name in a message must not
  // begin a line of its own.
  void Write(LogLevel level, std::string message) const;

  std::shared_ptr<LogSink> sink_;
};

}  // namespace strata
