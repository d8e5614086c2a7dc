// A store that is made out of its bucket.
#include <gmock/gmock.h>

#include "cold/object_names.h"
#include "engine/restore.h"
#include "testing/engine_fixture.h"
#include "testing/object_store_client.h"

namespace strata::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class EngineRestoreTest : public EngineTest {
 protected:
  // Whatever is left of this machine, another one has nothing of it.
  void LoseMachine() {
    Drop();
    const std::string name = "machine" + std::to_string(++machines_);
    data_ = disk_.Mount(name + "/data");
    warm_ = disk_.Mount(name + "/warm");
  }
  Result<RestoreReport> TryRestore() {
    return Restore(config_, {.runtime = runtime_,
                             .data_fs = *data_,
                             .warm_fs = *warm_,
                             .cold = cold_,
                             .log = nullptr,
                             .executor = executor_});
  }
  RestoreReport RestoreAndOpen() {
    Result<RestoreReport> report = TryRestore();
    EXPECT_TRUE(report.ok()) << report.status();
    Open();
    return report.ok() ? *std::move(report) : RestoreReport{};
  }
  PartitionPtr AppendAll(const std::string& topic,
                         std::initializer_list<std::string_view> texts) {
    const PartitionPtr p = Topic(topic);
    for (const std::string_view text : texts) {
      const auto appended = Append(*p, text);
      EXPECT_TRUE(appended.ok()) << appended.status();
    }
    return p;
  }
  Status Trim(PartitionPtr p, uint64_t before) {
    return Do(
        [&](auto done) { engine_->Trim(p, Offset(before), std::move(done)); });
  }
  Status RunMigrations() {
    return Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
  }
  LogBounds Bounds(PartitionPtr p) { return *engine_->Bounds(*p); }

  ObjectStoreClient bucket_{*cold_, runtime_};
  int machines_ = 0;
};

TEST_F(EngineRestoreTest, EmptyMachineGoesOnWithAllThatWasOffloaded) {
  Open();
  TopicSettings settings;
  settings.warm_max_age = std::chrono::hours(7);
  ASSERT_TRUE(Await<Result<TopicInfo>>(runtime_, [&](auto done) {
                engine_->CreateTopic("set", 3, settings, std::move(done));
              }).ok());
  PartitionPtr p = AppendAll("t", {"a", "b"});
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  AppendAll("t", {"c"});
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  ASSERT_TRUE(Trim(p, 1).ok());
  ASSERT_TRUE(RunMigrations().ok());
  const TopicId id = engine_->DescribeTopic("t")->id;
  LoseMachine();

  const RestoreReport report = RestoreAndOpen();
  EXPECT_THAT(report.topics, ElementsAre("set", "t"));
  EXPECT_EQ(report.partitions, 4u);
  EXPECT_EQ(report.segments, 2u);
  EXPECT_THAT(report.renamed, IsEmpty());
  EXPECT_TRUE(engine_->recovery().clean);
  EXPECT_EQ(engine_->DescribeTopic("set")->settings.warm_max_age,
            std::chrono::hours(7));
  EXPECT_EQ(engine_->DescribeTopic("set")->partitions, 3u);
  EXPECT_EQ(engine_->DescribeTopic("t")->id, id);
  p = Find("t");
  EXPECT_EQ(ReadAll(p, 1), "c:b c:c");
  EXPECT_EQ(Bounds(p).log_start, Offset(1));
  EXPECT_EQ(Bounds(p).log_end, Offset(3));

  // It goes on as if it had always been here.
  AppendAll("t", {"d"});
  ASSERT_TRUE(Promote(p, StorageTier::kWarm).ok());
  EXPECT_EQ(ReadAll(p, 1), "w:b w:c h:d");
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(p, 1), "c:b c:c c:d");
  Close();
  Open();
  EXPECT_EQ(ReadAll(Find("t"), 1), "c:b c:c c:d");
  Close();
}

// What the lost machine had not uploaded is gone; its offsets come again, under
// an epoch that no batch had before.
TEST_F(EngineRestoreTest, CutTailComesAgainUnderAHigherEpoch) {
  Open();
  PartitionPtr p = AppendAll("t", {"a"});
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  for (int i = 0; i < 3; ++i) {
    Crash();
    Open();  // each begins an epoch that the bucket does not hear of
    runtime_.RunUntilIdle();
    p = AppendAll("t", {"lost"});
  }
  const Epoch lost = Read(p, 3)->front().epoch();
  LoseMachine();

  RestoreAndOpen();
  p = Find("t");
  EXPECT_EQ(Bounds(p).log_end, Offset(1));
  AppendAll("t", {"new"});
  EXPECT_EQ(ReadAll(p), "c:a h:new");
  EXPECT_GT(Read(p, 1)->front().epoch(), lost);
  // Who has read what was lost is sent back to where the logs part.
  {
    MutexLock lock(p->mu);
    EXPECT_EQ(p->EndOfEpoch(lost)->end, Offset(1));
  }
  Close();
}

