#include "testing/sim_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "testing/file_system_contract.h"

namespace strata {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kSeeds = 300;

FileSystemInstance MakeSim() {
  return {.keeper = nullptr, .fs = std::make_shared<SimFileSystem>()};
}
FileSystemInstance MakeMount() {
  auto disk = std::make_shared<SimFileSystem>();
  std::shared_ptr<FileSystem> fs = disk->Mount("data/warm");
  return {.keeper = disk, .fs = fs};
}
INSTANTIATE_TEST_SUITE_P(Sim, FileSystemContract,
                         testing::Values(FileSystemMaker(&MakeSim),
                                         FileSystemMaker(&MakeMount)));

// "a" with durable text.
std::unique_ptr<File> DurableFile(SimFileSystem& disk, std::string_view text) {
  disk.WriteFile("a", text);
  return *disk.Open("a", OpenMode::kReadWrite);
}

TEST(SimFileSystemCrash, SyncedDataIsNeverLost) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    auto file = *disk.Open("a", OpenMode::kCreate);
    ASSERT_TRUE(file->Write(0, AsBytes("synced")).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(disk.SyncDirectory("").ok());
    ASSERT_TRUE(file->Write(6, AsBytes("unsynced")).ok());
    disk.Crash();
    EXPECT_EQ(TextOf(disk, "a").substr(0, 6), "synced") << seed;
  }
}

TEST(SimFileSystemCrash, UnsyncedWriteIsKeptLostOrTorn) {
  std::set<std::string> outcomes;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    auto file = DurableFile(disk, "old!");
    ASSERT_TRUE(file->Write(0, AsBytes("new!")).ok());
    disk.Crash();
    outcomes.insert(TextOf(disk, "a"));
  }
  EXPECT_THAT(outcomes, ElementsAre("new!", "old!"));  // one sector: atomic
}

TEST(SimFileSystemCrash, GrowthByUnsyncedWritesMayBeLost) {
  std::set<size_t> sizes;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    auto file = DurableFile(disk, "1234");
    ASSERT_TRUE(file->Write(4, AsBytes("5")).ok());
    ASSERT_TRUE(file->Truncate(2).ok());
    disk.Crash();
    sizes.insert(TextOf(disk, "a").size());
  }
  EXPECT_THAT(sizes, ElementsAre(2u, 4u, 5u));
}

TEST(SimFileSystemCrash, LaterUnsyncedWriteMaySurviveAnEarlierOne) {
  bool reordered = false;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    auto file = DurableFile(disk, "....");
    ASSERT_TRUE(file->Write(0, AsBytes("1")).ok());
    ASSERT_TRUE(file->Write(3, AsBytes("2")).ok());
    disk.Crash();
    reordered = reordered || TextOf(disk, "a") == "...2";
  }
  EXPECT_TRUE(reordered);
}

TEST(SimFileSystemCrash, WritesTearAtSectors) {
  constexpr size_t kSector = 512;
  const std::string old_text(8 * kSector, 'o');
  std::set<std::string> shapes;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    auto file = DurableFile(disk, old_text);
    std::string new_text(6 * kSector, 'n');
    ASSERT_TRUE(file->Write(100, AsBytes(new_text)).ok());
    disk.Crash();
    std::string text = TextOf(disk, "a");
    ASSERT_EQ(text.size(), old_text.size());
    EXPECT_EQ(text.substr(0, 100), std::string(100, 'o'));
    std::string shape;
    for (size_t at = 100; at < 100 + new_text.size();) {
      size_t next = std::min((at / kSector + 1) * kSector, 100 + 6 * kSector);
      EXPECT_EQ(text.substr(at, next - at), std::string(next - at, text[at]));
      shape += text[at];
      at = next;
    }
    shapes.insert(shape);
  }
  EXPECT_TRUE(shapes.contains("nnnnnnn"));
  EXPECT_TRUE(shapes.contains("ooooooo"));
  EXPECT_TRUE(shapes.contains("nnnoooo"));  // a prefix
  EXPECT_GT(shapes.size(), 20u);            // and any sectors
}

