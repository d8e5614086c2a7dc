// The faults of the design that Strata re-creates, by number: each test shows
// that here it cannot happen. Others stand with the unit they concern.
#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

std::string Text(int i, size_t bytes) {
  std::string text = std::to_string(i) + ":";
  text.resize(std::max(bytes, text.size()), static_cast<char>('a' + i % 26));
  return text;
}

// D01: eviction drops acknowledged data that was never demoted.
TEST_F(EngineTest, D01MoreThanHotHoldsIsAllThere) {
  config_.hot_tier_max_bytes = 512 * kKiB;
  config_.max_batch_bytes = 64 * kKiB;
  config_.wal_chunk_bytes = 64 * kKiB;
  Open();
  const PartitionPtr p = Topic("t");
  constexpr int kBatches = 200;
  for (int i = 0; i < kBatches; ++i) {
    Result<AppendResult> ack = Append(*p, Text(i, 16 << 10));
    while (ack.status().code() == StatusCode::kOverloaded) {
      runtime_.RunFor(std::chrono::milliseconds(10));
      ack = Append(*p, Text(i, 16 << 10));
    }
    ASSERT_TRUE(ack.ok()) << i << ": " << ack.status();
  }
  EXPECT_LE(engine_->Stats().hot.bytes, config_.hot_tier_max_bytes);
  Offset next(0);
  for (int i = 0; i < kBatches;) {
    const auto batches = Read(p, next.value());
    ASSERT_TRUE(batches.ok()) << batches.status();
    ASSERT_FALSE(batches->empty());
    for (const BatchView& batch : *batches) {
      ASSERT_EQ(AsText(batch.bytes()), Text(i++, 16 << 10));
      next = batch.end_offset();
    }
  }
  Close();
}

// D02: a restart, even after a clean shutdown, loses hot data and the index.
TEST_F(EngineTest, D02RestartKeepsEveryTier) {
  // What is replayed takes whole chunks, and is not to be flushed for it.
  config_.hot_tier_max_bytes = 64 << 20;
  Open();
  PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "cold").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  ASSERT_TRUE(Append(*p, "warm").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  ASSERT_TRUE(Append(*p, "hot").ok());
  Close();
  Open();
  EXPECT_TRUE(engine_->recovery().clean);
  EXPECT_EQ(ReadAll(Find("t")), "c:cold w:warm h:hot");
  Crash();
  Open();
  EXPECT_EQ(ReadAll(Find("t")), "c:cold w:warm h:hot");
  Close();
}

// D07, D19: a read during a demotion gets another segment; a write during a
// demotion of the same segment is lost.
TEST_F(EngineTest, D07D19ReadsAndWritesDuringADemotionAreRight) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  bool demoted = false;
  engine_->DemoteTo(p, StorageTier::kCold, [&](Status status) {
    EXPECT_TRUE(status.ok()) << status;
    demoted = true;
  });
  std::string written = "a";
  std::string expected = "a";
  for (int i = 0; !demoted || i < 20; ++i) {
    ASSERT_LT(i, 2000);
    runtime_.Step();
    if (i < 20) {
      written = std::string(1, static_cast<char>('b' + i));
      AppendRequest request;
      request.bytes = AsBytes(written);
      request.durability = Durability::kMemory;
      ASSERT_TRUE(engine_->TryAppend(*p, {&request, 1}).ok());
      expected += written;
    }
    // Without letting the demotion go on, unless the read itself waits for it.
    const auto batches = Read(p, 0);
    ASSERT_TRUE(batches.ok()) << batches.status();
    ASSERT_FALSE(batches->empty());
    ASSERT_EQ(AsText(batches->front().bytes()), "a");
    ASSERT_EQ(batches->front().base_offset(), Offset(0));
  }
  std::string found;
  Offset next(0);
  while (true) {
    const auto batches = Read(p, next.value());
    ASSERT_TRUE(batches.ok()) << batches.status();
    if (batches->empty()) break;
    for (const BatchView& batch : *batches) {
      found += AsText(batch.bytes());
      next = batch.end_offset();
    }
  }
  EXPECT_EQ(found, expected);
  Close();
}

