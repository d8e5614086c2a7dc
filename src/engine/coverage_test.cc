#include "engine/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strata::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

OffsetRange Range(uint64_t base, uint64_t end) {
  return {Offset(base), Offset(end)};
}

TEST(UncoveredTest, EverythingIsUncoveredWithoutOwners) {
  EXPECT_THAT(Uncovered(Range(3, 9), {}), ElementsAre(Range(3, 9)));
}

TEST(UncoveredTest, NothingIsUncoveredInAnEmptyRange) {
  EXPECT_THAT(Uncovered(Range(3, 3), {}), IsEmpty());
  EXPECT_THAT(Uncovered(Range(9, 3), {Range(4, 5)}), IsEmpty());
}

TEST(UncoveredTest, HolesBeforeBetweenAndBehindOwnersAreFound) {
  EXPECT_THAT(Uncovered(Range(0, 10), {Range(7, 9), Range(2, 4)}),
              ElementsAre(Range(0, 2), Range(4, 7), Range(9, 10)));
}

TEST(UncoveredTest, OwnersThatMeetOverlapOrReachFurtherLeaveNoHole) {
  EXPECT_THAT(Uncovered(Range(5, 10), {Range(0, 6), Range(6, 8), Range(7, 20)}),
              IsEmpty());
}

TEST(UncoveredTest, OwnersOutsideOfTheRangeDoNotCount) {
  EXPECT_THAT(Uncovered(Range(5, 10), {Range(0, 5), Range(10, 12)}),
              ElementsAre(Range(5, 10)));
}

}  // namespace
}  // namespace strata::engine
