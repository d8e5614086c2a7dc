// Local segments that cannot be read: what is lost is accepted by Repair, what
// is left goes on, and other partitions never notice.
#include <gmock/gmock.h>

#include <algorithm>

#include "segment/segment_file_writer.h"
#include "testing/engine_fixture.h"
#include "testing/faulty_object_store.h"

namespace strata::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EngineRepairTest : public EngineTest {
 protected:
  // One segment in warm alone for each text.
  void Begin(std::initializer_list<std::string_view> texts) {
    Open();
    p_ = Topic("t");
    for (const std::string_view text : texts) Seal(*p_, text);
  }
  void Seal(PartitionState& p, std::string_view text) {
    ASSERT_TRUE(Append(p, text).ok());
    const Status status = Demote(Find(p.name.topic), StorageTier::kWarm);
    ASSERT_TRUE(status.ok()) << status;
  }
  size_t SegmentFiles() {
    return std::ranges::count_if(warm_->Files(), [](const std::string& name) {
      return name.ends_with(".seg");
    });
  }
  // Of the segment that holds `offset`.
  WarmAddress AddressOf(uint64_t offset) {
    MutexLock lock(p_->mu);
    return *p_->FindSegment(Offset(offset))->entry.warm;
  }
  std::string FileOf(uint64_t offset) {
    return SegmentFileName(AddressOf(offset).file);
  }
  void FlipIn(std::string_view file, std::string_view text) {
    const auto bytes = warm_->ReadFile(file);
    ASSERT_TRUE(bytes.ok());
    const size_t at = bytes->find(text);
    ASSERT_NE(at, std::string::npos);
    warm_->FlipBit(file, at);
  }
  Result<RepairReport> Repair() {
    return Await<Result<RepairReport>>(
        runtime_, [&](auto done) { engine_->Repair(p_, std::move(done)); });
  }
  RepairReport Repaired() {
    const Result<RepairReport> report = Repair();
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : RepairReport{};
  }
  std::vector<VerifyFinding> Findings() {
    const auto report = Await<Result<VerifyReport>>(
        runtime_, [&](auto done) { engine_->Verify({}, std::move(done)); });
    EXPECT_TRUE(report.ok()) << report.status();
    return report->findings;
  }
  Epoch CurrentEpoch() {
    MutexLock lock(p_->mu);
    return p_->CurrentEpoch();
  }

  PartitionPtr p_;
};

OffsetRange Range(uint64_t base, uint64_t end) {
  return {Offset(base), Offset(end)};
}

