// The cold tier and the cold manifest on real threads: for the sanitizers.
#include <gtest/gtest.h>

#include <atomic>

#include "cold/cold_manifest_store.h"
#include "cold/cold_tier.h"
#include "object_store/memory/memory_object_store.h"
#include "runtime/thread_runtime.h"
#include "testing/await.h"
#include "testing/segment_samples.h"

namespace strata {
namespace {

using Batches = std::vector<BatchView>;

// Is set when Done was called as often as expected.
class Countdown {
 public:
  Countdown(Runtime& runtime, int count)
      : over_(runtime.NewEvent()), left_(count) {}
  void Done() {
    if (--left_ == 0) over_->Set();
  }
  void Wait() { over_->WaitUntil(std::nullopt); }

 private:
  std::unique_ptr<Event> over_;
  std::atomic<int> left_;
};

TEST(ColdThreadsTest, ManyReadersOfASmallCacheReadTheRightBatches) {
  const auto runtime = MakeThreadRuntime();
  ColdTier tier(
      MakeMemoryObjectStore(*runtime), *runtime,
      {.chunk_bytes = 4096, .cache_max_bytes = 16384, .max_requests = 64});
  SampleBatches sample;
  sample.AddMany(0, 200, 700);
  const SampleImage image = MakeImage(sample.Spec(), sample.batches());
  const auto address = Await<Result<ColdAddress>>(*runtime, [&](auto done) {
    tier.Upload(image.entry, 1, "t", MakeStringSource(image.bytes), {},
                std::move(done));
  });
  ASSERT_TRUE(address.ok()) << address.status();
  SegmentEntry entry = image.entry;
  entry.cold = *address;

  constexpr int kReads = 1000;
  std::atomic<int> right{0};
  auto countdown = std::make_shared<Countdown>(*runtime, kReads);
  for (int i = 0; i < kReads; ++i) {
    const uint64_t start = static_cast<uint64_t>(i * 7 % 200) * 10;
    tier.Read(entry,
              {.start = Offset(start), .end = Offset(2000), .max_bytes = 5000},
              [&, start, countdown](Result<Batches> batches) {
                const std::string prefix = std::to_string(start) + ":";
                right += batches.ok() && !batches->empty() &&
                         AsText((*batches)[0].bytes()).starts_with(prefix);
                countdown->Done();
              });
  }
  countdown->Wait();
  EXPECT_EQ(right, kReads);
  EXPECT_EQ(tier.stats().requests_in_flight, 0u);
}

TEST(ColdThreadsTest, CommitsLoadsAndForgetsOfOnePartitionMix) {
  const auto runtime = MakeThreadRuntime();
  const auto manifest = MakeColdManifest(
      MakeMemoryObjectStore(*runtime), *runtime,
      {.request_timeout = std::chrono::seconds(30), .group_size = 4});
  const PartitionId id = SamplePartition();
  constexpr uint64_t kCommits = 100;
  std::atomic<int> failures{0};
  auto countdown = std::make_shared<Countdown>(*runtime, 2 * kCommits);
  for (uint64_t n = 0; n < kCommits; ++n) {
    SegmentEntry entry;
    entry.id = n + 1;
    entry.partition = id;
    entry.offsets = {Offset(n), Offset(n + 1)};
    entry.image_bytes = 100;
    entry.cold = ColdAddress{"key" + std::to_string(n), 0, 100};
    const auto count = [&, countdown](const Result<ColdPartitionPtr>& root) {
      failures += !root.ok();
      countdown->Done();
    };
    manifest->Commit(id, {.add = {entry}}, count);
    if (n % 3 == 0) manifest->Forget(id);
    manifest->Load(id, count);
  }
  countdown->Wait();
  EXPECT_EQ(failures, 0);
  const auto root = Await<Result<ColdPartitionPtr>>(
      *runtime, [&](auto done) { manifest->Load(id, std::move(done)); });
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ((*root)->totals().segments, kCommits);
}

}  // namespace
}  // namespace strata
