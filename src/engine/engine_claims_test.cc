// Two machines and one bucket: who holds a partition there, who lost it, and
// what is safe meanwhile.
#include <gmock/gmock.h>

#include "engine/restore.h"
#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EngineClaimsTest : public EngineTest {
 protected:
  EngineClaimsTest() {
    shared_bucket_ = true;
    cold_ = bucket_;
  }
  ~EngineClaimsTest() override { runtime_.DropAllTasks(); }

  // The other machine from now on; the one before goes on by itself.
  void SwitchMachine() {
    std::swap(engine_, other_engine_);
    std::swap(data_, other_data_);
    std::swap(warm_, other_warm_);
  }
  Status TryRestore() {
    return Restore(config_, {.runtime = runtime_,
                             .data_fs = *data_,
                             .warm_fs = *warm_,
                             .cold = cold_,
                             .log = nullptr,
                             .executor = executor_})
        .status();
  }
  void RestoreOther() {
    SwitchMachine();
    const Status restored = TryRestore();
    ASSERT_TRUE(restored.ok()) << restored;
    Open();
  }
  // A store whose topic "t" has "a" in the bucket and holds its partition.
  void Begin() {
    Open();
    ASSERT_TRUE(Append(*Topic("t"), "a").ok());
    ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  }
  StatusCode AppendCode(std::string_view text) {
    return Append(*Find("t"), text).status().code();
  }
  Status RunMigrations() {
    return Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
  }
  Status Delete(const std::string& topic) {
    return Do([&](auto done) { engine_->DeleteTopic(topic, std::move(done)); });
  }
  PartitionClaim ClaimOf(const PartitionPtr& p) {
    MutexLock lock(p->mu);
    return {.known = p->claim.known,
            .held = p->claim.held,
            .fenced_by = p->claim.fenced_by,
            .appends_ahead = p->claim.appends_ahead};
  }
  std::vector<std::string> Notes() {
    std::vector<std::string> notes;
    for (const std::string& key : client_.Keys()) {
      if (key.starts_with("store/notes/")) notes.push_back(key);
    }
    return notes;
  }

  std::shared_ptr<FaultyObjectStore> bucket_ =
      std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
  ObjectStoreClient client_{*cold_, runtime_};
  std::unique_ptr<SimFileSystem> other_data_ = disk_.Mount("other/data");
  std::unique_ptr<SimFileSystem> other_warm_ = disk_.Mount("other/warm");
  std::unique_ptr<Engine> other_engine_;
};

// ---- claiming ---------------------------------------------------------------

TEST_F(EngineClaimsTest, NewTopicTakesAppendsAtOnceAndIsClaimedBehindThem) {
  Open();
  const PartitionPtr p = Topic("t");
  const AppendRequest request{.bytes = AsBytes("a")};
  ASSERT_TRUE(engine_->TryAppend(*p, {&request, 1}).ok());
  EXPECT_EQ(RootOf(*p).claim.number, 0u);
  ASSERT_TRUE(RunMigrations().ok());
  EXPECT_EQ(RootOf(*p).claim.number, 1u);
  EXPECT_TRUE(ClaimOf(p).held);
  Close();
}

TEST_F(EngineClaimsTest, FirstAppendOfASessionWaitsForItsClaim) {
  Begin();
  Close();
  Open();
  const PartitionPtr p = Find("t");
  const ColdClaim before = RootOf(*p).claim;
  const AppendRequest request{.bytes = AsBytes("b")};
  const Status refused = engine_->TryAppend(*p, {&request, 1}).status();
  EXPECT_EQ(refused.code(), StatusCode::kOverloaded) << refused;
  EXPECT_THAT(refused.message(), HasSubstr("being claimed"));
  EXPECT_EQ(AppendCode("b"), StatusCode::kOk);
  const ColdClaim now = RootOf(*p).claim;
  EXPECT_EQ(now.number, before.number + 1);
  EXPECT_EQ(now.owner, before.owner);
  EXPECT_NE(now.session, before.session);
  EXPECT_EQ(ClaimOf(p).known, now);
  EXPECT_EQ(ReadAll(p), "c:a h:b");
  Close();
}

TEST_F(EngineClaimsTest, ReadingClaimsNothing) {
  Begin();
  const ColdClaim before = RootOf(*Find("t")).claim;
  Close();
  Open();
  EXPECT_EQ(ReadAll(Find("t")), "c:a");
  ASSERT_TRUE(RunMigrations().ok());
  EXPECT_EQ(RootOf(*Find("t")).claim, before);
  Close();
}

