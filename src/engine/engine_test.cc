#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

TEST_F(EngineTest, AppendedBatchIsReadFromHot) {
  Open();
  const PartitionPtr p = Topic("t");
  const auto ack = Append(*p, "hello");
  ASSERT_TRUE(ack.ok()) << ack.status();
  EXPECT_EQ(ack->base_offset, Offset(0));
  EXPECT_EQ(ack->end_offset, Offset(1));
  EXPECT_EQ(ReadAll(p), "h:hello");
  Close();
}

TEST_F(EngineTest, DataMovesThroughAllTiersAndBack) {
  Open();
  const PartitionPtr p = Topic("t");
  for (const char* text : {"a", "b", "c"}) {
    ASSERT_TRUE(Append(*p, text).ok());
  }
  EXPECT_TRUE(Demote(p, StorageTier::kWarm).ok());
  EXPECT_EQ(ReadAll(p), "w:a w:b w:c");
  ASSERT_TRUE(Append(*p, "d").ok());
  EXPECT_EQ(ReadAll(p), "w:a w:b w:c h:d");
  EXPECT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(p), "c:a c:b c:c c:d");
  ASSERT_TRUE(Append(*p, "e").ok());
  EXPECT_TRUE(Promote(p, StorageTier::kWarm).ok());
  EXPECT_EQ(ReadAll(p), "w:a w:b w:c w:d h:e");
  EXPECT_TRUE(Promote(p, StorageTier::kHot).ok());
  EXPECT_EQ(ReadAll(p), "h:a h:b h:c h:d h:e");
  Close();
  Open();
  EXPECT_TRUE(engine_->recovery().clean);
  EXPECT_EQ(ReadAll(Find("t")), "w:a w:b w:c w:d w:e");
  Close();
}

// Damage to what an open has delivered is damage, not a torn tail: nothing was
// appended since that would tell that it had been synced.
TEST_F(EngineTest, WhatAnOpenRecoveredIsKnownToBeDurable) {
  Open();
  ASSERT_TRUE(Append(*Topic("t"), "precious").ok());
  Crash();
  Open();
  EXPECT_EQ(ReadAll(Find("t")), "h:precious");
  Crash();
  bool flipped = false;
  for (const std::string& path : data_->Files()) {
    if (!path.starts_with("wal/")) continue;
    const size_t at = data_->ReadFile(path)->find("precious");
    if (at == std::string::npos) continue;
    data_->FlipBit(path, at, 0);
    flipped = true;
  }
  ASSERT_TRUE(flipped);
  Open();
  EXPECT_FALSE(engine_->recovery().damage.empty());
  EXPECT_EQ(Read(Find("t"), 0).status().code(), StatusCode::kDataLoss);
  Close();
}

TEST_F(EngineTest, AcknowledgedOnDiskSurvivesACrash) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "kept").ok());
  ASSERT_TRUE(Append(*p, "lost", Durability::kMemory).ok());
  Crash();
  Open();
  EXPECT_FALSE(engine_->recovery().clean);
  const PartitionPtr again = Find("t");
  EXPECT_EQ(ReadAll(again), "h:kept");
  const auto ack = Append(*again, "new");
  ASSERT_TRUE(ack.ok());
  EXPECT_EQ(ack->base_offset, Offset(1));
  EXPECT_EQ(ack->epoch, Epoch(1));
  Close();
}

TEST_F(EngineTest, VerifyFindsNothingWrongWithATopicThatIsDeletedMeanwhile) {
  Open();
  // One step later each time: the deletion meets every step of the check.
  for (int steps = 0; steps < 60; ++steps) {
    Topic("topic", 8);
    const PartitionPtr p = Find("topic", 7);
    ASSERT_TRUE(Append(*p, "a").ok());
    ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
    ASSERT_TRUE(Append(*p, "b").ok());
    ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
    std::optional<Result<VerifyReport>> report;
    engine_->Verify({}, [&](Result<VerifyReport> r) { report = std::move(r); });
    for (int i = 0; i < steps; ++i) runtime_.Step();
    ASSERT_TRUE(Do([&](auto done) {
                  engine_->DeleteTopic("topic", std::move(done));
                }).ok());
    runtime_.RunUntilIdle();
    ASSERT_TRUE(report && report->ok());
    for (const VerifyFinding& finding : (*report)->findings) {
      ADD_FAILURE() << steps << ": " << finding.where << finding.detail;
    }
  }
}

}  // namespace
}  // namespace strata::engine
