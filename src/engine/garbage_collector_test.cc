// What lies in the bucket and nothing names goes; all else stays.
#include <gmock/gmock.h>

#include "cold/topics_object.h"
#include "engine/restore.h"
#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class GarbageTest : public EngineTest {
 protected:
  GarbageTest() { cold_ = faulty_; }

  // Topic "t" with a cold segment for each text.
  PartitionPtr Begin(std::initializer_list<std::string_view> texts) {
    Open();
    const PartitionPtr p = Topic("t");
    for (const std::string_view text : texts) {
      EXPECT_TRUE(Append(*p, text).ok());
      EXPECT_TRUE(Demote(p, StorageTier::kCold).ok());
    }
    return p;
  }
  Result<GarbageReport> TryCollect(bool dry_run = false) {
    return Await<Result<GarbageReport>>(runtime_, [&](auto done) {
      engine_->CollectGarbage({.dry_run = dry_run}, std::move(done));
    });
  }
  GarbageReport Collect(bool dry_run = false) {
    Result<GarbageReport> report = TryCollect(dry_run);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : GarbageReport{};
  }
  // As an upload under that claim, of which nobody ever heard again.
  std::string LeaveObject(const PartitionPtr& p, uint64_t base, uint64_t end,
                          uint64_t claim) {
    SegmentEntry entry;
    entry.id = 77;
    entry.partition = p->id;
    entry.offsets = {Offset(base), Offset(end)};
    const std::string key = SegmentKey(entry, claim, "t", 0xabc);
    EXPECT_TRUE(bucket_.Put(key, "left").ok());
    return key;
  }
  uint64_t ClaimNumber(const PartitionPtr& p) {
    return RootOf(*p).claim.number;
  }

  std::shared_ptr<FaultyObjectStore> faulty_ =
      std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
  ObjectStoreClient bucket_{*cold_, runtime_};
};

TEST_F(GarbageTest, NothingIsFoundWhereAllIsNamed) {
  const PartitionPtr p = Begin({"a", "b", "c"});
  const std::vector<std::string> before = bucket_.Keys();
  EXPECT_EQ(Collect().objects, 0u);
  EXPECT_EQ(bucket_.Keys(), before);
  EXPECT_EQ(ReadAll(p), "c:a c:b c:c");
  Close();
}

TEST_F(GarbageTest, WhatNoRootNamesGoes) {
  const PartitionPtr p = Begin({"a", "b"});
  const std::vector<std::string> before = bucket_.Keys();
  const uint64_t claim = ClaimNumber(p);
  const std::string beside = LeaveObject(p, 0, 1, claim);
  const std::string ahead = LeaveObject(p, 2, 9, claim);
  const std::string older = LeaveObject(p, 1, 2, 0);
  const std::string group =
      GroupKey(p->id, 0, {Offset(0), Offset(2)}, claim, 1);
  ASSERT_TRUE(bucket_.Put(group, "a group").ok());
  const GarbageReport report = Collect();
  EXPECT_THAT(report.keys, UnorderedElementsAre(beside, ahead, older, group));
  EXPECT_EQ(report.objects, 4u);
  EXPECT_EQ(report.bytes, 3 * 4 + 7u);
  EXPECT_EQ(bucket_.Keys(), before);
  EXPECT_EQ(ReadAll(p), "c:a c:b");
  ASSERT_TRUE(Append(*p, "c").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(p), "c:a c:b c:c");
  EXPECT_EQ(Collect().objects, 0u);
  Close();
}

TEST_F(GarbageTest, DryRunOnlyLooks) {
  const PartitionPtr p = Begin({"a"});
  const std::string left = LeaveObject(p, 1, 2, ClaimNumber(p));
  const std::vector<std::string> before = bucket_.Keys();
  const uint64_t claim = ClaimNumber(p);
  EXPECT_THAT(Collect(true).keys, ElementsAre(left));
  EXPECT_EQ(bucket_.Keys(), before);
  EXPECT_EQ(ClaimNumber(p), claim);
  Close();
}

// A newer owner's, which it is about to name.
TEST_F(GarbageTest, WhatANewerClaimHasPutStays) {
  const PartitionPtr p = Begin({"a"});
  const std::string newer = LeaveObject(p, 1, 2, ClaimNumber(p) + 2);
  EXPECT_EQ(Collect().objects, 0u);
  EXPECT_THAT(bucket_.Keys(), testing::Contains(newer));
  Close();
}

TEST_F(GarbageTest, StrangeObjectsStay) {
  const PartitionPtr p = Begin({"a"});
  const std::string prefix = PartitionPrefix(p->id);
  const std::string digits(20, '0');
  for (const std::string& key :
       {prefix + "notes.txt", prefix + digits + "-" + digits + "-x.seg",
        prefix + digits + "-" + digits + "-", std::string("topics/mine/x"),
        std::string("topics/x"), std::string("other/thing")}) {
    ASSERT_TRUE(bucket_.Put(key, "x").ok());
  }
  const std::vector<std::string> before = bucket_.Keys();
  EXPECT_EQ(Collect().objects, 0u);
  EXPECT_EQ(bucket_.Keys(), before);
  Close();
}