TEST_F(EngineClaimsTest, BucketOfItsOwnIsClaimedByTheFirstOffloadOnly) {
  shared_bucket_ = false;
  Begin();
  Close();
  Open();
  const PartitionPtr p = Find("t");
  const AppendRequest request{.bytes = AsBytes("b")};
  EXPECT_TRUE(engine_->TryAppend(*p, {&request, 1}).ok());
  EXPECT_EQ(RootOf(*p).claim.number, 1u);
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(RootOf(*p).claim.number, 2u);
  Close();
}

TEST_F(EngineClaimsTest, SegmentsCarryTheClaimInTheirKeys) {
  Begin();
  Close();
  Open();
  ASSERT_EQ(AppendCode("b"), StatusCode::kOk);
  ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  std::vector<std::string> claims;
  for (const auto& [base, entry] : RootOf(*Find("t")).entries) {
    // Behind the prefix and two offsets of 20 digits.
    const std::string key = entry.cold->key;
    claims.push_back(key.substr(key.rfind('/') + 43, 2));
  }
  EXPECT_THAT(claims, ElementsAre("1-", "2-"));
  Close();
}

TEST_F(EngineClaimsTest, ClaimOfUnknownOutcomeIsNotLost) {
  Begin();
  Close();
  for (const StoreFault fault :
       {StoreFault::kUnknownDone, StoreFault::kUnknownUndone,
        StoreFault::kUnknownLate}) {
    Open();
    bucket_->FailNext(StoreOp::kPut, fault, 3);
    EXPECT_EQ(AppendCode("b"), StatusCode::kOk);
    for (int pass = 0; pass < 3; ++pass) {
      runtime_.RunFor(std::chrono::minutes(2));
      (void)RunMigrations().ok();
    }
    EXPECT_TRUE(ClaimOf(Find("t")).held);
    EXPECT_EQ(ClaimOf(Find("t")).known, RootOf(*Find("t")).claim);
    Close();
  }
}

TEST_F(EngineClaimsTest, ClaimThatACrashKeptFromBeingNotedIsItsOwn) {
  Begin();
  Close();
  // Crashes at every place of the claim.
  bool noted = false;
  for (uint64_t changes = 0; !noted; ++changes) {
    ASSERT_LT(changes, 50u);
    Open();
    disk_.CrashAfter(changes);
    (void)engine_->TryAppend(*Find("t"), {}).ok();
    const AppendRequest request{.bytes = AsBytes("b")};
    (void)engine_->TryAppend(*Find("t"), {&request, 1}).ok();
    runtime_.RunFor(std::chrono::seconds(5));
    noted = ClaimOf(Find("t")).held;
    Crash();
  }
  Open();
  EXPECT_EQ(AppendCode("c"), StatusCode::kOk);
  ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  EXPECT_EQ(engine_->Stats().fenced_partitions, 0u);
  Close();
}

// ---- the bucket does not answer ---------------------------------------------

TEST_F(EngineClaimsTest, WhoClaimedLastAppendsWhileTheBucketIsAway) {
  Begin();
  Close();
  Open();
  bucket_->SetAway(true);
  EXPECT_EQ(AppendCode("b"), StatusCode::kOk);
  EXPECT_FALSE(ClaimOf(Find("t")).held);
  EXPECT_EQ(engine_->Stats().unclaimed_partitions, 1u);
  bucket_->SetAway(false);
  runtime_.RunFor(std::chrono::minutes(2));
  ASSERT_TRUE(RunMigrations().ok());
  EXPECT_TRUE(ClaimOf(Find("t")).held);
  EXPECT_EQ(engine_->Stats().unclaimed_partitions, 0u);
  Close();
}

TEST_F(EngineClaimsTest, BucketThatHangsIsWaitedForAFewSeconds) {
  Begin();
  Close();
  Open();
  bucket_->SetChances({.max_delay = std::chrono::hours(1)});
  const MonotonicTime began = runtime_.clock().Now();
  EXPECT_EQ(AppendCode("b"), StatusCode::kOk);
  EXPECT_LE(runtime_.clock().Now() - began, std::chrono::seconds(6));
  Drop();
}

