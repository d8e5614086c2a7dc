#include "cli/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <array>

namespace strata::cli {
namespace {

TEST(OutputTest, BytesComeOutInOrder) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Output out(ends[1]);
  ASSERT_TRUE(out.Write("one ").ok());
  ASSERT_TRUE(out.Write("two").ok());
  ASSERT_TRUE(out.Flush().ok());
  ::close(ends[1]);
  std::array<char, 16> text{};
  ASSERT_EQ(::read(ends[0], text.data(), text.size()), 7);
  EXPECT_STREQ(text.data(), "one two");
  ::close(ends[0]);
}

TEST(OutputTest, ClosedPipeIsNoErrorButToldOf) {
  ::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  Output out(ends[1]);
  EXPECT_TRUE(out.Write("gone").ok());
  EXPECT_FALSE(out.closed());
  EXPECT_TRUE(out.Flush().ok());
  EXPECT_TRUE(out.closed());
  EXPECT_TRUE(out.Write("more").ok());
  EXPECT_TRUE(out.Flush().ok());
  ::close(ends[1]);
}

TEST(OutputTest, FullDeviceIsAnError) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Output out(full);
  ASSERT_TRUE(out.Write("text").ok());
  EXPECT_EQ(out.Flush().code(), StatusCode::kNoSpace);
  ::close(full);
}

}  // namespace
}  // namespace strata::cli
