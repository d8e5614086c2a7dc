#include "engine/wal_mover.h"

#include <functional>
#include <sstream>
#include <string>

#include "testing/engine_fixture.h"
#include "wal/wal_recovery.h"

namespace strata::engine {
namespace {

constexpr uint64_t kBatchBytes = 30 * kKiB;

// A WAL of four files. An idle tail holds the oldest one alone; the append that
// does not fit any more calls for the flush which copies that tail forward.
class WalMoverTest : public EngineTest {
 protected:
  using Action = std::function<void(PartitionPtr, Engine::StatusDone)>;

  WalMoverTest() {
    // Also of what was replayed, which counts as appended in 1970.
    config_.hot_tier_max_age = std::chrono::hours(100 * 365 * 24);
    config_.warm_tier_max_bytes = kGiB;
    config_.wal_file_bytes = 256 * kKiB;
    config_.wal_max_bytes = 1 * kMiB;
    config_.wal_chunk_bytes = 64 * kKiB;
    config_.max_batch_bytes = 64 * kKiB;
  }

  // Time stands still, so that nothing else asks for a flush.
  Status AppendInMemory(PartitionState& p, std::string_view text) {
    AppendRequest request;
    request.bytes = AsBytes(text);
    request.durability = Durability::kMemory;
    return engine_->TryAppend(p, {&request, 1}).status();
  }

  // [0, 1) on disk, [1, 2) in memory, a gap, [9, 10) on disk.
  PartitionPtr IdleTopic(const std::string& name = "idle") {
    const PartitionPtr idle = Topic(name);
    EXPECT_TRUE(Append(*idle, "a").ok());
    EXPECT_TRUE(AppendInMemory(*idle, "b").ok());
    const auto pending = engine_->TryWrite(*idle, {Offset(9), Offset(10)},
                                           AsBytes("c"), Durability::kDisk);
    EXPECT_TRUE(pending.ok()) << pending.status();
    EXPECT_TRUE(Do([&](auto done) {
                  engine_->WhenDurable(*pending, std::move(done));
                }).ok());
    return idle;
  }

  // Fills the WAL with flushed and then unflushed batches of another topic, of
  // `bytes` each, until it refuses one. Its flush is asked for, not begun.
  void FillWal(uint64_t bytes = kBatchBytes) {
    const PartitionPtr busy = Topic("busy");
    const std::string text(bytes, 'x');
    const uint64_t files = engine_->Stats().wal_files;
    while (engine_->Stats().wal_files == files) {
      ASSERT_TRUE(AppendInMemory(*busy, text).ok());
      runtime_.RunUntilIdle();
    }
    ASSERT_TRUE(
        Do([&](auto done) { engine_->Flush({busy}, std::move(done)); }).ok());
    Status status;
    while (status.ok()) {
      runtime_.RunUntilIdle();
      status = AppendInMemory(*busy, text);
    }
    ASSERT_EQ(status.code(), StatusCode::kOverloaded) << status;
  }

  // The append that was refused left its chunk, so the copy takes a new one.
  bool StepAndSeeCopy() {
    const uint64_t held = engine_->Stats().hot_unflushed_bytes;
    EXPECT_TRUE(runtime_.Step());
    return engine_->Stats().hot_unflushed_bytes > held;
  }

  static uint64_t FrontSeq(PartitionState& p) {
    MutexLock lock(p.mu);
    return p.tail.empty() ? 0 : p.tail.front().wal_seq;
  }
  // Whichever tier they are in: an open flushes what the policy asks for.
  std::string ReadTexts(const PartitionPtr& p, uint64_t start = 0) {
    std::string texts;
    std::istringstream all(ReadAll(p, start));
    for (std::string batch; all >> batch;) texts += batch.substr(2);
    return texts;
  }

  void CrashAndOpen() {
    Crash();
    Open();
    for (const auto& damage : engine_->recovery().damage) {
      ADD_FAILURE() << damage.partition << ": " << damage.detail;
    }
  }

