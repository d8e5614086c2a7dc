#include "cli/demo_input.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "cli/demo_history.h"
#include "testing/temp_dir.h"

namespace strata::cli {
namespace {

class DemoInputTest : public testing::Test {
 protected:
  std::string File(const std::string& name, std::string_view bytes) {
    const std::string path = dir_.path() / name;
    std::filesystem::create_directories(
        std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  TempDir dir_;
};

TEST_F(DemoInputTest, EachFileIsATopicOfItsLines) {
  auto input = ReadDemoInput({File("a", "1\n\n2"), File("b", "3\n")}, 1);
  ASSERT_TRUE(input.ok()) << input.status();
  ASSERT_EQ(input->sources.size(), 2u);
  EXPECT_EQ(input->sources[0].topic, "a");
  EXPECT_EQ(input->sources[0].lines,
            (std::vector<std::string_view>{"1", "", "2"}));
  EXPECT_EQ(input->sources[1].topic, "b");
  EXPECT_EQ(input->bytes, 3u);
}

TEST_F(DemoInputTest, SmallInputIsGoneOverAgain) {
  auto input = ReadDemoInput({File("a", std::string(90, 'x') + "\n")}, 1000);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->passes, 10u);
  EXPECT_EQ(input->repeats, 1u);
}

TEST_F(DemoInputTest, TinyInputFillsItsBatches) {
  auto input = ReadDemoInput({File("a", "x\n")}, 10'000'000);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_LE(input->passes, 4'000u);
  EXPECT_GE(uint64_t{input->passes} * input->repeats * 11, 10'000'000u);
}

TEST_F(DemoInputTest, SameNamesAreToldApart) {
  auto input = ReadDemoInput({File("x/log", "1"), File("y/log", "2"),
                              File(std::string(kRunsTopic), "3")},
                             1);
  ASSERT_TRUE(input.ok()) << input.status();
  ASSERT_EQ(input->sources.size(), 3u);
  EXPECT_EQ(input->sources[0].topic, "log");
  EXPECT_EQ(input->sources[1].topic, "log-2");
  EXPECT_EQ(input->sources[2].topic, std::string(kRunsTopic) + "-2");
}

TEST_F(DemoInputTest, BatchesCoverAllLinesInOrder) {
  std::string bytes;
  for (int i = 0; i < 250; ++i) bytes += "line\n";
  bytes += std::string(100'000, 'x') + "\n" + std::string(100'000, 'y') + "\n";
  const DemoSource source("t", {bytes.begin(), bytes.end()});
  size_t next = 0;
  for (const DemoSource::Batch& batch : source.batches) {
    EXPECT_EQ(batch.begin, next);
    EXPECT_GT(batch.end, batch.begin);
    EXPECT_LE(batch.end - batch.begin, 100u);
    next = batch.end;
  }
  EXPECT_EQ(next, source.lines.size());
}

TEST_F(DemoInputTest, LongLinesAreCut) {
  const std::string bytes(150 * 1024, 'x');
  const DemoSource source("t", {bytes.begin(), bytes.end()});
  ASSERT_EQ(source.lines.size(), 3u);
  EXPECT_EQ(source.lines[0].size(), 64u * 1024);
  EXPECT_EQ(source.lines[2].size(), 22u * 1024);
}

TEST_F(DemoInputTest, LineOfExactlyTheLimitIsOne) {
  const std::string bytes = std::string(64 * 1024, 'x') + "\ny";
  const DemoSource source("t", {bytes.begin(), bytes.end()});
  EXPECT_EQ(source.lines.size(), 2u);
}

TEST_F(DemoInputTest, NoLinesAreRefused) {
  EXPECT_EQ(ReadDemoInput({File("empty", "")}, 1).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(DemoInputTest, AbsentFileIsNamed) {
  const Status status = ReadDemoInput({"/absent/file"}, 1).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/absent/file"), std::string::npos);
}

TEST_F(DemoInputTest, ThisMachineHasInput) {
  auto input = ReadDemoInput({}, 1);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_GE(input->sources.size(), 2u);
}

TEST(TopicNameForTest, ForbiddenBytesBecomeDashes) {
  EXPECT_EQ(TopicNameFor("/var/log/dpkg.log"), "dpkg.log");
  EXPECT_EQ(TopicNameFor("a b\xc3\xa4?.txt"), "a-b---.txt");
  EXPECT_EQ(TopicNameFor("/dir/.."), "file");
  EXPECT_EQ(TopicNameFor("/dir/"), "file");
  EXPECT_EQ(TopicNameFor(std::string(300, 'n')), std::string(200, 'n'));
}

DemoShare Sample() {
  DemoShare share;
  share.run = 7;
  share.partition = {"words", 3};
  share.topic_id.bytes[0] = std::byte{0xab};
  share.offsets = {Offset(100), Offset(350)};
  share.records = 250;
  share.bytes = 12'345;
  share.sha256 = std::string(64, 'e');
  return share;
}

TEST(DemoHistoryTest, ShareSurvivesItsText) {
  auto parsed = ParseShare(ToText(Sample()));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, Sample());
}

TEST(DemoHistoryTest, TruncatedOrLongerTextIsRefused) {
  const std::string text = ToText(Sample());
  // Up to the hash, of which the reader does not know the length.
  for (size_t length = 0; length < text.find("sha256=") + 7; ++length) {
    EXPECT_EQ(ParseShare(text.substr(0, length)).status().code(),
              StatusCode::kDataLoss)
        << length;
  }
  EXPECT_FALSE(ParseShare(text + " more=1").ok());
}

}  // namespace
}  // namespace strata::cli
