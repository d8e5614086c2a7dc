// What the program `strata` prints for programs, and the commands on topics.
#include <gmock/gmock.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "testing/cli_fixture.h"

namespace strata {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class CliOutputTest : public CliTest {
 protected:
  // The one document on standard output.
  json Document(Arguments arguments) {
    arguments.insert(arguments.end(), {"-o", "json"});
    return json::parse(Good(arguments));
  }
};

TEST_F(CliOutputTest, TopicsAsJson) {
  Good({"topics", "create", "b", "--partitions", "2", "--config",
        "hot_max_age=5m", "--config", "target_segment_bytes=16MiB"});
  Good({"produce", "a"}, "1\n2\n");
  const json topics = Document({"topics", "list"}).at("topics");
  ASSERT_EQ(topics.size(), 2u);
  EXPECT_EQ(topics[0].at("name"), "a");
  EXPECT_EQ(topics[0].at("records"), 2);
  EXPECT_EQ(topics[0].at("settings"), json::object());
  EXPECT_EQ(topics[1].at("partitions"), 2);
  EXPECT_EQ(topics[1].at("id").get<std::string>().size(), 32u);
  EXPECT_EQ(topics[1].at("settings"),
            (json{{"hot_max_age", "5m"},
                  {"target_segment_bytes", 16 * 1024 * 1024}}));

  const json one = Document({"topics", "describe", "a"});
  EXPECT_EQ(one.at("name"), "a");
  const json& partition = one.at("partitions").at(0);
  EXPECT_EQ(partition.at("log_start"), 0);
  EXPECT_EQ(partition.at("log_end"), 2);
  EXPECT_EQ(partition.at("hot_segments"), 1);
}

TEST_F(CliOutputTest, SegmentsAsJson) {
  Good({"produce", "t"}, "1\n2\n");
  Good({"demote", "t", "--to", "cold"});
  Good({"produce", "t"}, "3\n");
  const json segments = Document({"segments", "t"}).at("segments");
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0].at("base_offset"), 0);
  EXPECT_EQ(segments[0].at("end_offset"), 2);
  EXPECT_EQ(segments[0].at("in_cold"), true);
  EXPECT_EQ(segments[0].at("in_warm"), false);
  EXPECT_EQ(segments[0].at("sealed"), true);
  EXPECT_EQ(segments[1].at("sealed"), false);
  EXPECT_GT(segments[0].at("size_bytes"), 0);
}

TEST_F(CliOutputTest, TopicNamesAreForScripts) {
  Good({"topics", "create", "b"});
  Good({"topics", "create", "a"});
  EXPECT_EQ(Good({"topics", "list", "-o", "names"}), "a\nb\n");
}

TEST_F(CliOutputTest, LatenciesAreShownWhenThereAreAny) {
  Good({"produce", "t"}, "1\n2\n");
  EXPECT_THAT(Good({"stats"}), Not(HasSubstr("LATENCY")));
  EXPECT_EQ(Document({"stats"}).at("cold_get_latency").at("count"), 0);
  Good({"demote", "t", "--to", "cold"});
  // The root had to be read to know of the segment.
  EXPECT_THAT(Good({"stats"}),
              AllOf(HasSubstr("LATENCY"), ContainsRegex("cold_get +1 +.* us")));
  const json latency = Document({"stats"}).at("cold_get_latency");
  EXPECT_EQ(latency.at("count"), 1);
  EXPECT_GT(latency.at("p99_ns"), 0);
}

TEST_F(CliOutputTest, StatsAsJson) {
  Good({"produce", "t"}, "1\n2\n");
  Good({"flush"});
  const json stats = Document({"stats"});
  EXPECT_EQ(stats.at("warm").at("segments"), 1);
  EXPECT_EQ(stats.at("hot").at("segments"), 0);
  EXPECT_EQ(stats.at("migrations_failed"), 0);
  EXPECT_TRUE(stats.contains("wal_bytes"));
}