  // Begins `action`, on a tail as of IdleTopic, when the flush is asked for;
  // which task runs when is drawn, so that in many rounds it ends before,
  // between and behind copy and swap. The tail is then to read as `expected`
  // from `start` on, and the same after a crash.
  void Interleave(const Action& action, uint64_t start,
                  const std::string& expected);
};

void ExpectSame(const Result<std::vector<BatchView>>& found,
                const Result<std::vector<BatchView>>& expected) {
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_EQ(found->size(), expected->size());
  for (size_t i = 0; i < found->size(); ++i) {
    EXPECT_EQ((*found)[i].offsets(), (*expected)[i].offsets());
    EXPECT_EQ((*found)[i].epoch(), (*expected)[i].epoch());
    EXPECT_EQ((*found)[i].format(), (*expected)[i].format());
    EXPECT_EQ((*found)[i].record_count(), (*expected)[i].record_count());
    EXPECT_EQ((*found)[i].max_timestamp(), (*expected)[i].max_timestamp());
    EXPECT_EQ(AsText((*found)[i].bytes()), AsText((*expected)[i].bytes()));
  }
}

void WalMoverTest::Interleave(const Action& action, uint64_t start,
                              const std::string& expected) {
  constexpr int kRounds = 40;
  int between = 0;
  Open();
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = "idle" + std::to_string(round);
    const PartitionPtr idle = IdleTopic(name);
    ASSERT_NO_FATAL_FAILURE(FillWal());
    const uint64_t seq = FrontSeq(*idle);
    bool ended = false;
    action(idle, [&](Status status) {
      EXPECT_TRUE(status.ok()) << status;
      ended = true;
    });
    bool copied = false;
    bool swapped = false;
    for (int tasks = 0; !ended; ++tasks) {
      ASSERT_LT(tasks, 1000);
      copied |= StepAndSeeCopy();
      const uint64_t now = FrontSeq(*idle);
      swapped |= now != seq && now != 0;
    }
    between += copied && !swapped;
    runtime_.RunUntilIdle();
    ASSERT_EQ(ReadTexts(idle, start), expected) << round;
    ASSERT_NO_FATAL_FAILURE(CrashAndOpen());
    ASSERT_EQ(ReadTexts(Find(name), start), expected) << round;
    ASSERT_TRUE(
        Do([&](auto done) { engine_->FlushAll(std::move(done)); }).ok());
  }
  EXPECT_GT(between, 0);
  EXPECT_LT(between, kRounds);
  Close();
}

TEST_F(WalMoverTest, MovedTailIsReadTheSameAndItsOldFileGoes) {
  Open();
  const PartitionPtr idle = IdleTopic();
  const auto before = Read(idle, 0);
  ASSERT_NO_FATAL_FAILURE(FillWal());
  ASSERT_EQ(engine_->Stats().wal_files, 4u);
  runtime_.RunUntilIdle();
  EXPECT_EQ(engine_->Stats().wal_moves, 3u);
  EXPECT_EQ(engine_->Stats().wal_files, 1u);
  ExpectSame(Read(idle, 0), before);
  EXPECT_EQ(ReadAll(idle), "h:a h:b h:c");
  Close();
}

// Frames that said less than the first ones would be believed once those are
// gone.
TEST_F(WalMoverTest, MovedTailKeepsAllThatItsFramesSayInACrash) {
  Open();
  const PartitionPtr idle = Topic("idle");
  ASSERT_TRUE(Do([&](auto done) {
                engine_->TruncateTail(idle, Offset(0), Epoch(7),
                                      std::move(done));
              }).ok());
  AppendRequest request;
  request.bytes = AsBytes("first");
  request.record_count = 3;
  request.max_timestamp = 77;
  ASSERT_TRUE(engine_->TryAppend(*idle, {&request, 1}).ok());
  ASSERT_TRUE(Append(*idle, "second").ok());
  const auto before = Read(idle, 0);
  ASSERT_TRUE(before.ok()) << before.status();
  ASSERT_EQ(before->front().epoch(), Epoch(7));
  ASSERT_NO_FATAL_FAILURE(FillWal());
  runtime_.RunUntilIdle();
  ASSERT_EQ(engine_->Stats().wal_moves, 2u);
  ASSERT_EQ(engine_->Stats().wal_files, 1u);
  ASSERT_NO_FATAL_FAILURE(CrashAndOpen());
  ExpectSame(Read(Find("idle"), 0), before);
  Close();
}

// With the old file the first frames are gone, the gap's too.
TEST_F(WalMoverTest, MovedTailWithItsGapSurvivesACrash) {
  Open();
  const PartitionPtr idle = IdleTopic();
  ASSERT_NO_FATAL_FAILURE(FillWal());
  runtime_.RunUntilIdle();
  ASSERT_EQ(engine_->Stats().wal_files, 1u);
  ASSERT_NO_FATAL_FAILURE(CrashAndOpen());
  EXPECT_EQ(ReadTexts(Find("idle")), "abc");
  const auto ack = Append(*Find("idle"), "d");
  ASSERT_TRUE(ack.ok()) << ack.status();
  EXPECT_EQ(ack->base_offset, Offset(10));
  Close();
}

// Each life has an epoch of its own.
TEST_F(WalMoverTest, TailOfSeveralLivesCanBeMovedAgain) {
  Open();
  IdleTopic();
  std::string expected = "abc";
  uint64_t moves = 0;
  for (int life = 0; life < 3; ++life) {
    expected += std::to_string(life);
    ASSERT_TRUE(Append(*Find("idle"), std::to_string(life)).ok());
    ASSERT_NO_FATAL_FAILURE(FillWal());
    runtime_.RunUntilIdle();
    moves += engine_->Stats().wal_moves;
    ASSERT_NO_FATAL_FAILURE(CrashAndOpen());
    ASSERT_EQ(ReadTexts(Find("idle")), expected);
  }
  EXPECT_GT(moves, 4u);  // those of the first life
  Close();
}

TEST_F(WalMoverTest, CrashInTheMiddleLosesNothing) {
  bool copied = false;
  bool swapped = false;
  Open();
  for (int tasks = 0; !swapped; ++tasks) {
    const std::string name = "idle" + std::to_string(tasks);
    const PartitionPtr idle = IdleTopic(name);
    ASSERT_NO_FATAL_FAILURE(FillWal());
    const uint64_t seq = FrontSeq(*idle);
    for (int i = 0; i < tasks; ++i) copied |= StepAndSeeCopy();
    swapped = FrontSeq(*idle) != seq;
    ASSERT_NO_FATAL_FAILURE(CrashAndOpen());
    ASSERT_EQ(ReadTexts(Find(name)), "abc") << tasks;
    ASSERT_TRUE(
        Do([&](auto done) { engine_->FlushAll(std::move(done)); }).ok());
    ASSERT_LT(tasks, 100);
  }
  EXPECT_TRUE(copied);
  Close();
}

TEST_F(WalMoverTest, BatchTrimmedMeanwhileStaysTrimmed) {
  Interleave(
      [&](PartitionPtr p, Engine::StatusDone done) {
        engine_->Trim(std::move(p), Offset(1), std::move(done));
      },
      1, "bc");
}

TEST_F(WalMoverTest, BatchTruncatedMeanwhileStaysTruncated) {
  Interleave(
      [&](PartitionPtr p, Engine::StatusDone done) {
        engine_->TruncateTail(std::move(p), Offset(2), Epoch(100),
                              std::move(done));
      },
      0, "ab");
}

TEST_F(WalMoverTest, BatchReplacedMeanwhileIsNotReplacedByItsCopy) {
  Interleave(
      [&](PartitionPtr p, Engine::StatusDone done) {
        engine_->TruncateTail(
            p, Offset(1), Epoch(100),
            [this, p, done = std::move(done)](Status status) mutable {
              if (!status.ok()) return done(std::move(status));
              AppendRequest request;
              request.bytes = AsBytes("new");
              const auto pending = engine_->TryAppend(*p, {&request, 1});
              if (!pending.ok()) return done(pending.status());
              engine_->WhenDurable(*pending, std::move(done));
            });
      },
      0, "anew");
}

TEST_F(WalMoverTest, BatchFlushedMeanwhileStaysFlushed) {
  Interleave(
      [&](PartitionPtr p, Engine::StatusDone done) {
        engine_->DemoteTo(std::move(p), StorageTier::kWarm, std::move(done));
      },
      0, "abc");
}

TEST_F(WalMoverTest, CopyThatCannotBeSyncedReplacesNothing) {
  for (const uint64_t failures : {1, 1000}) {
    Open();
    const std::string name = "idle" + std::to_string(failures);
    const PartitionPtr idle = IdleTopic(name);
    ASSERT_NO_FATAL_FAILURE(FillWal());
    const uint64_t seq = FrontSeq(*idle);
    for (int tasks = 0; !StepAndSeeCopy(); ++tasks) ASSERT_LT(tasks, 1000);
    disk_.FailNext(FileOp::kSync, "data/wal", failures);
    runtime_.RunUntilIdle();
    disk_.ClearFaults();
    EXPECT_EQ(engine_->Stats().wal_moves, 0u);
    EXPECT_EQ(FrontSeq(*idle), seq);
    EXPECT_EQ(ReadAll(idle), "h:a h:b h:c");
    CrashAndOpen();
    EXPECT_EQ(ReadTexts(Find(name)), "abc");
    ASSERT_TRUE(
        Do([&](auto done) { engine_->FlushAll(std::move(done)); }).ok());
    Close();
  }
}

// Of small batches nothing is left that a copy could lie in.
TEST_F(WalMoverTest, TailWithoutRoomForACopyIsFlushedWithTheNextRequest) {
  Open();
  const PartitionPtr idle = IdleTopic();
  ASSERT_NO_FATAL_FAILURE(FillWal(3 * kKiB));
  runtime_.RunUntilIdle();
  EXPECT_EQ(engine_->Stats().wal_moves, 0u);
  EXPECT_EQ(ReadAll(idle), "h:a h:b h:c");
  const Status refused = AppendInMemory(*idle, "d");
  EXPECT_EQ(refused.code(), StatusCode::kOverloaded) << refused;
  runtime_.RunUntilIdle();
  EXPECT_EQ(engine_->Stats().wal_files, 1u);
  CrashAndOpen();
  EXPECT_EQ(ReadAll(Find("idle")), "w:a w:b w:c");
  Close();
}

TEST_F(WalMoverTest, DamagedTailIsLeftWhereItIs) {
  Open();
  IdleTopic();
  const PartitionPtr lost = Topic("lost");
  ASSERT_TRUE(Append(*lost, "needle").ok());
  ASSERT_TRUE(Append(*lost, "kept").ok());
  Close();
  const std::string file = data_->ReadFile(WalFilePath(1)).value();
  data_->FlipBit(WalFilePath(1), file.find("needle"));
  Open();
  ASSERT_FALSE(engine_->recovery().damage.empty());
  const PartitionPtr damaged = Find("lost");
  const uint64_t seq = FrontSeq(*damaged);
  ASSERT_NO_FATAL_FAILURE(FillWal());
  runtime_.RunUntilIdle();
  EXPECT_EQ(engine_->Stats().wal_moves, 3u);  // those of the other topic
  EXPECT_EQ(FrontSeq(*damaged), seq);
  EXPECT_EQ(engine_->Stats().wal_files, 4u);
  Crash();
  Open();
  EXPECT_EQ(Read(Find("lost"), 0).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(ReadTexts(Find("lost"), 1), "kept");
  EXPECT_EQ(ReadTexts(Find("idle")), "abc");
  Close();
}

}  // namespace
}  // namespace strata::engine