// D10: a demotion that fails (disk full) loses the segment.
TEST_F(EngineTest, D10FailedDemotionKeepsTheData) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "precious").ok());
  disk_.FailNext(FileOp::kWrite, "warm", 1, StatusCode::kNoSpace);
  EXPECT_EQ(Demote(p, StorageTier::kWarm).code(), StatusCode::kNoSpace);
  EXPECT_EQ(ReadAll(p), "h:precious");
  EXPECT_TRUE(Demote(p, StorageTier::kWarm).ok());
  EXPECT_EQ(ReadAll(p), "w:precious");
  Close();
}

TEST_F(EngineTest, DemotionToColdMakesRoomOnAFullDiskForWhatIsUnflushed) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "old").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  ASSERT_TRUE(Append(*p, "new").ok());
  disk_.FailNext(FileOp::kWrite, "warm", 1, StatusCode::kNoSpace);
  const Status status = Demote(p, StorageTier::kCold);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(ReadAll(p), "c:old c:new");
  Close();
}

TEST_F(EngineTest, PolicyMakesRoomOnAFullDisk) {
  config_.warm_low_watermark = 0.1;
  Open();
  const PartitionPtr p = Topic("t");
  for (const char* text : {"a", "b"}) {
    ASSERT_TRUE(Append(*p, text).ok());
    ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  }
  ASSERT_TRUE(Append(*p, "c").ok());
  disk_.FailNext(FileOp::kWrite, "warm", 1000, StatusCode::kNoSpace);
  EXPECT_EQ(Demote(p, StorageTier::kWarm).code(), StatusCode::kNoSpace);
  runtime_.RunUntilIdle();  // the flush that failed asked for it
  EXPECT_EQ(ReadAll(p), "c:a c:b h:c");
  disk_.ClearFaults();
  Close();
}

// ---- numbers at their ends -------------------------------------------------

