#include "cli/suggest.h"

#include <gtest/gtest.h>

namespace strata::cli {
namespace {

const std::vector<std::string> kWords = {"produce", "promote", "consume",
                                         "--follow", "--format"};

TEST(SuggestTest, AMistypedWordHasItsNeighbour) {
  for (const char* word : {"prodce", "poduce", "produced", "rpoduce"}) {
    EXPECT_EQ(DidYouMean(word, kWords), "; did you mean 'produce'?") << word;
  }
  EXPECT_EQ(DidYouMean("--folow", kWords), "; did you mean '--follow'?");
}

TEST(SuggestTest, AWordOfItsOwnHasNone) {
  for (const char* word : {"", "x", "-f", "delete", "--partition", "pro"}) {
    EXPECT_EQ(DidYouMean(word, kWords), "") << word;
  }
  EXPECT_EQ(DidYouMean("produce", {}), "");
}

}  // namespace
}  // namespace strata::cli
