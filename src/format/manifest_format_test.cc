#include "format/manifest_format.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/bytes.h"

namespace strata {
namespace {

TopicId Topic(uint8_t fill) {
  TopicId id;
  id.bytes.fill(static_cast<std::byte>(fill));
  return id;
}

SegmentEntry FullEntry() {
  return {.id = 7,
          .partition = {Topic(1), 300},
          .offsets = {Offset(100), Offset(1ull << 40)},
          .first_epoch = Epoch(1),
          .last_epoch = Epoch(0xffffffff),
          .batch_count = 5,
          .record_count = 500,
          .dead_records = 3,
          .min_timestamp = kNoTimestamp,
          .max_timestamp = 1767225600000,
          .sealed_at = 1767225600001,
          .image_bytes = 1 << 20,
          .image_crc32c = 0xdeadbeef,
          .warm = WarmAddress{.file = 9, .position = 4096, .length = 1 << 20},
          .cold = ColdAddress{.key = "topics/k", .position = 1, .length = 2}};
}

// Every op with every field set.
ManifestEdit FullEdit() {
  return {{
      TopicCreated{.id = Topic(1),
                   .name = "orders",
                   .partitions = 301,
                   .settings = {.hot_max_age = std::chrono::milliseconds(-5),
                                .warm_max_age = std::chrono::hours(1),
                                .target_segment_bytes = 1 << 30,
                                .enable_promotion = false},
                   .extra = {{100, "later"}}},
      TopicDeleted{Topic(2)},
      SegmentAdded{.entry = FullEntry(), .extra = {{100, "index hint"}}},
      SegmentRemoved{.partition = {Topic(1), 1}, .id = 6},
      SegmentTruncated{.partition = {Topic(1), 1}, .id = 5, .end = Offset(17)},
      PartitionChanged{
          .partition = {Topic(1), 2},
          .log_start = Offset(1),
          .flushed_end = Offset(2),
          .cold_end = Offset(std::numeric_limits<uint64_t>::max()),
          .cold_generation = 4,
          .cold_claim = ColdClaim{.number = 3,
                                  .owner = Topic(9),
                                  .session = 0x1122334455667788},
          .fenced_by = ColdClaim{.number = 4, .owner = Topic(8), .session = 5},
          .epochs = std::vector<EpochStart>{{Epoch(1), Offset(0)},
                                            {Epoch(4), Offset(9)}},
          .damaged = std::vector<OffsetRange>{{Offset(3), Offset(4)}},
          .damaged_tail = true,
          .access =
              std::map<Offset, SegmentAccess>{
                  {Offset(0),
                   {.segment = 0, .count = 7, .last = 1700000000000}},
                  {Offset(1), {.segment = 5, .count = 0, .last = -1}}},
          .extra = {{2, "sections"}, {1000, ""}}},
      WalNeeded{12},
      Checkpoint{.wal_synced_seq = 1,
                 .clean = true,
                 .next_segment_id = 2,
                 .next_file_number = 3,
                 .at = -1,
                 .extra = {{4, "x"}}},
      SnapshotEnd{},
      PurgePending{.id = Topic(2),
                   .name = "gone",
                   .claims = {{}, {.number = 1, .owner = Topic(9)}},
                   .extra = {{100, "later"}}},
      PurgeDone{Topic(3)},
      SessionBegun{0x99aabbccddeeff00},
      UnknownOp{.tag = 20, .body = "of a later version"},
  }};
}

ByteSpan Bytes(const std::string& text) { return AsBytes(text); }

// An edit of one op with this tag and body.
std::string OneOp(uint64_t tag, std::string_view body) {
  ByteWriter out;
  out.Varint(1);
  out.Varint(tag);
  out.LengthPrefixed(body);
  return out.Take();
}

TEST(ManifestFormatTest, EveryFieldOfEveryOpComesBack) {
  const auto decoded =
      DecodeManifestEdit(Bytes(EncodeManifestEdit(FullEdit())));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_EQ(decoded->ops.size(), FullEdit().ops.size());
  for (size_t i = 0; i < decoded->ops.size(); ++i) {
    EXPECT_TRUE(decoded->ops[i] == FullEdit().ops[i]) << "op " << i;
  }
}

TEST(ManifestFormatTest, UnsetFieldsComeBackUnset) {
  SegmentEntry bare = FullEntry();
  bare.warm.reset();
  bare.cold.reset();
  const ManifestEdit edit{{TopicCreated{.id = Topic(1), .name = "t"},
                           SegmentAdded{.entry = bare},
                           PartitionChanged{.partition = {Topic(1), 0}}}};
  const auto decoded = DecodeManifestEdit(Bytes(EncodeManifestEdit(edit)));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(*decoded == edit);
}

TEST(ManifestFormatTest, EmptyListsDifferFromUnsetOnes) {
  const ManifestEdit edit{
      {PartitionChanged{.partition = {Topic(1), 0},
                        .epochs = std::vector<EpochStart>{},
                        .damaged = std::vector<OffsetRange>{}}}};
  const auto decoded = DecodeManifestEdit(Bytes(EncodeManifestEdit(edit)));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(*decoded == edit);
}

TEST(ManifestFormatTest, EditWithoutOpsIsOneByte) {
  EXPECT_EQ(EncodeManifestEdit({}), std::string(1, '\0'));
  EXPECT_TRUE(DecodeManifestEdit(Bytes(std::string(1, '\0'))).ok());
}

TEST(ManifestFormatTest, UnknownRequiredOpIsRefusedByName) {
  const auto decoded = DecodeManifestEdit(Bytes(OneOp(31, "body")));
  EXPECT_EQ(decoded.status().code(), StatusCode::kUnsupported);
  EXPECT_NE(decoded.status().message().find("31"), std::string::npos);
}

TEST(ManifestFormatTest, UnknownRequiredFieldIsRefusedByName) {
  const PartitionChanged change{.partition = {Topic(1), 0},
                                .extra = {{19, "must be understood"}}};
  const auto decoded =
      DecodeManifestEdit(Bytes(EncodeManifestEdit({{change}})));
  EXPECT_EQ(decoded.status().code(), StatusCode::kUnsupported);
  EXPECT_NE(decoded.status().message().find("19"), std::string::npos);
  EXPECT_NE(decoded.status().message().find("PartitionChanged"),
            std::string::npos);
}

TEST(ManifestFormatTest, UnknownRequiredFieldIsRefusedInEveryOp) {
  for (const ManifestOp& op : FullEdit().ops) {
    if (std::holds_alternative<UnknownOp>(op)) continue;
    std::string bytes = EncodeManifestEdit({{op}});
    // The op's body, with field 9999 of no bytes behind it.
    ByteReader in(Bytes(bytes));
    (void)in.Varint();
    const uint64_t tag = *in.Varint();
    ByteWriter body;
    body.Bytes(AsBytes(*in.LengthPrefixed()));
    body.Varint(9999);
    body.Varint(0);
    const auto decoded = DecodeManifestEdit(Bytes(OneOp(tag, body.str())));
    EXPECT_EQ(decoded.status().code(), StatusCode::kUnsupported)
        << "op " << op.index() << " " << decoded.status();
  }
}

TEST(ManifestFormatTest, EditCutAtAnyLengthIsRefused) {
  const std::string bytes = EncodeManifestEdit(FullEdit());
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto decoded = DecodeManifestEdit(Bytes(bytes).first(length));
    ASSERT_EQ(decoded.status().code(), StatusCode::kDataLoss) << length;
  }
}

TEST(ManifestFormatTest, OpBodyCutAtAnyLengthNeverReadsBeyond) {
  for (const ManifestOp& op : FullEdit().ops) {
    ByteReader in(AsBytes(""));
    const std::string bytes = EncodeManifestEdit({{op}});
    in = ByteReader(Bytes(bytes));
    (void)in.Varint();
    const uint64_t tag = *in.Varint();
    const std::string body(*in.LengthPrefixed());
    for (size_t length = 0; length < body.size(); ++length) {
      const auto decoded =
          DecodeManifestEdit(Bytes(OneOp(tag, body.substr(0, length))));
      EXPECT_FALSE(decoded.ok() && decoded->ops[0] == op);
    }
  }
}

TEST(ManifestFormatTest, FlippedBytesGiveAnErrorOrAnotherEdit) {
  const std::string bytes = EncodeManifestEdit(FullEdit());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto decoded = DecodeManifestEdit(Bytes(damaged));
      // A longer spelling of the same number is possible, a crash is not.
      if (!decoded.ok()) {
        EXPECT_TRUE(decoded.status().code() == StatusCode::kDataLoss ||
                    decoded.status().code() == StatusCode::kUnsupported);
      }
    }
  }
}

TEST(ManifestFormatTest, BytesBehindTheLastOpAreRefused) {
  const auto decoded =
      DecodeManifestEdit(Bytes(EncodeManifestEdit(FullEdit()) + "x"));
  EXPECT_EQ(decoded.status().code(), StatusCode::kDataLoss);
}

TEST(ManifestFormatTest, ValuesOutOfTheirRangeAreRefused) {
  ByteWriter large_partition;
  large_partition.Bytes(Topic(1).bytes);
  large_partition.Varint(1ull << 32);
  large_partition.Varint(1);
  EXPECT_EQ(DecodeManifestEdit(Bytes(OneOp(7, large_partition.str())))
                .status()
                .code(),
            StatusCode::kDataLoss);
  ByteWriter bad_bool;
  bad_bool.Varint(1);
  bad_bool.Fixed<uint8_t>(2);
  bad_bool.Varint(1);
  bad_bool.Varint(1);
  bad_bool.Varint(1);
  EXPECT_EQ(
      DecodeManifestEdit(Bytes(OneOp(15, bad_bool.str()))).status().code(),
      StatusCode::kDataLoss);
}

}  // namespace
}  // namespace strata
