#include "wal/wal_recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "format/wal_format.h"
#include "testing/wal_test_log.h"
#include "wal/wal_scan.h"

namespace strata {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WalRecoveryTest : public ::testing::Test {
 protected:
  // One group of the payloads, durable.
  void AddGroup(const std::vector<std::string>& payloads) {
    ASSERT_EQ(log.Append(payloads), Status::Ok());
    ASSERT_EQ(log.Sync(), Status::Ok());
    last_durable = log.writer->durable_seq();
  }
  // Three groups of a batch each, "a", "b", "c", in one file. The writer is
  // gone; `synced` groups are known to be durable.
  void WriteThree(uint64_t synced) {
    log.Open();
    AddGroup({"a"});
    AddGroup({"b"});
    AddGroup({"c"});
    file = log.WalFiles().front();
    log.Crash(SimUnsyncedFate::kLost);
    log.synced_seq = synced;
  }
  // Position of the n-th group of WriteThree, counted from 0.
  static uint64_t Group(uint64_t n) { return (1 + n) * kWalBlockBytes; }
  static uint64_t Frame(uint64_t n) { return Group(n) + kWalGroupHeaderBytes; }
  static uint64_t Payload(uint64_t n) { return Frame(n) + kFrameHeaderBytes; }

  WalRecovered Recovered() {
    Result<WalRecovered> recovered = log.Recover();
    EXPECT_TRUE(recovered.ok()) << recovered.status();
    return recovered.ok() ? *std::move(recovered) : WalRecovered{};
  }
  std::string Bytes(const std::string& path) {
    return log.disk.ReadFile(path).value();
  }

  TestLog log;
  std::string file;
  uint64_t last_durable = 0;
};

TEST_F(WalRecoveryTest, EmptyDirectoryIsAnEmptyLog) {
  const WalRecovered recovered = Recovered();
  EXPECT_EQ(recovered.last_seq, 0u);
  EXPECT_EQ(recovered.last_life, 0u);
  EXPECT_THAT(recovered.files, IsEmpty());
  EXPECT_THAT(log.found.damage, IsEmpty());
}

TEST_F(WalRecoveryTest, EmptyLogGoesOnBehindWhatTheManifestKnows) {
  log.needed_from = 8;
  log.synced_seq = 7;
  EXPECT_EQ(Recovered().last_seq, 7u);
  EXPECT_THAT(log.found.damage, IsEmpty());
}

TEST_F(WalRecoveryTest, FramesComeInOrderWithTheirPlace) {
  WriteThree(3);
  const WalRecovered recovered = Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(log.found.frames[1].seq, 2u);
  EXPECT_EQ(log.found.frames[1].where,
            file + " at " + std::to_string(Frame(1)));
  EXPECT_EQ(recovered.last_seq, 3u);
  ASSERT_THAT(recovered.files, SizeIs(1));
  EXPECT_EQ(recovered.files[0].first_seq, 1u);
  EXPECT_EQ(recovered.files[0].last_seq, 3u);
  EXPECT_EQ(recovered.torn_bytes, 0u);
}

TEST_F(WalRecoveryTest, SmallGroupsShareChunks) {
  WriteThree(3);
  const uint64_t before = log.chunks.taken;
  Recovered();
  EXPECT_EQ(log.chunks.taken, before + 1);
  EXPECT_EQ(log.found.frames[0].chunk, log.found.frames[2].chunk);
}

TEST_F(WalRecoveryTest, GroupsThatAreNotNeededAreNotDelivered) {
  WriteThree(3);
  log.needed_from = 3;
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("c"));
}

TEST_F(WalRecoveryTest, FileThatIsNotNeededIsASpare) {
  WriteThree(3);
  log.needed_from = 4;
  const WalRecovered recovered = Recovered();
  EXPECT_THAT(recovered.files, IsEmpty());
  EXPECT_THAT(recovered.spares, SizeIs(log.WalFiles().size()));
  EXPECT_EQ(recovered.last_seq, 3u);
}

TEST_F(WalRecoveryTest, SpareOfAnotherSizeIsRemoved) {
  log.Open();
  log.Kill();
  EXPECT_THAT(log.WalFiles(), SizeIs(1));
  log.options.file_bytes *= 2;
  EXPECT_THAT(Recovered().spares, IsEmpty());
  EXPECT_THAT(log.WalFiles(), IsEmpty());
}

