// LogSink: where Strata's log lines go. Give one in OpenOptions to send them
// into the host's own log.
#pragma once

#include <string_view>

namespace strata {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Thread-safe. Called from any thread of the store, never under a lock of
// ours, and never again once Open's storage is destroyed.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // `message` is one line without a newline, valid during the call.
  virtual void Log(LogLevel level, std::string_view message) = 0;
};

}  // namespace strata
