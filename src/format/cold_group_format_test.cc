#include "format/cold_group_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  e.batch_count = 5;
  e.record_count = end - base;
  e.min_timestamp = 1000 + static_cast<TimestampMs>(base);
  e.max_timestamp = 1000 + static_cast<TimestampMs>(end);
  e.image_bytes = 4096;
  e.image_crc32c = 0x01020304;
  e.cold = ColdAddress{"key" + std::to_string(id), 0, 4096};
  return e;
}

ColdGroup SegmentGroup() {
  ColdGroup group;
  group.entries[Offset(100)] = SampleEntry(7, 100, 200);
  group.entries[Offset(200)] = SampleEntry(9, 200, 450);
  return group;
}

// What the golden file holds.
ColdGroup GroupOfGroups() {
  ColdGroup group;
  group.level = 1;
  const ColdGroup below = SegmentGroup();
  group.groups = {ColdGroupRef{.level = 0,
                               .offsets = {Offset(100), Offset(450)},
                               .totals = below.totals(),
                               .key = "first",
                               .object_bytes = 300,
                               .object_crc32c = 0x0a0b0c0d},
                  ColdGroupRef{.level = 0,
                               .offsets = {Offset(450), Offset(500)},
                               .totals = {.segments = 1, .batches = 2},
                               .key = "second",
                               .object_bytes = 200,
                               .object_crc32c = 0x0e0f1011}};
  group.extra = {{2, "kept"}};
  return group;
}

std::string Encoded(const ColdGroup& group) {
  return EncodeColdGroup(SamplePartitionId(), group);
}

Result<ColdGroup> Decoded(const std::string& bytes) {
  return DecodeColdGroup(SamplePartitionId(), AsBytes(bytes));
}

TEST(ColdGroupTest, BothKindsComeBackAsTheyWere) {
  for (const ColdGroup& group : {SegmentGroup(), GroupOfGroups()}) {
    const auto decoded = Decoded(Encoded(group));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, group);
    EXPECT_EQ(*DecodeColdGroupPartition(AsBytes(Encoded(group))),
              SamplePartitionId());
  }
}

TEST(ColdGroupTest, SaysWhatIsBelowIt) {
  const ColdGroup group = SegmentGroup();
  EXPECT_EQ(group.offsets(), (OffsetRange{Offset(100), Offset(450)}));
  EXPECT_EQ(group.totals(), (ColdTotals{.segments = 2,
                                        .batches = 10,
                                        .image_bytes = 8192,
                                        .min_timestamp = 1100,
                                        .max_timestamp = 1450}));
  const ColdGroup above = GroupOfGroups();
  EXPECT_EQ(above.offsets(), (OffsetRange{Offset(100), Offset(500)}));
  EXPECT_EQ(above.totals().segments, 3u);
  // A group without timestamps says nothing about those of the other.
  EXPECT_EQ(above.totals().min_timestamp, 1100);
}

TEST(ColdGroupTest, GoldenFileIsWhatTheCodeWritesAndReads) {
  const std::string golden = GoldenBytes("cold_group_v1.hex");
  EXPECT_EQ(Encoded(GroupOfGroups()), golden);
  const auto decoded = Decoded(golden);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, GroupOfGroups());
}

TEST(ColdGroupTest, DocumentShowsTheGoldenFile) {
  EXPECT_THAT(ReadSourceFile("docs/formats/cold-layout.md"),
              HasSubstr(ReadSourceFile("testing/golden/cold_group_v1.hex")));
}

TEST(ColdGroupTest, AnyFlippedBitAndAnyTruncationIsReported) {
  const std::string good = Encoded(GroupOfGroups());
  for (size_t i = 0; i < good.size() * 8; ++i) {
    std::string bytes = good;
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
    ASSERT_EQ(Decoded(bytes).status().code(), StatusCode::kDataLoss) << i;
  }
  for (size_t n = 0; n < good.size(); ++n) {
    ASSERT_EQ(Decoded(good.substr(0, n)).status().code(),
              StatusCode::kDataLoss);
  }
}

TEST(ColdGroupTest, GroupOfAnotherPartitionIsReported) {
  PartitionId other = SamplePartitionId();
  other.partition = 4;
  const Status status =
      DecodeColdGroup(other, AsBytes(Encoded(SegmentGroup()))).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("/4, found"));
}

TEST(ColdGroupTest, RootIsNoGroup) {
  std::string bytes = Encoded(SegmentGroup());
  bytes.replace(0, 8, "STRACOLD");
  EXPECT_THAT(Decoded(bytes).status().message(),
              HasSubstr("expected \"STRAGRUP\" at 0"));
}

// Each breaks one rule of ValidateColdGroup.
struct Broken {
  const char* message;
  void (*breaks)(ColdGroup& segments, ColdGroup& groups);
};

class BrokenGroupTest : public testing::TestWithParam<Broken> {};

TEST_P(BrokenGroupTest, IsRefused) {
  ColdGroup segments = SegmentGroup();
  ColdGroup groups = GroupOfGroups();
  GetParam().breaks(segments, groups);
  const Status of_segments = ValidateColdGroup(SamplePartitionId(), segments);
  const Status of_groups = ValidateColdGroup(SamplePartitionId(), groups);
  EXPECT_NE(of_segments.ok(), of_groups.ok());
  const Status& refused = of_segments.ok() ? of_groups : of_segments;
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Rules, BrokenGroupTest,
    testing::Values(
        Broken{"empty", [](ColdGroup& s, ColdGroup&) { s.entries.clear(); }},
        Broken{"empty", [](ColdGroup&, ColdGroup& g) { g.groups.clear(); }},
        Broken{"groups at level 0",
               [](ColdGroup& s, ColdGroup& g) { s.groups = g.groups; }},
        Broken{"segments above level 0",
               [](ColdGroup& s, ColdGroup& g) { g.entries = s.entries; }},
        Broken{"of level 17", [](ColdGroup&, ColdGroup& g) { g.level = 17; }},
        Broken{"a group of level 0 in one of level 2",
               [](ColdGroup&, ColdGroup& g) { g.level = 2; }},
        Broken{"begins at offset 451",
               [](ColdGroup&, ColdGroup& g) {
                 g.groups[1].offsets.base = Offset(451);
               }},
        Broken{"no cold address", [](ColdGroup& s, ColdGroup&) {
                 s.entries[Offset(100)].cold.reset();
               }}));

}  // namespace
}  // namespace strata