TEST(SimFileSystemCrash, TornAppendMayShowARecycledBlock) {
  bool recycled = false;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    disk.WriteFile("removed", std::string(8192, 'R'));
    ASSERT_TRUE(disk.Remove("removed").ok());
    auto file = DurableFile(disk, std::string(512, 'd'));
    ASSERT_TRUE(file->Write(512, AsBytes(std::string(4096, 'n'))).ok());
    disk.Crash();
    std::string text = TextOf(disk, "a");
    EXPECT_EQ(text.substr(0, 512), std::string(512, 'd'));
    recycled = recycled || text.find('R') != text.npos;
  }
  EXPECT_TRUE(recycled);
}

TEST(SimFileSystemCrash, RenameThatIsNotSyncedMayRevertAndIsAtomic) {
  std::set<std::string> outcomes;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    disk.WriteFile("a", "new");
    disk.WriteFile("b", "old");
    ASSERT_TRUE(disk.Rename("a", "b").ok());
    disk.Crash();
    outcomes.insert(TextOf(disk, "a") + " " + TextOf(disk, "b"));
  }
  EXPECT_THAT(outcomes, ElementsAre("<NotFound> new", "new old"));
}

TEST(SimFileSystemCrash, RenameAcrossDirectoriesIsAtomic) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    disk.WriteFile("x/a", "1");
    disk.WriteFile("y/other", "");
    ASSERT_TRUE(disk.Remove("y/other").ok());
    ASSERT_TRUE(disk.Rename("x/a", "y/a").ok());
    if (seed % 2 == 0) {
      ASSERT_TRUE(disk.SyncDirectory("x").ok());
    }
    disk.Crash();
    EXPECT_NE(disk.ReadFile("x/a").ok(), disk.ReadFile("y/a").ok()) << seed;
    // What came before it in y went with it.
    if (disk.ReadFile("y/a").ok()) {
      EXPECT_FALSE(disk.ReadFile("y/other").ok());
    }
    if (seed % 2 == 0) {
      EXPECT_TRUE(disk.ReadFile("y/a").ok());
    }
  }
}

TEST(SimFileSystemCrash, EntriesSurviveAsAPrefix) {
  std::set<size_t> lengths;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    for (const char* name : {"0", "1", "2", "3"}) {
      ASSERT_TRUE(disk.Open(name, OpenMode::kCreate).ok());
    }
    disk.Crash();
    std::vector<std::string> names = disk.Files();
    for (size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(names[i], std::to_string(i));
    }
    lengths.insert(names.size());
  }
  EXPECT_THAT(lengths, ElementsAre(0u, 1u, 2u, 3u, 4u));
}

TEST(SimFileSystemCrash, SyncedEntriesSurvive) {
  SimFileSystem disk;
  ASSERT_TRUE(disk.CreateDirectory("d").ok());
  ASSERT_TRUE(CreateWith(disk, "d/kept", "").ok());
  ASSERT_TRUE(CreateWith(disk, "d/gone", "").ok());
  ASSERT_TRUE(disk.Remove("d/gone").ok());
  ASSERT_TRUE(disk.SyncDirectory("d").ok());
  ASSERT_TRUE(disk.Remove("d/kept").ok());
  disk.Crash(SimUnsyncedFate::kLost);
  EXPECT_THAT(disk.Files(), ElementsAre("d/kept"));
}

TEST(SimFileSystemCrash, SyncedFileWithoutSyncedEntryIsLost) {
  SimFileSystem disk;
  auto file = *disk.Open("a", OpenMode::kCreate);
  ASSERT_TRUE(file->Write(0, AsBytes("x")).ok());
  ASSERT_TRUE(file->Sync().ok());
  disk.Crash(SimUnsyncedFate::kLost);
  EXPECT_EQ(TextOf(disk, "a"), "<NotFound>");
}

TEST(SimFileSystemCrash, EverythingKeptIsWhatTheProcessSaw) {
  SimFileSystem disk;
  ASSERT_TRUE(disk.CreateDirectory("d").ok());
  ASSERT_TRUE(CreateWith(disk, "d/a", "text").ok());
  ASSERT_TRUE(disk.Rename("d/a", "b").ok());
  disk.Crash(SimUnsyncedFate::kKept);
  EXPECT_THAT(disk.Files(), ElementsAre("b"));
  EXPECT_EQ(TextOf(disk, "b"), "text");
}