TEST_F(EngineTest, LogEndsAtTheLastOffset) {
  Open();
  const PartitionPtr p = Topic("t");
  const auto write = [&](uint64_t base, uint64_t end) {
    return engine_
        ->TryWrite(*p, {Offset(base), Offset(end)}, AsBytes("x"),
                   Durability::kDisk)
        .status();
  };
  const uint64_t last = kMaxLogEnd.value();
  EXPECT_EQ(write(last, last + 1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(write(UINT64_MAX - 1, UINT64_MAX).code(),
            StatusCode::kInvalidArgument);
  ASSERT_TRUE(write(last - 2, last - 1).ok());
  ASSERT_TRUE(Append(*p, "y").ok());
  EXPECT_EQ((*engine_->Bounds(*p)).log_end, kMaxLogEnd);
  EXPECT_EQ(Append(*p, "z").status().code(), StatusCode::kReadOnly);
  EXPECT_EQ(ReadAll(p, last - 2), "h:x h:y");
  Crash();
  Open();
  EXPECT_EQ(ReadAll(Find("t"), last - 2), "h:x h:y");
  Close();
}

TEST_F(EngineTest, EpochThatLeavesNoneAboveItIsRefused) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  const auto truncate = [&](Epoch epoch) {
    return Do([&](auto done) {
      engine_->TruncateTail(p, Offset(1), epoch, std::move(done));
    });
  };
  EXPECT_EQ(truncate(Epoch(UINT32_MAX)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(truncate(Epoch(kMaxGivenEpoch.value() + 1)).code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(truncate(kMaxGivenEpoch).ok());
  Crash();
  Open();
  EXPECT_GT((*engine_->Bounds(*Find("t"))).epoch, kMaxGivenEpoch);
  EXPECT_EQ(ReadAll(Find("t")), "h:a");
  Close();
}

// D16: reading loses data, since a promotion evicts what was never demoted.
TEST_F(EngineTest, D16ReadingPromotesWithoutLosingAnything) {
  config_.hot_tier_max_bytes = 256 * kKiB;
  config_.max_batch_bytes = 64 * kKiB;
  config_.wal_chunk_bytes = 64 * kKiB;
  Open();
  const PartitionPtr p = Topic("t");
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(Append(*p, Text(i, 16 << 10)).ok());
    ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  }
  ASSERT_TRUE(Append(*p, "unflushed").ok());
  for (int round = 0; round < 20; ++round) {
    for (uint64_t offset = 0; offset < 6; ++offset) {
      const auto batches = Read(p, offset, {.max_bytes = 1});
      ASSERT_TRUE(batches.ok()) << batches.status();
      ASSERT_EQ(AsText(batches->front().bytes()),
                Text(static_cast<int>(offset), 16 << 10));
    }
    runtime_.RunUntilIdle();
  }
  EXPECT_GT(engine_->Stats().promotions, 0u);
  const auto tail = Read(p, 6);
  ASSERT_TRUE(tail.ok()) << tail.status();
  EXPECT_EQ(AsText(tail->front().bytes()), "unflushed");
  Close();
}

// D17: eviction brings back the older version from a colder tier. Truncated and
// rewritten offsets never show their former bytes, whatever tier answers.
TEST_F(EngineTest, D17RewrittenOffsetsNeverShowFormerBytes) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "keep").ok());
  ASSERT_TRUE(Append(*p, "old").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  ASSERT_TRUE(Promote(p, StorageTier::kHot).ok());
  const Status cut = Do([&](auto done) {
    engine_->TruncateTail(p, Offset(1), Epoch(7), std::move(done));
  });
  ASSERT_TRUE(cut.ok()) << cut;
  ASSERT_TRUE(Append(*p, "new").ok());
  EXPECT_EQ(ReadAll(p), "w:keep h:new");
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  EXPECT_EQ(ReadAll(p), "w:keep w:new");
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(p), "c:keep c:new");
  Crash();
  Open();
  EXPECT_EQ(ReadAll(Find("t")), "c:keep c:new");
  Close();
}

// D18: a promoted segment is held twice, then its twin is demoted and the hot
// copy stranded.
TEST_F(EngineTest, D18PromotedCopyIsCountedAndGoesWithItsSegment) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "x").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  const uint64_t held = engine_->Stats().hot_cached_bytes;
  ASSERT_TRUE(Promote(p, StorageTier::kHot).ok());
  EXPECT_GT(engine_->Stats().hot_cached_bytes, held);
  EXPECT_EQ(engine_->Stats().warm.segments, 1u);
  ASSERT_TRUE(Demote(p, StorageTier::kCold).ok());
  EXPECT_EQ(engine_->Stats().hot_cached_bytes, held);
  EXPECT_EQ(engine_->Stats().warm.segments, 0u);
  EXPECT_EQ(engine_->Stats().warm.bytes, 0u);
  EXPECT_EQ(ReadAll(p), "c:x");
  Close();
}

// D26: read(offset 990, 10 bytes) returns everything from offset 0; overlaps
// and end < base are accepted.
TEST_F(EngineTest, D26ReadStartsAtTheOffsetAskedForAndStopsAtTheBytes) {
  Open();
  const PartitionPtr p = Topic("t");
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(Append(*p, Text(i, 10), Durability::kMemory).ok());
  }
  for (const bool flushed : {false, true}) {
    if (flushed) {
      ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
    }
    const auto batches = Read(p, 990, {.max_bytes = 25});
    ASSERT_TRUE(batches.ok()) << batches.status();
    ASSERT_EQ(batches->size(), 2u);
    EXPECT_EQ(batches->front().base_offset(), Offset(990));
  }
  const auto write = [&](uint64_t base, uint64_t end) {
    return engine_
        ->TryWrite(*p, {Offset(base), Offset(end)}, AsBytes("x"),
                   Durability::kMemory)
        .status()
        .code();
  };
  EXPECT_EQ(write(1005, 1005), StatusCode::kInvalidArgument);
  EXPECT_EQ(write(1005, 1001), StatusCode::kInvalidArgument);
  EXPECT_EQ(write(999, 1001), StatusCode::kConflict);
  EXPECT_EQ(write(1000, 1010), StatusCode::kOk);
  Close();
}

