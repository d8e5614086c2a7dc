// Moves between the tiers that something else gets in the way of: a trim, a
// deletion, other jobs.
#include "cold/object_names.h"
#include "testing/engine_fixture.h"
#include "testing/object_store_client.h"

namespace strata::engine {
namespace {

class EngineMovesTest : public EngineTest {
 protected:
  EngineMovesTest() { config_.migration_interval = std::chrono::hours(1); }

  void AppendFlushed(const PartitionPtr& p, std::string_view text) {
    ASSERT_TRUE(Append(*p, text).ok());
    ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  }
  void AppendCold(const PartitionPtr& p, std::string_view text) {
    ASSERT_TRUE(Append(*p, text).ok());
    const Status status = Demote(p, StorageTier::kCold);
    ASSERT_TRUE(status.ok()) << status;
  }
  Status Trim(const PartitionPtr& p, uint64_t before) {
    return Do(
        [&](auto done) { engine_->Trim(p, Offset(before), std::move(done)); });
  }
  Status RunMigrations() {
    return Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
  }

  ObjectStoreClient bucket_{*cold_, runtime_};
};

TEST_F(EngineMovesTest, NoObjectBelowTheLogStartIsLeft) {
  Open();
  const PartitionPtr p = Topic("t");
  for (const char* text : {"a", "b", "c", "d"}) AppendCold(p, text);
  ASSERT_EQ(bucket_.Keys("topics/").size(), 5u) << "four segments and the root";
  // More is offloaded before anybody collects.
  bool trimmed = false;
  bool demoted = false;
  ASSERT_TRUE(Append(*p, "e").ok());
  engine_->Trim(p, Offset(3), [&](Status s) { trimmed = s.ok(); });
  engine_->DemoteTo(p, StorageTier::kCold, [&](Status s) { demoted = s.ok(); });
  runtime_.RunUntilIdle();
  EXPECT_TRUE(trimmed);
  EXPECT_TRUE(demoted);
  ASSERT_TRUE(RunMigrations().ok());
  EXPECT_EQ(bucket_.Keys("topics/").size(), 3u) << "d, e and the root";
  EXPECT_EQ(ReadAll(p, 3), "c:d c:e");
  Close();
}

TEST_F(EngineMovesTest, PromotionSealsWhatIsUnflushed) {
  Open();
  const PartitionPtr p = Topic("t");
  AppendCold(p, "a");
  ASSERT_TRUE(Append(*p, "b").ok());
  ASSERT_TRUE(Promote(p, StorageTier::kWarm).ok());
  const auto segments = Await<Result<std::vector<SegmentMetadata>>>(
      runtime_, [&](auto done) { engine_->Segments(p, std::move(done)); });
  ASSERT_TRUE(segments.ok()) << segments.status();
  ASSERT_EQ(segments->size(), 2u);
  for (const SegmentMetadata& segment : *segments) {
    EXPECT_TRUE(segment.sealed);
    EXPECT_TRUE(segment.in_warm);
  }
  Close();
}

TEST_F(EngineMovesTest, OffloadAtAnyMomentOfATrimLeavesNoObjectBelow) {
  for (int steps = 0; steps < 40; ++steps) {
    SCOPED_TRACE(steps);
    Open();
    const PartitionPtr p = Topic("t" + std::to_string(steps));
    const size_t before = bucket_.Keys("topics/").size();
    for (const char* text : {"a", "b"}) AppendCold(p, text);
    AppendFlushed(p, "c");
    AppendFlushed(p, "d");
    bool trimmed = false;
    Status demoted(StatusCode::kUnknown, "no answer");
    engine_->DemoteTo(p, StorageTier::kCold,
                      [&](Status s) { demoted = std::move(s); });
    for (int i = 0; i < steps; ++i) runtime_.Step();
    engine_->Trim(p, Offset(3), [&](Status s) { trimmed = s.ok(); });
    runtime_.RunUntilIdle();
    EXPECT_TRUE(trimmed);
    EXPECT_TRUE(demoted.ok()) << demoted;
    ASSERT_TRUE(RunMigrations().ok());
    EXPECT_EQ(bucket_.Keys("topics/").size(), before + 2) << "d and the root";
    EXPECT_EQ(ReadAll(p, 3), "c:d");
    Close();
  }
}

// The root still names what was trimmed: the log goes on behind it.
TEST_F(EngineMovesTest, DemotionBehindATrimOfAllThatIsColdIsOk) {
  Open();
  const PartitionPtr p = Topic("t");
  AppendCold(p, "a");
  AppendFlushed(p, "b");
  AppendFlushed(p, "c");
  bool trimmed = false;
  engine_->Trim(p, Offset(2), [&](Status s) { trimmed = s.ok(); });
  const Status demoted = Demote(p, StorageTier::kCold);
  EXPECT_TRUE(demoted.ok()) << demoted;
  EXPECT_TRUE(trimmed);
  EXPECT_EQ(ReadAll(p, 2), "c:c");
  Close();
}

TEST_F(EngineMovesTest, DemotionsAndPromotionsAtOnceAreAllOk) {
  Open();
  const PartitionPtr p = Topic("t");
  for (const char* text : {"a", "b", "c"}) AppendFlushed(p, text);
  int answers = 0;
  const auto count = [&](Status status) {
    EXPECT_TRUE(status.ok()) << status;
    ++answers;
  };
  for (int i = 0; i < 3; ++i) {
    engine_->DemoteTo(p, StorageTier::kCold, count);
    engine_->PromoteTo(p, StorageTier::kWarm, count);
    engine_->RunMigrations(count);
  }
  runtime_.RunUntilIdle();
  EXPECT_EQ(answers, 9);
  const Status demoted = Demote(p, StorageTier::kCold);
  EXPECT_TRUE(demoted.ok()) << demoted;
  EXPECT_EQ(ReadAll(p), "c:a c:b c:c");
  EXPECT_EQ(bucket_.Keys("topics/").size(), 4u) << "nothing was uploaded twice";
  Close();
}

// Merge, offload and drop follow each other, though no append asks again and no
// tick comes.
TEST_F(EngineMovesTest, FullWarmTierMakesRoomByItself) {
  config_.warm_tier_max_bytes = 256 * kKiB;
  config_.migration_interval = std::chrono::hours(10);
  config_.target_segment_bytes = 128 * kKiB;
  Open();
  const PartitionPtr p = Topic("t");
  for (int i = 0; i < 9; ++i) AppendFlushed(p, std::string(30 * kKiB, 'x'));
  ASSERT_EQ(Append(*p, "y").status().code(), StatusCode::kNoSpace);
  runtime_.RunFor(std::chrono::seconds(1));
  const auto append = Append(*p, "y");
  EXPECT_TRUE(append.ok()) << append.status();
  Close();
}

// Forced moves go through the runner: its bounds hold for them too.
TEST_F(EngineMovesTest, ForcedDemotionKeepsToTheByteRate) {
  config_.migration_bytes_per_second = 100 * kKiB;
  Open();
  const PartitionPtr p = Topic("t");
  const MonotonicTime begin = runtime_.clock().Now();
  AppendCold(p, std::string(400 * kKiB, 'x'));
  AppendCold(p, "waits until the first is paid for");
  EXPECT_GE(runtime_.clock().Now() - begin, std::chrono::seconds(2));
  Close();
}

TEST_F(EngineMovesTest, RootOfAnEarlierTimeIsToldAndNothingMoves) {
  Open();
  const PartitionPtr p = Topic("t");
  AppendCold(p, "a");
  const std::string root =
      *bucket_.Get(RootKey(p->id));  // of a log that ends earlier
  AppendCold(p, "b");
  AppendFlushed(p, "c");
  ASSERT_TRUE(bucket_.Delete(RootKey(p->id)).ok());
  ASSERT_TRUE(bucket_.Put(RootKey(p->id), root).ok());
  EXPECT_EQ(Demote(p, StorageTier::kCold).code(), StatusCode::kDataLoss);
  EXPECT_EQ(ReadAll(p, 2), "w:c");
  Close();
}

// However far the one is when the other comes.
TEST_F(EngineMovesTest, TrimOfATopicThatIsBeingDeletedIsNotFound) {
  int refused = 0;
  for (int steps = 0; steps < 12; ++steps) {
    SCOPED_TRACE(steps);
    Open();
    const PartitionPtr p = Topic("t");
    ASSERT_TRUE(Append(*p, "a").ok());
    Status trimmed(StatusCode::kUnavailable, "no answer");
    Status cut(StatusCode::kUnavailable, "no answer");
    engine_->DeleteTopic("t", [](Status) {});
    for (int i = 0; i < steps; ++i) runtime_.Step();
    engine_->Trim(p, Offset(1), [&](Status s) { trimmed = std::move(s); });
    engine_->TruncateTail(p, Offset(1), Epoch(90),
                          [&](Status s) { cut = std::move(s); });
    runtime_.RunUntilIdle();
    for (const Status& status : {trimmed, cut}) {
      if (status.ok()) continue;
      ++refused;
      EXPECT_EQ(status, Status(StatusCode::kNotFound, "topic 't' was deleted"));
    }
    Close();
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace strata::engine
