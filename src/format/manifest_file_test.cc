#include "format/manifest_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "testing/golden_file.h"

namespace strata {
namespace {

constexpr uint64_t kNumber = 3;

TopicId Topic(uint8_t fill) {
  TopicId id;
  id.bytes.fill(static_cast<std::byte>(fill));
  return id;
}

ManifestHeader Header() { return {.store_id = Topic(0xab), .number = kNumber}; }

ManifestEdit Edit(uint64_t n) { return {{WalNeeded{n}}}; }

// A manifest file as it grows.
class Builder {
 public:
  explicit Builder(ManifestHeader header = Header())
      : bytes_(EncodeManifestHeader(header)) {}

  Builder& Add(const ManifestEdit& edit, uint64_t synced_through = 0) {
    positions_.push_back(bytes_.size());
    AppendManifestRecord({.number = kNumber,
                          .position = bytes_.size(),
                          .synced_through = synced_through},
                         AsBytes(EncodeManifestEdit(edit)), bytes_);
    return *this;
  }
  Builder& Snapshot() { return Add({{WalNeeded{1}, SnapshotEnd{}}}); }
  // An edit behind a sync of all before it.
  Builder& Synced(const ManifestEdit& edit) { return Add(edit, bytes_.size()); }

  const std::string& bytes() const { return bytes_; }
  uint64_t position(size_t record) const { return positions_[record]; }

 private:
  std::string bytes_;
  std::vector<uint64_t> positions_;
};

struct ReadBack {
  Status status;
  ManifestTail tail;
  std::vector<ManifestEdit> edits;
};

ReadBack Read(const std::string& bytes) {
  ReadBack out;
  const auto tail = ReadManifest(AsBytes(bytes), [&](const ManifestEdit& edit) {
    out.edits.push_back(edit);
    return Status::Ok();
  });
  out.status = tail.status();
  if (tail.ok()) out.tail = *tail;
  return out;
}

std::string Flipped(std::string bytes, uint64_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
  return bytes;
}

TEST(ManifestFileTest, EditsComeBackInOrder) {
  const Builder file =
      Builder().Snapshot().Synced(Edit(2)).Synced(Edit(3)).Synced({});
  const ReadBack read = Read(file.bytes());
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.tail.header, Header());
  EXPECT_EQ(read.edits.size(), 4u);
  EXPECT_TRUE(read.edits[2] == Edit(3));
  EXPECT_EQ(read.tail.snapshot_end, file.position(1));
  EXPECT_EQ(read.tail.good_end, file.bytes().size());
  EXPECT_EQ(read.tail.torn_bytes, 0u);
}

TEST(ManifestFileTest, HeaderKeepsOptionalFields) {
  ManifestHeader header = Header();
  header.extra = {{2, "later"}};
  const ReadBack read = Read(Builder(header).Snapshot().bytes());
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.tail.header, header);
}

TEST(ManifestFileTest, HeaderWithUnknownRequiredFieldIsUnsupported) {
  ManifestHeader header = Header();
  header.extra = {{3, "later"}};
  EXPECT_EQ(Read(Builder(header).Snapshot().bytes()).status.code(),
            StatusCode::kUnsupported);
}

TEST(ManifestFileTest, NewerFormatIsUnsupported) {
  std::string bytes = Builder().Snapshot().bytes();
  auto* p = reinterpret_cast<std::byte*>(bytes.data());
  StoreLittle(p + 12, kManifestVersion + 1);
  StoreLittle(p + 8, Crc32c(AsBytes(bytes).subspan(12, 48 - 12)));
  EXPECT_EQ(Read(bytes).status.code(), StatusCode::kUnsupported);
}

TEST(ManifestFileTest, AnyFlippedByteOfHeaderOrSnapshotIsDataLoss) {
  const Builder file = Builder().Snapshot().Synced(Edit(2));
  for (uint64_t at = 0; at < file.position(1); ++at) {
    const ReadBack read = Read(Flipped(file.bytes(), at));
    ASSERT_EQ(read.status.code(), StatusCode::kDataLoss) << at;
    ASSERT_NE(read.status.message().find(" at "), std::string::npos);
  }
}

TEST(ManifestFileTest, SnapshotCutAtAnyLengthIsDataLoss) {
  const Builder file = Builder().Add(Edit(1)).Snapshot();
  for (size_t length = 0; length < file.bytes().size(); ++length) {
    ASSERT_EQ(Read(file.bytes().substr(0, length)).status.code(),
              StatusCode::kDataLoss)
        << length;
  }
}

TEST(ManifestFileTest, LastRecordCutAtAnyLengthIsTorn) {
  const Builder file = Builder().Snapshot().Synced(Edit(2)).Synced(Edit(3));
  for (size_t length = file.position(2); length < file.bytes().size();
       ++length) {
    const ReadBack read = Read(file.bytes().substr(0, length));
    ASSERT_TRUE(read.status.ok()) << read.status;
    ASSERT_EQ(read.edits.size(), 2u);
    ASSERT_EQ(read.tail.good_end, file.position(2));
    ASSERT_EQ(read.tail.torn_bytes, length - file.position(2));
  }
}

TEST(ManifestFileTest, AnyFlippedByteOfTheLastRecordIsTorn) {
  const Builder file = Builder().Snapshot().Synced(Edit(2)).Synced(Edit(3));
  for (uint64_t at = file.position(2); at < file.bytes().size(); ++at) {
    const ReadBack read = Read(Flipped(file.bytes(), at));
    ASSERT_TRUE(read.status.ok()) << read.status;
    ASSERT_EQ(read.edits.size(), 2u) << at;
  }
}

