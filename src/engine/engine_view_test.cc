// A store that is opened only to be read, with and without a writer.
#include <gmock/gmock.h>

#include <chrono>
#include <span>

#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

class EngineViewTest : public EngineTest {
 protected:
  EngineViewTest() {
    config_.migration_interval = std::chrono::hours(1);
    config_.hot_tier_max_age = std::chrono::hours(1);
    config_.create_if_missing = true;
  }

  // As another process would: with file systems of its own.
  Result<std::unique_ptr<Engine>> View() {
    return Engine::OpenReadOnly(config_, {.runtime = runtime_,
                                          .data_fs = *view_data_,
                                          .warm_fs = *view_warm_,
                                          .cold = cold_,
                                          .log = nullptr,
                                          .executor = executor_});
  }
  // What a view shows of topic "t".
  std::string Seen() {
    Result<std::unique_ptr<Engine>> view = View();
    if (!view.ok()) return view.status().ToString();
    return Seen(**view);
  }
  std::string Seen(Engine& view) {
    const Result<PartitionPtr> p = view.FindPartition({"t", 0});
    if (!p.ok()) return p.status().ToString();
    std::string all;
    Offset at = view.Bounds(**p)->log_start;
    while (true) {
      const auto batches = Await<Result<std::vector<BatchView>>>(
          runtime_, [&](auto done) { view.Read(*p, at, {}, std::move(done)); });
      if (!batches.ok()) return all + batches.status().ToString();
      if (batches->empty()) return all;
      for (const BatchView& batch : *batches) {
        all += std::string(Name(batch.tier()).substr(0, 1)) + ":" +
               std::string(AsText(batch.bytes())) + " ";
        at = batch.end_offset();
      }
    }
  }

  std::unique_ptr<SimFileSystem> view_data_ = disk_.Mount("data");
  std::unique_ptr<SimFileSystem> view_warm_ = disk_.Mount("warm");
};

TEST_F(EngineViewTest, EveryTierIsReadAndNothingIsChanged) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  ASSERT_TRUE(Append(*p, "b").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  ASSERT_TRUE(Append(*p, "c").ok());
  runtime_.RunFor(std::chrono::seconds(2));  // the sync of c is noted
  const uint64_t changes = disk_.change_count();
  {
    Result<std::unique_ptr<Engine>> view = View();
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(Seen(**view), "c:a w:b h:c ");
    const auto report = Await<Result<VerifyReport>>(
        runtime_, [&](auto done) { (*view)->Verify({}, std::move(done)); });
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->findings.empty());
    EXPECT_EQ(report->batches, 3u);
    const Status closed =
        Do([&](auto done) { (*view)->Shutdown(std::move(done)); });
    EXPECT_TRUE(closed.ok()) << closed;
  }
  runtime_.RunFor(std::chrono::seconds(10));
  EXPECT_EQ(disk_.change_count(), changes);
  ASSERT_TRUE(Append(*p, "d").ok()) << "the writer goes on";
  Close();
}

TEST_F(EngineViewTest, ChangesAreRefused) {
  Open();
  ASSERT_TRUE(Append(*Topic("t"), "a").ok());
  Close();
  Result<std::unique_ptr<Engine>> opened = View();
  ASSERT_TRUE(opened.ok()) << opened.status();
  Engine& view = **opened;
  const PartitionPtr p = *view.FindPartition({"t", 0});
  AppendRequest request;
  request.bytes = AsBytes("x");
  const auto refused = [&](auto call) {
    EXPECT_EQ(Do(call).code(), StatusCode::kReadOnly);
  };
  EXPECT_EQ(view.TryAppend(*p, {&request, 1}).status().code(),
            StatusCode::kReadOnly);
  EXPECT_EQ(view.TryWrite(*p, {Offset(9), Offset(10)}, AsBytes("x"),
                          Durability::kDisk)
                .status()
                .code(),
            StatusCode::kReadOnly);
  refused([&](auto done) { view.DeleteTopic("t", std::move(done)); });
  refused([&](auto done) { view.Trim(p, Offset(1), std::move(done)); });
  refused([&](auto done) {
    view.TruncateTail(p, Offset(0), Epoch(9), std::move(done));
  });
  refused([&](auto done) { view.Flush({p}, std::move(done)); });
  refused([&](auto done) { view.FlushAll(std::move(done)); });
  refused([&](auto done) {
    view.DemoteTo(p, StorageTier::kCold, std::move(done));
  });
  refused([&](auto done) {
    view.PromoteTo(p, StorageTier::kHot, std::move(done));
  });
  refused([&](auto done) { view.RunMigrations(std::move(done)); });
  const auto created = Await<Result<TopicInfo>>(runtime_, [&](auto done) {
    view.CreateTopic("u", 1, {}, std::move(done));
  });
  EXPECT_EQ(created.status().code(), StatusCode::kReadOnly);
  const auto repaired = Await<Result<RepairReport>>(
      runtime_, [&](auto done) { view.Repair(p, std::move(done)); });
  EXPECT_EQ(repaired.status().code(), StatusCode::kReadOnly);
  EXPECT_EQ(Seen(view), "h:a ");
  runtime_.RunUntilIdle();
  opened->reset();
}