TEST_F(WalRecoveryTest, SecondRecoveryFindsTheSame) {
  WriteThree(0);
  log.disk.FlipBit(file, Payload(2));
  for (int i = 0; i < 3; ++i) {
    const WalRecovered recovered = Recovered();
    EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b"));
    EXPECT_THAT(log.found.damage, IsEmpty());
    // The torn group is empty from then on.
    EXPECT_EQ(recovered.torn_bytes,
              i == 0 ? kWalGroupHeaderBytes + FrameBytes(1) : 0);
    EXPECT_EQ(recovered.last_seq, i == 0 ? 2 : 3);
  }
}

// Else a crash between two opens would make a loss pass in silence.
TEST_F(WalRecoveryTest, CutGroupStillTellsWhatWasSynced) {
  WriteThree(0);  // the third says that two were synced
  log.disk.FlipBit(file, Group(1) + 20);
  log.disk.FlipBit(file, Payload(2));
  for (int i = 0; i < 3; ++i) {
    const WalRecovered recovered = Recovered();
    EXPECT_THAT(log.found.payloads(), ElementsAre("a"));
    ASSERT_THAT(log.found.damage, SizeIs(1));
    EXPECT_EQ(log.found.damage[0].first_seq, 2u);
    EXPECT_EQ(log.found.damage[0].last_seq, 2u);
    EXPECT_GE(recovered.last_seq, 2u);
  }
}

// A file that began to replace the tail of another one is cut, and its number
// given to the next. What it replaced must not come back.
TEST_F(WalRecoveryTest, ReplacedGroupStaysAwayWhenItsReplacementIsCut) {
  WriteThree(0);
  const std::string moved = WalFilePath(9);
  std::string bytes = EncodeWalFileHeader({.log_id = log.id,
                                           .life = 9,
                                           .first_group_seq = 3,
                                           .file_bytes = 64 << 10});
  bytes.resize(64 << 10);  // its groups did not get there
  log.disk.WriteFile(moved, bytes);
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b"));
  log.disk.RemoveFile(moved);
  log.Crash(SimUnsyncedFate::kLost);
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b"));
  EXPECT_THAT(log.found.damage, IsEmpty());
}

TEST_F(WalRecoveryTest, TornTailStaysCutWhenTheLogGoesOn) {
  WriteThree(0);
  log.disk.FlipBit(file, Payload(1));  // so that the third group is cut too
  log.synced_seq = 1;
  // What the third group's header says must not count against the second.
  std::string bytes = Bytes(file);
  EncodeWalGroupHeader({.seq = 3, .synced_seq = 1, .bytes = 144, .frames = 1},
                       log.id, 1,
                       std::as_writable_bytes(std::span(bytes))
                           .subspan(Group(2))
                           .first<kWalGroupHeaderBytes>());
  log.disk.WriteFile(file, bytes);
  log.Open();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a"));
  EXPECT_THAT(log.found.damage, IsEmpty());
  EXPECT_GT(log.torn_bytes, 0u);
  AddGroup({"new"});
  for (int i = 0; i < 2; ++i) {
    log.Crash(SimUnsyncedFate::kLost);
    log.Open();
    EXPECT_THAT(log.found.payloads(), ElementsAre("a", "new"));
    EXPECT_THAT(log.found.damage, IsEmpty());
    EXPECT_EQ(log.torn_bytes, 0u);
  }
}

// Everything that recovery shows stays, also what it found only in the cache
// because its sync had failed.
TEST_F(WalRecoveryTest, WhatWasDeliveredSurvivesALaterLossOfPower) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    TestLog l(seed);
    l.Open();
    ASSERT_EQ(l.Append({"kept"}), Status::Ok());
    ASSERT_EQ(l.Sync(), Status::Ok());
    l.disk.FailNext(FileOp::kSync, "wal/", 1000);
    ASSERT_EQ(l.Append({"unsure"}), Status::Ok());
    ASSERT_EQ(l.Sync()->code(), StatusCode::kUnknown);
    l.Kill();  // the process, not the machine
    l.disk.ClearFaults();
    ASSERT_TRUE(l.Recover().ok());
    const std::vector<std::string> shown = l.found.payloads();
    l.Crash(SimUnsyncedFate::kLost);
    ASSERT_TRUE(l.Recover().ok());
    EXPECT_EQ(l.found.payloads(), shown);
    EXPECT_THAT(l.found.damage, IsEmpty());
  }
}

