#include "format/cold_root_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "testing/golden_file.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

PartitionId SamplePartitionId() {
  PartitionId id;
  id.topic.bytes.fill(std::byte{0xab});
  id.partition = 3;
  return id;
}

SegmentEntry SampleEntry(uint64_t id, uint64_t base, uint64_t end) {
  SegmentEntry e;
  e.id = id;
  e.partition = SamplePartitionId();
  e.offsets = {Offset(base), Offset(end)};
  e.first_epoch = Epoch(1);
  e.last_epoch = Epoch(2);
  e.batch_count = 5;
  e.record_count = end - base;
  e.dead_records = 1;
  e.min_timestamp = -1;
  e.max_timestamp = 1767225600000;
  e.sealed_at = 1767225601000;
  e.image_bytes = 4096;
  e.image_crc32c = 0x01020304;
  e.cold = ColdAddress{"key" + std::to_string(id), 0, 4096};
  return e;
}

ColdGroupRef SampleRef(uint32_t level, uint64_t base, uint64_t end,
                       std::string key) {
  ColdGroupRef ref;
  ref.level = level;
  ref.offsets = {Offset(base), Offset(end)};
  ref.totals = {.segments = 4,
                .batches = 20,
                .image_bytes = 16384,
                .min_timestamp = -1,
                .max_timestamp = 1767225600000};
  ref.key = std::move(key);
  ref.object_bytes = 500;
  ref.object_crc32c = 0x05060708;
  return ref;
}

// What the golden file holds.
ColdRoot SampleRoot() {
  ColdRoot root;
  root.generation = 4;
  root.commit_id = 0x1122334455667788;
  root.claim.number = 3;
  root.claim.owner.bytes.fill(std::byte{0xcd});
  root.claim.session = 0x99aabbccddeeff00;
  root.next_segment_id = 10;
  root.topic_name = "clicks";
  root.log_start = Offset(70);
  root.epochs = {{Epoch(1), Offset(0)}, {Epoch(2), Offset(150)}};
  root.groups = {SampleRef(1, 0, 60, "old"), SampleRef(0, 60, 100, "group")};
  root.entries[Offset(100)] = SampleEntry(7, 100, 200);
  root.entries[Offset(200)] = SampleEntry(9, 200, 450);
  root.extra = {{2, "kept"}};
  return root;
}

std::string Encoded(const ColdRoot& root) {
  return EncodeColdRoot(SamplePartitionId(), root);
}

Result<ColdRoot> Decoded(const std::string& bytes) {
  return DecodeColdRoot(SamplePartitionId(), AsBytes(bytes));
}

// Sets length and checksum to those of the changed bytes.
std::string Mended(std::string bytes) {
  auto* p = reinterpret_cast<std::byte*>(bytes.data());
  StoreLittle<uint64_t>(p + 16, bytes.size() - 24);
  const ByteSpan all = AsBytes(bytes);
  StoreLittle(p + 12, ExtendCrc32c(Crc32c(all.first(12)), all.subspan(16)));
  return bytes;
}

TEST(ColdRootTest, ComesBackAsItWas) {
  const auto decoded = Decoded(Encoded(SampleRoot()));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, SampleRoot());
  EXPECT_EQ(decoded->cold_end(), Offset(450));
}

TEST(ColdRootTest, ExtremeValuesComeBack) {
  ColdRoot root;
  root.generation = UINT64_MAX;
  root.log_start = Offset(UINT64_MAX);
  SegmentEntry entry = SampleEntry(UINT64_MAX, 0, UINT64_MAX);
  entry.min_timestamp = INT64_MIN;
  entry.max_timestamp = INT64_MAX;
  entry.last_epoch = Epoch(UINT32_MAX);
  entry.cold->position = UINT64_MAX - entry.image_bytes;
  root.entries[Offset(0)] = entry;
  const auto decoded = Decoded(Encoded(root));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, root);
}

TEST(ColdRootTest, EmptyRootComesBack) {
  ColdRoot root;
  root.generation = 1;
  EXPECT_EQ(*Decoded(Encoded(root)), root);
  EXPECT_EQ(root.cold_end(), Offset(0));
}

TEST(ColdRootTest, GoldenFileIsWhatTheCodeWritesAndReads) {
  const std::string golden = GoldenBytes("cold_root_v2.hex");
  EXPECT_EQ(Encoded(SampleRoot()), golden);
  const auto decoded = Decoded(golden);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, SampleRoot());
}

TEST(ColdRootTest, DocumentShowsTheGoldenFile) {
  EXPECT_THAT(ReadSourceFile("docs/formats/cold-layout.md"),
              HasSubstr(ReadSourceFile("testing/golden/cold_root_v2.hex")));
}

TEST(ColdRootTest, AnyFlippedBitIsReported) {
  const std::string good = Encoded(SampleRoot());
  for (size_t i = 0; i < good.size() * 8; ++i) {
    std::string bytes = good;
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
    ASSERT_EQ(Decoded(bytes).status().code(), StatusCode::kDataLoss) << i;
  }
}

TEST(ColdRootTest, AnyTruncationIsReported) {
  const std::string good = Encoded(SampleRoot());
  for (size_t n = 0; n < good.size(); ++n) {
    ASSERT_EQ(Decoded(good.substr(0, n)).status().code(),
              StatusCode::kDataLoss);
    // Under a good checksum it is still not a root.
    if (n < 24) continue;
    const Status status = Decoded(Mended(good.substr(0, n))).status();
    // Without the tagged fields behind it, it is one.
    if (n == good.size() - 6) continue;
    ASSERT_EQ(status.code(), StatusCode::kDataLoss) << n;
  }
  EXPECT_EQ(Decoded(good + "x").status().code(), StatusCode::kDataLoss);
}

