// What the program `strata` prints for programs, and the commands on topics.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "testing/cli_fixture.h"

namespace strata {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

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

// A pseudo terminal would be needed to see colours; without one there are none.
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
