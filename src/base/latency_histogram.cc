#include "base/latency_histogram.h"

#include <algorithm>

namespace strata {

LatencySummary LatencyHistogram::Summary() const {
  std::array<uint64_t, kBuckets> counts;
  LatencySummary summary;
  for (size_t i = 0; i < kBuckets; ++i) {
    counts[i] = buckets_[i].load(std::memory_order_relaxed);
    summary.count += counts[i];
  }
  const uint64_t max = max_.load(std::memory_order_relaxed);
  summary.sum = std::chrono::nanoseconds(sum_.load(std::memory_order_relaxed));
  summary.max = std::chrono::nanoseconds(max);

  size_t bucket = 0;
  uint64_t below = 0;  // recorded in buckets before `bucket`
  // The value of which `per_mille` of all do not exceed it; ascending calls.
  const auto percentile = [&](uint64_t per_mille) {
    const uint64_t rank = summary.count / 1000 * per_mille +
                          (summary.count % 1000 * per_mille + 999) / 1000;
    while (bucket < kBuckets && below + counts[bucket] < rank) {
      below += counts[bucket++];
    }
    return std::chrono::nanoseconds(std::min(UpperEnd(bucket), max));
  };
  if (summary.count == 0) return summary;
  summary.p50 = percentile(500);
  summary.p99 = percentile(990);
  summary.p999 = percentile(999);
  return summary;
}

}  // namespace strata
