// How long things took, by the simulated clock.
#include <gtest/gtest.h>

#include <string>

#include "testing/engine_fixture.h"
#include "testing/faulty_object_store.h"

namespace strata::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class EngineLatencyTest : public EngineTest {
 protected:
  TieredStorageStats Stats() const { return engine_->Stats(); }
};

TEST_F(EngineLatencyTest, AppendsCountByTheDurabilityAskedFor) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a", Durability::kMemory).ok());
  EXPECT_EQ(Stats().append_memory_latency.count, 1u);
  EXPECT_EQ(Stats().append_disk_latency.count, 0u);
  ASSERT_TRUE(Append(*p, "b", Durability::kDisk).ok());
  ASSERT_TRUE(Append(*p, "c", Durability::kDisk).ok());
  EXPECT_EQ(Stats().append_memory_latency.count, 1u);
  EXPECT_EQ(Stats().append_disk_latency.count, 2u);
  Close();
}

TEST_F(EngineLatencyTest, OneOfSixteenAppendsIntoMemoryIsTimed) {
  Open();
  const PartitionPtr p = Topic("t");
  for (int i = 0; i < 33; ++i) {
    ASSERT_TRUE(Append(*p, "a", Durability::kMemory).ok());
    EXPECT_EQ(Stats().append_memory_latency.count, 1u + i / 16);
  }
  Close();
}

TEST_F(EngineLatencyTest, RefusedAppendIsNotCounted) {
  Open();
  const PartitionPtr p = Topic("t");
  EXPECT_FALSE(Append(*p, "", Durability::kMemory).ok());
  EXPECT_FALSE(Append(*p, "", Durability::kDisk).ok());
  EXPECT_EQ(Stats().append_memory_latency.count, 0u);
  EXPECT_EQ(Stats().append_disk_latency.count, 0u);
  Close();
}

// Who waits for the disk is counted when it answers, and from the append on.
TEST_F(EngineLatencyTest, DiskAppendTakesUntilItIsDurable) {
  Open();
  const PartitionPtr p = Topic("t");
  AppendRequest request;
  request.bytes = AsBytes("a");
  const Result<PendingAppend> pending = engine_->TryAppend(*p, {&request, 1});
  ASSERT_TRUE(pending.ok()) << pending.status();
  runtime_.RunFor(milliseconds(30));
  EXPECT_EQ(Stats().append_disk_latency.count, 0u);
  ASSERT_TRUE(Do([&](auto done) {
                engine_->WhenDurable(*pending, std::move(done));
              }).ok());
  const LatencySummary latency = Stats().append_disk_latency;
  EXPECT_EQ(latency.count, 1u);
  EXPECT_GE(latency.max, milliseconds(30));
  EXPECT_LT(latency.max, milliseconds(31));
  EXPECT_EQ(latency.sum, latency.max);
  EXPECT_EQ(latency.p50, latency.max);
  Close();
}

TEST_F(EngineLatencyTest, ReadsCountByTheColdestTier) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  ASSERT_TRUE(Append(*p, "b").ok());
  ASSERT_TRUE(Read(p, 1)->size() == 1);
  EXPECT_EQ(Stats().hot_read_latency.count, 1u);
  ASSERT_EQ(Read(p, 0)->front().tier(), StorageTier::kCold);
  EXPECT_EQ(Stats().cold_read_latency.count, 1u);
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  ASSERT_EQ(Read(p, 1)->front().tier(), StorageTier::kWarm);
  EXPECT_EQ(Stats().hot_read_latency.count, 1u);
  EXPECT_EQ(Stats().warm_read_latency.count, 1u);
  EXPECT_EQ(Stats().cold_read_latency.count, 1u);
  Close();
}

TEST_F(EngineLatencyTest, ReadWithoutBatchesIsNotCounted) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  EXPECT_TRUE(Read(p, 1)->empty());
  EXPECT_FALSE(Read(p, 2).ok());
  EXPECT_EQ(Stats().hot_read_latency.count, 0u);
  Close();
}

TEST_F(EngineLatencyTest, OneForEachFlushOffloadPromotionSyncAndRequest) {
  Open();
  const PartitionPtr p = Topic("t");
  for (const char* text : {"a", "b"}) {
    ASSERT_TRUE(Append(*p, text).ok());
    ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  }
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  ASSERT_TRUE(Promote(p, StorageTier::kWarm).ok());
  ASSERT_TRUE(Promote(p, StorageTier::kHot).ok());
  const TieredStorageStats s = Stats();
  EXPECT_EQ(s.flush_latency.count, 2u);
  EXPECT_EQ(s.flush_latency.count, s.flushes);
  EXPECT_GT(s.offload_latency.count, 0u);
  EXPECT_EQ(s.offload_latency.count, s.offloads);
  EXPECT_GT(s.promote_latency.count, 1u);
  EXPECT_EQ(s.promote_latency.count, s.promotions);
  EXPECT_GT(s.wal_sync_latency.count, 0u);
  EXPECT_EQ(s.wal_sync_latency.count, s.wal_syncs);
  EXPECT_GT(s.cold_put_latency.count, 0u);
  EXPECT_EQ(s.cold_put_latency.count, s.cold_puts);
  EXPECT_GT(s.cold_get_latency.count, 0u);
  EXPECT_EQ(s.cold_get_latency.count, s.cold_gets);
  Close();
}

TEST_F(EngineLatencyTest, SlowBucketShowsInWhatWaitsForIt) {
  const auto slow = std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
  slow->SetChances({.max_delay = milliseconds(100)});
  cold_ = slow;
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  ASSERT_TRUE(Read(p, 0).ok());
  const TieredStorageStats s = Stats();
  EXPECT_GT(s.cold_put_latency.max, nanoseconds(0));
  EXPECT_GE(s.offload_latency.max, s.cold_put_latency.p50);
  EXPECT_GT(s.cold_get_latency.max, nanoseconds(0));
  EXPECT_GT(s.cold_read_latency.max, nanoseconds(0));
  EXPECT_LT(s.cold_put_latency.max, milliseconds(110));
  EXPECT_EQ(s.append_memory_latency.count, 0u);
  Close();
}

}  // namespace
}  // namespace strata::engine
