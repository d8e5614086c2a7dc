// Asynchronous appends and reads: who is answered, when, how often, and in
// which order.
#include <algorithm>
#include <chrono>
#include <stop_token>

#include "engine/completion.h"
#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What a call was answered. Lives as long as whoever may answer.
template <typename T>
struct Answered {
  int times = 0;
  std::optional<T> answer;

  std::function<void(T)> Done() {
    return [this](T value) {
      ++times;
      answer.emplace(std::move(value));
    };
  }
  StatusCode code() const { return answer->status().code(); }
};
using Ack = Answered<Result<AppendResult>>;
using Batches = Answered<Result<std::vector<BatchView>>>;

class EngineAsyncTest : public EngineTest {
 protected:
  void AppendAsync(const PartitionPtr& p, std::string_view text, Ack& ack,
                   Durability durability = Durability::kDisk) {
    AppendRequest request;
    request.bytes = AsBytes(text);
    request.durability = durability;
    engine_->AppendAsync(*p, {&request, 1}, ack.Done());
  }
  void ReadAsync(const PartitionPtr& p, uint64_t start, ReadOptions options,
                 Batches& batches) {
    engine_->ReadAsync(p, Offset(start), std::move(options), batches.Done());
  }
  static size_t Waiting(PartitionState& p) {
    MutexLock lock(p.mu);
    return p.read_waiters.size();
  }
  static std::string Text(const Batches& batches) {
    if (batches.times != 1) return std::to_string(batches.times) + " answers";
    if (!batches.answer->ok()) return batches.answer->status().ToString();
    std::string all;
    for (const BatchView& batch : **batches.answer)
      all += AsText(batch.bytes());
    return all;
  }
};

// ---- appends ---------------------------------------------------------------

TEST_F(EngineAsyncTest, AppendCopiesTheBytesAndAnswersLater) {
  Open();
  const PartitionPtr p = Topic("t");
  std::string text = "before";
  Ack ack;
  AppendAsync(p, text, ack);
  EXPECT_EQ(ack.times, 0) << "answered inside the call";
  text = "after!";
  runtime_.RunUntilIdle();
  ASSERT_EQ(ack.times, 1);
  ASSERT_TRUE(ack.answer->ok()) << ack.answer->status();
  EXPECT_EQ((*ack.answer)->base_offset, Offset(0));
  EXPECT_EQ((*ack.answer)->durability, Durability::kDisk);
  EXPECT_EQ(ReadAll(p), "h:before");
  Close();
}

TEST_F(EngineAsyncTest, MemoryAppendIsNotAnsweredBeforeADiskAppendBelowIt) {
  Open();
  const PartitionPtr p = Topic("t");
  const PartitionPtr other = Topic("other");
  disk_.FailNext(FileOp::kSync, "data/wal");
  Ack disk;
  Ack memory;
  Ack alone;
  std::vector<int> order;
  AppendRequest request;
  request.bytes = AsBytes("x");
  engine_->AppendAsync(*p, {&request, 1}, [&](Result<AppendResult> r) {
    order.push_back(1);
    disk.Done()(std::move(r));
  });
  request.durability = Durability::kMemory;
  engine_->AppendAsync(*p, {&request, 1}, [&](Result<AppendResult> r) {
    order.push_back(2);
    memory.Done()(std::move(r));
  });
  AppendAsync(other, "x", alone, Durability::kMemory);
  runtime_.RunUntilIdle();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_EQ(disk.code(), StatusCode::kUnknown) << "its sync failed";
  EXPECT_TRUE(memory.answer->ok()) << "it asked for memory only";
  EXPECT_TRUE(alone.answer->ok());
  Close();
}

