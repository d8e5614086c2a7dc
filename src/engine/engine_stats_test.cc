// What the engine tells of its segments and of what it did.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/engine_fixture.h"

namespace strata {
namespace {

TEST(SegmentMetadataTest, AgesAreSecondsAndNeverNegative) {
  SegmentMetadata m;
  m.created_at = 100;
  m.last_accessed = 130;
  EXPECT_EQ(m.AgeSeconds(160), 60u);
  EXPECT_EQ(m.IdleSeconds(160), 30u);
  EXPECT_EQ(m.AgeSeconds(99), 0u);  // the clock went back
  EXPECT_EQ(m.IdleSeconds(129), 0u);
}

TEST(SegmentMetadataTest, CompactionRatioIsDeadOfTotal) {
  SegmentMetadata m;
  EXPECT_EQ(m.CompactionRatio(), 0.0);  // not a division by zero
  m.total_records = 8;
  m.dead_records = 2;
  EXPECT_EQ(m.CompactionRatio(), 0.25);
}

TEST(SegmentMetadataTest, KeySortsLikeTheOffsets) {
  SegmentMetadata m;
  m.topic = "orders";
  m.partition = 7;
  m.base_offset = Offset(42);
  EXPECT_EQ(m.SegmentKey(), "orders/7/00000000000000000042");
  m.base_offset = Offset(UINT64_MAX);
  EXPECT_EQ(m.SegmentKey(), "orders/7/18446744073709551615");
}

}  // namespace

namespace engine {
namespace {

class EngineStatsTest : public EngineTest {
 protected:
  std::vector<SegmentMetadata> Segments(PartitionPtr p) {
    auto segments = Await<Result<std::vector<SegmentMetadata>>>(
        runtime_, [&](auto done) { engine_->Segments(p, std::move(done)); });
    EXPECT_TRUE(segments.ok()) << segments.status();
    return segments.ok() ? *std::move(segments)
                         : std::vector<SegmentMetadata>();
  }

  SegmentMetadata OnlySegment(PartitionPtr p) {
    const std::vector<SegmentMetadata> all = Segments(std::move(p));
    EXPECT_EQ(all.size(), 1u);
    return all.size() == 1 ? all[0] : SegmentMetadata();
  }

  Status RunMigrations() {
    return Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
  }

