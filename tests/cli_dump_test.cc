// strata dump: what is in the files of a store.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "testing/cli_fixture.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class CliDumpTest : public CliTest {
 protected:
  // Files below `folder` of the store whose name ends so, ascending.
  std::vector<fs::path> Files(const char* folder, std::string_view ending) {
    std::vector<fs::path> found;
    for (const auto& entry :
         fs::recursive_directory_iterator(Data() / folder)) {
      if (entry.is_regular_file() && entry.path().native().ends_with(ending)) {
        found.push_back(entry.path());
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  fs::path OnlyFile(const char* folder, std::string_view ending) {
    const std::vector<fs::path> found = Files(folder, ending);
    EXPECT_EQ(found.size(), 1u) << folder;
    return found.empty() ? fs::path() : found.front();
  }

  Ran Dump(const fs::path& file) {
    return RunCommand({kProgram, "dump", file.native()});
  }

  std::string GoodDump(const fs::path& file) {
    const Ran ran = Dump(file);
    EXPECT_EQ(ran.exit, 0) << ran.err << ran.out;
    return ran.out;
  }

  static void FlipAt(const fs::path& file, size_t position) {
    std::string bytes = ReadAll(file);
    ASSERT_LT(position, bytes.size());
    bytes[position] ^= 1;
    WriteAll(file, bytes);
  }

  // Where the file holds `text`.
  static size_t Find(const fs::path& file, std::string_view text) {
    const size_t at = ReadAll(file).find(text);
    EXPECT_NE(at, std::string::npos) << file << text;
    return at;
  }

  // The newest; beside it lies the reserve.
  fs::path Manifest() {
    fs::path newest;
    for (const fs::path& file : Files("manifest", "")) {
      if (file.filename().native().starts_with("MANIFEST-")) newest = file;
    }
    return newest;
  }

  // The file of the log that holds `text`.
  fs::path WalFileWith(std::string_view text) {
    for (const fs::path& file : Files("wal", ".wal")) {
      if (ReadAll(file).find(text) != std::string::npos) return file;
    }
    ADD_FAILURE() << text;
    return {};
  }
};

TEST_F(CliDumpTest, LogFileShowsGroupsAndFrames) {
  Good({"produce", "t", "--batch-records", "2"}, "first\nsecond\nthird\n");
  const std::string out = GoodDump(WalFileWith("third"));
  EXPECT_THAT(out, AllOf(HasSubstr("write-ahead log, "),
                         ContainsRegex("header at 0: log [0-9a-f]{32}, life "),
                         ContainsRegex("group at 4096: seq [0-9]+, "),
                         ContainsRegex("frame at [0-9]+: batch [0-9a-f]{32}/0 "
                                       "offsets \\[0, 2\\) epoch [0-9]+ "
                                       "records 2 bytes [0-9]+ .* disk\n"),
                         HasSubstr("offsets [2, 3)")));
  EXPECT_THAT(out, Not(HasSubstr("damaged")));
}

TEST_F(CliDumpTest, DamageInTheLogIsToldWithPosition) {
  // More than one append, so that a later group knows the first as synced.
  Good({"produce", "t"}, Lines(40'000));
  const fs::path file = WalFileWith("line 0 ");
  FlipAt(file, Find(file, "line 0 "));
  const Ran ran = Dump(file);
  EXPECT_EQ(ran.exit, 1) << ran.err;
  EXPECT_THAT(ran.out, ContainsRegex("damaged at [0-9]+: .*expected"));
  EXPECT_THAT(ran.err, AllOf(HasSubstr(file.filename().native()),
                             HasSubstr("1 damaged place")));
}

TEST_F(CliDumpTest, TornEndOfTheLogIsNoDamage) {
  Good({"produce", "t"}, "last\n");
  const fs::path file = WalFileWith("last");
  FlipAt(file, Find(file, "last"));
  const Ran ran = Dump(file);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("never known durable"));
}

TEST_F(CliDumpTest, SegmentFileShowsPropertiesAndFrames) {
  Good({"produce", "t", "--batch-records", "10"}, Lines(500));
  Good({"demote", "t", "--to", "warm"});
  const std::string out = GoodDump(OnlyFile("warm", ".seg"));
  EXPECT_THAT(out, AllOf(HasSubstr("image at 0: "),
                         ContainsRegex("segment [0-9]+ of topic t "
                                       "[0-9a-f]{32}/0, offsets \\[0, 500\\), "
                                       "50 batches, 500 records"),
                         ContainsRegex("block at 32: [0-9]+ bytes\n"),
                         HasSubstr("offsets [490, 500)"),
                         ContainsRegex("index at [0-9]+: [0-9]+ blocks; "
                                       "footer at [0-9]+")));
}

TEST_F(CliDumpTest, BundleShowsEachImage) {
  Good({"produce", "a"}, "of a\n");
  Good({"produce", "b"}, "of b\n");
  Good({"flush"});
  const std::string out = GoodDump(OnlyFile("warm", ".seg"));
  EXPECT_THAT(out, AllOf(HasSubstr("image at 0: "), HasSubstr("topic a "),
                         HasSubstr("image at 4096: "), HasSubstr("topic b ")));
}

TEST_F(CliDumpTest, DamageInASegmentHidesNotTheRest) {
  Good({"produce", "t", "--batch-records", "1"}, Lines(2000));
  Good({"demote", "t", "--to", "cold"});
  fs::path file;
  for (const fs::path& one : Files("cold", "")) {
    if (ReadAll(one).starts_with("STRATSEG")) file = one;
  }
  EXPECT_THAT(GoodDump(file), HasSubstr("2000 records"));
  FlipAt(file, Find(file, "line 700 "));
  const Ran ran = Dump(file);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, AllOf(ContainsRegex("damaged at [0-9]+: .*expected"),
                             HasSubstr("offsets [1999, 2000)")));
}

TEST_F(CliDumpTest, SegmentWithoutItsEndIsDamaged) {
  Good({"produce", "t"}, Lines(10));
  Good({"demote", "t", "--to", "warm"});
  const fs::path file = OnlyFile("warm", ".seg");
  fs::resize_file(file, fs::file_size(file) - 1);
  const Ran ran = Dump(file);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("damaged at 0: segment image: no footer"));
}

TEST_F(CliDumpTest, ManifestShowsEdits) {
  Good({"topics", "create", "t", "--config", "hot_max_age=5m"});
  Good({"produce", "t"}, "x\n");
  Good({"flush"});
  const std::string out = GoodDump(Manifest());
  EXPECT_THAT(out, AllOf(HasSubstr("manifest, "), HasSubstr("edit 1\n"),
                         ContainsRegex("topic created: [0-9a-f]{32} t with 1 "
                                       "partitions, hot_max_age = 5m"),
                         ContainsRegex("segment added: segment [0-9]+ of "),
                         HasSubstr("snapshot end"),
                         ContainsRegex("checkpoint: .*clean")));
}

TEST_F(CliDumpTest, DamagedManifestIsToldWithPosition) {
  Good({"topics", "create", "topic-name"});
  Good({"topics", "list"});
  const fs::path file = Manifest();
  FlipAt(file, Find(file, "topic-name"));
  const Ran ran = Dump(file);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr(file.native()), HasSubstr("expected")));
}