TEST(ColdRootTest, NewerVersionIsUnsupported) {
  std::string bytes = Encoded(SampleRoot());
  bytes[8] = 3;
  const Status status = Decoded(Mended(bytes)).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("version 3"));
}

TEST(ColdRootTest, UnknownRequiredFieldIsUnsupported) {
  ColdRoot root = SampleRoot();
  root.extra = {{5, "x"}};
  const Status status = Decoded(Encoded(root)).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("feature 5"));
}

TEST(ColdRootTest, RootOfAnotherPartitionIsReported) {
  PartitionId other = SamplePartitionId();
  other.partition = 4;
  const Status status =
      DecodeColdRoot(other, AsBytes(Encoded(SampleRoot()))).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("/4, found"));
}

// Each breaks one rule of ValidateColdRoot.
struct Broken {
  const char* message;
  void (*breaks)(ColdRoot&);
};

class BrokenRootTest : public testing::TestWithParam<Broken> {};

TEST_P(BrokenRootTest, IsRefused) {
  ColdRoot root = SampleRoot();
  GetParam().breaks(root);
  const Status status = ValidateColdRoot(SamplePartitionId(), root);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Rules, BrokenRootTest,
    testing::Values(
        Broken{"generation 0", [](ColdRoot& r) { r.generation = 0; }},
        Broken{"epoch 1 from offset 150",
               [](ColdRoot& r) { r.epochs[1].epoch = Epoch(1); }},
        Broken{"from offset 9 follows",
               [](ColdRoot& r) {
                 r.epochs[0].start = Offset(10);
                 r.epochs[1].start = Offset(9);
               }},
        Broken{"group at offset 61: begins at offset 61",
               [](ColdRoot& r) { r.groups[1].offsets.base = Offset(61); }},
        Broken{"segment 7 at offset 100: begins at offset 100, the one before "
               "it ends at 99",
               [](ColdRoot& r) { r.groups[1].offsets.end = Offset(99); }},
        Broken{"of level 2 behind one of level 1",
               [](ColdRoot& r) { r.groups[1].level = 2; }},
        Broken{"of level 17",
               [](ColdRoot& r) { r.groups[0].level = kMaxColdGroupLevel + 1; }},
        Broken{"address of 0 bytes",
               [](ColdRoot& r) { r.groups[0].object_bytes = 0; }},
        Broken{"under a key of 0 bytes",
               [](ColdRoot& r) { r.groups[0].key = ""; }},
        Broken{"begins at offset 201",
               [](ColdRoot& r) {
                 r.entries.erase(Offset(200));
                 r.entries[Offset(201)] = SampleEntry(9, 201, 450);
               }},
        Broken{"begins at offset 199",
               [](ColdRoot& r) {
                 r.entries.erase(Offset(200));
                 r.entries[Offset(199)] = SampleEntry(9, 199, 450);
               }},
        Broken{"empty offset range",
               [](ColdRoot& r) {
                 r.entries[Offset(200)].offsets.end = Offset(200);
               }},
        Broken{"under another base",
               [](ColdRoot& r) {
                 r.entries[Offset(300)] = SampleEntry(9, 450, 500);
               }},
        Broken{"of partition",
               [](ColdRoot& r) {
                 r.entries[Offset(100)].partition.partition = 1;
               }},
        Broken{"no cold address",
               [](ColdRoot& r) { r.entries[Offset(100)].cold.reset(); }},
        Broken{"no cold address",
               [](ColdRoot& r) { r.entries[Offset(100)].cold->key = ""; }},
        Broken{"a warm address",
               [](ColdRoot& r) {
                 r.entries[Offset(100)].warm = WarmAddress{1, 2, 3};
               }},
        Broken{"address of 4095 bytes",
               [](ColdRoot& r) { r.entries[Offset(100)].cold->length = 4095; }},
        Broken{"address of 4096 bytes at", [](ColdRoot& r) {
                 r.entries[Offset(100)].cold->position = UINT64_MAX - 4095;
               }}));

TEST(ColdRootTest, BoundsAndTotalsAreThoseOfGroupsAndEntries) {
  const ColdRoot root = SampleRoot();
  EXPECT_EQ(root.cold_base(), Offset(0));
  EXPECT_EQ(root.cold_end(), Offset(450));
  EXPECT_TRUE(root.Covers(Offset(449)));
  EXPECT_FALSE(root.Covers(Offset(450)));
  const ColdTotals totals = root.totals();
  EXPECT_EQ(totals.segments, 4u + 4u + 2u);
  EXPECT_EQ(totals.batches, 20u + 20u + 10u);
  EXPECT_EQ(totals.image_bytes, 2u * 16384 + 2u * 4096);
  EXPECT_EQ(totals.min_timestamp, kNoTimestamp);
  EXPECT_EQ(totals.max_timestamp, 1767225600000);
  EXPECT_FALSE(ColdRoot().Covers(Offset(0)));
}

TEST(ColdRootTest, HoleUnderAGoodChecksumIsReported) {
  ColdRoot root = SampleRoot();
  root.entries.erase(Offset(200));
  root.entries[Offset(300)] = SampleEntry(9, 300, 450);
  const Status status = Decoded(Encoded(root)).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("begins at offset 300"));
}

}  // namespace
}  // namespace strata