TEST_F(EngineViewTest, BesideAWriterOnlyWhatIsNotedAsSyncedIsSeen) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  runtime_.RunFor(std::chrono::seconds(2));
  ASSERT_TRUE(Append(*p, "b", Durability::kMemory).ok());
  EXPECT_EQ(Seen(), "h:a ");
  ASSERT_TRUE(Append(*p, "c").ok());
  runtime_.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(Seen(), "h:a h:b h:c ");
  Close();
}

TEST_F(EngineViewTest, WithoutAWriterWhatOpenWouldRecoverIsSeen) {
  Open();
  ASSERT_TRUE(Append(*Topic("t"), "a").ok());
  // Killed before the sync of it was noted.
  Drop();
  disk_.Crash(SimUnsyncedFate::kKept);
  EXPECT_EQ(Seen(), "h:a ");
  Open();
  EXPECT_EQ(ReadAll(Find("t")), "h:a");
  Close();
}

TEST_F(EngineViewTest, WhatAWriterMovesAwayIsSeenByTheNextView) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  Result<std::unique_ptr<Engine>> old = View();
  ASSERT_TRUE(old.ok()) << old.status();
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(Seen(), "c:a ");
  EXPECT_THAT(Seen(**old), testing::StartsWith("DataLoss"));
  runtime_.RunUntilIdle();
  old->reset();
  Close();
}

TEST_F(EngineViewTest, NoStoreIsNotFoundAndNotMade) {
  EXPECT_EQ(View().status().code(), StatusCode::kNotFound);
  EXPECT_EQ(disk_.change_count(), 0u);
}

TEST_F(EngineViewTest, DamageIsToldAsByOpen) {
  Open();
  ASSERT_TRUE(Append(*Topic("t"), "abcdefgh").ok());
  Close();
  const auto names = *data_->List("wal");
  for (const std::string& name : names) {
    auto file = *data_->Open("wal/" + name, OpenMode::kReadWrite);
    std::string bytes(*file->Size(), '\0');
    ASSERT_TRUE(file->Read(0, std::as_writable_bytes(std::span(bytes))).ok());
    const size_t at = bytes.find("abcdefgh");
    if (at == std::string::npos) continue;
    ASSERT_TRUE(file->Write(at, AsBytes("X")).ok());
  }
  Result<std::unique_ptr<Engine>> view = View();
  ASSERT_TRUE(view.ok()) << view.status();
  const std::vector<RecoveryReport::Damage> damage = (*view)->recovery().damage;
  EXPECT_THAT(Seen(**view), testing::StartsWith("DataLoss"));
  runtime_.RunUntilIdle();
  view->reset();
  Open();
  ASSERT_EQ(damage.size(), engine_->recovery().damage.size());
  for (size_t i = 0; i < damage.size(); ++i) {
    EXPECT_EQ(damage[i].detail, engine_->recovery().damage[i].detail);
  }
  EXPECT_FALSE(damage.empty());
  Close();
}

}  // namespace
}  // namespace strata::engine