TEST_F(EngineRepairTest, MissingSegmentBecomesAGapAndTheRestMovesOn) {
  Begin({"a", "b", "c"});
  ASSERT_TRUE(Append(*p_, "unflushed").ok());
  warm_->RemoveFile(FileOf(1));
  const Status stuck = Demote(p_, StorageTier::kCold);
  EXPECT_EQ(stuck.code(), StatusCode::kDataLoss) << stuck;

  const Epoch epoch = CurrentEpoch();
  const RepairReport report = Repaired();
  EXPECT_EQ(report.segments_rewritten, 1u);
  EXPECT_EQ(report.batches_kept, 0u);
  EXPECT_THAT(report.lost, ElementsAre(Range(1, 2)));
  EXPECT_FALSE(report.reopened);
  EXPECT_EQ(CurrentEpoch(), epoch);  // the end of the log is what it was
  EXPECT_EQ(ReadAll(p_), "w:a w:c w:unflushed");
  EXPECT_THAT(Findings(), IsEmpty());
  ASSERT_TRUE(Demote(p_, StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(p_), "c:a c:c c:unflushed");
  Crash();
  Open();
  EXPECT_EQ(ReadAll(Find("t")), "c:a c:c c:unflushed");
  Close();
}

TEST_F(EngineRepairTest, BatchesThatCanStillBeReadStay) {
  Open();
  p_ = Topic("t");
  std::string kept;
  for (int i = 0; i < 20; ++i) {
    const std::string text = std::to_string(i) + std::string(3000, 'x') + "!";
    ASSERT_TRUE(Append(*p_, text).ok());
    if (i != 7) kept += (kept.empty() ? "w:" : " w:") + text;
  }
  ASSERT_TRUE(Demote(p_, StorageTier::kWarm).ok());
  FlipIn(FileOf(7), "7xxx");
  EXPECT_EQ(Findings().size(), 1u);
  const RepairReport report = Repaired();
  EXPECT_EQ(report.segments_rewritten, 1u);
  EXPECT_EQ(report.batches_kept, 19u);
  EXPECT_THAT(report.lost, ElementsAre(Range(7, 8)));
  EXPECT_EQ(ReadAll(p_), kept);
  EXPECT_THAT(Findings(), IsEmpty());
  runtime_.RunUntilIdle();
  EXPECT_EQ(SegmentFiles(), 1u);  // the old file is gone
  Crash();
  Open();
  EXPECT_EQ(ReadAll(Find("t")), kept);
  Close();
}

TEST_F(EngineRepairTest, BadSectorAndCutFileCostWhatTheyHold) {
  Open();
  p_ = Topic("t");
  const std::string filler(8000, 'f');
  for (const char* text : {"a", "b", "c"}) {
    ASSERT_TRUE(Append(*p_, text + filler).ok());
  }
  ASSERT_TRUE(Demote(p_, StorageTier::kWarm).ok());
  const WarmAddress image = AddressOf(0);
  warm_->DamageMapped(FileOf(0), image.position + 12'000, 100);  // within b
  EXPECT_EQ(Repaired().batches_kept, 2u);
  EXPECT_EQ(ReadAll(p_), "w:a" + filler + " w:c" + filler);

  warm_->TruncateFile(FileOf(0), AddressOf(0).position + 8'500);
  const RepairReport report = Repaired();
  EXPECT_EQ(report.batches_kept, 1u);
  EXPECT_THAT(report.lost, ElementsAre(Range(1, 3)));
  EXPECT_EQ(ReadAll(p_), "w:a" + filler);
  Close();
}

TEST_F(EngineRepairTest, WhatIsStillInMemoryIsNotLost) {
  Open();
  p_ = Topic("t");
  ASSERT_TRUE(Append(*p_, "a").ok());
  ASSERT_TRUE(Append(*p_, "b").ok());
  ASSERT_TRUE(
      Do([&](auto done) { engine_->Flush({p_}, std::move(done)); }).ok());
  EXPECT_EQ(ReadAll(p_), "h:a h:b");
  warm_->RemoveFile(FileOf(0));
  const RepairReport report = Repaired();
  EXPECT_EQ(report.batches_kept, 2u);
  EXPECT_THAT(report.lost, IsEmpty());
  ASSERT_TRUE(Demote(p_, StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(p_), "c:a c:b");
  Close();
}

TEST_F(EngineRepairTest, DamagedCopyOfWhatIsColdIsDropped) {
  const auto bucket = std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
  cold_ = bucket;
  Begin({"a"});
  ASSERT_TRUE(Demote(p_, StorageTier::kCold).ok());
  ASSERT_TRUE(Promote(p_, StorageTier::kWarm).ok());
  Seal(*p_, "b");
  FlipIn(FileOf(0), "a");
  FlipIn(FileOf(1), "b");
  // The local copy may be the better one as long as the bucket is away.
  Close();
  Open();
  p_ = Find("t");
  bucket->SetAway(true);
  EXPECT_EQ(Repair().status().code(), StatusCode::kUnavailable);
  bucket->SetAway(false);
  const RepairReport report = Repaired();
  EXPECT_EQ(report.copies_dropped, 1u);
  // Not by the first call: the bucket might have had it.
  EXPECT_EQ(report.segments_rewritten, 1u);
  EXPECT_EQ(ReadAll(p_), "c:a");
  EXPECT_THAT(Findings(), IsEmpty());
  Close();
}

TEST_F(EngineRepairTest, NothingIsChangedOnAFullDisk) {
  Begin({"a", "b"});
  FlipIn(FileOf(0), "a");
  disk_.FailNext(FileOp::kWrite, "warm", 1, StatusCode::kNoSpace);
  EXPECT_EQ(Repair().status().code(), StatusCode::kNoSpace);
  EXPECT_EQ(Findings().size(), 1u);
  runtime_.RunUntilIdle();
  EXPECT_EQ(SegmentFiles(), 2u);
  EXPECT_THAT(Repaired().lost, ElementsAre(Range(0, 1)));
  EXPECT_EQ(ReadAll(p_), "w:b");
  Close();
}

TEST_F(EngineRepairTest, CrashAtAnyMomentLeavesTheOldOrTheNew) {
  for (uint64_t changes = 0;; ++changes) {
    SCOPED_TRACE(changes);
    Begin({"a", "b"});
    FlipIn(FileOf(0), "a");
    disk_.CrashAfter(changes);
    bool answered = false;
    engine_->Repair(p_, [&](const Result<RepairReport>& report) {
      answered = report.ok();
    });
    runtime_.RunFor(std::chrono::seconds(1));
    Drop();
    const bool done = answered && !disk_.frozen();
    disk_.Crash(SimUnsyncedFate::kLost);
    Open();
    p_ = Find("t");
    Repaired();
    EXPECT_EQ(ReadAll(p_), "w:b");
    runtime_.RunUntilIdle();
    EXPECT_EQ(SegmentFiles(), 2u);
    ASSERT_TRUE(
        Do([&](auto d) { engine_->DeleteTopic("t", std::move(d)); }).ok());
    Close();
    if (done) return;
    ASSERT_LT(changes, 50u);
  }
}

TEST_F(EngineRepairTest, PartitionThatCannotMoveLeavesRoomToOthers) {
  config_.warm_tier_max_bytes = 256 * kKiB;
  config_.warm_high_watermark = 0.5;
  config_.warm_low_watermark = 0.25;
  config_.min_segment_bytes = 4 * kKiB;
  config_.target_segment_bytes = 16 * kKiB;
  Begin({"bad"});
  const PartitionPtr other = Topic("other");
  FlipIn(FileOf(0), "bad");
  const std::string batch(16 * kKiB, 'x');
  const auto flush = [&](const PartitionPtr& p) {
    return Do([&](auto done) { engine_->Flush({p}, std::move(done)); });
  };
  // Until its own appends are refused.
  Status refused;
  for (int i = 0; refused.ok(); ++i) {
    ASSERT_LT(i, 100);
    refused = Append(*p_, batch).status();
    ASSERT_TRUE(flush(p_).ok());
    (void)Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
  }
  EXPECT_EQ(refused.code(), StatusCode::kNoSpace);
  EXPECT_THAT(refused.message(), HasSubstr("repaired"));
  EXPECT_LT(engine_->Stats().warm.bytes, config_.warm_tier_max_bytes);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Append(*other, batch).ok()) << i;
    ASSERT_TRUE(flush(other).ok());
    // Each pass goes one step further: offload, drop.
    for (int pass = 0; pass < 3; ++pass) {
      (void)Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
    }
  }
  EXPECT_EQ(Append(*p_, batch).status().code(), StatusCode::kNoSpace);
  EXPECT_THAT(Repaired().lost, ElementsAre(Range(0, 1)));
  // The moves that it begins by itself: the passes below wait for their own.
  runtime_.RunFor(std::chrono::seconds(10));
  for (int i = 0; i < 100; ++i) {
    const Status appended = Append(*p_, batch).status();
    ASSERT_TRUE(appended.ok()) << i << ": " << appended;
    ASSERT_TRUE(flush(p_).ok());
    for (int pass = 0; pass < 3; ++pass) {
      ASSERT_TRUE(
          Do([&](auto done) { engine_->RunMigrations(std::move(done)); }).ok());
    }
  }
  Close();
}

// The bad partition holds more than has to leave for the watermark.
TEST_F(EngineRepairTest, LargePartitionThatCannotMoveLeavesRoomToOthers) {
  config_.warm_tier_max_bytes = 1024 * kKiB;
  config_.warm_high_watermark = 0.9;
  config_.warm_low_watermark = 0.8;
  config_.min_segment_bytes = 4 * kKiB;
  config_.target_segment_bytes = 16 * kKiB;
  Begin({"bad"});
  const PartitionPtr other = Topic("other");
  const std::string batch(16 * kKiB, 'x');
  for (int i = 0; i < 30; ++i) Seal(*p_, batch);
  FlipIn(FileOf(0), "bad");
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(Append(*other, batch).ok()) << i;
    ASSERT_TRUE(
        Do([&](auto done) { engine_->Flush({other}, std::move(done)); }).ok());
    for (int pass = 0; pass < 3; ++pass) {
      (void)Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
    }
  }
  Close();
}

// The root reaches further than the local side knows: a crash came between.
TEST_F(EngineRepairTest, WhatTheBucketAloneKnowsToBeColdIsNotLost) {
  Begin({"a", "b"});
  const auto bucket = std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
  // Until the bucket's root names the segment.
  for (uint64_t changes = 0; RootOf(*p_).empty(); ++changes) {
    ASSERT_LT(changes, 50u);
    disk_.CrashAfter(changes);
    engine_->DemoteTo(p_, StorageTier::kCold, [](const Status&) {});
    runtime_.RunFor(std::chrono::seconds(5));
    Crash();
    if (!RootOf(*p_).empty()) break;
    Open();
    p_ = Find("t");
  }
  cold_ = bucket;
  Open();
  p_ = Find("t");
  {
    MutexLock lock(p_->mu);
    ASSERT_EQ(p_->cold_end, Offset(0));
  }
  warm_->RemoveFile(FileOf(0));
  // Nothing is given up while the bucket does not answer.
  bucket->SetAway(true);
  const Status away = Repair().status();
  EXPECT_EQ(away.code(), StatusCode::kUnavailable) << away;
  bucket->SetAway(false);
  const RepairReport report = Repaired();
  EXPECT_THAT(report.lost, IsEmpty());
  EXPECT_EQ(report.copies_dropped, 1u);
  EXPECT_EQ(ReadAll(p_), "c:a w:b");
  Close();
}

class EngineGapRepairTest : public EngineRepairTest {
 protected:
  // Ten records, a gap of ten offsets, `needle` at [20, 25), and `behind`.
  void BeginWithGap(std::string_view behind) {
    Open();
    p_ = Topic("t");
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(*p_, "a").ok());
    ASSERT_TRUE(Demote(p_, StorageTier::kWarm).ok());
    Write(20, 25, "needle");
    if (!behind.empty()) Write(25, 26, behind);
    // So that the damage is not taken for a torn tail.
    ASSERT_TRUE(Append(*Topic("other"), "x").ok());
    runtime_.RunFor(std::chrono::seconds(10));
    Crash();
  }
  void Write(uint64_t base, uint64_t end, std::string_view text) {
    const Result<PendingAppend> pending = engine_->TryWrite(
        *p_, {Offset(base), Offset(end)}, AsBytes(text), Durability::kDisk);
    ASSERT_TRUE(pending.ok()) << pending.status();
    ASSERT_TRUE(Await<Status>(runtime_, [&](auto done) {
                  engine_->WhenDurable(*pending, std::move(done));
                }).ok());
  }
  // A bit of the WAL, `before` bytes in front of the batch's first.
  void FlipInWal(size_t before) {
    int hits = 0;
    for (const std::string& name : data_->Files()) {
      if (!name.starts_with("wal/")) continue;
      const size_t at = data_->ReadFile(name)->find("needle");
      if (at == std::string::npos) continue;
      data_->FlipBit(name, at - before);
      ++hits;
    }
    ASSERT_EQ(hits, 1);
  }
  void ExpectGoesOn(std::string_view expected) {
    ASSERT_TRUE(Append(*p_, "new").ok());
    EXPECT_EQ(ReadAll(p_, 10), expected);
    EXPECT_THAT(Findings(), IsEmpty());
    ASSERT_TRUE(Demote(p_, StorageTier::kCold).ok());
    Crash();
    Open();
    p_ = Find("t");
    EXPECT_THAT(Findings(), IsEmpty());
    ASSERT_TRUE(Append(*p_, "newer").ok());
    Close();
  }
};