TEST_F(EngineAsyncTest, AppendsAreAnsweredOnceEachInTheOrderOfTheirOffsets) {
  Open();
  const PartitionPtr p = Topic("t");
  constexpr uint64_t kAppends = 300;
  std::vector<uint64_t> answered;
  for (uint64_t i = 0; i < kAppends; ++i) {
    const std::string text = std::to_string(i);
    AppendRequest request;
    request.bytes = AsBytes(text);
    request.durability = i % 3 == 0 ? Durability::kDisk : Durability::kMemory;
    engine_->AppendAsync(*p, {&request, 1}, [&](Result<AppendResult> r) {
      ASSERT_TRUE(r.ok()) << r.status();
      answered.push_back(r->base_offset.value());
    });
    for (uint64_t step = 0; step < i % 7; ++step) runtime_.Step();
  }
  runtime_.RunUntilIdle();
  EXPECT_EQ(answered.size(), kAppends);
  EXPECT_TRUE(std::is_sorted(answered.begin(), answered.end()));
  Close();
}

TEST_F(EngineAsyncTest, CallbackMayAppendAndRead) {
  Open();
  const PartitionPtr p = Topic("t");
  Ack second;
  Batches batches;
  AppendRequest request;
  request.bytes = AsBytes("a");
  engine_->AppendAsync(*p, {&request, 1}, [&](Result<AppendResult> r) {
    ASSERT_TRUE(r.ok());
    AppendAsync(p, "b", second);
    ReadAsync(p, 0, {.min_bytes = 2}, batches);
  });
  runtime_.RunUntilIdle();
  EXPECT_EQ(second.times, 1);
  EXPECT_EQ(Text(batches), "ab");
  Close();
}

TEST_F(EngineAsyncTest, RefusalsNameTheirReasonAndTakeNoOffset) {
  Open();
  const PartitionPtr p = Topic("t");
  Ack empty;
  AppendAsync(p, "", empty);
  Ack conflict;
  AppendRequest request;
  request.bytes = AsBytes("x");
  request.expected_offset = Offset(7);
  engine_->AppendAsync(*p, {&request, 1}, conflict.Done());
  EXPECT_EQ(empty.times + conflict.times, 0);
  runtime_.RunUntilIdle();
  EXPECT_EQ(empty.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(conflict.code(), StatusCode::kConflict);
  EXPECT_EQ((*engine_->Bounds(*p)).log_end, Offset(0));
  Close();
}

class EngineRoomTest : public EngineAsyncTest {
 protected:
  EngineRoomTest() {
    // Nothing is flushed by itself before a test says so.
    config_.hot_tier_max_age = std::chrono::hours(1);
    config_.migration_interval = std::chrono::hours(1);
  }

  // Appends until there is no room; answers how many were taken.
  int Fill(const PartitionPtr& p) {
    const std::string text(256 * kKiB, 'x');
    for (int taken = 0;; ++taken) {
      AppendRequest request;
      request.bytes = AsBytes(text);
      request.durability = Durability::kMemory;
      const auto pending = engine_->TryAppend(*p, {&request, 1});
      if (!pending.ok()) {
        EXPECT_EQ(pending.status().code(), StatusCode::kOverloaded);
        return taken;
      }
    }
  }
};

TEST_F(EngineRoomTest, OverloadIsAnsweredAtOnceAndWhenRoomTellsOfRoom) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_GT(Fill(p), 2);
  const std::string text(256 * kKiB, 'y');
  Ack refused;
  AppendAsync(p, text, refused, Durability::kMemory);
  while (refused.times == 0) ASSERT_TRUE(runtime_.Step());
  EXPECT_EQ(refused.code(), StatusCode::kOverloaded);
  Answered<Status> room;
  engine_->WhenRoom(room.Done());
  EXPECT_EQ(room.times, 0);
  runtime_.RunFor(seconds(1));  // the refusal asked for a flush
  ASSERT_EQ(room.times, 1);
  EXPECT_TRUE(room.answer->ok());
  Ack taken;
  AppendAsync(p, text, taken, Durability::kMemory);
  runtime_.RunUntilIdle();
  EXPECT_TRUE(taken.answer->ok()) << taken.answer->status();
  Close();
}

