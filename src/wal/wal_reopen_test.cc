// Which files recovery reads, and that what it leaves unread stays away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "format/wal_format.h"
#include "testing/wal_test_log.h"
#include "wal/wal_scan.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WalReopenTest : public ::testing::Test {
 protected:
  // A group of each payload in one file, durable; behind it lies a spare. The
  // writer is gone.
  void WriteGroups(std::initializer_list<std::string_view> payloads) {
    log.Open();
    for (const std::string_view payload : payloads) {
      ASSERT_EQ(log.Append({std::string(payload)}), Status::Ok());
      ASSERT_EQ(log.Sync(), Status::Ok());
    }
    log.Crash(SimUnsyncedFate::kLost);
    ASSERT_THAT(log.WalFiles(), SizeIs(2));
    file = log.WalFiles()[0];
    spare = log.WalFiles()[1];
  }

  WalRecovered Recovered() {
    Result<WalRecovered> recovered = log.Recover();
    EXPECT_TRUE(recovered.ok()) << recovered.status();
    return recovered.ok() ? *std::move(recovered) : WalRecovered{};
  }

  std::string HeaderOf(uint64_t life, uint64_t first_seq) const {
    return EncodeWalFileHeader({.log_id = log.id,
                                .life = life,
                                .first_group_seq = first_seq,
                                .file_bytes = log.options.file_bytes});
  }
  // An intact group without frames.
  std::string Group(uint64_t life, uint64_t seq) const {
    std::string bytes(kWalGroupHeaderBytes, '\0');
    EncodeWalGroupHeader(
        {.seq = seq,
         .synced_seq = 0,
         .bytes = kWalGroupHeaderBytes,
         .frames = 0},
        log.id, life,
        std::as_writable_bytes(std::span(bytes)).first<kWalGroupHeaderBytes>());
    return bytes;
  }
  void Put(const std::string& path, uint64_t block, std::string_view bytes) {
    log.disk.Corrupt(path, block * kWalBlockBytes, AsBytes(bytes));
  }
  void Zero(const std::string& path, uint64_t blocks) {
    Put(path, 0, std::string(blocks * kWalBlockBytes, '\0'));
  }
  // Damages the headers of all files that are not the log's.
  void DamageSpares() {
    for (const std::string& path : log.WalFiles()) {
      if (path != file) Put(path, 0, "no header");
    }
  }

  TestLog log;
  std::string file;
  std::string spare;
};

// Fills many files and lets go of all that is in them.
void FillAndFlush(TestLog& log) {
  log.options = {.file_bytes = 1 << 20,
                 .max_bytes = 64 << 20,
                 .chunk_bytes = 256 << 10,
                 .checkpoint_interval = std::chrono::seconds(1)};
  log.Open();
  for (int i = 0; i < 80; ++i) {
    ASSERT_EQ(log.Append({std::string(200 << 10, 'x')}), Status::Ok());
    ASSERT_EQ(log.Sync(), Status::Ok());
  }
  log.places.clear();
  while (log.Release()) log.runtime.RunUntilIdle();
  ASSERT_GE(log.WalFiles().size(), 16u);
  log.synced_seq = log.writer->durable_seq();  // as after a clean close
  log.Kill();
}

TEST_F(WalReopenTest, FilesWithoutAnythingUnflushedAreNotRead) {
  FillAndFlush(log);
  for (const WalAccess access :
       {WalAccess::kViewSynced, WalAccess::kView, WalAccess::kRecover}) {
    log.access = access;
    const uint64_t before = log.disk.bytes_read();
    const WalRecovered recovered = Recovered();
    EXPECT_EQ(recovered.last_seq, 80u);
    // The file that was written to last, its groups once more, and of a spare
    // enough to see that it is one.
    EXPECT_LE(log.disk.bytes_read() - before,
              2 * log.options.file_bytes + (512 << 10) +
                  2 * kWalBlockBytes * log.WalFiles().size());
  }
  EXPECT_THAT(log.found.damage, IsEmpty());
}

TEST_F(WalReopenTest, FilesThatWereNotReadAreUsedAgain) {
  FillAndFlush(log);
  const size_t files = log.WalFiles().size();
  EXPECT_THAT(Recovered().spares, SizeIs(files - 1));
  EXPECT_THAT(log.WalFiles(), SizeIs(files));
}

TEST_F(WalReopenTest, ViewRenamesNothing) {
  FillAndFlush(log);
  const std::vector<std::string> files = log.WalFiles();
  log.access = WalAccess::kView;
  EXPECT_THAT(Recovered().spares, IsEmpty());
  EXPECT_EQ(log.WalFiles(), files);
}

