#include "runtime/rate_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <vector>

#include "testing/sim_runtime.h"

namespace strata {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// Records at which milliseconds after the start requests went.
class RateLimiterTest : public ::testing::Test {
 protected:
  RateLimiter Make(RateLimit limit) {
    return RateLimiter(limit, runtime_.clock(), runtime_.job_executor());
  }
  void Acquire(RateLimiter& limiter, uint64_t bytes) {
    const size_t number = acquired_++;
    limiter.Acquire(bytes, [this, number] {
      order_.push_back(number);
      const Duration passed = runtime_.clock().Now() - start_;
      went_.push_back(passed / milliseconds(1));
    });
  }

  SimRuntime runtime_{1};
  const MonotonicTime start_ = runtime_.clock().Now();
  size_t acquired_ = 0;
  std::vector<size_t> order_;
  std::vector<int64_t> went_;
};

TEST_F(RateLimiterTest, WithoutLimitAllGoAtOnceButNotInsideTheCall) {
  RateLimiter limiter = Make({});
  for (int i = 0; i < 3; ++i) {
    Acquire(limiter, std::numeric_limits<uint64_t>::max());
  }
  EXPECT_TRUE(went_.empty());
  runtime_.RunUntilIdle();
  EXPECT_THAT(went_, ElementsAre(0, 0, 0));
}

TEST_F(RateLimiterTest, FirstGoesAtOnceTheRestWhenPaidFor) {
  RateLimiter limiter = Make({.bytes_per_second = 1000});
  for (const uint64_t bytes : {100, 200, 50, 1}) Acquire(limiter, bytes);
  EXPECT_TRUE(went_.empty());
  runtime_.RunFor(seconds(10));
  EXPECT_THAT(went_, ElementsAre(0, 100, 300, 350));
}

TEST_F(RateLimiterTest, RequestsGoInOrderWhateverTheirSize) {
  RateLimiter limiter = Make({.bytes_per_second = 1000});
  for (const uint64_t bytes : {10, 5000, 1, 1}) Acquire(limiter, bytes);
  runtime_.RunFor(seconds(60));
  EXPECT_THAT(order_, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(went_, ElementsAre(0, 10, 5010, 5011));
}

TEST_F(RateLimiterTest, BurstGoesAtOnceAfterBeingIdle) {
  RateLimiter limiter = Make({.bytes_per_second = 1000, .burst_bytes = 200});
  runtime_.RunFor(seconds(100));
  for (int i = 0; i < 5; ++i) Acquire(limiter, 100);
  runtime_.RunFor(seconds(10));
  EXPECT_THAT(went_, ElementsAre(100000, 100000, 100000, 100100, 100200));
}

TEST_F(RateLimiterTest, IdleTimeIsNotSavedBeyondTheBurst) {
  RateLimiter limiter = Make({.bytes_per_second = 1000});
  Acquire(limiter, 100);
  runtime_.RunFor(seconds(100));
  Acquire(limiter, 100);
  Acquire(limiter, 100);
  runtime_.RunFor(seconds(10));
  EXPECT_THAT(went_, ElementsAre(0, 100000, 100100));
}

TEST_F(RateLimiterTest, HugeRequestsDoNotOverflow) {
  RateLimiter limiter = Make({.bytes_per_second = 1});
  for (int i = 0; i < 3; ++i) {
    Acquire(limiter, std::numeric_limits<uint64_t>::max());
  }
  runtime_.RunFor(std::chrono::hours(24 * 364));
  EXPECT_EQ(went_.size(), 1u);
  runtime_.RunFor(std::chrono::hours(24 * 2));
  EXPECT_EQ(went_.size(), 2u);
}

TEST_F(RateLimiterTest, WaitingRequestsGoAfterDestructionOfTheLimiter) {
  {
    RateLimiter limiter = Make({.bytes_per_second = 1000});
    Acquire(limiter, 100);
    Acquire(limiter, 100);
  }
  runtime_.RunFor(seconds(10));
  EXPECT_THAT(went_, ElementsAre(0, 100));
}

TEST_F(RateLimiterTest, DroppedExecutorDestroysWaitingRequests) {
  RateLimiter limiter = Make({.bytes_per_second = 1000});
  auto token = std::make_shared<int>(0);
  for (int i = 0; i < 3; ++i) limiter.Acquire(1000, [token] { FAIL(); });
  runtime_.DropAllTasks();
  EXPECT_EQ(token.use_count(), 1);
  runtime_.RunFor(seconds(10));
  Acquire(limiter, 1);
  runtime_.RunUntilIdle();
  EXPECT_THAT(went_, ElementsAre(10000)) << "the limiter stays usable";
}

}  // namespace
}  // namespace strata