TEST_F(EngineRoomTest, RoomThatCameBeforeWhenRoomIsNotMissed) {
  Open();
  const PartitionPtr p = Topic("t");
  Fill(p);
  Ack refused;
  AppendAsync(p, std::string(256 * kKiB, 'y'), refused, Durability::kMemory);
  runtime_.RunFor(seconds(1));
  ASSERT_EQ(refused.times, 1);
  // All room there will be has come by now; nothing else happens.
  Answered<Status> room;
  engine_->WhenRoom(room.Done());
  runtime_.RunUntilIdle();
  EXPECT_EQ(room.times, 1);
  Close();
}

TEST_F(EngineRoomTest, WhoWaitsForRoomHearsOfTheShutdown) {
  Open();
  const PartitionPtr p = Topic("t");
  disk_.FailNext(FileOp::kWrite, "warm", 1000, StatusCode::kNoSpace);
  Fill(p);
  runtime_.RunUntilIdle();
  Answered<Status> before;
  engine_->WhenRoom(before.Done());
  // Spurious answers are allowed, lost ones are not.
  const Status closed =
      Do([&](auto done) { engine_->Shutdown(std::move(done)); });
  EXPECT_TRUE(closed.ok()) << closed;
  Answered<Status> after;
  engine_->WhenRoom(after.Done());
  runtime_.RunUntilIdle();
  EXPECT_EQ(before.times, 1);
  ASSERT_EQ(after.times, 1);
  EXPECT_EQ(after.answer->code(), StatusCode::kClosed);
  Drop();
}

TEST_F(EngineAsyncTest, ShutdownAnswersEveryAppendOnce) {
  Open();
  const PartitionPtr p = Topic("t");
  std::vector<Ack> acks(20);
  for (Ack& ack : acks) AppendAsync(p, "x", ack);
  const Status closed =
      Do([&](auto done) { engine_->Shutdown(std::move(done)); });
  EXPECT_TRUE(closed.ok()) << closed;
  Ack late;
  AppendAsync(p, "x", late);
  runtime_.RunUntilIdle();
  for (const Ack& ack : acks) {
    ASSERT_EQ(ack.times, 1);
    EXPECT_TRUE(ack.answer->ok()) << ack.answer->status();
  }
  EXPECT_EQ(late.code(), StatusCode::kClosed);
  Drop();
  Open();
  EXPECT_EQ(ReadAll(Find("t")).size(), 20 * 4 - 1) << "all are durable";
  Close();
}

TEST_F(EngineAsyncTest, WhatIsNeverSettledIsAnsweredClosed) {
  Ack unsettled;
  Answered<Status> unanswered;
  {
    const auto queue = std::make_shared<AckQueue>(executor_);
    queue->Add({}, unsettled.Done());
    const Completion<Status> completion(executor_, unanswered.Done());
  }
  EXPECT_EQ(unsettled.times + unanswered.times, 0);
  runtime_.RunUntilIdle();
  EXPECT_EQ(unsettled.code(), StatusCode::kClosed);
  EXPECT_EQ(unanswered.answer->code(), StatusCode::kClosed);
}

// ---- reads -----------------------------------------------------------------

TEST_F(EngineAsyncTest, ReadIsAnsweredLaterEvenFromMemory) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  Batches batches;
  ReadAsync(p, 0, {}, batches);
  EXPECT_EQ(batches.times, 0) << "answered inside the call";
  runtime_.RunUntilIdle();
  EXPECT_EQ(Text(batches), "a");
  Close();
}

TEST_F(EngineAsyncTest, ReadWaitsForMinBytes) {
  Open();
  const PartitionPtr p = Topic("t");
  Batches batches;
  ReadAsync(p, 0, {.min_bytes = 6}, batches);
  ASSERT_TRUE(Append(*p, "abc", Durability::kMemory).ok());
  runtime_.RunFor(seconds(10));
  EXPECT_EQ(batches.times, 0);
  ASSERT_TRUE(Append(*p, "def", Durability::kMemory).ok());
  runtime_.RunUntilIdle();
  EXPECT_EQ(Text(batches), "abcdef");
  EXPECT_EQ(Waiting(*p), 0u);
  Close();
}

