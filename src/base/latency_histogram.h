// LatencyHistogram: how long something took, for percentiles.
//
// Buckets are log-linear, as in HDR histograms: 32 of equal width for each
// power of two, so that the width is at most 1/32 of the value. One takes 10
// KiB.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "strata/stats.h"

namespace strata {

// Thread-safe: independent counters, relaxed order.
class LatencyHistogram {
 public:
  // Two additions to memory that others may add to, no lock. Above 2 hours the
  // percentiles stay there.
  void Record(std::chrono::nanoseconds latency) {
    const uint64_t value =
        latency.count() > 0 ? static_cast<uint64_t>(latency.count()) : 0;
    buckets_[BucketOf(value)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
    uint64_t max = max_.load(std::memory_order_relaxed);
    while (value > max &&
           !max_.compare_exchange_weak(max, value, std::memory_order_relaxed)) {
    }
  }

  // What was recorded while it runs is in it or not. Cost: microseconds.
  LatencySummary Summary() const;

 private:
  static constexpr int kSubBits = 5;
  static constexpr uint64_t kSubBuckets = uint64_t{1} << kSubBits;
  static constexpr int kMaxBits = 43;  // 2^43 ns are 2.4 hours
  static constexpr size_t kBuckets =
      static_cast<size_t>(kMaxBits - kSubBits + 1) * kSubBuckets;

  // Values below 2 * kSubBuckets have a bucket each.
  static constexpr size_t BucketOf(uint64_t value) {
    constexpr uint64_t kLimit = (uint64_t{1} << kMaxBits) - 1;
    if (value > kLimit) value = kLimit;
    const int shift = std::bit_width(value | kSubBuckets) - 1 - kSubBits;
    return static_cast<size_t>(shift) * kSubBuckets +
           static_cast<size_t>(value >> shift);
  }
  // The greatest value of a bucket.
  static constexpr uint64_t UpperEnd(size_t bucket) {
    if (bucket < 2 * kSubBuckets) return bucket;
    const size_t shift = bucket / kSubBuckets - 1;
    return ((bucket % kSubBuckets + kSubBuckets + 1) << shift) - 1;
  }

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> sum_{0};
  std::atomic<uint64_t> max_{0};
};

}  // namespace strata