TEST(SimFileSystemCrash, HandlesAndLocksDieAndMapsStay) {
  SimFileSystem disk;
  auto file = DurableFile(disk, "text");
  auto mapping = *file->Map();
  auto lock = *disk.TryLock("LOCK", "before");
  disk.Crash();
  std::byte out;
  for (const Status& status :
       {file->Write(0, AsBytes("x")), file->Sync(), file->Truncate(0),
        file->Read(0, {&out, 1}).status(), file->Size().status(),
        file->Map().status()}) {
    EXPECT_EQ(status.code(), StatusCode::kIoError);
    EXPECT_THAT(status.message(), HasSubstr("crashed"));
  }
  EXPECT_EQ(AsText(mapping->bytes()), "text");
  auto after = disk.TryLock("LOCK", "after");
  EXPECT_TRUE(after.ok());
  lock = nullptr;  // the dead lock does not release the new one
  EXPECT_EQ(disk.TryLock("LOCK", "").status().code(), StatusCode::kConflict);
}

TEST(SimFileSystemCrash, SameSeedGivesTheSameCrash) {
  auto run = [](uint64_t seed) {
    SimFileSystem disk(seed);
    std::string all;
    for (int i = 0; i < 20; ++i) {
      std::string name = std::to_string(i);
      EXPECT_TRUE(CreateWith(disk, name, std::string(5000, 'x')).ok());
    }
    disk.Crash();
    for (const std::string& name : disk.Files()) {
      all += name + *disk.ReadFile(name);
    }
    return all;
  };
  for (uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(run(seed), run(seed));
}

TEST(SimFileSystemFreeze, EverythingFailsAfterTheGivenNumberOfChanges) {
  SimFileSystem disk;
  auto file = DurableFile(disk, "text");
  disk.CrashAfter(2);
  EXPECT_TRUE(file->Write(0, AsBytes("1")).ok());
  EXPECT_EQ(TextOf(disk, "a"), "1ext");  // reads do not count
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_FALSE(disk.frozen());
  Status status = file->Write(0, AsBytes("2"));
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_THAT(status.message(), HasSubstr("simulated crash"));
  EXPECT_TRUE(disk.frozen());
  EXPECT_FALSE(file->Size().ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(disk.Rename("a", "b").ok());
  EXPECT_FALSE(disk.Open("a", OpenMode::kRead).ok());
  disk.Crash(SimUnsyncedFate::kKept);
  EXPECT_FALSE(disk.frozen());
  EXPECT_THAT(disk.Files(), ElementsAre("a"));
  EXPECT_EQ(TextOf(disk, "a"), "1ext");
}

TEST(SimFileSystemFreeze, EveryKindOfChangeCounts) {
  SimFileSystem disk;
  uint64_t before = disk.change_count();
  auto file = *disk.Open("a", OpenMode::kCreate);
  ASSERT_TRUE(file->Write(0, AsBytes("x")).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Truncate(0).ok());
  ASSERT_TRUE(disk.Rename("a", "b").ok());
  ASSERT_TRUE(disk.Link("b", "c").ok());
  ASSERT_TRUE(disk.Remove("c").ok());
  ASSERT_TRUE(disk.CreateDirectory("d").ok());
  ASSERT_TRUE(disk.RemoveDirectory("d").ok());
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  EXPECT_EQ(disk.change_count() - before, 10u);
  EXPECT_EQ(disk.write_count(), 1u);
  EXPECT_EQ(disk.sync_count(), 1u);
}

TEST(SimFileSystemFault, HitsOperationAndPathAndCount) {
  SimFileSystem disk;
  disk.WriteFile("wal/1", "");
  disk.WriteFile("warm/1", "");
  auto wal = *disk.Open("wal/1", OpenMode::kReadWrite);
  auto warm = *disk.Open("warm/1", OpenMode::kReadWrite);
  disk.FailNext(FileOp::kWrite, "wal/", 2, StatusCode::kNoSpace);
  EXPECT_TRUE(warm->Write(0, AsBytes("x")).ok());
  EXPECT_TRUE(wal->Sync().ok());
  EXPECT_EQ(wal->Write(0, AsBytes("x")).code(), StatusCode::kNoSpace);
  EXPECT_EQ(wal->Write(0, AsBytes("x")).code(), StatusCode::kNoSpace);
  EXPECT_TRUE(wal->Write(0, AsBytes("x")).ok());
  disk.FailNext(FileOp::kRename);
  disk.ClearFaults();
  EXPECT_TRUE(disk.Rename("wal/1", "wal/2").ok());
}

TEST(SimFileSystemFault, FailedSyncIsNotMendedByTheNext) {
  bool lost = false, kept = false;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    auto file = DurableFile(disk, "old");
    ASSERT_TRUE(file->Write(0, AsBytes("new")).ok());
    disk.FailNext(FileOp::kSync);
    ASSERT_FALSE(file->Sync().ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_EQ(TextOf(disk, "a"), "new");
    disk.Crash(SimUnsyncedFate::kKept);
    lost = lost || TextOf(disk, "a") == "old";
    kept = kept || TextOf(disk, "a") == "new";
  }
  EXPECT_TRUE(lost);
  EXPECT_TRUE(kept);
}

TEST(SimFileSystemFault, FailedWriteMayHaveWrittenAPart) {
  std::set<std::string> outcomes;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SimFileSystem disk(seed);
    auto file = DurableFile(disk, "..");
    disk.FailNext(FileOp::kWrite);
    ASSERT_FALSE(file->Write(0, AsBytes("12")).ok());
    outcomes.insert(TextOf(disk, "a"));
  }
  EXPECT_THAT(outcomes, ElementsAre("..", "1.", "12"));
}

TEST(SimFileSystemFault, IgnoredDirectorySyncMakesNothingDurable) {
  SimFileSystem disk;
  disk.IgnoreDirectorySync(true);
  ASSERT_TRUE(CreateWith(disk, "a", "").ok());
  EXPECT_TRUE(disk.SyncDirectory("").ok());
  disk.Crash(SimUnsyncedFate::kLost);
  EXPECT_TRUE(disk.Files().empty());
}

TEST(SimFileSystemCapacity, FullDiskRefusesWritesAndRemovingFrees) {
  SimFileSystem disk;
  disk.WriteFile("big", std::string(60, 'x'));
  disk.SetCapacity(100);
  EXPECT_EQ(*disk.FreeBytes(), 40u);
  auto file = *disk.Open("a", OpenMode::kCreate);
  EXPECT_EQ(file->Write(0, AsBytes(std::string(50, 'y'))).code(),
            StatusCode::kNoSpace);
  EXPECT_EQ(*disk.FreeBytes(), 0u);  // what fitted is there
  EXPECT_TRUE(file->Write(0, AsBytes("over")).ok());
  ASSERT_TRUE(disk.Remove("big").ok());
  EXPECT_EQ(*disk.FreeBytes(), 60u);
  EXPECT_TRUE(file->Write(0, AsBytes(std::string(50, 'y'))).ok());
  EXPECT_EQ(disk.used_bytes(), 50u);
}

TEST(SimFileSystemCapacity, FileWithTwoNamesCountsOnce) {
  SimFileSystem disk;
  disk.WriteFile("a", "12345");
  ASSERT_TRUE(disk.Link("a", "b").ok());
  EXPECT_EQ(disk.used_bytes(), 5u);
}

TEST(SimFileSystemDamage, ChangedBytesShowInReadsAndNewMapsAndStay) {
  SimFileSystem disk;
  auto file = DurableFile(disk, "abcd");
  auto before = *file->Map();
  disk.FlipBit("a", 0);
  disk.Corrupt("a", 2, AsBytes("XY"));
  EXPECT_EQ(AsText(before->bytes()), "abcd");
  EXPECT_EQ(AsText((*file->Map())->bytes()), "`bXY");
  disk.Crash(SimUnsyncedFate::kLost);
  EXPECT_EQ(TextOf(disk, "a"), "`bXY");
}

TEST(SimFileSystemDamage, TruncatedAndRemovedFilesStaySo) {
  SimFileSystem disk;
  disk.WriteFile("a", "abcd");
  disk.WriteFile("d/b", "x");
  disk.TruncateFile("a", 1);
  disk.RemoveFile("d/b");
  disk.Crash(SimUnsyncedFate::kLost);
  EXPECT_EQ(TextOf(disk, "a"), "a");
  EXPECT_THAT(disk.Files(), ElementsAre("a"));
}

TEST(SimFileSystemDamage, LostPagesShowInMapsAndFailReads) {
  constexpr size_t kPage = 4096;
  SimFileSystem disk;
  auto file = DurableFile(disk, std::string(3 * kPage, 'x'));
  auto before = *file->Map();
  disk.DamageMapped("a", kPage + 5, 1);
  for (const auto& mapping : {before, *file->Map()}) {
    EXPECT_TRUE(mapping->damaged());
    EXPECT_TRUE(mapping->DamagedIn(kPage, 1));
    EXPECT_FALSE(mapping->DamagedIn(0, kPage));
    EXPECT_FALSE(mapping->DamagedIn(2 * kPage, kPage));
    EXPECT_EQ(mapping->bytes()[kPage], std::byte{0});
    EXPECT_EQ(mapping->bytes()[0], std::byte{'x'});
  }
  std::array<std::byte, 8> out;
  EXPECT_TRUE(file->Read(0, out).ok());
  Status status = file->Read(kPage - 1, out).status();
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_THAT(status.message(), HasSubstr("EIO"));
}

TEST(SimFileSystemTrace, TellsTheOrderOfChanges) {
  SimFileSystem disk;
  disk.EnableTrace();
  auto file = *disk.Open("a.tmp", OpenMode::kCreate);
  ASSERT_TRUE(file->Write(0, AsBytes("x")).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(disk.Rename("a.tmp", "a").ok());
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  EXPECT_THAT(disk.Trace(),
              ElementsAre(TraceEntry{FileOp::kCreate, "a.tmp", ""},
                          TraceEntry{FileOp::kWrite, "a.tmp", ""},
                          TraceEntry{FileOp::kSync, "a.tmp", ""},
                          TraceEntry{FileOp::kRename, "a.tmp", "a"},
                          TraceEntry{FileOp::kSyncDirectory, "", ""}));
}

TEST(SimFileSystemMount, ViewsShareOneDisk) {
  SimFileSystem disk;
  auto warm = disk.Mount("warm");
  ASSERT_TRUE(CreateWith(*warm, "a", "1").ok());
  EXPECT_EQ(TextOf(disk, "warm/a"), "1");
  EXPECT_THAT(disk.Files(), ElementsAre("warm/a"));
  EXPECT_THAT(warm->Files(), ElementsAre("a"));
  EXPECT_EQ(warm->Describe(), "sim:/warm");
  disk.CrashAfter(0);
  EXPECT_FALSE(warm->Remove("a").ok());
  disk.Crash(SimUnsyncedFate::kLost);
  EXPECT_TRUE(warm->Files().empty());
  EXPECT_TRUE(CreateWith(*warm, "b", "").ok());  // the mount itself survived
}

TEST(SimFileSystemThreads, ShareOneFile) {
  SimFileSystem disk;
  auto file = DurableFile(disk, std::string(4000, '.'));
  auto work = [&](uint64_t part) {
    for (uint64_t i = 0; i < 1000; ++i) {
      EXPECT_TRUE(file->Write(part * 1000 + i, AsBytes("x")).ok());
      if (i % 100 == 0) {
        EXPECT_TRUE(file->Sync().ok());
        EXPECT_EQ((*file->Map())->bytes().size(), 4000u);
      }
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t part = 0; part < 4; ++part) threads.emplace_back(work, part);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*disk.ReadFile("a"), std::string(4000, 'x'));
}

}  // namespace
}  // namespace strata