TEST_F(EngineRestoreTest, ManySegmentsInGroupsAreRead) {
  constexpr uint64_t kSegments = 300;
  Open();
  PartitionPtr p = Topic("t");
  std::string all;
  for (uint64_t i = 0; i < kSegments; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_TRUE(Append(*p, text).ok());
    ASSERT_TRUE(Demote(p, StorageTier::kCold).ok()) << i;
    all += (i == 0 ? "c:" : " c:") + text;
  }
  LoseMachine();
  EXPECT_EQ(RestoreAndOpen().segments, kSegments);
  p = Find("t");
  EXPECT_EQ(ReadAll(p), all);
  const auto segments = Await<Result<std::vector<SegmentMetadata>>>(
      runtime_, [&](auto done) { engine_->Segments(p, std::move(done)); });
  ASSERT_TRUE(segments.ok()) << segments.status();
  EXPECT_THAT(*segments, SizeIs(kSegments));
  const auto verified = Await<Result<VerifyReport>>(
      runtime_, [&](auto done) { engine_->Verify({}, std::move(done)); });
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_THAT(verified->findings, IsEmpty());
  EXPECT_EQ(verified->segments, kSegments);
  // All of the first group goes, and its object too.
  ASSERT_TRUE(Trim(p, 64).ok());
  ASSERT_TRUE(RunMigrations().ok());
  const std::string first = bucket_.Keys(PartitionPrefix(p->id)).front();
  EXPECT_THAT(first, HasSubstr("/00000000000000000064-"));
  EXPECT_EQ(ReadAll(p, 299), "c:299");
  ASSERT_TRUE(Promote(p, StorageTier::kWarm).ok());
  EXPECT_EQ(ReadAll(p, 298), "w:298 w:299");
  Close();
}

TEST_F(EngineRestoreTest, TopicsWithoutAnythingColdComeBackEmpty) {
  Open();
  Topic("empty");
  AppendAll("local", {"a"});
  ASSERT_TRUE(RunMigrations().ok());
  LoseMachine();
  EXPECT_THAT(RestoreAndOpen().topics, ElementsAre("empty", "local"));
  EXPECT_EQ(ReadAll(Find("local")), "");
  EXPECT_TRUE(Append(*Find("empty"), "x").ok());
  Close();
}

TEST_F(EngineRestoreTest, DeletedTopicsStayAway) {
  Open();
  ASSERT_TRUE(Demote(AppendAll("t", {"a"}), StorageTier::kCold).ok());
  ASSERT_TRUE(Demote(AppendAll("kept", {"b"}), StorageTier::kCold).ok());
  ASSERT_TRUE(
      Do([&](auto done) { engine_->DeleteTopic("t", std::move(done)); }).ok());
  ASSERT_TRUE(RunMigrations().ok());
  LoseMachine();
  EXPECT_THAT(RestoreAndOpen().topics, ElementsAre("kept"));
  Close();
}

// As when a new store was set up over a bucket that had one already.
TEST_F(EngineRestoreTest, TopicsOfOneNameAllComeBack) {
  Open();
  ASSERT_TRUE(Demote(AppendAll("t", {"old"}), StorageTier::kCold).ok());
  const std::string old_id = engine_->DescribeTopic("t")->id.ToString();
  LoseMachine();
  Open();
  ASSERT_TRUE(Demote(AppendAll("t", {"new"}), StorageTier::kCold).ok());
  LoseMachine();
  const RestoreReport report = RestoreAndOpen();
  const std::string renamed = "t-" + old_id.substr(0, 8);
  EXPECT_THAT(report.renamed, ElementsAre(Pair("t", renamed)));
  EXPECT_EQ(ReadAll(Find("t")), "c:new");
  EXPECT_EQ(ReadAll(Find(renamed)), "c:old");
  Close();
}

TEST_F(EngineRestoreTest, StoreIsNotOverwritten) {
  Open();
  ASSERT_TRUE(Demote(AppendAll("t", {"a"}), StorageTier::kCold).ok());
  Close();
  const Status status = TryRestore().status();
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(status.message(), HasSubstr("is a store already"));
  Open();
  EXPECT_EQ(ReadAll(Find("t")), "c:a");
  Close();
}

TEST_F(EngineRestoreTest, BucketWithoutAStoreLeavesNothingBehind) {
  const Status status = TryRestore().status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("no object store/topics"));
  EXPECT_THAT(disk_.Files(), IsEmpty());
}

TEST_F(EngineRestoreTest, DamagedRootIsToldAndNothingIsMade) {
  Open();
  const PartitionPtr p = AppendAll("t", {"a"});
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  const std::string key = RootKey(p->id);
  LoseMachine();
  const std::string good = *bucket_.Get(key);
  ASSERT_TRUE(bucket_.Put(key, good.substr(0, good.size() - 1)).ok());
  const size_t files = disk_.Files().size();
  const Status status = TryRestore().status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(key));
  EXPECT_EQ(disk_.Files().size(), files);
  ASSERT_TRUE(bucket_.Put(key, good).ok());
  RestoreAndOpen();
  EXPECT_EQ(ReadAll(Find("t")), "c:a");
  Close();
}

// However far it came: the next one finds an empty directory, or a whole store.
TEST_F(EngineRestoreTest, CrashAnywhereInARestoreIsMadeGood) {
  Open();
  ASSERT_TRUE(Demote(AppendAll("t", {"a"}), StorageTier::kCold).ok());
  Drop();
  bool whole = false;
  for (uint64_t changes = 0; !whole; ++changes) {
    ASSERT_LT(changes, 100u);
    SCOPED_TRACE(changes);
    LoseMachine();
    disk_.CrashAfter(changes);
    whole = TryRestore().ok();
    runtime_.DropAllTasks();
    disk_.Crash(SimUnsyncedFate::kByChance);
    const Result<RestoreReport> again = TryRestore();
    if (!again.ok()) {
      EXPECT_EQ(again.status().code(), StatusCode::kAlreadyExists)
          << again.status();
    }
    Open();
    EXPECT_EQ(ReadAll(Find("t")), "c:a");
    Close();
  }
}

}  // namespace
}  // namespace strata::engine
