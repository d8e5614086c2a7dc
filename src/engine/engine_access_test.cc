// What is known of reads after a restart.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

class EngineAccessTest : public EngineTest {
 protected:
  EngineAccessTest() { config_.promotion_threshold = 1000; }

  SegmentMetadata Segment(PartitionPtr p, size_t index = 0) {
    auto all = Await<Result<std::vector<SegmentMetadata>>>(
        runtime_, [&](auto done) { engine_->Segments(p, std::move(done)); });
    EXPECT_TRUE(all.ok()) << all.status();
    EXPECT_GT(all->size(), index);
    return all->at(index);
  }

  void ReadTimes(PartitionPtr p, int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(Read(p, 0).ok());
  }

  // One segment in `tier`, read three times; answers when.
  uint64_t MakeReadSegment(StorageTier tier) {
    const PartitionPtr p = Topic("t");
    EXPECT_TRUE(Append(*p, "a").ok());
    EXPECT_TRUE(Demote(p, tier).ok());
    runtime_.RunFor(std::chrono::seconds(30));
    ReadTimes(p, 3);
    return static_cast<uint64_t>(runtime_.clock().WallNow()) / 1000;
  }
};

TEST_F(EngineAccessTest, CountsOutliveACloseInEitherTier) {
  for (const StorageTier tier : {StorageTier::kWarm, StorageTier::kCold}) {
    Open();
    const uint64_t read_at = MakeReadSegment(tier);
    Close();
    for (int life = 0; life < 2; ++life) {  // also of one that reads nothing
      runtime_.RunFor(std::chrono::seconds(30));
      Open();
      const SegmentMetadata m = Segment(Find("t"));
      EXPECT_EQ(m.tier, tier);
      EXPECT_EQ(m.access_count, 3u) << Name(tier);
      EXPECT_EQ(m.last_accessed, read_at) << Name(tier);
      Close();
    }
    Open();
    ReadTimes(Find("t"), 2);
    EXPECT_EQ(Segment(Find("t")).access_count, 5u);
    ASSERT_TRUE(Do([&](auto done) {
                  engine_->DeleteTopic("t", std::move(done));
                }).ok());
    Close();
  }
}

TEST_F(EngineAccessTest, CrashLosesCountsSinceTheLastSaveOnly) {
  Open();
  const uint64_t read_at = MakeReadSegment(StorageTier::kWarm);
  Close();
  Open();
  runtime_.RunFor(std::chrono::seconds(30));
  ReadTimes(Find("t"), 4);
  EXPECT_EQ(Segment(Find("t")).access_count, 7u);
  Crash();
  Open();
  EXPECT_EQ(Segment(Find("t")).access_count, 3u);
  EXPECT_EQ(Segment(Find("t")).last_accessed, read_at);
  Close();
}

// The saved count is of before the move.
TEST_F(EngineAccessTest, SegmentThatMovedBeforeACrashIsCountedAnew) {
  Open();
  MakeReadSegment(StorageTier::kWarm);
  Close();
  Open();
  ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  Crash();
  Open();
  EXPECT_EQ(Segment(Find("t")).tier, StorageTier::kCold);
  EXPECT_EQ(Segment(Find("t")).access_count, 0u);
  ReadTimes(Find("t"), 3);
  Close();
  Open();
  EXPECT_EQ(Segment(Find("t")).access_count, 3u);
  ASSERT_TRUE(Promote(Find("t"), StorageTier::kWarm).ok());
  Crash();
  Open();
  EXPECT_EQ(Segment(Find("t")).tier, StorageTier::kWarm);
  EXPECT_EQ(Segment(Find("t")).access_count, 0u);
  Close();
}

TEST_F(EngineAccessTest, MergedSegmentDoesNotInheritBeforeACrash) {
  config_.warm_tier_max_age = std::chrono::hours(1);
  config_.migration_interval = std::chrono::minutes(1);
  Open();
  const PartitionPtr p = Topic("t");
  for (const char* text : {"a", "b"}) {
    ASSERT_TRUE(Append(*p, text).ok());
    ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  }
  ReadTimes(p, 3);
  EXPECT_EQ(Segment(p, 0).access_count, 3u);
  Close();
  Open();
  EXPECT_EQ(Segment(Find("t"), 0).access_count, 3u);
  runtime_.RunFor(std::chrono::hours(3));
  Crash();
  Open();
  const SegmentMetadata merged = Segment(Find("t"));
  EXPECT_EQ(merged.total_records, 2u);
  EXPECT_EQ(merged.access_count, 0u);
  Close();
}

}  // namespace
}  // namespace strata::engine
