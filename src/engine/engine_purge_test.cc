// What a deleted topic has in the bucket goes, whatever comes in between.
#include "cold/object_names.h"
#include "cold/topics_object.h"
#include "testing/engine_fixture.h"
#include "testing/object_store_client.h"

namespace strata::engine {
namespace {

class EnginePurgeTest : public EngineTest {
 protected:
  EnginePurgeTest() {
    cold_ = faulty_;
    config_.migration_interval = std::chrono::seconds(10);
  }

  // A topic with one batch, which is cold.
  PartitionPtr ColdTopic(const std::string& text = "old") {
    const PartitionPtr p = Topic("t");
    EXPECT_TRUE(Append(*p, text).ok());
    EXPECT_TRUE(Demote(p, StorageTier::kCold).ok());
    return p;
  }
  void Delete() {
    const Status deleted =
        Do([&](auto done) { engine_->DeleteTopic("t", std::move(done)); });
    ASSERT_TRUE(deleted.ok()) << deleted;
  }
  // Time for all that is retried.
  void Settle() { runtime_.RunFor(std::chrono::minutes(5)); }
  uint64_t Pending() { return engine_->Stats().topics_to_purge; }
  void ExpectNothingLeft() {
    EXPECT_EQ(bucket_.Keys("topics/"), std::vector<std::string>());
    const auto topics = Await<Result<ColdTopics>>(runtime_, [&](auto done) {
      LoadTopics(memory_, {.timeout = {}, .cancel = {}}, std::move(done));
    });
    ASSERT_TRUE(topics.ok()) << topics.status();
    EXPECT_TRUE(topics->topics.empty()) << topics->topics.front().name;
    EXPECT_EQ(Pending(), 0u);
  }

  std::shared_ptr<ObjectStore> memory_ = MakeMemoryObjectStore(runtime_);
  std::shared_ptr<FaultyObjectStore> faulty_ =
      std::make_shared<FaultyObjectStore>(memory_, runtime_, 1);
  ObjectStoreClient bucket_{*memory_, runtime_};
};

TEST_F(EnginePurgeTest, DeletedTopicLeavesNothing) {
  Open();
  ColdTopic();
  EXPECT_EQ(bucket_.Keys("topics/").size(), 2u);
  Delete();
  EXPECT_EQ(Pending(), 1u);
  Settle();
  ExpectNothingLeft();
  Close();
  Open();
  EXPECT_EQ(Pending(), 0u);
  Close();
}

TEST_F(EnginePurgeTest, BucketThatWasAwayIsPurgedAfterARestart) {
  Open();
  ColdTopic();
  faulty_->SetAway(true);
  Delete();
  Settle();
  Close();
  for (const bool crash : {false, true}) {
    Open();
    EXPECT_EQ(Pending(), 1u);
    EXPECT_EQ(bucket_.Keys("topics/").size(), 2u);
    Settle();
    if (crash) {
      Crash();
    } else {
      Close();
    }
  }
  faulty_->SetAway(false);
  Open();
  Settle();
  ExpectNothingLeft();
  Close();
}

TEST_F(EnginePurgeTest, BucketThatIsAwayIsAskedLessAndLess) {
  config_.migration_interval = std::chrono::seconds(1);
  Open();
  ColdTopic();
  faulty_->SetAway(true);
  Delete();
  runtime_.RunFor(std::chrono::minutes(10));
  EXPECT_LT(faulty_->faults(), 20u);
  EXPECT_GT(faulty_->faults(), 8u);
  Close();
}

TEST_F(EnginePurgeTest, CrashAnywhereInThePurgeIsMadeGood) {
  for (int steps = 0; steps < 40; ++steps) {
    SCOPED_TRACE(steps);
    Open();
    ColdTopic();
    Delete();
    for (int i = 0; i < steps; ++i) runtime_.Step();
    Crash();
    Open();
    Settle();
    ExpectNothingLeft();
    Close();
  }
}

// However far the offload is: upload, commit to the root, edit.
TEST_F(EnginePurgeTest, OffloadUnderWayLeavesNothing) {
  for (int steps = 0; steps < 60; ++steps) {
    SCOPED_TRACE(steps);
    Open();
    const PartitionPtr p = Topic("t");
    ASSERT_TRUE(Append(*p, "x").ok());
    ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
    engine_->DemoteTo(p, StorageTier::kCold, [](Status) {});
    for (int i = 0; i < steps; ++i) runtime_.Step();
    Delete();
    Settle();
    ExpectNothingLeft();
    Close();
  }
}

TEST_F(EnginePurgeTest, UploadThatArrivesLateIsFound) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "x").ok());
  ASSERT_TRUE(Do([&](auto done) {
                engine_->RunMigrations(std::move(done));
              }).ok());  // names the topic
  // The claim, and then the segment.
  faulty_->FailNext(StoreOp::kPut, StoreFault::kNone);
  faulty_->FailNext(StoreOp::kPut, StoreFault::kUnknownLate);
  EXPECT_FALSE(Demote(p, StorageTier::kCold).ok());
  Delete();
  for (int i = 0; i < 200; ++i) runtime_.Step();
  EXPECT_TRUE(bucket_.Keys("topics/").empty()) << "it has arrived already";
  EXPECT_EQ(Pending(), 1u);
  Settle();
  ExpectNothingLeft();
  Close();
}

TEST_F(EnginePurgeTest, ObjectsThatNoRootNamesGoToo) {
  Open();
  const PartitionPtr p = Topic("t");
  SegmentEntry cut;
  cut.partition = p->id;
  ASSERT_TRUE(bucket_.Put(SegmentKey(cut, 1, "t", 1), "of a crash").ok());
  Delete();
  Settle();
  ExpectNothingLeft();
  Close();
}

TEST_F(EnginePurgeTest, RecreatedTopicKeepsItsData) {
  Open();
  const PartitionPtr old = ColdTopic("old");
  faulty_->SetAway(true);
  Delete();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "new").ok());
  faulty_->SetAway(false);
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  Crash();
  Open();
  Settle();
  EXPECT_EQ(Pending(), 0u);
  EXPECT_TRUE(bucket_.Keys(TopicPrefix(old->id.topic)).empty());
  EXPECT_EQ(bucket_.Keys(TopicPrefix(p->id.topic)).size(), 2u);
  EXPECT_EQ(ReadAll(Find("t")), "c:new");
  Close();
}

TEST_F(EnginePurgeTest, DeletionWithoutABucketWaitsForOne) {
  Open();
  ColdTopic();
  Close();
  cold_ = nullptr;
  Open();
  Delete();
  Settle();
  EXPECT_EQ(Pending(), 1u);
  Close();
  cold_ = faulty_;
  Open();
  Settle();
  ExpectNothingLeft();
  Close();
}

TEST_F(EnginePurgeTest, WithColdDisabledNothingIsPending) {
  cold_ = nullptr;
  Open();
  ASSERT_TRUE(Append(*Topic("t"), "x").ok());
  Delete();
  EXPECT_EQ(Pending(), 0u);
  Close();
}

}  // namespace
}  // namespace strata::engine
