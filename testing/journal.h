// Journal: what a simulation did, kept for the report of a failure.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>

#include "runtime/xoshiro.h"
#include "strata/logging.h"

namespace strata {

// Also takes the log lines of the store. Owned by one thread.
class Journal final : public LogSink {
 public:
  // `verbose`: lines go to standard error as they come.
  explicit Journal(bool verbose) : verbose_(verbose) {}

  void Note(std::string line) {
    for (const char c : line) {
      hash_ ^= static_cast<uint8_t>(c);
      hash_ = SplitMix64(hash_);
    }
    if (verbose_) fmt::print(stderr, "{}\n", line);
    lines_.push_back(std::move(line));
    if (lines_.size() > kLines) lines_.pop_front();
  }

  void Log(LogLevel level, std::string_view message) override {
    if (level < LogLevel::kWarning && !verbose_) return;
    Note(fmt::format("        log: {}", message));
  }

  // The first failure counts.
  void Fail(std::string what) {
    if (failed()) return;
    Note("FAILED: " + what);
    failure_ = std::move(what);
  }
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

  // The last lines.
  std::string Lines() const {
    std::string text;
    for (const std::string& line : lines_) text += "  " + line + "\n";
    return text;
  }
  // Equal for simulations that went the same way.
  uint64_t Hash() const { return hash_; }

 private:
  static constexpr size_t kLines = 40;

  const bool verbose_;
  std::deque<std::string> lines_;
  std::string failure_;
  uint64_t hash_ = 0;
};

}  // namespace strata