TEST_F(EngineAsyncTest, ReadWaitsUntilADiskAppendIsDurable) {
  Open();
  const PartitionPtr p = Topic("t");
  AppendRequest request;
  request.bytes = AsBytes("a");
  // In the log, and nobody waits for its sync but the reader that comes.
  const auto pending = engine_->TryAppend(*p, {&request, 1});
  ASSERT_TRUE(pending.ok());
  Batches batches;
  ReadAsync(p, 0, {.min_bytes = 1}, batches);
  EXPECT_EQ(Waiting(*p), 1u);
  runtime_.RunUntilIdle();
  EXPECT_EQ(Text(batches), "a");
  Close();
}

TEST_F(EngineAsyncTest, ReadSeesWhatTheLogWroteElsewhereAfterAnError) {
  Open();
  const PartitionPtr p = Topic("t");
  disk_.FailNext(FileOp::kSync, "data/wal");
  Batches batches;
  ReadAsync(p, 0, {.min_bytes = 1}, batches);
  Ack ack;
  AppendAsync(p, "a", ack);
  runtime_.RunUntilIdle();
  EXPECT_EQ(ack.code(), StatusCode::kUnknown);
  EXPECT_EQ(Text(batches), "a");
  Close();
}

TEST_F(EngineAsyncTest, ReadThatHasWaitedLongEnoughGetsWhatIsThere) {
  Open();
  const PartitionPtr p = Topic("t");
  Batches nothing;
  Batches some;
  ReadAsync(p, 0, {.min_bytes = 100, .timeout = milliseconds(500)}, nothing);
  runtime_.RunFor(milliseconds(499));
  EXPECT_EQ(nothing.times, 0);
  runtime_.RunFor(milliseconds(1));
  EXPECT_EQ(Text(nothing), "");
  ReadAsync(p, 0, {.min_bytes = 100, .timeout = milliseconds(500)}, some);
  ASSERT_TRUE(Append(*p, "abc").ok());
  runtime_.RunFor(milliseconds(500));
  EXPECT_EQ(Text(some), "abc");
  EXPECT_EQ(Waiting(*p), 0u) << "who has its answer is not kept";
  Close();
}

TEST_F(EngineAsyncTest, LimitOffsetAndMaxBytesAreNotWaitedAt) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "abc").ok());
  ASSERT_TRUE(Append(*p, "def").ok());
  Batches limited;
  Batches full;
  ReadAsync(p, 0, {.limit_offset = Offset(1), .min_bytes = 100}, limited);
  ReadAsync(p, 0, {.max_bytes = 6, .min_bytes = 100}, full);
  runtime_.RunUntilIdle();
  EXPECT_EQ(Text(limited), "abc");
  EXPECT_EQ(Text(full), "abcdef");
  Close();
}

TEST_F(EngineAsyncTest, CancelledReadIsAnsweredOnceAndForgotten) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  std::stop_source stop;
  Batches waiting;
  Batches late;
  ReadAsync(p, 0, {.min_bytes = 100, .cancel = stop.get_token()}, waiting);
  runtime_.RunUntilIdle();
  EXPECT_EQ(waiting.times, 0);
  stop.request_stop();
  EXPECT_EQ(waiting.times, 0) << "answered inside request_stop";
  runtime_.RunUntilIdle();
  ASSERT_EQ(waiting.times, 1);
  EXPECT_EQ(waiting.code(), StatusCode::kCancelled);
  EXPECT_EQ(Waiting(*p), 0u);
  ReadAsync(p, 1, {.min_bytes = 1, .cancel = stop.get_token()}, late);
  runtime_.RunUntilIdle();
  EXPECT_EQ(late.code(), StatusCode::kCancelled);
  ASSERT_TRUE(Append(*p, "b").ok());
  runtime_.RunUntilIdle();
  EXPECT_EQ(waiting.times + late.times, 2);
  Close();
}