TEST_F(WalRecoveryTest, DamagedPayloadBelowTheSyncedSeqIsNamed) {
  WriteThree(3);
  log.disk.FlipBit(file, Payload(1));
  const WalRecovered recovered = Recovered();
  ASSERT_THAT(log.found.frames, SizeIs(3));
  EXPECT_TRUE(log.found.frames[1].payload_damaged);
  EXPECT_EQ(log.found.frames[1].header.offsets.base, Offset(1));
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "c"));
  ASSERT_THAT(log.found.damage, SizeIs(1));
  const WalDamage& damage = log.found.damage[0];
  EXPECT_FALSE(damage.unidentified);
  EXPECT_EQ(damage.file, 1u);
  EXPECT_EQ(damage.position, Frame(1));
  EXPECT_EQ(damage.length, FrameBytes(1));
  EXPECT_EQ(damage.first_seq, 2u);
  EXPECT_THAT(damage.detail, HasSubstr(file));
  EXPECT_EQ(recovered.last_seq, 3u);
  EXPECT_EQ(recovered.torn_bytes, 0u);
}

TEST_F(WalRecoveryTest, DamagedFrameHeaderIsAHoleThatNobodyCanName) {
  log.Open();
  AddGroup({"one", "two", "three"});
  AddGroup({"four"});
  file = log.WalFiles().front();
  log.Crash(SimUnsyncedFate::kLost);
  log.disk.FlipBit(file, Frame(0) + FrameBytes(3) + 20);
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("one", "three", "four"));
  ASSERT_THAT(log.found.damage, SizeIs(1));
  EXPECT_TRUE(log.found.damage[0].unidentified);
  EXPECT_EQ(log.found.damage[0].position, Frame(0) + FrameBytes(3));
  EXPECT_EQ(log.found.damage[0].length, FrameBytes(3));
}

TEST_F(WalRecoveryTest, DamagedGroupHeaderLosesThatGroupAlone) {
  WriteThree(3);
  log.disk.FlipBit(file, Group(1) + 20);
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "c"));
  ASSERT_THAT(log.found.damage, SizeIs(1));
  const WalDamage& damage = log.found.damage[0];
  EXPECT_TRUE(damage.unidentified);
  EXPECT_EQ(damage.first_seq, 2u);
  EXPECT_EQ(damage.last_seq, 2u);
  EXPECT_EQ(damage.position, Group(0) + kWalGroupHeaderBytes + FrameBytes(1));
  EXPECT_EQ(damage.position + damage.length, Group(2));
}

TEST_F(WalRecoveryTest, DamagedFileHeaderLosesNothing) {
  WriteThree(3);
  log.disk.FlipBit(file, 20);
  const WalRecovered recovered = Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b", "c"));
  ASSERT_THAT(log.found.damage, SizeIs(1));
  EXPECT_FALSE(log.found.damage[0].unidentified);
  EXPECT_EQ(log.found.damage[0].position, 0u);
  EXPECT_THAT(log.found.damage[0].detail,
              AllOf(HasSubstr(file), HasSubstr("checksum")));
  EXPECT_EQ(recovered.files.at(0).first_seq, 1u);
}

TEST_F(WalRecoveryTest, GroupsMissingAtTheEndAreDamageWhenTheyWereSynced) {
  WriteThree(3);
  log.disk.Corrupt(file, Group(1), AsBytes(std::string(8192, '\0')));
  const WalRecovered recovered = Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a"));
  ASSERT_THAT(log.found.damage, SizeIs(1));
  EXPECT_EQ(log.found.damage[0].first_seq, 2u);
  EXPECT_EQ(log.found.damage[0].last_seq, 3u);
  // Their numbers are not used again.
  EXPECT_EQ(recovered.last_seq, 3u);
}