TEST_F(GarbageTest, PartitionOfAnotherStoreIsNotTouched) {
  const PartitionPtr p = Begin({"a"});
  // Taken over behind its back.
  ColdRoot root = RootOf(*p);
  root.claim = {.number = 9, .owner = TopicId{}, .session = 1};
  ++root.generation;
  ASSERT_TRUE(bucket_.Put(RootKey(p->id), EncodeColdRoot(p->id, root)).ok());
  const std::string left = LeaveObject(p, 1, 2, 1);
  // Told by the first look, at the latest.
  (void)TryCollect();
  EXPECT_EQ(Collect().objects, 0u);
  EXPECT_THAT(bucket_.Keys(), testing::Contains(left));
  Close();
}

// An upload is under way while the collection runs, wherever that is.
TEST_F(GarbageTest, UploadsUnderWayAreMadeAgain) {
  faulty_->SetChances({.max_delay = std::chrono::seconds(1)});
  for (int steps = 0; steps < 120; steps += 3) {
    Open();
    const PartitionPtr p = Topic("t" + std::to_string(steps));
    ASSERT_TRUE(Append(*p, "a").ok());
    bool moved = false;
    engine_->DemoteTo(p, StorageTier::kCold, [&](Status) { moved = true; });
    for (int i = 0; i < steps; ++i) {
      if (!runtime_.Step()) runtime_.RunFor(std::chrono::milliseconds(50));
    }
    Collect();
    for (int i = 0; i < 100 && !moved; ++i) {
      runtime_.RunFor(std::chrono::seconds(1));
    }
    ASSERT_TRUE(moved) << steps;
    const Status again = Demote(p, StorageTier::kCold);
    ASSERT_TRUE(again.ok()) << steps << again;
    ASSERT_EQ(ReadAll(p), "c:a") << steps;
    const auto verified = Await<Result<VerifyReport>>(
        runtime_, [&](auto done) { engine_->Verify({}, std::move(done)); });
    ASSERT_TRUE(verified.ok());
    ASSERT_TRUE(verified->findings.empty())
        << steps << verified->findings.front().detail;
    Close();
  }
}

TEST_F(GarbageTest, CrashBetweenUploadAndCommitLeavesWhatTheNextRunFinds) {
  const PartitionPtr p = Begin({"a"});
  ASSERT_TRUE(Append(*p, "b").ok());
  faulty_->FailNext(StoreOp::kPut, StoreFault::kNone);
  faulty_->FailNext(StoreOp::kPut, StoreFault::kUnknownUndone, 2);
  EXPECT_FALSE(Demote(p, StorageTier::kCold).ok());
  Crash();
  Open();
  EXPECT_EQ(Collect().objects, 1u);
  ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(Find("t")), "c:a c:b");
  Close();
}

// ---- topics -----------------------------------------------------------------

TEST_F(GarbageTest, WhatArrivedAfterItsTopicWasDeletedGoes) {
  const PartitionPtr p = Begin({"a"});
  ASSERT_TRUE(Append(*Topic("kept"), "k").ok());
  ASSERT_TRUE(Demote(Find("kept"), StorageTier::kCold).ok());
  ASSERT_TRUE(
      Do([&](auto done) { engine_->DeleteTopic("t", std::move(done)); }).ok());
  while (engine_->Stats().topics_to_purge > 0) {
    runtime_.RunFor(std::chrono::minutes(2));
    (void)Do([&](auto done) { engine_->RunMigrations(std::move(done)); }).ok();
  }
  const std::vector<std::string> before = bucket_.Keys();
  const std::string left = LeaveObject(p, 0, 1, 1);
  EXPECT_THAT(Collect(true).keys, ElementsAre(left));
  EXPECT_THAT(Collect().keys, ElementsAre(left));
  EXPECT_EQ(bucket_.Keys(), before);
  Close();
}

TEST_F(GarbageTest, TopicsAreNotGarbageBecauseTheirObjectWasLost) {
  const PartitionPtr p = Begin({"a"});
  Close();
  // Another store in the same bucket, which names its own topics only.
  data_ = disk_.Mount("b/data");
  warm_ = disk_.Mount("b/warm");
  Open();
  ASSERT_TRUE(bucket_.Delete(TopicsKey()).ok());
  EXPECT_EQ(Collect().objects, 0u);
  ASSERT_TRUE(Append(*Topic("other"), "o").ok());
  ASSERT_TRUE(Demote(Find("other"), StorageTier::kCold).ok());
  const std::vector<std::string> before = bucket_.Keys();
  EXPECT_EQ(Collect().objects, 0u);
  EXPECT_EQ(bucket_.Keys(), before);
  Close();
}

TEST_F(GarbageTest, ErrorsOfTheBucketAreAnsweredAndTheNextRunGoesOn) {
  const PartitionPtr p = Begin({"a"});
  LeaveObject(p, 1, 2, ClaimNumber(p));
  for (const StoreOp op : {StoreOp::kList, StoreOp::kDelete, StoreOp::kPut}) {
    faulty_->FailNext(op, StoreFault::kUnavailable);
    EXPECT_EQ(TryCollect().status().code(), StatusCode::kUnavailable);
  }
  EXPECT_EQ(Collect().objects, 1u);
  EXPECT_EQ(ReadAll(p), "c:a");
  Close();
}

TEST_F(GarbageTest, WithoutColdStorageThereIsNone) {
  cold_ = nullptr;
  config_.cold_storage = cold::Disabled{};
  Open();
  EXPECT_EQ(TryCollect().status().code(), StatusCode::kUnsupported);
  Close();
}

}  // namespace
}  // namespace strata::engine