TEST_F(EngineAsyncTest, ColdReadIsGivenUpWhileTheDownloadGoesOn) {
  const auto slow = std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
  cold_ = slow;
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  Close();
  Open();
  slow->SetChances({.max_delay = seconds(2)});
  const PartitionPtr again = Find("t");
  std::stop_source stop;
  Batches expired;
  Batches cancelled;
  Batches patient;
  ReadAsync(again, 0, {.timeout = milliseconds(1)}, expired);
  ReadAsync(again, 0, {.cancel = stop.get_token()}, cancelled);
  ReadAsync(again, 0, {}, patient);
  runtime_.RunFor(milliseconds(1));
  stop.request_stop();
  runtime_.RunUntilIdle();
  ASSERT_EQ(expired.times, 1);
  EXPECT_EQ(expired.code(), StatusCode::kDeadlineExceeded);
  ASSERT_EQ(cancelled.times, 1);
  EXPECT_EQ(cancelled.code(), StatusCode::kCancelled);
  EXPECT_EQ(patient.times, 0);
  runtime_.RunFor(seconds(20));
  EXPECT_EQ(Text(patient), "a");
  EXPECT_EQ(expired.times + cancelled.times, 2);
  Close();
}

TEST_F(EngineAsyncTest, WaitingReadDoesNotKeepWhatATruncationCuts) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "old").ok());
  Batches batches;
  ReadAsync(p, 0, {.min_bytes = 6}, batches);
  runtime_.RunUntilIdle();
  const Status cut = Do([&](auto done) {
    engine_->TruncateTail(p, Offset(0), Epoch(1), std::move(done));
  });
  ASSERT_TRUE(cut.ok()) << cut;
  ASSERT_TRUE(Append(*p, "new").ok());
  ASSERT_TRUE(Append(*p, "est").ok());
  runtime_.RunUntilIdle();
  EXPECT_EQ(Text(batches), "newest");
  Close();
}

TEST_F(EngineAsyncTest, WhatEndsALogEndsItsWaitingReads) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "abc").ok());
  Batches cut;
  ReadAsync(p, 1, {.min_bytes = 1}, cut);
  runtime_.RunUntilIdle();
  ASSERT_TRUE(Do([&](auto done) {
                engine_->TruncateTail(p, Offset(0), Epoch(1), std::move(done));
              }).ok());
  runtime_.RunUntilIdle();
  ASSERT_EQ(cut.times, 1);
  EXPECT_EQ(cut.code(), StatusCode::kOutOfRange) << "above the log end";
  Batches deleted;
  ReadAsync(p, 0, {.min_bytes = 1}, deleted);
  runtime_.RunUntilIdle();
  ASSERT_TRUE(
      Do([&](auto done) { engine_->DeleteTopic("t", std::move(done)); }).ok());
  runtime_.RunUntilIdle();
  ASSERT_EQ(deleted.times, 1);
  EXPECT_EQ(deleted.code(), StatusCode::kNotFound);
  Close();
}

TEST_F(EngineAsyncTest, ShutdownAnswersWaitingReads) {
  Open();
  const PartitionPtr p = Topic("t");
  Batches waiting;
  ReadAsync(p, 0, {.min_bytes = 1}, waiting);
  runtime_.RunUntilIdle();
  const Status closed =
      Do([&](auto done) { engine_->Shutdown(std::move(done)); });
  EXPECT_TRUE(closed.ok()) << closed;
  Batches late;
  ReadAsync(p, 0, {.min_bytes = 1}, late);
  runtime_.RunUntilIdle();
  ASSERT_EQ(waiting.times, 1);
  EXPECT_EQ(waiting.code(), StatusCode::kClosed);
  EXPECT_EQ(late.code(), StatusCode::kClosed);
  EXPECT_EQ(Waiting(*p), 0u);
  Drop();
}

}  // namespace
}  // namespace strata::engine