TEST_F(WalRecoveryTest, HoleThatReachesAboveTheSyncedSeqIsDamageAndTornTail) {
  WriteThree(0);
  std::string bytes = Bytes(file);
  // The second group, known to be synced, is gone, and so is a third that was
  // not; what is behind them is the fourth.
  bytes.replace(Group(1), 64, 64, '\0');
  EncodeWalGroupHeader({.seq = 4, .synced_seq = 2, .bytes = 144, .frames = 1},
                       log.id, 1,
                       std::as_writable_bytes(std::span(bytes))
                           .subspan(Group(2))
                           .first<kWalGroupHeaderBytes>());
  log.disk.WriteFile(file, bytes);
  const WalRecovered recovered = Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a"));
  ASSERT_THAT(log.found.damage, SizeIs(1));
  EXPECT_EQ(log.found.damage[0].first_seq, 2u);
  EXPECT_EQ(log.found.damage[0].last_seq, 2u);
  EXPECT_EQ(recovered.last_seq, 2u);
  EXPECT_EQ(recovered.torn_bytes, 144u);
}

TEST_F(WalRecoveryTest, MissingFileShowsAsAGap) {
  log.Open();
  for (int i = 0; i < 20; ++i) {
    AddGroup({std::string(9000, static_cast<char>('a' + i))});
  }
  const std::vector<std::string> files = log.WalFiles();
  ASSERT_GE(files.size(), 4u);
  log.Crash(SimUnsyncedFate::kLost);
  log.disk.RemoveFile(files[1]);
  Recovered();
  ASSERT_THAT(log.found.damage, SizeIs(1));
  EXPECT_EQ(log.found.damage[0].first_seq, 6u);
  EXPECT_EQ(log.found.damage[0].last_seq, 10u);
  EXPECT_THAT(log.found.payloads(), SizeIs(15));
}

TEST_F(WalRecoveryTest, MissingOldestFileIsDamageUnlessItIsNotNeeded) {
  log.Open();
  for (int i = 0; i < 8; ++i) AddGroup({std::string(9000, 'x')});
  file = log.WalFiles().front();
  log.Crash(SimUnsyncedFate::kLost);
  log.disk.RemoveFile(file);
  Recovered();
  ASSERT_THAT(log.found.damage, SizeIs(1));
  EXPECT_EQ(log.found.damage[0].first_seq, 1u);
  log.needed_from = 6;
  Recovered();
  EXPECT_THAT(log.found.damage, IsEmpty());
  EXPECT_THAT(log.found.frames, SizeIs(3));
}

TEST_F(WalRecoveryTest, LogThatIsGoneIsDamage) {
  log.needed_from = 3;
  log.synced_seq = 9;
  EXPECT_EQ(Recovered().last_seq, 9u);
  ASSERT_THAT(log.found.damage, SizeIs(1));
  EXPECT_EQ(log.found.damage[0].first_seq, 3u);
  EXPECT_EQ(log.found.damage[0].last_seq, 9u);
  EXPECT_TRUE(log.found.damage[0].unidentified);
}

TEST_F(WalRecoveryTest, HeaderOfALaterFileSaysThatOlderOnesWereSynced) {
  WriteThree(0);
  log.Open();
  ASSERT_EQ(log.Append({"d"}), Status::Ok());
  ASSERT_EQ(log.Sync(), Status::Ok());
  const std::string later = log.WalFiles().at(1);
  log.Crash(SimUnsyncedFate::kLost);
  // Of the later file only the header is left.
  log.disk.Corrupt(later, Group(0), AsBytes(std::string(4096, '\0')));
  log.disk.FlipBit(file, Payload(2));
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b"));
  EXPECT_THAT(log.found.damage, SizeIs(1));
}