TEST_F(EngineClaimsTest, RestoredStoreDoesNotAppendBeforeItHasClaimed) {
  Begin();
  RestoreOther();
  bucket_->SetAway(true);
  EXPECT_EQ(AppendCode("b"), StatusCode::kUnavailable);
  bucket_->SetAway(false);
  runtime_.RunFor(std::chrono::minutes(1));
  EXPECT_EQ(AppendCode("b"), StatusCode::kOk);
  EXPECT_EQ(ReadAll(Find("t")), "c:a h:b");
  Close();
}

TEST_F(EngineClaimsTest, WhoAppendedUnclaimedIsFencedWhenTheBucketIsBack) {
  Begin();
  Close();
  RestoreOther();
  ASSERT_EQ(AppendCode("theirs"), StatusCode::kOk);
  SwitchMachine();
  Open();
  bucket_->SetAway(true);
  ASSERT_EQ(AppendCode("ours"), StatusCode::kOk);
  bucket_->SetAway(false);
  runtime_.RunFor(std::chrono::minutes(2));
  ASSERT_TRUE(RunMigrations().ok());
  EXPECT_EQ(AppendCode("more"), StatusCode::kReadOnly);
  EXPECT_EQ(ReadAll(Find("t")).substr(0, 3), "c:a");
  EXPECT_THAT(ReadAll(Find("t")), HasSubstr(":ours"));
  EXPECT_EQ(engine_->Stats().fenced_partitions, 1u);
  Close();
}

// ---- taken over -------------------------------------------------------------

TEST_F(EngineClaimsTest, TakenOverStoreIsFencedAndChangesNothing) {
  Begin();
  const TopicId loser = RootOf(*Find("t")).claim.owner;
  RestoreOther();
  ASSERT_EQ(AppendCode("theirs"), StatusCode::kOk);
  const ColdClaim winner = RootOf(*Find("t")).claim;
  EXPECT_NE(winner.owner, loser);

  SwitchMachine();
  // Not known here yet: it is acknowledged, and stays on this machine.
  ASSERT_EQ(AppendCode("only here"), StatusCode::kOk);
  const Status refused = Demote(Find("t"), StorageTier::kCold);
  EXPECT_EQ(refused.code(), StatusCode::kReadOnly) << refused;
  EXPECT_THAT(refused.message(), HasSubstr(winner.owner.ToString()));
  EXPECT_EQ(AppendCode("more"), StatusCode::kReadOnly);
  EXPECT_EQ(engine_->Stats().fenced_partitions, 1u);
  EXPECT_EQ(RootOf(*Find("t")).cold_end(), Offset(1));
  EXPECT_EQ(RootOf(*Find("t")).claim, winner);
  // What only it has can be read, also after a restart, also without a bucket.
  EXPECT_EQ(ReadAll(Find("t")), "c:a w:only here");
  Close();
  bucket_->SetAway(true);
  Open();
  EXPECT_EQ(AppendCode("more"), StatusCode::kReadOnly);
  EXPECT_EQ(ReadAll(Find("t"), 1), "w:only here");
  bucket_->SetAway(false);
  Close();

  SwitchMachine();
  ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(Find("t")), "c:a c:theirs");
  Close();
}

TEST_F(EngineClaimsTest, NoteTellsTheOldOwnerWithinSeconds) {
  Begin();
  RestoreOther();
  ASSERT_EQ(AppendCode("theirs"), StatusCode::kOk);
  runtime_.RunUntilIdle();
  ASSERT_THAT(Notes(), SizeIs(1));
  SwitchMachine();
  ASSERT_EQ(AppendCode("only here"), StatusCode::kOk);
  runtime_.RunFor(std::chrono::seconds(11));
  EXPECT_EQ(AppendCode("more"), StatusCode::kReadOnly);
  EXPECT_THAT(Notes(), IsEmpty());
  Close();
  SwitchMachine();
  Close();
}

TEST_F(EngineClaimsTest, StrangeNotesDoNoHarm) {
  Begin();
  const TopicId self = RootOf(*Find("t")).claim.owner;
  const std::string prefix = NotesPrefix(self);
  for (const std::string& name :
       {prefix + "x", NoteKey(self, {TopicId{}, 4}),
        NoteKey(self, Find("t")->id), prefix + std::string(32, 'z') + "-1"}) {
    ASSERT_TRUE(client_.Put(name, "text").ok());
  }
  ASSERT_EQ(AppendCode("b"), StatusCode::kOk);
  runtime_.RunFor(std::chrono::seconds(11));
  EXPECT_THAT(Notes(), IsEmpty());
  EXPECT_EQ(AppendCode("c"), StatusCode::kOk);
  Close();
}

