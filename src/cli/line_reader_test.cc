#include "cli/line_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <vector>

#include "testing/temp_dir.h"

namespace strata::cli {
namespace {

using Kind = LineReader::Event::Kind;

class LineReaderTest : public testing::Test {
 protected:
  // The lines of a file with these bytes, or the status that ended them.
  Result<std::vector<std::string>> Lines(std::string_view bytes,
                                         uint64_t max_line_bytes = 1 << 20) {
    const std::string path = dir_.path() / "input";
    std::ofstream(path, std::ios::binary) << bytes;
    STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader,
                            LineReader::Open(path, max_line_bytes));
    const auto deadline = LineReader::Clock::now() + std::chrono::minutes(1);
    EXPECT_EQ(reader->size_bytes(), bytes.size());
    std::vector<std::string> lines;
    for (;;) {
      STRATA_ASSIGN_OR_RETURN(const LineReader::Event event,
                              reader->Next(deadline));
      if (event.kind == Kind::kEnd) break;
      EXPECT_EQ(event.kind, Kind::kLine);
      lines.emplace_back(event.line);
    }
    EXPECT_EQ(reader->bytes_read(), bytes.size());
    return lines;
  }

  TempDir dir_;
};

using Strings = std::vector<std::string>;

TEST_F(LineReaderTest, LinesComeWithoutNewlines) {
  EXPECT_EQ(*Lines("a\nbc\n"), (Strings{"a", "bc"}));
}

TEST_F(LineReaderTest, LastLineNeedsNoNewline) {
  EXPECT_EQ(*Lines("a\nbc"), (Strings{"a", "bc"}));
}

TEST_F(LineReaderTest, EmptyLinesCount) {
  EXPECT_EQ(*Lines("\n\na\n\n"), (Strings{"", "", "a", ""}));
}

TEST_F(LineReaderTest, EmptyFileHasNoLines) {
  EXPECT_EQ(*Lines(""), Strings{});
}

TEST_F(LineReaderTest, AnyBytesPass) {
  const std::string bytes("\0\xff\r", 3);
  EXPECT_EQ(*Lines(bytes + "\n"), Strings{bytes});
}

TEST_F(LineReaderTest, LinesAcrossManyReadsAreWhole) {
  std::string bytes;
  Strings lines;
  for (size_t i = 0; i < 100; ++i) {
    lines.emplace_back(7919 * i % 50'000, static_cast<char>('a' + i % 26));
    bytes += lines.back() + "\n";
  }
  EXPECT_EQ(*Lines(bytes), lines);
}

TEST_F(LineReaderTest, TooLongLineIsRefusedByNumber) {
  for (const char* end : {"", "\n"}) {
    const Status status = Lines(std::string("ok\n12345") + end, 4).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("line 2 is longer than 4 bytes"),
              std::string::npos)
        << status;
  }
  EXPECT_EQ(*Lines("1234\n", 4), Strings{"1234"});
}

TEST_F(LineReaderTest, LineThatIsNotWholeInTimeIsWaitedForNoLonger) {
  const std::string path = dir_.path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int writer = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  const auto reader = LineReader::Open(path, 100);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_FALSE((*reader)->is_file());
  ASSERT_EQ(::write(writer, "ab", 2), 2);
  const auto now = LineReader::Clock::now();
  EXPECT_EQ((*reader)->Next(now)->kind, Kind::kIdle);
  ASSERT_EQ(::write(writer, "c\n", 2), 2);
  EXPECT_EQ((*reader)->Next(now)->line, "abc");
  EXPECT_EQ((*reader)->Next(now)->kind, Kind::kIdle);
  ::close(writer);
}

TEST_F(LineReaderTest, AbsentFileIsNamed) {
  const std::string path = dir_.path() / "absent";
  const Status status = LineReader::Open(path, 1).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.message().find(path), std::string::npos) << status;
}

TEST_F(LineReaderTest, DirectoryIsAnError) {
  EXPECT_EQ(LineReader::Open(dir_.path(), 1).status().code(),
            StatusCode::kIoError);
}

}  // namespace
}  // namespace strata::cli
