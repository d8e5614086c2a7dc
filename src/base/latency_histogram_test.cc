#include "base/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

namespace strata {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

TEST(LatencyHistogramTest, EmptyIsAllZero) {
  EXPECT_EQ(LatencyHistogram().Summary(), LatencySummary());
}

TEST(LatencyHistogramTest, OneValueIsEveryPercentile) {
  for (const int64_t value : {0, 1, 31, 32, 63, 64, 65, 1000, 123456789}) {
    LatencyHistogram histogram;
    histogram.Record(nanoseconds(value));
    const LatencySummary s = histogram.Summary();
    EXPECT_EQ(s.count, 1u);
    // Exactly: no percentile lies above the greatest value.
    for (const nanoseconds found : {s.sum, s.p50, s.p99, s.p999, s.max}) {
      EXPECT_EQ(found, nanoseconds(value));
    }
  }
}

TEST(LatencyHistogramTest, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (int64_t i = 1; i <= 60; ++i) histogram.Record(nanoseconds(i));
  const LatencySummary s = histogram.Summary();
  EXPECT_EQ(s.p50, nanoseconds(30));
  EXPECT_EQ(s.p99, nanoseconds(60));
  EXPECT_EQ(s.max, nanoseconds(60));
  EXPECT_EQ(s.sum, nanoseconds(60 * 61 / 2));
}

TEST(LatencyHistogramTest, RanksAreCountedFromTheSmallest) {
  LatencyHistogram histogram;
  for (int i = 0; i < 990; ++i) histogram.Record(nanoseconds(10));
  for (int i = 0; i < 9; ++i) histogram.Record(nanoseconds(20));
  histogram.Record(nanoseconds(30));
  const LatencySummary s = histogram.Summary();
  EXPECT_EQ(s.count, 1000u);
  EXPECT_EQ(s.p50, nanoseconds(10));
  EXPECT_EQ(s.p99, nanoseconds(10));
  EXPECT_EQ(s.p999, nanoseconds(20));
  EXPECT_EQ(s.max, nanoseconds(30));
}

// Beside the exact ones, over ten powers of two.
TEST(LatencyHistogramTest, PercentilesAreAtMostAThirtySecondTooHigh) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency(12, 2);
  LatencyHistogram histogram;
  std::vector<int64_t> exact;
  for (int i = 0; i < 100000; ++i) {
    exact.push_back(static_cast<int64_t>(latency(random)));
    histogram.Record(nanoseconds(exact.back()));
  }
  std::ranges::sort(exact);
  const LatencySummary s = histogram.Summary();
  const auto expect_near = [&](nanoseconds found, size_t rank) {
    const int64_t expected = exact[rank - 1];
    EXPECT_GE(found.count(), expected);
    EXPECT_LE(found.count(), expected + expected / 31 + 1);
  };
  expect_near(s.p50, 50000);
  expect_near(s.p99, 99000);
  expect_near(s.p999, 99900);
  EXPECT_EQ(s.max.count(), exact.back());
}

TEST(LatencyHistogramTest, ValuesOutsideStayAtTheEnds) {
  LatencyHistogram histogram;
  histogram.Record(nanoseconds(-5));
  histogram.Record(hours(100));
  histogram.Record(nanoseconds::max());
  const LatencySummary s = histogram.Summary();
  EXPECT_EQ(s.count, 3u);
  EXPECT_GE(s.p50, hours(2));
  EXPECT_LE(s.p50, hours(3));
  EXPECT_EQ(s.max, nanoseconds::max());
}

TEST(LatencyHistogramTest, ThreadsLoseNothing) {
  LatencyHistogram histogram;
  std::vector<std::thread> threads;
  for (int t = 1; t <= 4; ++t) {
    threads.emplace_back([&histogram, t] {
      for (int i = 0; i < 10000; ++i) histogram.Record(nanoseconds(t));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const LatencySummary s = histogram.Summary();
  EXPECT_EQ(s.count, 40000u);
  EXPECT_EQ(s.sum, nanoseconds(10000 * (1 + 2 + 3 + 4)));
  EXPECT_EQ(s.max, nanoseconds(4));
}

}  // namespace
}  // namespace strata