TEST(ManifestFileTest, AnyFlippedByteOfARecordKnownSyncedIsDataLoss) {
  const Builder file = Builder().Snapshot().Synced(Edit(2)).Synced(Edit(3));
  for (uint64_t at = file.position(1); at < file.position(2); ++at) {
    const ReadBack read = Read(Flipped(file.bytes(), at));
    ASSERT_EQ(read.status.code(), StatusCode::kDataLoss) << at;
    ASSERT_NE(
        read.status.message().find(" at " + std::to_string(file.position(1))),
        std::string::npos)
        << read.status;
  }
}

TEST(ManifestFileTest, ClosingMarkMakesDamageOfTheLastEditVisible) {
  const Builder file = Builder().Snapshot().Synced(Edit(2)).Synced({});
  EXPECT_EQ(Read(Flipped(file.bytes(), file.position(1) + 24)).status.code(),
            StatusCode::kDataLoss);
  const ReadBack mark_damaged =
      Read(Flipped(file.bytes(), file.position(2) + 24));
  EXPECT_TRUE(mark_damaged.status.ok());
  EXPECT_EQ(mark_damaged.edits.size(), 2u);
}

// One write of two records, of which the device kept only the second.
TEST(ManifestFileTest, HoleInAnUnsyncedGroupIsTornEvenBeforeAGoodRecord) {
  Builder file = Builder().Snapshot();
  const uint64_t synced = file.bytes().size();
  file.Add(Edit(2), synced).Add(Edit(3), synced);
  const ReadBack read = Read(Flipped(file.bytes(), file.position(1)));
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.edits.size(), 1u);
  EXPECT_EQ(read.tail.good_end, synced);
}

TEST(ManifestFileTest, ZerosBehindTheLastRecordAreTorn) {
  const Builder file = Builder().Snapshot().Synced(Edit(2));
  const ReadBack read = Read(file.bytes() + std::string(1000, '\0'));
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.edits.size(), 2u);
  EXPECT_EQ(read.tail.torn_bytes, 1000u);
}

TEST(ManifestFileTest, RecordOfAnotherFileOrPlaceIsNotTaken) {
  const Builder file = Builder().Snapshot();
  const uint64_t end = file.bytes().size();
  std::string other_file = file.bytes();
  AppendManifestRecord({.number = 99, .position = end, .synced_through = end},
                       AsBytes(EncodeManifestEdit(Edit(2))), other_file);
  EXPECT_EQ(Read(other_file).edits.size(), 1u);
  std::string other_place = file.bytes();
  AppendManifestRecord(
      {.number = kNumber, .position = end + 8, .synced_through = end},
      AsBytes(EncodeManifestEdit(Edit(2))), other_place);
  EXPECT_EQ(Read(other_place).edits.size(), 1u);
}

TEST(ManifestFileTest, UnknownRequiredOpInTheTailIsNotTakenForTorn) {
  const Builder file =
      Builder().Snapshot().Synced({{UnknownOp{.tag = 33, .body = ""}}});
  EXPECT_EQ(Read(file.bytes()).status.code(), StatusCode::kUnsupported);
}

TEST(ManifestFileTest, ErrorOfTheCallerEndsTheReadingWithPosition) {
  const Builder file = Builder().Snapshot().Synced(Edit(2));
  const auto tail = ReadManifest(AsBytes(file.bytes()), [](const auto&) {
    return Status(StatusCode::kConflict, "refused");
  });
  EXPECT_EQ(tail.status().code(), StatusCode::kConflict);
  EXPECT_EQ(tail.status().message(), "record at 48: refused");
}

// What docs/formats/manifest.md shows.
std::string ExampleFile() {
  const PartitionId partition{Topic(1), 0};
  const SegmentEntry entry{
      .id = 1,
      .partition = partition,
      .offsets = {Offset(0), Offset(100)},
      .first_epoch = Epoch(1),
      .last_epoch = Epoch(1),
      .batch_count = 10,
      .record_count = 100,
      .dead_records = 0,
      .min_timestamp = kNoTimestamp,
      .max_timestamp = kNoTimestamp,
      .sealed_at = 1000,
      .image_bytes = 8192,
      .image_crc32c = 0x01020304,
      .warm = WarmAddress{.file = 1, .position = 0, .length = 8192},
      .cold = std::nullopt};
  return Builder()
      .Add({{TopicCreated{.id = Topic(1), .name = "t", .partitions = 1},
             SnapshotEnd{}}})
      .Synced({{SegmentAdded{.entry = entry},
                PartitionChanged{.partition = partition,
                                 .flushed_end = Offset(100)}}})
      .Synced({})
      .bytes();
}

TEST(ManifestFileTest, GoldenFileIsWrittenAndReadTheSame) {
  const std::string golden = GoldenBytes("manifest_v1.hex");
  EXPECT_EQ(golden, ExampleFile());
  const ReadBack read = Read(golden);
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.edits.size(), 3u);
}

TEST(ManifestFileTest, DocumentShowsTheGoldenFile) {
  const std::string document = ReadSourceFile("docs/formats/manifest.md");
  const std::string dump = ReadSourceFile("testing/golden/manifest_v1.hex");
  EXPECT_NE(document.find(dump), std::string::npos);
}

}  // namespace
}  // namespace strata