TEST_F(WalRecoveryTest, TornGroupBehindATornFileHeaderIsNoDamage) {
  WriteThree(1);
  log.disk.FlipBit(file, 20);
  // The first group is lost as well; the second knows of no synced one.
  log.disk.FlipBit(file, Group(0) + 20);
  std::string bytes = Bytes(file);
  for (uint64_t seq = 2; seq <= 3; ++seq) {
    EncodeWalGroupHeader(
        {.seq = seq, .synced_seq = 0, .bytes = 144, .frames = 1}, log.id, 1,
        std::as_writable_bytes(std::span(bytes))
            .subspan(Group(seq - 1))
            .first<kWalGroupHeaderBytes>());
  }
  log.disk.WriteFile(file, bytes);
  log.synced_seq = 0;
  const WalRecovered recovered = Recovered();
  EXPECT_THAT(log.found.frames, IsEmpty());
  EXPECT_THAT(log.found.damage, IsEmpty());
  EXPECT_EQ(recovered.last_seq, 0u);
  EXPECT_EQ(recovered.torn_bytes, 288u);
}

TEST_F(WalRecoveryTest, FileOfAnotherLogIsRefused) {
  WriteThree(3);
  log.id.bytes[0] = std::byte{1};
  const Status status = log.Recover().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr(file));
}

TEST_F(WalRecoveryTest, NewerVersionIsRefused) {
  WriteThree(3);
  std::string block = EncodeWalFileHeader(
      {.log_id = log.id, .life = 1, .first_group_seq = 1, .file_bytes = 65536});
  auto* p = reinterpret_cast<std::byte*>(block.data());
  StoreLittle(p + 12, uint32_t{kWalVersion + 1});
  StoreLittle(p + 8, Crc32c({p + 12, 64 - 12}));
  log.disk.Corrupt(file, 0, AsBytes(block));
  const Status status = log.Recover().status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr(file));
}

TEST_F(WalRecoveryTest, FrameOfAnUnknownKindIsRefused) {
  WriteThree(3);
  FrameHeader header = log.Header(0);
  header.kind = static_cast<FrameKind>(7);
  header.payload_bytes = 1;
  std::array<std::byte, kFrameHeaderBytes> raw;
  EncodeFrameHeader(header, 1, raw);
  log.disk.Corrupt(file, Frame(1), raw);
  EXPECT_EQ(log.Recover().status().code(), StatusCode::kUnsupported);
}

TEST_F(WalRecoveryTest, ForeignNamesAreLeftAlone) {
  WriteThree(3);
  log.disk.WriteFile("wal/notes.txt", "hello");
  log.disk.WriteFile("wal/7.wal", "hello");
  log.disk.WriteFile("wal/00000000000000000000.wal", "hello");
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(log.disk.ReadFile("wal/notes.txt").value(), "hello");
  EXPECT_EQ(log.disk.ReadFile("wal/7.wal").value(), "hello");
}

TEST_F(WalRecoveryTest, BlockThatCannotBeReadIsDamageOfItsGroupAlone) {
  WriteThree(3);
  log.disk.DamageMapped(file, Group(1), 1);
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("a", "c"));
  EXPECT_THAT(log.found.damage, SizeIs(1));
}

TEST_F(WalRecoveryTest, BlockWithinAGroupThatCannotBeReadLosesItsFramesAlone) {
  log.Open();
  AddGroup({std::string(3000, 'a'), std::string(3000, 'b'),
            std::string(3000, 'c'), std::string(3000, 'd')});
  AddGroup({"next"});
  file = log.WalFiles().front();
  log.Crash(SimUnsyncedFate::kLost);
  log.disk.DamageMapped(file, Group(0) + kWalBlockBytes, 1);
  Recovered();
  EXPECT_THAT(
      log.found.payloads(),
      ElementsAre(std::string(3000, 'a'), std::string(3000, 'd'), "next"));
  // Of the second the header can be read, of the third it cannot.
  ASSERT_THAT(log.found.damage, SizeIs(2));
  EXPECT_FALSE(log.found.damage[0].unidentified);
  EXPECT_TRUE(log.found.damage[1].unidentified);
}

TEST_F(WalRecoveryTest, FileThatCannotBeReadIsNotUsedAgain) {
  WriteThree(3);
  log.disk.DamageMapped(file, 0, 64 << 10);
  const WalRecovered recovered = Recovered();
  EXPECT_THAT(recovered.spares,
              testing::Not(testing::Contains(*ParseWalFileName(
                  std::string_view(file).substr(kWalDirectory.size() + 1)))));
  EXPECT_THAT(log.found.damage, SizeIs(1));
}