// D28: with cold disabled every pass re-reads and fails each aged segment.
TEST_F(EngineTest, D28WithColdDisabledAgedSegmentsStayAndNothingFails) {
  cold_ = nullptr;
  config_.warm_tier_max_age = std::chrono::seconds(1);
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "aged").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  for (int pass = 0; pass < 3; ++pass) {
    runtime_.RunFor(std::chrono::hours(1));
    const Status ran =
        Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
    EXPECT_TRUE(ran.ok()) << ran;
  }
  EXPECT_EQ(engine_->Stats().migrations_failed, 0u);
  EXPECT_EQ(ReadAll(p), "w:aged");
  EXPECT_EQ(Demote(p, StorageTier::kCold).code(), StatusCode::kUnsupported);
  Close();
}

// D33 belongs to compaction; D34: flush returns before anything is written,
// shutdown drops the queue.
TEST_F(EngineTest, D34FlushAnswersWhenTheDataIsInWarm) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "flushed", Durability::kMemory).ok());
  ASSERT_TRUE(
      Do([&](auto done) { engine_->Flush({p}, std::move(done)); }).ok());
  Crash();
  Open();
  EXPECT_EQ(ReadAll(Find("t")), "w:flushed");
  Close();
}

TEST_F(EngineTest, D34ShutdownMakesMemoryAppendsDurable) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "unsynced", Durability::kMemory).ok());
  Close();
  disk_.Crash(SimUnsyncedFate::kLost);
  Open();
  EXPECT_TRUE(engine_->recovery().clean);
  EXPECT_EQ(ReadAll(Find("t")), "h:unsynced");
  Close();
}

TEST_F(EngineTest, ShutdownDoesNotWaitForAStoreThatDoesNotAnswer) {
  const auto slow = std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
  cold_ = slow;
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "a").ok());
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  slow->SetChances({.max_delay = std::chrono::hours(1000)});
  engine_->DemoteTo(p, StorageTier::kCold, [](Status) {});
  runtime_.RunUntilIdle();  // the upload waits
  const MonotonicTime begin = runtime_.clock().Now();
  const Status status = Await<Status>(
      runtime_, [&](auto done) { engine_->Shutdown(std::move(done)); });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_LE(runtime_.clock().Now() - begin, config_.shutdown_timeout);
  Drop();

  slow->SetChances({});
  Open();
  EXPECT_TRUE(engine_->recovery().clean);
  EXPECT_EQ(ReadAll(Find("t")), "w:a");
  ASSERT_TRUE(Demote(Find("t"), StorageTier::kCold).ok());
  EXPECT_EQ(ReadAll(Find("t")), "c:a");
  Close();
}

// Files go only when the edit that let them go cannot be undone by a crash.
TEST_F(EngineTest, FilesOfAnEditThatIsNotDurableStay) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SimFileSystem disk(seed);
    data_ = disk.Mount("data");
    warm_ = disk.Mount("warm");
    cold_ = MakeMemoryObjectStore(runtime_);
    config_.warm_tier_max_age = std::chrono::seconds(1);
    Open();
    const PartitionPtr a = Topic("a");
    const PartitionPtr b = Topic("b");
    for (const char* text : {"1", "2"}) {
      ASSERT_TRUE(Append(*a, text).ok());
      ASSERT_TRUE(Append(*b, text).ok());
      ASSERT_TRUE(
          Do([&](auto done) { engine_->FlushAll(std::move(done)); }).ok());
    }
    ASSERT_TRUE(Demote(a, StorageTier::kCold).ok());
    runtime_.RunFor(std::chrono::seconds(3));
    // b's segments are to be merged; whether that is so after a crash is open.
    disk.FailNext(FileOp::kSync, "data/manifest", 1000);
    for (int pass = 0; pass < 2; ++pass) {
      (void)Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
      runtime_.RunUntilIdle();
    }
    disk.ClearFaults();
    Drop();
    disk.Crash(SimUnsyncedFate::kByChance);
    Open();
    EXPECT_EQ(ReadAll(Find("b")), "w:1 w:2") << seed;
    Close();
  }
}