  uint64_t Now() {
    return static_cast<uint64_t>(runtime_.clock().WallNow()) / 1000;
  }
};

void AppendRecords(Engine& engine, SimRuntime& runtime, PartitionState& p,
                   std::string_view text, uint32_t records,
                   TimestampMs max_timestamp) {
  AppendRequest request;
  request.bytes = AsBytes(text);
  request.record_count = records;
  request.max_timestamp = max_timestamp;
  const Result<PendingAppend> pending = engine.TryAppend(p, {&request, 1});
  ASSERT_TRUE(pending.ok()) << pending.status();
  const Status durable = Await<Status>(runtime, [&](auto done) {
    engine.WhenDurable(*pending, std::move(done));
  });
  ASSERT_TRUE(durable.ok()) << durable;
}

TEST_F(EngineStatsTest, SegmentsTellWhereTheDataIsAndWhatItIs) {
  Open();
  Topic("t", 4);
  const PartitionPtr p = Find("t", 3);
  EXPECT_TRUE(Segments(p).empty());

  const uint64_t appended = Now();
  AppendRecords(*engine_, runtime_, *p, "ten", 10, 5000);
  runtime_.RunFor(std::chrono::seconds(30));
  AppendRecords(*engine_, runtime_, *p, "five", 5, 4000);
  SegmentMetadata m = OnlySegment(p);
  EXPECT_EQ(m.topic, "t");
  EXPECT_EQ(m.partition, 3u);
  EXPECT_EQ(m.base_offset, Offset(0));
  EXPECT_EQ(m.end_offset, Offset(15));
  EXPECT_EQ(m.tier, StorageTier::kHot);
  EXPECT_TRUE(m.in_hot && !m.in_warm && !m.in_cold && !m.sealed);
  EXPECT_EQ(m.created_at, appended);
  EXPECT_EQ(m.total_records, 15u);
  EXPECT_EQ(m.batch_count, 2u);
  EXPECT_EQ(m.max_timestamp, 5000);
  EXPECT_GE(m.size_bytes, 7u);

  runtime_.RunFor(std::chrono::seconds(30));
  const uint64_t sealed = Now();
  ASSERT_TRUE(
      Do([&](auto done) { engine_->Flush({p}, std::move(done)); }).ok());
  m = OnlySegment(p);
  EXPECT_EQ(m.tier, StorageTier::kHot);  // its copy there is kept
  EXPECT_TRUE(m.in_hot && m.in_warm && !m.in_cold && m.sealed);
  EXPECT_EQ(m.created_at, sealed);
  EXPECT_EQ(m.total_records, 15u);
  EXPECT_EQ(m.batch_count, 2u);
  EXPECT_EQ(m.max_timestamp, 5000);
  EXPECT_GT(m.size_bytes, 7u);  // with checksums and index
  const uint64_t image = m.size_bytes;

  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  m = OnlySegment(p);
  EXPECT_EQ(m.tier, StorageTier::kWarm);
  EXPECT_TRUE(!m.in_hot && m.in_warm && !m.in_cold);

  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  m = OnlySegment(p);
  EXPECT_EQ(m.tier, StorageTier::kCold);
  EXPECT_TRUE(!m.in_hot && !m.in_warm && m.in_cold && m.sealed);
  EXPECT_EQ(m.size_bytes, image);
  EXPECT_EQ(m.created_at, sealed);

  ASSERT_TRUE(Promote(p, StorageTier::kHot).ok());
  m = OnlySegment(p);
  EXPECT_EQ(m.tier, StorageTier::kHot);
  EXPECT_TRUE(m.in_hot && m.in_warm && m.in_cold);
  EXPECT_EQ(m.total_records, 15u);

  Close();
  Open();
  m = OnlySegment(Find("t", 3));
  EXPECT_EQ(m.created_at, sealed);
  EXPECT_EQ(m.total_records, 15u);
  EXPECT_EQ(m.max_timestamp, 5000);
  Close();
}

TEST_F(EngineStatsTest, ReadsCountUntilAPromotion) {
  config_.promotion_threshold = 1000;
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  for (const StorageTier from : {StorageTier::kWarm, StorageTier::kCold}) {
    ASSERT_TRUE(Demote(p, from).ok());
    const uint64_t before = OnlySegment(p).access_count;
    runtime_.RunFor(std::chrono::seconds(30));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(Read(p, 0).ok());
    SegmentMetadata m = OnlySegment(p);
    EXPECT_EQ(m.access_count, before + 3);
    EXPECT_EQ(m.last_accessed, Now());
    EXPECT_EQ(m.IdleSeconds(Now()), 0u);
    EXPECT_GE(m.AgeSeconds(Now()), 30u);
    ASSERT_TRUE(Promote(p, StorageTier::kHot).ok());
    EXPECT_EQ(OnlySegment(p).access_count, 0u) << Name(from);
  }
  Close();
}

TEST_F(EngineStatsTest, PromotionToWarmBeginsTheCountAnew) {
  config_.promotion_threshold = 1000;
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Read(p, 0).ok());
  ASSERT_EQ(OnlySegment(p).access_count, 3u);
  ASSERT_TRUE(Promote(p, StorageTier::kWarm).ok());
  ASSERT_EQ(OnlySegment(p).tier, StorageTier::kWarm);
  EXPECT_EQ(OnlySegment(p).access_count, 0u);
  ASSERT_TRUE(Read(p, 0).ok());
  EXPECT_EQ(OnlySegment(p).access_count, 1u);
  Close();
}

// Otherwise a full warm tier drops first what was just promoted.
TEST_F(EngineStatsTest, LastAccessStaysInEveryMove) {
  config_.promotion_threshold = 1000;
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  runtime_.RunFor(std::chrono::seconds(30));
  const uint64_t read_at = Now();
  ASSERT_TRUE(Read(p, 0).ok());
  ASSERT_GT(read_at, OnlySegment(p).created_at);
  runtime_.RunFor(std::chrono::seconds(30));
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(OnlySegment(p).tier, StorageTier::kCold);
  EXPECT_EQ(OnlySegment(p).last_accessed, read_at);
  for (const StorageTier tier : {StorageTier::kWarm, StorageTier::kHot}) {
    ASSERT_TRUE(Promote(p, tier).ok());
    EXPECT_EQ(OnlySegment(p).tier, tier);
    EXPECT_EQ(OnlySegment(p).last_accessed, read_at) << Name(tier);
  }
  Close();
}

TEST_F(EngineStatsTest, LastAccessStaysInAMerge) {
  config_.migration_interval = std::chrono::minutes(1);
  config_.warm_tier_max_age = std::chrono::hours(1);
  Open();
  const PartitionPtr p = Topic("t");
  for (const char* text : {"a", "b"}) {
    ASSERT_TRUE(Append(*p, text).ok());
    ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  }
  ASSERT_EQ(Segments(p).size(), 2u);
  runtime_.RunFor(std::chrono::minutes(30));
  const uint64_t read_at = Now();
  ASSERT_TRUE(Read(p, 0).ok());
  runtime_.RunFor(std::chrono::hours(2));
  EXPECT_EQ(OnlySegment(p).tier, StorageTier::kCold);
  EXPECT_EQ(OnlySegment(p).total_records, 2u);
  EXPECT_EQ(OnlySegment(p).last_accessed, read_at);
  Close();
}

TEST_F(EngineStatsTest, CountersCountBatchesAndBytesPerTier) {
  Open();
  const PartitionPtr p = Topic("t");
  for (const char* text : {"a", "bb", "ccc"}) {
    ASSERT_TRUE(Append(*p, text).ok());
  }
  TieredStorageStats s = engine_->Stats();
  EXPECT_EQ(s.hot_writes, 3u);
  EXPECT_EQ(s.total_bytes_written, 6u);
  EXPECT_EQ(s.hot.batches, 3u);
  EXPECT_EQ(s.warm_writes + s.cold_writes + s.total_bytes_read, 0u);
  EXPECT_GT(s.wal_syncs, 0u);

  EXPECT_EQ(ReadAll(p), "h:a h:bb h:ccc");
  s = engine_->Stats();
  EXPECT_EQ(s.hot_reads, 3u);
  EXPECT_EQ(s.hot_bytes_read, 6u);

  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  EXPECT_EQ(ReadAll(p, 1), "w:bb w:ccc");
  s = engine_->Stats();
  EXPECT_EQ(s.flushes, 1u);
  EXPECT_EQ(s.warm_writes, 3u);
  EXPECT_EQ(s.warm_reads, 2u);
  EXPECT_EQ(s.warm_bytes_read, 5u);
  EXPECT_EQ(s.warm.segments, 1u);
  EXPECT_EQ(s.warm.batches, 3u);
  EXPECT_EQ(s.upload_lag_bytes, s.warm.bytes);
  EXPECT_EQ(s.hot.batches, 0u);

  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(p, 2), "c:ccc");
  s = engine_->Stats();
  EXPECT_EQ(s.offloads, 1u);
  EXPECT_EQ(s.cold_writes, 3u);
  EXPECT_EQ(s.cold_reads, 1u);
  EXPECT_EQ(s.cold_bytes_read, 3u);
  EXPECT_EQ(s.cold.segments, 1u);
  EXPECT_EQ(s.warm.segments, 0u);
  EXPECT_EQ(s.upload_lag_bytes, 0u);
  EXPECT_GT(s.demotions, 0u);
  EXPECT_GT(s.cold_puts, 0u);
  EXPECT_GT(s.cold_gets, 0u);
  EXPECT_EQ(s.total_bytes_read, 6u + 5u + 3u);
  EXPECT_EQ(s.hot_writes, 3u);  // moving is no writing
  EXPECT_EQ(s.total_bytes_written, 6u);