TEST_F(EngineGapRepairTest, LossBehindAGapTakesTheGapWithIt) {
  for (const std::string_view behind : {"", "behind"}) {
    BeginWithGap(behind);
    FlipInWal(0);
    Open();
    p_ = Find("t");
    // The rest of it, and other partitions, can be flushed.
    ASSERT_TRUE(
        Do([&](auto done) { engine_->FlushAll(std::move(done)); }).ok());
    EXPECT_EQ(Append(*p_, "x").status().code(), StatusCode::kReadOnly);
    const RepairReport report = Repaired();
    EXPECT_THAT(report.lost, ElementsAre(Range(10, 25)));
    EXPECT_TRUE(report.reopened);
    ExpectGoesOn(behind.empty() ? "h:new" : "h:behind h:new");
    ASSERT_FALSE(HasFatalFailure());
    Open();
    const Status deleted =
        Do([&](auto done) { engine_->DeleteTopic("t", std::move(done)); });
    ASSERT_TRUE(deleted.ok()) << deleted;
    Close();
  }
}

TEST_F(EngineGapRepairTest, GapWhoseBatchNobodyCanTellIsFilled) {
  BeginWithGap("");
  FlipInWal(40);  // in the batch's header
  Open();
  p_ = Find("t");
  EXPECT_EQ(Append(*p_, "x").status().code(), StatusCode::kReadOnly);
  const RepairReport report = Repaired();
  EXPECT_TRUE(report.reopened);
  ExpectGoesOn("h:new");
}

}  // namespace
}  // namespace strata::engine