TEST_F(WalRecoveryTest, CutShortAtEachLengthIsTornOrDamage) {
  WriteThree(0);
  const std::string whole = Bytes(file);
  for (uint64_t length = 0; length <= Group(2) + 200; length += 8) {
    SCOPED_TRACE(length);
    log.disk.WriteFile(file, whole.substr(0, length));
    log.synced_seq = 0;
    // The third group's header says that two are synced.
    const uint64_t groups = length < Group(0) + 144   ? 0
                            : length < Group(1) + 144 ? 1
                            : length < Group(2) + 144 ? 2
                                                      : 3;
    Recovered();
    EXPECT_THAT(log.found.payloads(), SizeIs(groups));
    EXPECT_THAT(log.found.damage, IsEmpty());
    if (log.disk.ReadFile(file).ok() == false) continue;  // an empty spare
    log.synced_seq = 3;
    Recovered();
    EXPECT_THAT(log.found.payloads(), SizeIs(groups));
    EXPECT_EQ(log.found.damage.empty(), groups == 3);
  }
}

// P9: a flipped bit is reported, and nothing else suffers.
TEST_F(WalRecoveryTest, EachFlippedByteBelowTheSyncedSeqIsReported) {
  log.Open();
  AddGroup({"first"});
  AddGroup({"second", "x", std::string(100, 'y')});
  AddGroup({"third"});
  file = log.WalFiles().front();
  log.Crash(SimUnsyncedFate::kLost);
  log.synced_seq = 3;
  const std::vector<std::string> all = {"first", "second", "x",
                                        std::string(100, 'y'), "third"};
  const uint64_t second_bytes =
      kWalGroupHeaderBytes + FrameBytes(6) + FrameBytes(1) + FrameBytes(100);
  const auto is_covered = [&](uint64_t at) {
    if (at < kWalBlockBytes) return at < 64;
    if (at < Group(1)) return at < Payload(0) + 5;
    return at < Group(1) + second_bytes;
  };
  // Of frames, between payload and the next multiple of 8.
  const std::set<uint64_t> padding = [&] {
    std::set<uint64_t> out;
    uint64_t at = Frame(1);
    for (const uint64_t payload : {6, 1, 100}) {
      for (uint64_t i = kFrameHeaderBytes + payload; i < FrameBytes(payload);
           ++i) {
        out.insert(at + i);
      }
      at += FrameBytes(payload);
    }
    return out;
  }();
  for (uint64_t at = 0; at < Group(2); ++at) {
    SCOPED_TRACE(at);
    log.disk.FlipBit(file, at, static_cast<int>(at % 8));
    Recovered();
    const bool covered = is_covered(at) && !padding.contains(at);
    EXPECT_EQ(!log.found.damage.empty(), covered);
    // What is left is a part of what was there.
    std::vector<std::string> left = log.found.payloads();
    EXPECT_GE(left.size(), 2u);
    auto next = all.begin();
    for (const std::string& payload : left) {
      next = std::find(next, all.end(), payload);
      ASSERT_NE(next, all.end());
      ++next;
    }
    if (!covered || at < 64) {
      EXPECT_EQ(left, all);
    }
    if (at >= Frame(1)) {
      EXPECT_GE(left.size(), 4u);
    }
    log.disk.FlipBit(file, at, static_cast<int>(at % 8));
  }
}

TEST_F(WalRecoveryTest, GarbageInAGroupIsSearchedInReasonableTime) {
  log.options.file_bytes = 8 << 20;
  log.options.chunk_bytes = 4 << 20;
  log.options.max_bytes = 64 << 20;
  log.Open();
  AddGroup({"head", std::string(3 << 20, 'g'), "tail"});
  AddGroup({"next"});
  file = log.WalFiles().front();
  log.Crash(SimUnsyncedFate::kLost);
  std::string garbage(3 << 20, '\0');
  for (char& c : garbage) c = static_cast<char>(log.runtime.random().Next());
  log.disk.Corrupt(file, Frame(0) + FrameBytes(4), AsBytes(garbage));
  Recovered();
  EXPECT_THAT(log.found.payloads(), ElementsAre("head", "tail", "next"));
}

}  // namespace
}  // namespace strata
