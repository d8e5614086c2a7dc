#include "runtime/xoshiro.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(XoshiroTest, MatchesTheReferenceImplementation) {
  Xoshiro256 generator(Xoshiro256::State{1, 2, 3, 4});
  EXPECT_EQ(generator.Next(), 11520u);
  EXPECT_EQ(generator.Next(), 0u);
  EXPECT_EQ(generator.Next(), 1509978240u);
  EXPECT_EQ(generator.Next(), 1215971899390074240u);
}

TEST(XoshiroTest, SplitMixMatchesTheReferenceImplementation) {
  uint64_t state = 1234567;
  EXPECT_EQ(SplitMix64(state), 6457827717110365317u);
  EXPECT_EQ(SplitMix64(state), 3203168211198807973u);
}

TEST(XoshiroTest, SeedZeroGivesNumbers) {
  Xoshiro256 generator(0);
  EXPECT_NE(generator.Next(), generator.Next());
}

}  // namespace
}  // namespace strata
