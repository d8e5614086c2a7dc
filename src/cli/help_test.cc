#include "cli/help.h"

#include <gtest/gtest.h>

namespace strata::cli {
namespace {

TEST(HelpTest, LinesEndBeforeTheWidth) {
  EXPECT_EQ(Wrapped("one two three", 7), "one two\nthree");
  EXPECT_EQ(Wrapped("one two three", 6), "one\ntwo\nthree");
  EXPECT_EQ(Wrapped("one two three", 80), "one two three");
  EXPECT_EQ(Wrapped("", 80), "");
}

TEST(HelpTest, ALongWordStaysWhole) {
  EXPECT_EQ(Wrapped("a extraordinary b", 5), "a\nextraordinary\nb");
}

}  // namespace
}  // namespace strata::cli