  ASSERT_TRUE(Promote(p, StorageTier::kWarm).ok());
  s = engine_->Stats();
  EXPECT_EQ(s.promotions, 1u);
  EXPECT_EQ(s.warm_writes, 6u);
  EXPECT_EQ(s.migrations_failed, 0u);
  // Forced ones too: flush, offload, promotion and what they drop.
  EXPECT_GE(s.migrations_completed, s.flushes + s.offloads + s.promotions);
  Close();
}

TEST_F(EngineStatsTest, FailedMigrationIsCounted) {
  const auto faulty = std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
  cold_ = faulty;
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  faulty->SetAway(true);
  EXPECT_FALSE(Demote(p, StorageTier::kCold).ok());
  EXPECT_GT(engine_->Stats().migrations_failed, 0u);
  EXPECT_EQ(engine_->Stats().cold_writes, 0u);
  EXPECT_EQ(ReadAll(p), "w:a");
  faulty->SetAway(false);
  Close();
}

// Nobody asks for it: the interval does.
TEST_F(EngineStatsTest, DataMovesDownWithTimeAlone) {
  config_.migration_interval = std::chrono::minutes(1);
  config_.hot_tier_max_age = std::chrono::minutes(5);
  config_.warm_tier_max_age = std::chrono::hours(1);
  config_.wal_chunk_bytes = 64 * kKiB;  // one is far below the hot limit
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  runtime_.RunFor(std::chrono::minutes(4));
  EXPECT_EQ(OnlySegment(p).in_warm, false);
  runtime_.RunFor(std::chrono::minutes(3));
  EXPECT_EQ(OnlySegment(p).in_warm, true);
  EXPECT_EQ(OnlySegment(p).in_cold, false);
  // Small as it is, it waits as long again for neighbours.
  runtime_.RunFor(std::chrono::minutes(100));
  EXPECT_EQ(OnlySegment(p).in_cold, false);
  runtime_.RunFor(std::chrono::minutes(30));
  EXPECT_EQ(OnlySegment(p).in_cold, true);
  EXPECT_EQ(OnlySegment(p).in_warm, false);
  Close();
}

TEST_F(EngineStatsTest, FullWarmTierTakesNoAppendsUntilThereIsRoom) {
  cold_ = nullptr;
  config_.warm_tier_max_bytes = 64 * kKiB;
  config_.min_segment_bytes = 4 * kKiB;
  config_.target_segment_bytes = 16 * kKiB;
  Open();
  const PartitionPtr p = Topic("t");
  const std::string batch(16 * kKiB, 'x');
  uint64_t appended = 0;
  Status refused;
  while (appended < 20 && refused.ok()) {
    refused = Append(*p, batch).status();
    if (!refused.ok()) break;
    ++appended;
    ASSERT_TRUE(
        Do([&](auto done) { engine_->Flush({p}, std::move(done)); }).ok());
  }
  EXPECT_EQ(appended, 4u);
  EXPECT_EQ(refused.code(), StatusCode::kNoSpace);
  EXPECT_NE(refused.message().find("of at most 65536"), std::string::npos)
      << refused;
  // What there is stays; so does another topic's refusal: the limit is shared.
  EXPECT_EQ(Append(*Topic("other"), "small").status().code(),
            StatusCode::kNoSpace);
  EXPECT_EQ(Read(p, 0)->front().bytes().size(), batch.size());

  bool writable = false;
  engine_->WhenWritable([&] { writable = true; });
  ASSERT_TRUE(Do([&](auto done) {
                engine_->Trim(p, Offset(2), std::move(done));
              }).ok());
  ASSERT_TRUE(RunMigrations().ok());
  runtime_.RunUntilIdle();
  EXPECT_TRUE(writable);
  EXPECT_TRUE(Append(*p, batch).ok());
  Close();
}

// Who waits for room would try again for ever.
TEST_F(EngineStatsTest, FullWarmTierIsClosedAfterShutdown) {
  cold_ = nullptr;
  config_.warm_tier_max_bytes = 64 * kKiB;
  config_.target_segment_bytes = 64 * kKiB;
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, std::string(64 * kKiB, 'x')).ok());
  ASSERT_TRUE(
      Do([&](auto done) { engine_->Flush({p}, std::move(done)); }).ok());
  ASSERT_EQ(Append(*p, "a").status().code(), StatusCode::kNoSpace);
  ASSERT_TRUE(Do([&](auto done) { engine_->Shutdown(std::move(done)); }).ok());
  EXPECT_EQ(Append(*p, "a").status().code(), StatusCode::kClosed);
  Drop();
}

