#include "wal/wal_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "format/wal_format.h"
#include "testing/wal_test_log.h"

namespace strata {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WalWriterTest : public ::testing::Test {
 protected:
  // Opens again after a crash that loses everything that was not synced.
  void Reopen() {
    log.Crash(SimUnsyncedFate::kLost);
    log.Open();
  }
  // Appends until the log goes on in another file than it does now, and syncs.
  void FillFile() {
    const uint64_t files = std::max<uint64_t>(1, log.writer->Stats().files);
    if (log.places.empty()) {
      ASSERT_EQ(log.Append({"first"}), Status::Ok());
    }
    ASSERT_EQ(log.Sync(), Status::Ok());
    while (log.writer->Stats().files == files) {
      ASSERT_EQ(log.Append({std::string(8000, 'f')}), Status::Ok());
      ASSERT_EQ(log.Sync(), Status::Ok());
    }
  }

  TestLog log;
};

TEST_F(WalWriterTest, PlaceShowsTheStoredBytes) {
  log.Open();
  ASSERT_EQ(log.Append({"one", "", "three"}), Status::Ok());
  ASSERT_THAT(log.places, SizeIs(3));
  EXPECT_EQ(AsText(log.places[0].payload), "one");
  EXPECT_EQ(AsText(log.places[1].payload), "");
  EXPECT_EQ(AsText(log.places[2].payload), "three");
  EXPECT_EQ(log.places[0].end_seq, 1u);
  EXPECT_EQ(log.places[2].end_seq, 1u);
  const ByteSpan chunk = log.places[0].chunk->bytes();
  EXPECT_GE(log.places[0].payload.data(), chunk.data());
  EXPECT_LT(log.places[0].payload.data(), chunk.data() + chunk.size());
}

TEST_F(WalWriterTest, AcknowledgedAppendSurvivesLossOfPower) {
  log.Open();
  ASSERT_EQ(log.Append({"kept"}), Status::Ok());
  EXPECT_EQ(log.writer->durable_seq(), 0u);
  ASSERT_EQ(log.Sync(), Status::Ok());
  EXPECT_EQ(log.writer->durable_seq(), 1u);
  ASSERT_EQ(log.Append({"lost"}), Status::Ok());
  Reopen();
  EXPECT_THAT(log.found.payloads(), ElementsAre("kept"));
  EXPECT_THAT(log.found.damage, IsEmpty());
}

TEST_F(WalWriterTest, FlagsAndLengthsAreSetByTheWriter) {
  log.Open();
  FrameHeader header = log.Header(7);
  header.flags = kFrameDurable | kFrameContinues;
  header.payload_bytes = 99;
  header.tagged_bytes = 99;
  WalFrame frames[] = {{header, AsBytes("a")}, {log.Header(8), {}}};
  std::vector<WalPlace> places(2);
  ASSERT_EQ(log.writer->Append(frames, places), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  places.clear();
  Reopen();
  ASSERT_THAT(log.found.frames, SizeIs(2));
  EXPECT_EQ(log.found.frames[0].header.flags, kFrameDurable | kFrameContinues);
  EXPECT_EQ(log.found.frames[0].header.payload_bytes, 1u);
  EXPECT_EQ(log.found.frames[1].header.flags, 0);
  EXPECT_EQ(log.found.frames[1].header.offsets.base, Offset(8));
}

TEST_F(WalWriterTest, ManyWaitersShareOneSync) {
  log.Open();
  ASSERT_EQ(log.Append({"first"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  const uint64_t before = log.disk.sync_count();
  int acknowledged = 0;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(log.Append({"x"}), Status::Ok());
    log.writer->WhenDurable(log.last_seq(), [&](Status status) {
      EXPECT_EQ(status, Status::Ok());
      ++acknowledged;
    });
  }
  log.runtime.RunUntilIdle();
  EXPECT_EQ(acknowledged, 50);
  EXPECT_EQ(log.disk.sync_count(), before + 1);
  EXPECT_EQ(log.writer->Stats().syncs, 2u);
}

TEST_F(WalWriterTest, WhenDurableOfADurableGroupAnswersLater) {
  log.Open();
  ASSERT_EQ(log.Append({"x"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  std::optional<Status> answer;
  log.writer->WhenDurable(1, [&](Status status) { answer = status; });
  EXPECT_FALSE(answer);
  log.runtime.RunUntilIdle();
  EXPECT_EQ(answer, Status::Ok());
  EXPECT_EQ(log.writer->Stats().syncs, 1u);
}

TEST_F(WalWriterTest, SyncOfAnEmptyLogIsOk) {
  log.Open();
  EXPECT_EQ(log.Sync(), Status::Ok());
  EXPECT_EQ(log.writer->Stats().syncs, 0u);
}

TEST_F(WalWriterTest, FullChunkIsWrittenOutThoughNobodyWaits) {
  log.Open();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(log.Append({std::string(5000, 'm')}), Status::Ok());
  }
  log.runtime.RunUntilIdle();
  EXPECT_EQ(log.writer->durable_seq(), 1u);
}

TEST_F(WalWriterTest, UnsyncedAppendsAreWrittenByTheCheckpoint) {
  log.Open();
  ASSERT_EQ(log.Append({"memory"}), Status::Ok());
  log.runtime.RunFor(milliseconds(999));
  EXPECT_EQ(log.writer->durable_seq(), 0u);
  log.runtime.RunFor(milliseconds(2));
  EXPECT_EQ(log.writer->durable_seq(), 1u);
}

TEST_F(WalWriterTest, LastGroupIsNotedOnceAndAnIdleLogWritesNothingMore) {
  log.Open();
  ASSERT_EQ(log.Append({"x"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  log.runtime.RunFor(seconds(10));
  EXPECT_EQ(log.writer->Stats().groups, 2u);
  EXPECT_EQ(log.writer->durable_seq(), 2u);
  const uint64_t changes = log.disk.change_count();
  log.runtime.RunFor(seconds(3600));
  EXPECT_EQ(log.disk.change_count(), changes);
  // Now a damaged byte of the last batch is not taken for a torn tail.
  const std::string path = log.WalFiles().front();
  log.Crash(SimUnsyncedFate::kLost);
  log.disk.FlipBit(path,
                   kWalBlockBytes + kWalGroupHeaderBytes + kFrameHeaderBytes);
  log.Open();
  EXPECT_THAT(log.found.damage, SizeIs(1));
}

TEST_F(WalWriterTest, IdleLogThatWasNeverUsedWritesNothing) {
  log.Open();
  log.runtime.RunUntilIdle();
  const uint64_t changes = log.disk.change_count();
  log.runtime.RunFor(seconds(100));
  EXPECT_EQ(log.disk.change_count(), changes);
}

TEST_F(WalWriterTest, AppendLargerThanAChunkGetsItsOwn) {
  log.Open();
  const std::string large(40000, 'L');
  ASSERT_EQ(log.Append({"small", large, "tail"}), Status::Ok());
  ASSERT_EQ(log.Append({"next"}), Status::Ok());
  EXPECT_GE(log.places[0].chunk->bytes().size(), large.size());
  ASSERT_EQ(log.Sync(), Status::Ok());
  Reopen();
  EXPECT_THAT(log.found.payloads(),
              ElementsAre("small", large, "tail", "next"));
}

TEST_F(WalWriterTest, LargestAppendFillsAFileAndALargerOneIsRefused) {
  log.Open();
  const size_t room = log.options.file_bytes - kWalBlockBytes -
                      kWalGroupHeaderBytes - kFrameHeaderBytes;
  const Status refused = log.Append({std::string(room + 1, 'L')});
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.message(), HasSubstr("65536"));
  ASSERT_EQ(log.Append({std::string(room, 'L')}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  Reopen();
  EXPECT_THAT(log.found.payloads(), ElementsAre(std::string(room, 'L')));
}

TEST_F(WalWriterTest, FilesFollowEachOther) {
  log.Open();
  std::vector<std::string> appended;
  for (int i = 0; i < 40; ++i) {
    appended.push_back(std::string(7000, static_cast<char>('A' + i)));
    Status status = log.Append({appended.back()});
    if (status.code() == StatusCode::kOverloaded) {
      log.runtime.RunUntilIdle();
      status = log.Append({appended.back()});
    }
    ASSERT_EQ(status, Status::Ok());
  }
  ASSERT_EQ(log.Sync(), Status::Ok());
  EXPECT_GE(log.writer->Stats().files, 5u);
  Reopen();
  EXPECT_EQ(log.found.payloads(), appended);
  EXPECT_THAT(log.found.damage, IsEmpty());
}

TEST_F(WalWriterTest, NextFileNotReadyIsOverloadedAndWhenWritableFires) {
  log.Open();
  Status status;
  while ((status = log.Append({std::string(9000, 'x')})).ok()) {
  }
  EXPECT_EQ(status.code(), StatusCode::kOverloaded);
  const size_t appended = log.places.size();
  bool writable = false;
  log.writer->WhenWritable([&] { writable = true; });
  log.runtime.RunUntilIdle();
  EXPECT_TRUE(writable);
  EXPECT_EQ(log.Append({"again"}), Status::Ok());
  EXPECT_EQ(log.places.size(), appended + 1);
}

TEST_F(WalWriterTest, WhenWritableFiresForAChangeBetweenRefusalAndCall) {
  log.Open();
  while (log.Append({std::string(9000, 'x')}).ok()) {
  }
  log.runtime.RunUntilIdle();  // the file is prepared now
  bool writable = false;
  log.writer->WhenWritable([&] { writable = true; });
  log.runtime.RunUntilIdle();
  EXPECT_TRUE(writable);
  bool again = false;
  log.writer->WhenWritable([&] { again = true; });
  log.runtime.RunUntilIdle();
  EXPECT_FALSE(again);
}

TEST_F(WalWriterTest, LengthLimitIsOverloadedUntilSpaceIsReleased) {
  log.options.max_bytes = 4 * log.options.file_bytes;
  log.Open();
  Status status;
  for (int i = 0; i < 1000; ++i) {
    status = log.Append({std::string(9000, 'x')});
    if (!status.ok()) {
      EXPECT_EQ(status.code(), StatusCode::kOverloaded);
      if (log.writer->Stats().files == 4) break;
    }
    log.runtime.RunUntilIdle();
  }
  ASSERT_EQ(log.Append({std::string(9000, 'x')}).code(),
            StatusCode::kOverloaded);
  EXPECT_EQ(log.writer->Stats().bytes_in_use, log.options.max_bytes);
  bool writable = false;
  log.writer->WhenWritable([&] { writable = true; });
  log.runtime.RunUntilIdle();
  EXPECT_FALSE(writable);
  EXPECT_FALSE(log.Release());  // all chunks are held
  log.places.clear();
  EXPECT_TRUE(log.Release());
  log.runtime.RunUntilIdle();
  EXPECT_TRUE(writable);
  EXPECT_EQ(log.Append({"again"}), Status::Ok());
}

TEST_F(WalWriterTest, OnlyOldestFilesInARowAreReleasable) {
  log.Open();
  FillFile();
  WalPlace first = log.places.front();
  WalPlace second = log.places.back();
  FillFile();
  const WalPlace third = log.places.back();
  log.places.clear();
  const uint64_t second_seq = second.end_seq;
  EXPECT_FALSE(log.writer->Releasable());
  EXPECT_EQ(log.writer->OldestFileLastSeq(), second_seq - 1);
  second = {};
  EXPECT_FALSE(log.writer->Releasable());
  second = std::exchange(first, {});
  EXPECT_FALSE(log.writer->Releasable());
  second = {};
  EXPECT_EQ(log.writer->Releasable()->needed_from_seq, third.end_seq);
}

TEST_F(WalWriterTest, ReleasableTellsFromWhereTheLogIsNeeded) {
  log.Open();
  FillFile();
  const uint64_t second_seq = log.last_seq();
  log.places.erase(log.places.begin(), log.places.end() - 1);
  const std::optional<WalReleasable> releasable = log.writer->Releasable();
  ASSERT_TRUE(releasable);
  EXPECT_EQ(releasable->needed_from_seq, second_seq);
  EXPECT_EQ(WalFilePath(releasable->file), log.WalFiles().front());
}

TEST_F(WalWriterTest, ReleasedFilesAreUsedAgainAndTheirFramesNeverReturn) {
  log.Open();
  for (int round = 0; round < 12; ++round) {
    FillFile();
    log.places.clear();
    log.Release();
    log.runtime.RunUntilIdle();
  }
  EXPECT_LE(log.WalFiles().size(), 4u);
  ASSERT_EQ(log.Append({"last"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  const uint64_t files = log.WalFiles().size();
  Reopen();
  ASSERT_FALSE(log.found.payloads().empty());
  EXPECT_EQ(log.found.payloads().back(), "last");
  EXPECT_LE(log.found.frames.size(), 9u);  // of the last file and no other
  EXPECT_THAT(log.found.damage, IsEmpty());
  EXPECT_LE(log.WalFiles().size(), files + 1);
}

TEST_F(WalWriterTest, RecoveredFileIsHeldByTheFramesInIt) {
  log.Open();
  ASSERT_EQ(log.Append({"kept"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  Reopen();
  EXPECT_FALSE(log.writer->Releasable());
  log.found.frames.clear();
  const std::optional<WalReleasable> releasable = log.writer->Releasable();
  ASSERT_TRUE(releasable);
  EXPECT_EQ(releasable->needed_from_seq, 2u);
}

TEST_F(WalWriterTest, FullChunkSourceIsOverloadedUntilThereIsRoom) {
  log.chunks.set_limit(2 * log.options.chunk_bytes);
  log.Open();
  Status status;
  while ((status = log.Append({std::string(5000, 'x')})).ok()) {
  }
  log.runtime.RunUntilIdle();
  status = log.Append({std::string(5000, 'x')});
  EXPECT_EQ(status.code(), StatusCode::kOverloaded);
  bool writable = false;
  log.writer->WhenWritable([&] { writable = true; });
  log.runtime.RunUntilIdle();
  EXPECT_FALSE(writable);
  log.places.clear();
  log.runtime.RunUntilIdle();
  EXPECT_TRUE(writable);
  EXPECT_EQ(log.Append({"again"}), Status::Ok());
}

// A batch that needs all of the memory must not wait for the chunk that the
// writer itself holds.
TEST_F(WalWriterTest, WriterLetsItsChunkGoForALargeAppend) {
  log.chunks.set_limit(48 << 10);
  log.Open();
  ASSERT_EQ(log.Append({"small"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  log.places.clear();
  const std::string large(40 << 10, 'L');
  for (int tries = 0; tries < 3 && log.places.empty(); ++tries) {
    (void)log.Append({large});
    log.runtime.RunUntilIdle();
  }
  ASSERT_FALSE(log.places.empty());
  EXPECT_EQ(AsText(log.places.back().payload), large);
}

TEST_F(WalWriterTest, FullDiskStopsAppendsAtTheEndOfTheFile) {
  log.Open();
  log.runtime.RunUntilIdle();
  log.disk.SetCapacity(log.disk.used_bytes() + 4096);
  Status status;
  for (int i = 0; i < 100 && status.code() != StatusCode::kNoSpace; ++i) {
    status = log.Append({std::string(9000, 'x')});
    log.runtime.RunUntilIdle();
  }
  EXPECT_EQ(status.code(), StatusCode::kNoSpace);
  EXPECT_GE(log.places.size(), 5u);
  EXPECT_EQ(log.Sync(), Status::Ok());
  bool writable = false;
  log.writer->WhenWritable([&] { writable = true; });
  log.disk.SetCapacity(SimFileSystem::kUnlimited);
  log.runtime.RunFor(seconds(2));
  EXPECT_TRUE(writable);
  EXPECT_EQ(log.Append({"again"}), Status::Ok());
}

TEST_F(WalWriterTest, NoFileIsMadeOfWhatIsKeptForOthers) {
  bool may_grow = true;
  log.options.may_grow = [&] { return may_grow; };
  log.Open();
  log.runtime.RunUntilIdle();
  may_grow = false;
  const size_t files = log.WalFiles().size();
  Status status;
  for (int i = 0; i < 100 && status.code() != StatusCode::kNoSpace; ++i) {
    status = log.Append({std::string(9000, 'x')});
    log.runtime.RunUntilIdle();
  }
  EXPECT_EQ(status.code(), StatusCode::kNoSpace);
  EXPECT_EQ(log.WalFiles().size(), files) << "those that were there are used";
  may_grow = true;
  log.runtime.RunFor(seconds(2));
  EXPECT_EQ(log.Append({"again"}), Status::Ok());
}

TEST_F(WalWriterTest, FullDiskAtOpenLeavesTheLogReadable) {
  log.Open();
  ASSERT_EQ(log.Append({"kept"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  log.Crash(SimUnsyncedFate::kLost);
  for (const std::string& path : log.WalFiles()) {
    if (path != log.WalFiles().front()) log.disk.RemoveFile(path);
  }
  log.disk.SetCapacity(log.disk.used_bytes());
  log.Open();
  EXPECT_THAT(log.found.payloads(), ElementsAre("kept"));
  EXPECT_EQ(log.Append({"more"}).code(), StatusCode::kNoSpace);
  // No half-made file takes up room.
  EXPECT_THAT(log.WalFiles(), SizeIs(1));
}

TEST_F(WalWriterTest, FailedSyncAnswersUnknownAndTheLogGoesOn) {
  log.Open();
  ASSERT_EQ(log.Append({"before"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  log.disk.FailNext(FileOp::kSync, "wal/");
  ASSERT_EQ(log.Append({"unsure"}), Status::Ok());
  std::optional<Status> result = log.Sync();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->code(), StatusCode::kUnknown);
  EXPECT_EQ(log.writer->durable_seq(), 2u);
  EXPECT_EQ(AsText(log.places.back().payload), "unsure");
  ASSERT_EQ(log.Append({"after"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  Reopen();
  EXPECT_THAT(log.found.payloads(), ElementsAre("before", "unsure", "after"));
  EXPECT_THAT(log.found.damage, IsEmpty());
}

TEST_F(WalWriterTest, FailureWhileTwoFilesAreLaidOutKeepsTheOrder) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    TestLog l(seed);
    l.Open();
    ASSERT_EQ(l.Append({"first"}), Status::Ok());
    ASSERT_EQ(l.Sync(), Status::Ok());
    std::vector<std::string> appended{"first"};
    const FileOp op = seed % 2 == 0 ? FileOp::kSync : FileOp::kWrite;
    // No task runs meanwhile: the second file is prepared already.
    l.disk.FailNext(op, l.WalFiles().front());
    for (uint64_t i = 0; i < 10; ++i) {
      appended.push_back(std::string(8000 + i, static_cast<char>('a' + i)));
      ASSERT_EQ(l.Append({appended.back()}), Status::Ok());
    }
    EXPECT_EQ(l.writer->Stats().files, 2u);
    EXPECT_EQ(l.Sync()->code(), StatusCode::kUnknown);
    ASSERT_EQ(l.Append({"after"}), Status::Ok());
    appended.push_back("after");
    ASSERT_EQ(l.Sync(), Status::Ok());
    l.Crash(SimUnsyncedFate::kLost);
    l.Open();
    EXPECT_EQ(l.found.payloads(), appended);
    EXPECT_THAT(l.found.damage, IsEmpty());
    l.found.frames.clear();
    l.Release();
    l.runtime.RunUntilIdle();
    l.Crash(SimUnsyncedFate::kLost);
    l.Open();
    EXPECT_THAT(l.found.frames, IsEmpty());
    EXPECT_THAT(l.found.damage, IsEmpty());
  }
}

TEST_F(WalWriterTest, RewrittenFileIsHeldUntilItsChunksGo) {
  log.Open();
  log.disk.FailNext(FileOp::kSync, log.WalFiles().front());
  ASSERT_EQ(log.Append({"unsure"}), Status::Ok());
  EXPECT_EQ(log.Sync()->code(), StatusCode::kUnknown);
  EXPECT_FALSE(log.writer->Releasable());
  const std::string failed = log.WalFiles().front();
  log.places.clear();
  ASSERT_TRUE(log.Release());
  log.runtime.RunUntilIdle();
  // A file that failed is not used again.
  EXPECT_THAT(log.WalFiles(), testing::Not(testing::Contains(failed)));
}

TEST_F(WalWriterTest, SecondFailureTurnsTheLogReadOnly) {
  log.Open();
  ASSERT_EQ(log.Append({"kept"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  log.disk.FailNext(FileOp::kSync, "wal/", 1000);
  ASSERT_EQ(log.Append({"unsure"}), Status::Ok());
  const uint64_t seq = log.last_seq();
  EXPECT_EQ(log.Sync()->code(), StatusCode::kUnknown);
  const Status refused = log.Append({"refused"});
  EXPECT_EQ(refused.code(), StatusCode::kReadOnly);
  EXPECT_THAT(refused.message(), HasSubstr("injected fault"));
  EXPECT_EQ(log.writer->durable_seq(), 1u);
  std::optional<Status> late;
  log.writer->WhenDurable(seq, [&](Status status) { late = status; });
  log.runtime.RunUntilIdle();
  EXPECT_EQ(late->code(), StatusCode::kUnknown);
  // What is in memory stays readable.
  EXPECT_EQ(AsText(log.places.back().payload), "unsure");
  log.disk.ClearFaults();
  Reopen();
  ASSERT_FALSE(log.found.payloads().empty());
  EXPECT_EQ(log.found.payloads().front(), "kept");
  EXPECT_THAT(log.found.damage, IsEmpty());
  EXPECT_EQ(log.Append({"again"}), Status::Ok());
}

TEST_F(WalWriterTest, WaiterThatComesDuringTheMoveIsAnswered) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    TestLog l(seed);
    l.Open();
    l.disk.FailNext(FileOp::kSync, l.WalFiles().front());
    ASSERT_EQ(l.Append({"unsure"}), Status::Ok());
    std::optional<Status> first;
    std::optional<Status> second;
    l.writer->WhenDurable(1, [&](Status status) {
      first = status;
      l.writer->WhenDurable(1, [&](Status s) { second = s; });
    });
    l.runtime.RunUntilIdle();
    EXPECT_EQ(first->code(), StatusCode::kUnknown);
    EXPECT_EQ(second, Status::Ok());
  }
}

TEST_F(WalWriterTest, CloseMakesEverythingDurableAndTakesNoMore) {
  log.Open();
  ASSERT_EQ(log.Append({"memory"}), Status::Ok());
  std::optional<Status> closed;
  log.writer->Close([&](Status status) { closed = status; });
  EXPECT_EQ(log.Append({"late"}).code(), StatusCode::kClosed);
  log.runtime.RunUntilIdle();
  EXPECT_EQ(closed, Status::Ok());
  log.Crash(SimUnsyncedFate::kLost);
  log.Open();
  EXPECT_THAT(log.found.payloads(), ElementsAre("memory"));
}

TEST_F(WalWriterTest, ImpossibleOptionsAreRefused) {
  for (const auto& [file, chunk] : {std::pair<uint64_t, uint64_t>{4096, 4096},
                                    {65537, 4096},
                                    {8ull << 30, 4096},
                                    {65536, 0},
                                    {65536, 5000}}) {
    WalOptions options = log.options;
    options.file_bytes = file;
    options.chunk_bytes = chunk;
    EXPECT_EQ(WalWriter::Open(log.disk, log.runtime, Logger(log.sink),
                              log.chunks, options, {})
                  .status()
                  .code(),
              StatusCode::kInvalidArgument);
  }
}

TEST_F(WalWriterTest, AppendTakesNoMemoryButChunks) {
  log.Open();
  const uint64_t before = log.chunks.taken;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(log.Append({"tiny"}), Status::Ok());
  }
  EXPECT_EQ(log.chunks.taken, before + 1);
}

}  // namespace
}  // namespace strata