TEST_F(EngineClaimsTest, IdleStoreAsksForNoNotes) {
  Begin();
  runtime_.RunFor(std::chrono::minutes(1));
  const uint64_t before = engine_->Stats().cold_lists;
  runtime_.RunFor(std::chrono::minutes(10));
  EXPECT_EQ(engine_->Stats().cold_lists, before);
  Close();
}

TEST_F(EngineClaimsTest, OldCopyOfADirectoryIsFenced) {
  Begin();
  Close();
  for (const std::string& name : data_->Files()) {
    other_data_->WriteFile(name, *data_->ReadFile(name));
  }
  for (const std::string& name : warm_->Files()) {
    other_warm_->WriteFile(name, *warm_->ReadFile(name));
  }
  Open();
  ASSERT_EQ(AppendCode("b"), StatusCode::kOk);
  Close();
  SwitchMachine();
  Open();
  EXPECT_EQ(AppendCode("c"), StatusCode::kReadOnly);
  EXPECT_EQ(ReadAll(Find("t")), "c:a");
  Close();
}

TEST_F(EngineClaimsTest, BucketThatWasSetBackIsClaimedAnew) {
  Begin();
  const std::string key = RootKey(Find("t")->id);
  const std::string older = *client_.Get(key);
  Close();
  Open();
  const PartitionPtr p = Find("t");
  ASSERT_EQ(AppendCode("b"), StatusCode::kOk);
  ASSERT_EQ(RootOf(*p).claim.number, 2u);
  ASSERT_TRUE(client_.Put(key, older).ok());
  const Status moved = Demote(p, StorageTier::kCold);
  EXPECT_TRUE(moved.ok()) << moved;
  EXPECT_EQ(RootOf(*p).claim.number, 3u);
  EXPECT_EQ(ReadAll(p), "c:a c:b");
  Close();
}

// ---- trim and delete --------------------------------------------------------

TEST_F(EngineClaimsTest, FencedStoreTrimsItselfOnly) {
  Begin();
  RestoreOther();
  ASSERT_EQ(AppendCode("theirs"), StatusCode::kOk);
  SwitchMachine();
  ASSERT_EQ(AppendCode("only here"), StatusCode::kOk);
  ASSERT_TRUE(Do([&](auto done) {
                engine_->Trim(Find("t"), Offset(1), std::move(done));
              }).ok());
  // The first pass finds out.
  EXPECT_FALSE(RunMigrations().ok());
  ASSERT_TRUE(RunMigrations().ok());
  EXPECT_THAT(ReadAll(Find("t"), 1), HasSubstr(":only here"));
  EXPECT_EQ(RootOf(*Find("t")).log_start, Offset(0));
  Close();
  SwitchMachine();
  EXPECT_EQ(ReadAll(Find("t")), "c:a h:theirs");
  Close();
}

TEST_F(EngineClaimsTest, DeletingATopicThatWasTakenOverLeavesItInTheBucket) {
  Begin();
  RestoreOther();
  ASSERT_EQ(AppendCode("theirs"), StatusCode::kOk);
  ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  const std::vector<std::string> before = client_.Keys("topics/");
  SwitchMachine();
  ASSERT_TRUE(Delete("t").ok());
  for (int pass = 0; pass < 5; ++pass) {
    ASSERT_TRUE(RunMigrations().ok());
    runtime_.RunFor(std::chrono::minutes(3));
  }
  EXPECT_EQ(engine_->Stats().topics_to_purge, 0u);
  EXPECT_EQ(client_.Keys("topics/"), before);
  Close();
  SwitchMachine();
  EXPECT_EQ(ReadAll(Find("t")), "c:a c:theirs");
  Close();
}

TEST_F(EngineClaimsTest, TopicOfWhichOnePartitionWasTakenOverStaysWhole) {
  Open();
  Topic("t", 2);
  for (const uint32_t partition : {0u, 1u}) {
    ASSERT_TRUE(Append(*Find("t", partition), "a").ok());
    ASSERT_TRUE(Demote(Find("t", partition), StorageTier::kCold).ok());
  }
  RestoreOther();
  ASSERT_TRUE(Append(*Find("t", 1), "theirs").ok());
  SwitchMachine();
  ASSERT_TRUE(Delete("t").ok());
  ASSERT_TRUE(RunMigrations().ok());
  EXPECT_EQ(engine_->Stats().topics_to_purge, 0u);
  Close();
  SwitchMachine();
  EXPECT_EQ(ReadAll(Find("t", 0)), "c:a");
  EXPECT_TRUE(Append(*Find("t", 0), "b").ok());
  Close();
}