TEST_F(CliDumpTest, ColdRootShowsItsSegments) {
  Good({"produce", "t"}, Lines(100));
  Good({"demote", "t", "--to", "cold"});
  for (const fs::path& file : Files("cold", "")) {
    if (!ReadAll(file).starts_with("STRACOLD")) continue;
    EXPECT_THAT(GoodDump(file),
                AllOf(ContainsRegex("topic t [0-9a-f]{32}/0, generation 2"),
                      ContainsRegex("claim 1 of store [0-9a-f]{32}"),
                      ContainsRegex("offsets \\[0, 100\\).*cold object")));
    FlipAt(file, ReadAll(file).size() / 2);
    const Ran ran = Dump(file);
    EXPECT_EQ(ran.exit, 1);
    EXPECT_THAT(ran.err, HasSubstr("checksum at 12: expected"));
    return;
  }
  FAIL() << "no root";
}

TEST_F(CliDumpTest, NewerVersionIsTold) {
  Good({"produce", "t"}, "x\n");
  const fs::path file = Manifest();
  // docs/formats/manifest.md: version at 12, length at 16, checksum at 8.
  std::string bytes = ReadAll(file);
  const auto field = [&](size_t at) {
    return reinterpret_cast<std::byte*>(bytes.data() + at);
  };
  StoreLittle<uint32_t>(field(12), 2);
  const auto length = LoadLittle<uint32_t>(field(16));
  StoreLittle<uint32_t>(field(8),
                        Crc32c(AsBytes(bytes).subspan(12, length - 12)));
  WriteAll(file, bytes);
  const Ran ran = Dump(file);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("format 2 needs a newer version"));
}

TEST_F(CliDumpTest, OtherFilesAreRefused) {
  WriteAll(Path("text"), "hello, world");
  const Ran text = Dump(Path("text"));
  EXPECT_EQ(text.exit, 1);
  EXPECT_THAT(text.err, AllOf(HasSubstr(Path("text").native()),
                              HasSubstr("STRTWAL1 (write-ahead log)"),
                              HasSubstr("found 68 65 6c 6c")));
  WriteAll(Path("empty"), "");
  EXPECT_THAT(Dump(Path("empty")).err, HasSubstr("found an empty file"));
  EXPECT_THAT(Dump(Path("absent")).err, HasSubstr("No such file"));
  EXPECT_THAT(Dump(dir_.path()).err, HasSubstr("Is a directory"));
}

// Whatever is cut or flipped, dump ends with 0 or 1 and says something.
TEST_F(CliDumpTest, DamageAnywhereEndsNobody) {
  Good({"produce", "t"}, Lines(50));
  Good({"flush"});
  const std::vector<fs::path> files = {OnlyFile("warm", ".seg"), Manifest()};
  for (const fs::path& file : files) {
    const std::string good = ReadAll(file);
    for (size_t at = 0; at < good.size(); at += 197) {
      std::string bad = good;
      bad[at] ^= static_cast<char>(0x40);
      WriteAll(Path("bad"), bad);
      EXPECT_LE(Dump(Path("bad")).exit, 1) << file << at;
      WriteAll(Path("bad"), std::string_view(good).substr(0, at));
      EXPECT_LE(Dump(Path("bad")).exit, 1) << file << at;
    }
  }
}

}  // namespace
}  // namespace strata