// The scan has passed where groups are written while it goes on, and finds
// later ones that call them synced.
void ViewWhileGroupsAreWritten(TestLog& log, uint64_t scanned_to) {
  log.disk.AfterReadOf(log.WalFiles().front(), scanned_to, [&log] {
    for (int i = 0; i < 8; ++i) {
      ASSERT_EQ(log.Append({std::string(60 << 10, 'x')}), Status::Ok());
      ASSERT_EQ(log.Sync(), Status::Ok());
    }
  });
  log.access = WalAccess::kViewSynced;
  const Result<WalRecovered> viewed = log.Recover();
  ASSERT_TRUE(viewed.ok()) << viewed.status();
  EXPECT_THAT(log.found.damage, IsEmpty());
  EXPECT_EQ(log.found.frames.size(), viewed->last_seq);
}

TEST_F(WalReopenTest, GroupsWrittenWhileAViewIsTakenAreNotMissing) {
  log.options.file_bytes = 1 << 20;
  log.Open();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(log.Append({"a"}), Status::Ok());
    ASSERT_EQ(log.Sync(), Status::Ok());
  }
  ViewWhileGroupsAreWritten(log, 2 * kWalBlockBytes);
  EXPECT_THAT(log.found.frames, SizeIs(3 + 7));  // the last is not called so
}

TEST_F(WalReopenTest, FirstGroupsWrittenWhileAViewIsTakenAreNotMissing) {
  log.options.file_bytes = 1 << 20;
  log.Open();
  ViewWhileGroupsAreWritten(log, 0);
}

// Part of a torn tail in a file whose header and first group did not arrive.
TEST_F(WalReopenTest, TornGroupInASpareStaysAwayWhenItsHeaderIsDamagedLater) {
  log.options.file_bytes = 1 << 20;
  WriteGroups({"a", "b", "c"});
  Put(spare, 200, Group(2, 4));
  EXPECT_EQ(Recovered().last_seq, 3u);
  DamageSpares();
  const WalRecovered recovered = Recovered();
  EXPECT_EQ(recovered.last_seq, 3u);
  EXPECT_EQ(recovered.torn_bytes, 0u);
}

TEST_F(WalReopenTest, TornGroupInARecycledSpareStaysAwayToo) {
  WriteGroups({"a", "b", "c"});
  Put(spare, 0, HeaderOf(1, 1));
  Put(spare, 1, Group(1, 1));
  Put(spare, 5, Group(2, 4));
  EXPECT_EQ(Recovered().last_seq, 3u);
  DamageSpares();
  const WalRecovered recovered = Recovered();
  EXPECT_EQ(recovered.last_seq, 3u);
  EXPECT_EQ(recovered.torn_bytes, 0u);
}

// As ReplacedGroupStaysAwayWhenItsReplacementIsCut, of a file that is not read.
TEST_F(WalReopenTest, ReplacedGroupOfAFileThatIsNotNeededStaysAway) {
  WriteGroups({"a", "b", "c"});
  const std::string moved = WalFilePath(9);
  std::string bytes = HeaderOf(9, 3);
  bytes.resize(log.options.file_bytes);
  log.disk.WriteFile(moved, bytes);
  log.needed_from = 3;
  Recovered();
  EXPECT_THAT(log.found.frames, IsEmpty());
  log.disk.RemoveFile(moved);
  log.Crash(SimUnsyncedFate::kKept);
  Recovered();
  EXPECT_THAT(log.found.frames, IsEmpty());
  EXPECT_THAT(log.found.damage, IsEmpty());
}

TEST_F(WalReopenTest, HeaderThatTheDiskLostHidesNoGroup) {
  WriteGroups({"a", "b", "c"});
  log.synced_seq = 3;
  Zero(file, 1);
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(log.found.damage, SizeIs(1));
}

TEST_F(WalReopenTest, ZerosOverHeaderAndFirstGroupHideNoOther) {
  WriteGroups({"a", "b", "c"});
  log.synced_seq = 3;
  Zero(file, 2);
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("b", "c"));
  EXPECT_THAT(log.found.damage, testing::Not(IsEmpty()));
}

TEST_F(WalReopenTest, HeaderOfAFormerLifeInFrontOfGroupsHidesNoGroup) {
  WriteGroups({"a", "b", "c"});
  log.synced_seq = 3;
  Put(file, 0, HeaderOf(7, 1));
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(log.found.damage, SizeIs(1));
}

TEST_F(WalReopenTest, FileOfAnotherLogIsRefusedThoughItIsNotNeeded) {
  FillAndFlush(log);
  TestLog other;
  other.id.bytes[0] = std::byte{1};
  const std::string oldest = log.WalFiles().front();
  Put(oldest, 0,
      EncodeWalFileHeader({.log_id = other.id,
                           .life = 1,
                           .first_group_seq = 1,
                           .file_bytes = log.options.file_bytes}));
  const Status status = log.Recover().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr(oldest));
}

}  // namespace
}  // namespace strata
