// Blocking appends that find no room: how long they wait, and for what.
#include "engine/blocking.h"

#include <string_view>

#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Limit {
  std::string_view name;
  uint64_t hot_bytes;
  uint64_t wal_bytes;
};

// One of two limits is met first; nothing can be flushed while the disk fails.
class BlockingAppendTest : public EngineTest,
                           public ::testing::WithParamInterface<Limit> {
 protected:
  BlockingAppendTest() {
    config_.append_timeout = seconds(2);
    config_.hot_tier_max_age = std::chrono::hours(1);
    config_.warm_tier_max_bytes = kGiB;
    config_.wal_file_bytes = 256 * kKiB;
    config_.wal_chunk_bytes = 64 * kKiB;
    config_.max_batch_bytes = 64 * kKiB;
    config_.hot_tier_max_bytes = GetParam().hot_bytes;
    config_.wal_max_bytes = GetParam().wal_bytes;
  }

  void BreakWarm() { disk_.FailNext(FileOp::kWrite, "warm", UINT64_MAX); }

  Result<AppendResult> AppendBlocking(const PartitionPtr& p) {
    const std::string text = Text(appended_);
    AppendRequest request;
    request.bytes = AsBytes(text);
    request.durability =
        appended_ % 2 == 0 ? Durability::kDisk : Durability::kMemory;
    Result<AppendResult> ack = AppendAndWait(
        *engine_, [&] { return engine_->TryAppend(*p, {&request, 1}); });
    if (ack.ok()) ++appended_;
    return ack;
  }

  // Appends until one is refused.
  Status Fill(const PartitionPtr& p) {
    while (true) {
      started_ = runtime_.clock().Now();
      const Result<AppendResult> ack = AppendBlocking(p);
      if (!ack.ok()) return ack.status();
      if (appended_ > 1000) return Status::Ok();
    }
  }
  Duration Waited() { return runtime_.clock().Now() - started_; }

  static std::string Text(uint64_t i) {
    return std::to_string(i) + std::string(20 * kKiB, 'x');
  }

  void ExpectAll(const PartitionPtr& p) {
    Offset next(0);
    while (next < Offset(appended_)) {
      const auto batches = Read(p, next.value());
      ASSERT_TRUE(batches.ok()) << batches.status();
      ASSERT_FALSE(batches->empty()) << next.value();
      for (const BatchView& batch : *batches) {
        ASSERT_EQ(batch.base_offset(), next);
        ASSERT_EQ(AsText(batch.bytes()), Text(next.value()));
        next = batch.end_offset();
      }
    }
    EXPECT_EQ(engine_->Bounds(*p)->log_end, next);
  }

  uint64_t appended_ = 0;
  MonotonicTime started_;
};

TEST_P(BlockingAppendTest, WithoutRoomItIsOverloadedAtTheTimeout) {
  Open();
  const PartitionPtr p = Topic("t");
  BreakWarm();
  const Status refused = Fill(p);
  EXPECT_EQ(refused.code(), StatusCode::kOverloaded) << refused;
  EXPECT_NE(refused.message().find("no room within 2000 ms"), std::string::npos)
      << refused;
  EXPECT_EQ(Waited(), seconds(2));
  ExpectAll(p);
  disk_.ClearFaults();
  const auto ack = AppendBlocking(p);
  EXPECT_TRUE(ack.ok()) << ack.status();
  ExpectAll(p);
  Close();
}

// Nobody but the one that waits asks for a flush.
TEST_P(BlockingAppendTest, RoomMadeInTimeIsTaken) {
  Open();
  const PartitionPtr p = Topic("t");
  BreakWarm();
  ASSERT_EQ(Fill(p).code(), StatusCode::kOverloaded);
  runtime_.job_executor().PostAfter(seconds(1), [&] { disk_.ClearFaults(); });
  started_ = runtime_.clock().Now();
  const auto ack = AppendBlocking(p);
  EXPECT_TRUE(ack.ok()) << ack.status();
  EXPECT_GE(Waited(), seconds(1));
  EXPECT_LT(Waited(), seconds(2));
  ExpectAll(p);
  Close();
}

TEST_P(BlockingAppendTest, WakingInVainDoesNotProlongTheWait) {
  Open();
  const PartitionPtr p = Topic("t");
  BreakWarm();
  ASSERT_EQ(Fill(p).code(), StatusCode::kOverloaded);
  // Each deletion tells those who wait that there may be room.
  std::function<void()> wake = [&] {
    engine_->CreateTopic("other", 1, {}, [&](const Result<TopicInfo>&) {
      engine_->DeleteTopic("other", [&](const Status&) {
        runtime_.job_executor().PostAfter(milliseconds(3), [&] { wake(); });
      });
    });
  };
  wake();
  started_ = runtime_.clock().Now();
  EXPECT_EQ(AppendBlocking(p).status().code(), StatusCode::kOverloaded);
  EXPECT_EQ(Waited(), seconds(2));
  ExpectAll(p);
  Crash();
}

TEST_P(BlockingAppendTest, ShutdownEndsTheWait) {
  Open();
  const PartitionPtr p = Topic("t");
  BreakWarm();
  ASSERT_EQ(Fill(p).code(), StatusCode::kOverloaded);
  std::optional<Status> closed;
  runtime_.job_executor().PostAfter(seconds(1), [&] {
    engine_->Shutdown([&](Status status) { closed = std::move(status); });
  });
  started_ = runtime_.clock().Now();
  EXPECT_EQ(AppendBlocking(p).status().code(), StatusCode::kClosed);
  EXPECT_EQ(Waited(), seconds(1));
  runtime_.RunFor(seconds(30));
  ASSERT_TRUE(closed.has_value());
  EXPECT_TRUE(closed->ok()) << *closed;
  Drop();
  disk_.ClearFaults();
  Open();
  ExpectAll(Find("t"));
  Close();
}

INSTANTIATE_TEST_SUITE_P(
    , BlockingAppendTest,
    ::testing::Values(Limit{"HotMemory", 512 * kKiB, 64 * kMiB},
                      Limit{"Wal", 64 * kMiB, kMiB}),
    [](const auto& limit) { return std::string(limit.param.name); });

}  // namespace
}  // namespace strata::engine
