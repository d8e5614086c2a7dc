#include "wal/wal_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/wal_format.h"
#include "testing/golden_file.h"
#include "testing/wal_test_log.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kFileBytes = 64 << 10;

TEST(WalFilesTest, NewFileIsFullOfZerosAndDurable) {
  TestLog log;
  const auto made = PrepareWalFile(log.disk, 7, kFileBytes, std::nullopt);
  ASSERT_TRUE(made.ok()) << made.status();
  log.disk.Crash(SimUnsyncedFate::kLost);
  EXPECT_EQ(log.disk.ReadFile(WalFilePath(7)).value(),
            std::string(kFileBytes, '\0'));
}

TEST(WalFilesTest, RecycledFileHasItsNewNameDurably) {
  TestLog log;
  log.disk.WriteFile(WalFilePath(3), std::string(kFileBytes, 'o'));
  const auto made = PrepareWalFile(log.disk, 7, kFileBytes, 3);
  ASSERT_TRUE(made.ok()) << made.status();
  log.disk.Crash(SimUnsyncedFate::kLost);
  EXPECT_THAT(log.WalFiles(), ElementsAre(WalFilePath(7)));
}

TEST(WalFilesTest, FileThatFailsToBeMadeIsRemoved) {
  for (const FileOp op :
       {FileOp::kWrite, FileOp::kSync, FileOp::kSyncDirectory}) {
    TestLog log;
    log.disk.FailNext(op, "wal");
    EXPECT_EQ(
        PrepareWalFile(log.disk, 7, kFileBytes, std::nullopt).status().code(),
        StatusCode::kIoError);
    EXPECT_THAT(log.WalFiles(), IsEmpty()) << Name(op);
  }
}

// A spare is tried every second: what a try leaves behind would fill the disk.
TEST(WalFilesTest, DirectoryThatCannotBeSyncedDoesNotFillTheDisk) {
  TestLog log;
  log.disk.FailNext(FileOp::kSyncDirectory, "wal", 1000);
  log.Open();
  EXPECT_EQ(log.Append({"refused"}).code(), StatusCode::kOverloaded);
  log.runtime.RunFor(std::chrono::seconds(30));
  EXPECT_THAT(log.WalFiles(), IsEmpty());
  log.disk.ClearFaults();
  log.runtime.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(log.Append({"taken"}), Status::Ok());
}

TEST(WalFilesTest, FailingSpareIsTriedOnceASecondWhateverIsReleased) {
  TestLog log;
  log.Open();
  while (log.writer->Stats().files < 4) {
    ASSERT_TRUE(log.Append({std::string(9000, 'x')}).ok());
    ASSERT_EQ(log.Sync(), Status::Ok());
  }
  log.disk.FailNext(FileOp::kRename, "wal", 100000);
  log.disk.FailNext(FileOp::kCreate, "wal", 100000);
  while (log.Append({std::string(9000, 'x')}).ok()) log.runtime.RunUntilIdle();
  for (size_t i = 0; i < 3; ++i) {
    log.places.erase(log.places.begin(), log.places.begin() + 6);
    ASSERT_TRUE(log.Release());
    log.runtime.RunFor(std::chrono::milliseconds(100));
  }
  const uint64_t before = log.disk.change_count();
  log.runtime.RunFor(std::chrono::seconds(60));
  EXPECT_LE(log.disk.change_count() - before, 65u);
}

TEST(WalFilesTest, GoldenFileIsRecovered) {
  TestLog log;
  log.id = TopicId::FromString("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf").value();
  std::string file = GoldenBytes("wal_file_header_v1.hex");
  file.resize(kWalBlockBytes);
  file += GoldenBytes("wal_group_v1.hex");
  file.resize(2 * kWalBlockBytes);
  log.disk.WriteFile(WalFilePath(7), file);
  log.needed_from = 12;
  const auto recovered = log.Recover();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->last_seq, 12u);
  EXPECT_EQ(recovered->last_life, 7u);
  EXPECT_THAT(log.found.damage, IsEmpty());
  EXPECT_THAT(log.found.payloads(), ElementsAre("first\nsecond\n"));
  EXPECT_EQ(log.found.frames[0].where, WalFilePath(7) + " at 4160");
}

// Its header tells another life than its name does.
TEST(WalFilesTest, MisplacedFileOfAnotherLogIsRefusedAndKept) {
  TestLog other;
  other.Open();
  ASSERT_EQ(other.Append({"theirs"}), Status::Ok());
  ASSERT_EQ(other.Sync(), Status::Ok());
  const std::string bytes = other.disk.ReadFile(WalFilePath(1)).value();

  TestLog log;
  log.id.bytes[0] = std::byte{1};
  log.disk.WriteFile(WalFilePath(9), bytes);
  const Status status = log.Recover().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr(WalFilePath(9)));
  EXPECT_EQ(log.disk.ReadFile(WalFilePath(9)).value(), bytes);
}

// Lives that are counted on from there would start again at 0.
TEST(WalFilesTest, NameWithAnImpossibleLifeIsLeftAlone) {
  TestLog log;
  const std::string name = WalFilePath(UINT64_MAX);
  log.disk.WriteFile(name, "not ours");
  log.Open();
  ASSERT_EQ(log.Append({"kept"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  log.Crash(SimUnsyncedFate::kLost);
  log.Open();
  EXPECT_THAT(log.found.payloads(), ElementsAre("kept"));
  EXPECT_EQ(log.disk.ReadFile(name).value(), "not ours");
}

}  // namespace
}  // namespace strata
