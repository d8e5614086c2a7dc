// A bucket that does not answer holds up what needs it and nothing else.
#include "testing/engine_fixture.h"
#include "testing/faulty_object_store.h"

namespace strata::engine {
namespace {

class EngineSlowBucketTest : public EngineTest {
 protected:
  EngineSlowBucketTest() { cold_ = bucket_; }

  void Hang() { bucket_->SetChances({.max_delay = std::chrono::hours(1000)}); }
  // Runs `start` and answers how long it took.
  Duration Time(auto&& start) {
    const MonotonicTime begin = runtime_.clock().Now();
    const Status status = Do(start);
    EXPECT_TRUE(status.ok()) << status;
    return runtime_.clock().Now() - begin;
  }
  Result<SegmentMetadata> SegmentAt(const PartitionPtr& p, uint64_t offset) {
    return Await<Result<SegmentMetadata>>(runtime_, [&](auto done) {
      engine_->SegmentAt(p, Offset(offset), std::move(done));
    });
  }

  const std::shared_ptr<FaultyObjectStore> bucket_ =
      std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
};

// The truncation has to know what is cold, so it waits; a flush need not.
TEST_F(EngineSlowBucketTest, FlushDoesNotWaitForATruncationThatDoes) {
  Open();
  const PartitionPtr p = Topic("t");
  const PartitionPtr other = Topic("other");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  bucket_->SetChances({.max_delay = std::chrono::minutes(10)});
  engine_->DemoteTo(p, StorageTier::kCold, [](Status) {});
  // The upload has been answered, the commit to the root takes its time.
  while (engine_->Stats().cold_puts < 4) {  // topics, claim, segment, root
    runtime_.RunFor(std::chrono::milliseconds(10));
  }
  ASSERT_TRUE(Append(*p, "b").ok());
  ASSERT_TRUE(Append(*other, "c").ok());
  bool truncated = false;
  engine_->TruncateTail(p, Offset(1), Epoch(5), [&](Status status) {
    truncated = true;
    EXPECT_TRUE(status.ok()) << status;
  });
  runtime_.RunUntilIdle();
  EXPECT_FALSE(truncated);
  EXPECT_LT(Time([&](auto done) { engine_->FlushAll(std::move(done)); }),
            std::chrono::seconds(1));
  EXPECT_FALSE(truncated);
  EXPECT_EQ(ReadAll(p), "w:a h:b");
  bucket_->SetChances({});
  runtime_.RunFor(std::chrono::hours(1));
  EXPECT_TRUE(truncated);
  EXPECT_EQ(Read(p, 1)->size(), 0u);
  Close();
}

TEST_F(EngineSlowBucketTest, TrimmedRootHoldsUpNothingLocal) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  ASSERT_TRUE(Append(*p, "b").ok());
  Hang();
  EXPECT_LT(
      Time([&](auto done) { engine_->Trim(p, Offset(1), std::move(done)); }),
      std::chrono::seconds(1));
  engine_->RunMigrations([](Status) {});
  runtime_.RunUntilIdle();  // the root's new start is on its way
  EXPECT_LT(Time([&](auto done) {
              engine_->TruncateTail(p, Offset(1), Epoch(5), std::move(done));
            }),
            std::chrono::seconds(1));
  ASSERT_TRUE(Append(*p, "c").ok());
  EXPECT_LT(Time([&](auto done) { engine_->FlushAll(std::move(done)); }),
            std::chrono::seconds(1));
  EXPECT_EQ(ReadAll(p, 1), "h:c");
  bucket_->SetChances({});
  Close();
}

TEST_F(EngineSlowBucketTest, SegmentsThatAreHereAreDescribedWithoutIt) {
  Open();
  PartitionPtr p = Topic("t");
  for (const StorageTier tier : {StorageTier::kCold, StorageTier::kWarm}) {
    ASSERT_TRUE(Append(*p, "x").ok());
    ASSERT_TRUE(Demote(p, tier).ok());
  }
  ASSERT_TRUE(Append(*p, "x").ok());
  Close();
  bucket_->SetAway(true);
  Open();
  p = Find("t");
  const auto warm = SegmentAt(p, 1);
  ASSERT_TRUE(warm.ok()) << warm.status();
  EXPECT_EQ(warm->tier, StorageTier::kWarm);
  EXPECT_FALSE(warm->in_cold);
  const auto hot = SegmentAt(p, 2);
  ASSERT_TRUE(hot.ok()) << hot.status();
  EXPECT_EQ(hot->tier, StorageTier::kHot);
  EXPECT_EQ(SegmentAt(p, 3).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(SegmentAt(p, 0).status().code(), StatusCode::kUnavailable);
  bucket_->SetAway(false);
  EXPECT_EQ(SegmentAt(p, 0)->tier, StorageTier::kCold);
  Close();
}

}  // namespace
}  // namespace strata::engine
