#include "runtime/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>

namespace strata {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

// A logger of its own: the host may use spdlog's global ones. Thread-safe.
class StderrLogSink final : public LogSink {
 public:
  StderrLogSink()
      : logger_("strata", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_level(spdlog::level::warn);
  }

  void Log(LogLevel level, std::string_view message) override {
    logger_.log(ToSpdlog(level), message);
  }

 private:
  spdlog::logger logger_;
};

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::shared_ptr<LogSink> NewStderrLogSink() {
  return std::make_shared<StderrLogSink>();
}

Logger::Logger(std::shared_ptr<LogSink> sink)
    : sink_(sink != nullptr ? std::move(sink) : NewStderrLogSink()) {}

void Logger::Write(LogLevel level, std::string message) const {
  std::ranges::replace_if(message, IsControl, ' ');
  sink_->Log(level, message);
}

}  // namespace strata