TEST_F(EngineClaimsTest, FencedStoreShowsItsOwnLogOnly) {
  Begin();
  RestoreOther();
  ASSERT_EQ(AppendCode("theirs"), StatusCode::kOk);
  ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  SwitchMachine();
  ASSERT_EQ(AppendCode("only here"), StatusCode::kOk);
  EXPECT_FALSE(Demote(Find("t"), StorageTier::kCold).ok());
  const auto segments = Await<Result<std::vector<SegmentMetadata>>>(
      runtime_,
      [&](auto done) { engine_->Segments(Find("t"), std::move(done)); });
  ASSERT_TRUE(segments.ok()) << segments.status();
  ASSERT_THAT(*segments, SizeIs(2));
  EXPECT_TRUE((*segments)[0].in_cold);
  EXPECT_FALSE((*segments)[1].in_cold);
  EXPECT_EQ((*segments)[1].end_offset, Offset(2));
  const auto verified = Await<Result<VerifyReport>>(
      runtime_, [&](auto done) { engine_->Verify({}, std::move(done)); });
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_TRUE(verified->findings.empty());
  // The new owner trims what the old one has nowhere else.
  SwitchMachine();
  ASSERT_TRUE(Do([&](auto done) {
                engine_->Trim(Find("t"), Offset(1), std::move(done));
              }).ok());
  ASSERT_TRUE(RunMigrations().ok());
  Close();
  SwitchMachine();
  Close();
  Open();
  EXPECT_EQ(Read(Find("t"), 0).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(ReadAll(Find("t"), 1), "w:only here");
  Close();
}

TEST_F(EngineClaimsTest, StoreWithoutOthersCountsNothingAsUnclaimed) {
  shared_bucket_ = false;
  Open();
  ASSERT_TRUE(Append(*Topic("t"), "a").ok());
  EXPECT_EQ(engine_->Stats().unclaimed_partitions, 0u);
  Close();
}

TEST_F(EngineClaimsTest, NobodyGoesOnFromATopicWhoseDeletionHasBegun) {
  Begin();
  RestoreOther();
  SwitchMachine();
  ASSERT_TRUE(Delete("t").ok());
  // Its roots are closed, nothing is removed.
  bucket_->FailNext(StoreOp::kList, StoreFault::kUnavailable, 1000);
  ASSERT_FALSE(RunMigrations().ok());
  SwitchMachine();
  EXPECT_EQ(AppendCode("theirs"), StatusCode::kReadOnly);
  Close();
  SwitchMachine();
  Close();
}

TEST_F(EngineClaimsTest, TopicWhoseDeletionHasBegunIsNotRestored) {
  Begin();
  ASSERT_TRUE(Append(*Topic("kept"), "k").ok());
  ASSERT_TRUE(Demote(Find("kept"), StorageTier::kCold).ok());
  const PartitionPtr p = Find("t");
  ASSERT_TRUE(Delete("t").ok());
  // The purge gets as far as the root.
  for (int step = 0; !RootOf(*p).closed(); ++step) {
    ASSERT_LT(step, 100);
    bucket_->FailNext(StoreOp::kList, StoreFault::kUnavailable, 1);
    (void)RunMigrations().ok();
  }
  Drop();
  SwitchMachine();
  ASSERT_TRUE(TryRestore().ok());
  Open();
  const auto topics = engine_->ListTopics();
  ASSERT_TRUE(topics.ok());
  ASSERT_THAT(*topics, SizeIs(1));
  EXPECT_EQ(topics->front().name, "kept");
  Close();
}

TEST_F(EngineClaimsTest, DeletionOfARestoredTopicSurvivesARestart) {
  Begin();
  Close();
  RestoreOther();
  bucket_->SetAway(true);
  ASSERT_TRUE(Delete("t").ok());
  Close();
  bucket_->SetAway(false);
  Open();
  for (int pass = 0; pass < 5; ++pass) {
    ASSERT_TRUE(RunMigrations().ok());
    runtime_.RunFor(std::chrono::minutes(3));
  }
  EXPECT_EQ(engine_->Stats().topics_to_purge, 0u);
  EXPECT_THAT(client_.Keys(), ElementsAre("store/topics"));
  Close();
}

}  // namespace
}  // namespace strata::engine