TEST_F(CliOutputTest, VerifyAsJson) {
  Good({"produce", "t"}, Lines(2000));
  Good({"demote", "t", "--to", "warm"});
  const json good = Document({"verify"});
  EXPECT_EQ(good.at("findings"), json::array());
  EXPECT_EQ(good.at("batches"), 20);
  CorruptLargest(Data() / "warm");
  const Ran ran = Run({"verify", "--output", "json"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_GE(json::parse(ran.out).at("findings").size(), 1u);
}

TEST_F(CliOutputTest, UnknownOutputIsWrongUsage) {
  const Ran ran = Run({"stats", "-o", "xml"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("'xml': expected table|json"));
}

TEST_F(CliOutputTest, WrongTopicSettingsAreRefused) {
  struct Wrong {
    const char* setting;
    int exit;
    const char* message;
  };
  for (const Wrong& wrong : std::vector<Wrong>{
           {"retention=1", 2, "no topic setting 'retention'"},
           {"hot_max_age", 2, "expected NAME=VALUE"},
           {"hot_max_age=5", 2, "hot_max_age: expected a duration"},
           {"target_segment_bytes=1", 1, "target_segment_bytes = 1"},
           {"warm_max_age=0s", 1, "warm_max_age = 0"},
       }) {
    const Ran ran = Run({"topics", "create", "t", "--config", wrong.setting});
    EXPECT_EQ(ran.exit, wrong.exit) << wrong.setting;
    EXPECT_THAT(ran.err, HasSubstr(wrong.message));
  }
}

TEST_F(CliOutputTest, TopicSettingsAreShown) {
  Good({"topics", "create", "t", "--config", "enable_promotion=false"});
  EXPECT_THAT(Good({"topics", "describe", "t"}),
              HasSubstr("\nenable_promotion = false\n"));
}

TEST_F(CliOutputTest, TrimmedRecordsAreGone) {
  Good({"produce", "t", "--batch-records", "1"}, "0\n1\n2\n3\n");
  const Ran ran = Run({"trim", "t", "--partition", "0", "--before", "2"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("t/0 begins at offset 2"));
  EXPECT_EQ(Good({"consume", "t", "-f", "%o "}), "2 3 ");
  Good({"demote", "t", "--to", "cold"});
  Good({"trim", "t", "-p", "0", "--before", "3"});
  EXPECT_EQ(Good({"consume", "t", "-f", "%o "}), "3 ");
}

TEST_F(CliOutputTest, TrimAboveTheEndIsRefused) {
  Good({"produce", "t"}, "0\n");
  const Ran above = Run({"trim", "t", "-p", "0", "--before", "2"});
  EXPECT_EQ(above.exit, 1);
  EXPECT_THAT(above.err, AllOf(HasSubstr("t/0"), HasSubstr("2")));
  EXPECT_EQ(Run({"trim", "t", "-p", "1", "--before", "0"}).exit, 1);
  EXPECT_EQ(Run({"trim", "t", "-p", "0"}).exit, 2);
  EXPECT_EQ(Run({"trim", "t", "--before", "0"}).exit, 2);
}

// What the command prints to a terminal of 60 columns.
std::string OnTerminal(const std::string& command) {
  int master = -1, slave = -1;
  const winsize size{
      .ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
  STRATA_CHECK(::openpty(&master, &slave, nullptr, nullptr, &size) == 0);
  std::array<char, 64> name{};
  STRATA_CHECK(::ttyname_r(slave, name.data(), name.size()) == 0);
  const std::string redirected = command + " >" + name.data();
  STRATA_CHECK(::system(redirected.c_str()) == 0);
  ::close(slave);
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t n = 0; (n = ::read(master, piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<size_t>(n));
  }
  ::close(master);
  std::erase(text, '\r');
  return text;
}

TEST_F(CliOutputTest, TablesFitATerminal) {
  Good({"produce", "t"}, "x\n");
  const std::string program =
      fmt::format("NO_COLOR=1 {} -d {} ", kProgram, Data().native());
  for (const char* command : {"segments t", "topics describe t", "stats",
                              "topics list", "config --set data_dir=x"}) {
    const std::string text = OnTerminal(program + command);
    EXPECT_GT(text.size(), 20u) << command;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("topic t")) continue;  // a sentence, not a table
      EXPECT_LE(line.size(), 60u) << command;
    }
  }
  EXPECT_THAT(OnTerminal(program + "segments t"),
              HasSubstr("PARTITION  0\nBASE       0\nEND        1\n"));
}

TEST_F(CliOutputTest, HelpFitsATerminal) {
  for (const char* command : {"", "produce", "topics create", "config"}) {
    const std::string text =
        OnTerminal(fmt::format("{} {} --help", kProgram, command));
    EXPECT_THAT(text, HasSubstr("Options:"));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("Examples:") || line.starts_with("strata ")) break;
      EXPECT_LE(line.size(), 60u) << command;
    }
  }
}

TEST_F(CliOutputTest, ColoursAreForTerminalsAndNotWithNoColor) {
  Good({"produce", "t"}, "x\n");
  const std::string list =
      fmt::format("{} -d {} topics list", kProgram, Data().native());
  EXPECT_THAT(OnTerminal("NO_COLOR= TERM=xterm " + list), HasSubstr("\x1b[1m"));
  EXPECT_THAT(OnTerminal("NO_COLOR=1 TERM=xterm " + list),
              Not(HasSubstr("\x1b")));
  EXPECT_THAT(OnTerminal("NO_COLOR= TERM=dumb " + list),
              Not(HasSubstr("\x1b")));
}

TEST_F(CliOutputTest, NoColoursWithoutATerminal) {
  Good({"produce", "t"}, Lines(2000));
  Good({"demote", "t", "--to", "warm"});
  CorruptLargest(Data() / "warm");
  const Ran ran = Run({"verify"});
  EXPECT_THAT(ran.out, HasSubstr("damaged"));
  EXPECT_EQ((ran.out + ran.err).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace strata