TEST_F(EngineTest, NothingIsAcknowledgedWhenTheManifestCannotBeWritten) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "before").ok());
  disk_.FailNext(FileOp::kSync, "data/manifest", 1000);
  EXPECT_FALSE(
      Do([&](auto done) { engine_->Flush({p}, std::move(done)); }).ok());
  const Status refused = Append(*p, "after").status();
  EXPECT_EQ(refused.code(), StatusCode::kReadOnly) << refused;
  EXPECT_NE(refused.message().find("manifest"), std::string::npos) << refused;
  EXPECT_EQ(ReadAll(p), "h:before");
  disk_.ClearFaults();
  Crash();
  Open();
  EXPECT_EQ(ReadAll(Find("t")).substr(1), ":before");
  EXPECT_TRUE(Append(*Find("t"), "after").ok());
  Close();
}

TEST_F(EngineTest, SegmentFileOfADeletedTopicGoes) {
  // One step later each time: the deletion meets every step of the flush.
  for (int steps = 0; steps < 60; ++steps) {
    Open();
    for (const char* name : {"gone", "stays"}) {
      ASSERT_TRUE(Append(*Topic(name), "x").ok());
    }
    bool flushed = false;
    engine_->FlushAll([&](Status) { flushed = true; });
    for (int i = 0; i < steps; ++i) runtime_.Step();
    ASSERT_TRUE(Do([&](auto done) {
                  engine_->DeleteTopic("gone", std::move(done));
                }).ok());
    runtime_.RunUntilIdle();
    ASSERT_TRUE(flushed);
    ASSERT_TRUE(Do([&](auto done) {
                  engine_->DeleteTopic("stays", std::move(done));
                }).ok());
    ASSERT_TRUE(
        Do([&](auto done) { engine_->RunMigrations(std::move(done)); }).ok());
    runtime_.RunUntilIdle();
    const auto names = warm_->List("");
    ASSERT_TRUE(names.ok());
    for (const auto& name : *names) {
      EXPECT_EQ(name.find(".seg"), std::string::npos) << steps << ": " << name;
    }
    Close();
  }
}

// D35: no fsync, no rename anywhere. The order on the simulated disk; that of
// the real system calls is in tests/syscall_order_test.cc.
TEST_F(EngineTest, D35FlushSyncsBeforeItNamesAndNamesBeforeItRecords) {
  Open();
  const PartitionPtr p = Topic("t");
  ASSERT_TRUE(Append(*p, "x").ok());
  disk_.EnableTrace();
  ASSERT_TRUE(
      Do([&](auto done) { engine_->Flush({p}, std::move(done)); }).ok());
  std::vector<TraceEntry> trace = disk_.Trace();
  size_t at = 0;
  const auto next = [&](FileOp op, std::string_view prefix) {
    while (at < trace.size() &&
           (trace[at].op != op || !trace[at].path.starts_with(prefix))) {
      ++at;
    }
    EXPECT_LT(at, trace.size()) << prefix;
  };
  next(FileOp::kWrite, "warm/tmp-");
  next(FileOp::kSync, "warm/tmp-");
  next(FileOp::kRename, "warm/tmp-");
  next(FileOp::kSyncDirectory, "warm");
  next(FileOp::kWrite, "data/manifest");
  Close();
}

}  // namespace
}  // namespace strata::engine