TEST_F(EngineStatsTest, WaiterIsForgottenWhenItGoes) {
  Open();
  const auto alive = std::make_shared<int>(0);
  for (int i = 0; i < 3; ++i) {
    engine_->CancelWritable(engine_->WhenWritable([alive] { ADD_FAILURE(); }));
  }
  EXPECT_EQ(alive.use_count(), 1);
  const uint64_t first = engine_->WhenWritable([alive] { ADD_FAILURE(); });
  bool called = false;
  engine_->WhenWritable([&] { called = true; });
  engine_->CancelWritable(first);
  engine_->CancelWritable(first);  // again
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(
      Do([&](auto done) { engine_->Flush({p}, std::move(done)); }).ok());
  runtime_.RunUntilIdle();
  EXPECT_TRUE(called);
  Close();
}

// Nobody else wakes who was refused while the reserve was gone.
TEST_F(EngineStatsTest, AppendsGoOnWhenTheReserveIsBack) {
  config_.migration_interval = std::chrono::seconds(1);
  Open();
  const PartitionPtr p = Topic("t");
  disk_.SetCapacity(disk_.used_bytes());
  Topic("uses-up-the-reserve");
  const Status refused = Append(*p, "a").status();
  ASSERT_EQ(refused.code(), StatusCode::kNoSpace) << refused;
  // Who waits may be woken in vain, but not for ever.
  bool writable = true;
  for (int i = 0; i < 10 && writable; ++i) {
    writable = false;
    engine_->WhenWritable([&] { writable = true; });
    runtime_.RunFor(std::chrono::seconds(5));
    EXPECT_EQ(Append(*p, "a").status().code(), StatusCode::kNoSpace);
  }
  EXPECT_FALSE(writable);
  disk_.SetCapacity(SimFileSystem::kUnlimited);
  runtime_.RunFor(std::chrono::seconds(5));
  EXPECT_TRUE(writable);
  EXPECT_TRUE(Append(*p, "a").ok());
  Close();
}

}  // namespace
}  // namespace engine
}  // namespace strata
