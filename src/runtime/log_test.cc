#include "runtime/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class RecordingSink final : public LogSink {
 public:
  void Log(LogLevel level, std::string_view message) override {
    lines.emplace_back(level, message);
  }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

TEST(LoggerTest, SinkGetsLevelAndFormattedLine) {
  auto sink = std::make_shared<RecordingSink>();
  const Logger logger(sink);
  logger.Debug("plain");
  logger.Info("{} of {}", 1, 2);
  logger.Warning("slow: {}", "wal/1.wal");
  logger.Error("{:08x}", 0xbeef);
  EXPECT_THAT(sink->lines,
              ElementsAre(Pair(LogLevel::kDebug, "plain"),
                          Pair(LogLevel::kInfo, "1 of 2"),
                          Pair(LogLevel::kWarning, "slow: wal/1.wal"),
                          Pair(LogLevel::kError, "0000beef")));
}

TEST(LoggerTest, HostileNameCannotBeginALine) {
  auto sink = std::make_shared<RecordingSink>();
  Logger(sink).Info("topic {}", "a\nb\r\x1b[31m\x7f\xc3\xa4");
  EXPECT_EQ(sink->lines.at(0).second, "topic a b  [31m \xc3\xa4");
}

TEST(LoggerTest, WithoutSinkWarningsAndErrorsGoToStandardError) {
  ::testing::internal::CaptureStderr();
  const Logger logger;
  logger.Debug("first");
  logger.Info("second");
  logger.Warning("third {{}}");
  logger.Error("fourth");
  const std::string shown = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(shown, HasSubstr("third {}"));
  EXPECT_THAT(shown, HasSubstr("fourth"));
  EXPECT_THAT(shown, Not(HasSubstr("first")));
  EXPECT_THAT(shown, Not(HasSubstr("second")));
}

}  // namespace
}  // namespace strata
