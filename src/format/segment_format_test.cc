#include "format/segment_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

SegmentProperties SampleProperties() {
  SegmentProperties p;
  p.id = 7;
  p.partition.topic.bytes.fill(std::byte{9});
  p.partition.partition = 3;
  p.topic_name = "clicks";
  p.offsets = {Offset(100), Offset(300)};
  p.epochs = {{.epoch = Epoch(2), .start = Offset(100)},
              {.epoch = Epoch(5), .start = Offset(170)}};
  p.batch_count = 12;
  p.record_count = 190;
  p.min_timestamp = 1;
  p.max_timestamp = 1767225600000;
  p.sealed_at = 1767225601000;
  p.frames_bytes = 4096;
  p.sections = {{"aborted", ""}, {"producers", std::string("\0\1", 2)}};
  return p;
}

std::string EncodeFooter(const SegmentFooter& footer) {
  std::array<std::byte, kSegmentFooterBytes> raw;
  EncodeSegmentFooter(footer, raw);
  return std::string(AsText(raw));
}

std::string EncodeHeader(uint64_t id) {
  std::array<std::byte, kSegmentHeaderBytes> raw;
  EncodeSegmentHeader(id, raw);
  return std::string(AsText(raw));
}

// Sets the checksum that fits to the changed bytes before it.
void MendCrc(std::string& block) {
  const size_t at = block.size() - 4;
  StoreLittle(std::as_writable_bytes(std::span(block)).data() + at,
              Crc32c(AsBytes(block).first(at)));
}

const SegmentFooter kFooter{.index_position = 96,
                            .index_bytes = 10,
                            .index_crc32c = 1,
                            .properties_bytes = 20,
                            .properties_crc32c = 2};
constexpr uint64_t kImageBytes = 96 + 10 + 20 + kSegmentFooterBytes;

TEST(SegmentHeader, ReadsBackWhatWasWritten) {
  EXPECT_EQ(DecodeSegmentHeader(AsBytes(EncodeHeader(UINT64_MAX))).value(),
            UINT64_MAX);
}

TEST(SegmentHeader, EveryFlippedByteAndEveryLengthIsReported) {
  const std::string good = EncodeHeader(7);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    EXPECT_EQ(DecodeSegmentHeader(AsBytes(bad)).status().code(),
              StatusCode::kDataLoss)
        << i;
    EXPECT_EQ(DecodeSegmentHeader(AsBytes(good).first(i)).status().code(),
              StatusCode::kDataLoss)
        << i;
  }
}

TEST(SegmentHeader, NewerVersionIsUnsupported) {
  std::string header = EncodeHeader(7);
  header[8] = 2;
  MendCrc(header);
  EXPECT_EQ(DecodeSegmentHeader(AsBytes(header)).status().code(),
            StatusCode::kUnsupported);
}

TEST(SegmentFooterTest, ReadsBackWhatWasWritten) {
  const auto footer =
      DecodeSegmentFooter(AsBytes(EncodeFooter(kFooter)), kImageBytes);
  ASSERT_TRUE(footer.ok()) << footer.status();
  EXPECT_EQ(*footer, kFooter);
}

TEST(SegmentFooterTest, EveryFlippedByteAndEveryLengthIsReported) {
  const std::string good = EncodeFooter(kFooter);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    EXPECT_EQ(DecodeSegmentFooter(AsBytes(bad), kImageBytes).status().code(),
              StatusCode::kDataLoss)
        << i;
    EXPECT_FALSE(DecodeSegmentFooter(AsBytes(good).first(i), kImageBytes).ok());
  }
}

TEST(SegmentFooterTest, NewerVersionIsUnsupported) {
  std::string footer = EncodeFooter(kFooter);
  footer[48] = 2;
  MendCrc(footer);
  EXPECT_EQ(DecodeSegmentFooter(AsBytes(footer), kImageBytes).status().code(),
            StatusCode::kUnsupported);
}

TEST(SegmentFooterTest, AnotherLengthThanTheEntrysIsReportedWithBoth) {
  const auto footer =
      DecodeSegmentFooter(AsBytes(EncodeFooter(kFooter)), kImageBytes + 8);
  EXPECT_EQ(footer.status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(footer.status().message(),
              HasSubstr("expected an image of 190 bytes, found 182"));
}

TEST(SegmentFooterTest, PartsThatDoNotTileTheImageAreReported) {
  // Under a good checksum: index position, index bytes, properties position,
  // properties bytes.
  for (const size_t at : {0, 8, 16, 24}) {
    std::string footer = EncodeFooter(kFooter);
    footer[at] = static_cast<char>(footer[at] + 8);
    MendCrc(footer);
    EXPECT_THAT(
        DecodeSegmentFooter(AsBytes(footer), kImageBytes).status().message(),
        HasSubstr("do not tile"))
        << at;
  }
}

TEST(SegmentFooterTest, PropertiesAboveTheLimitAreReported) {
  SegmentFooter footer = kFooter;
  footer.properties_bytes = kMaxSegmentPropertiesBytes + 1;
  EXPECT_EQ(
      DecodeSegmentFooter(AsBytes(EncodeFooter(footer)), footer.image_bytes())
          .status()
          .code(),
      StatusCode::kDataLoss);
}

const std::vector<SegmentIndexEntry> kEntries{
    {.first_offset = Offset(0), .position = 32, .max_timestamp = kNoTimestamp},
    {.first_offset = Offset(5), .position = 4136, .max_timestamp = 17},
    {.first_offset = Offset(UINT64_MAX - 1),
     .position = 8240,
     .max_timestamp = INT64_MAX}};
constexpr uint64_t kFramesEnd = 9000;

TEST(SegmentIndexFormat, ReadsBackWhatWasWritten) {
  const std::string bytes = EncodeSegmentIndex(kEntries);
  const auto entries = DecodeSegmentIndex(AsBytes(bytes), kFramesEnd);
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_EQ(*entries, kEntries);
}

TEST(SegmentIndexFormat, EmptyIndexNeedsAnImageWithoutFrames) {
  const std::string bytes = EncodeSegmentIndex({});
  EXPECT_TRUE(
      DecodeSegmentIndex(AsBytes(bytes), kSegmentHeaderBytes).value().empty());
  EXPECT_EQ(DecodeSegmentIndex(AsBytes(bytes), kFramesEnd).status().code(),
            StatusCode::kDataLoss);
}

TEST(SegmentIndexFormat, EveryTruncationAndAnyBytesBehindAreReported) {
  const std::string bytes = EncodeSegmentIndex(kEntries);
  for (size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_EQ(
        DecodeSegmentIndex(AsBytes(bytes).first(n), kFramesEnd).status().code(),
        StatusCode::kDataLoss)
        << n;
  }
  EXPECT_FALSE(DecodeSegmentIndex(AsBytes(bytes + "x"), kFramesEnd).ok());
}

std::string IndexOf(std::initializer_list<uint64_t> varints) {
  ByteWriter out;
  for (const uint64_t v : varints) out.Varint(v);
  return out.Take();
}

TEST(SegmentIndexFormat, ValuesOutOfOrderOrRangeAreReported) {
  for (const std::string& bad : {
           IndexOf({UINT64_MAX}),                        // count
           IndexOf({1, 0, 40, 0}),                       // first position
           IndexOf({2, 0, 32, 0, 0, 80, 0}),             // same offset
           IndexOf({2, 0, 32, 0, 1, 0, 0}),              // same position
           IndexOf({2, 0, 32, 0, 1, 81, 0}),             // alignment
           IndexOf({2, 0, 32, 0, 1, 8968, 0}),           // at the frames' end
           IndexOf({2, 0, 32, 0, 1, UINT64_MAX, 0}),     // beyond it
           IndexOf({2, 1, 32, 0, UINT64_MAX, 80, 0}),    // offset wraps
           IndexOf({1, 0, 32, (uint64_t{1} << 63) + 1})  // timestamp wraps
       }) {
    EXPECT_EQ(DecodeSegmentIndex(AsBytes(bad), kFramesEnd).status().code(),
              StatusCode::kDataLoss)
        << ::testing::PrintToString(bad);
  }
}

TEST(SegmentPropertiesTest, ReadBackWhatWasWritten) {
  const SegmentProperties p = SampleProperties();
  const auto decoded =
      DecodeSegmentProperties(AsBytes(EncodeSegmentProperties(p)));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, p);
}

TEST(SegmentPropertiesTest, ExtremeValuesReadBack) {
  SegmentProperties p = SampleProperties();
  p.id = p.batch_count = p.record_count = p.frames_bytes = UINT64_MAX;
  p.partition.partition = UINT32_MAX;
  p.offsets = {Offset(0), Offset(UINT64_MAX)};
  p.epochs = {{.epoch = Epoch(UINT32_MAX), .start = Offset(UINT64_MAX)}};
  p.min_timestamp = INT64_MIN;
  p.max_timestamp = INT64_MAX;
  p.topic_name.clear();
  p.sections.clear();
  const auto decoded =
      DecodeSegmentProperties(AsBytes(EncodeSegmentProperties(p)));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, p);
}

TEST(SegmentPropertiesTest, UnknownOptionalFieldIsKept) {
  SegmentProperties p = SampleProperties();
  p.unknown = {{1000, "later"}};
  const auto decoded =
      DecodeSegmentProperties(AsBytes(EncodeSegmentProperties(p)));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->unknown, p.unknown);
}

TEST(SegmentPropertiesTest, UnknownRequiredFieldIsUnsupported) {
  SegmentProperties p = SampleProperties();
  p.unknown = {{1001, "feature"}};
  const Status status =
      DecodeSegmentProperties(AsBytes(EncodeSegmentProperties(p))).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("1001"));
}

TEST(SegmentPropertiesTest, EveryMissingAndEveryMalformedFieldIsReported) {
  const TaggedFields good =
      *DecodeTaggedFields(AsBytes(EncodeSegmentProperties(SampleProperties())));
  ASSERT_EQ(good.size(), 13u);
  for (const auto& [tag, value] : good) {
    TaggedFields bad = good;
    bad.erase(tag);
    const Status missing =
        DecodeSegmentProperties(AsBytes(EncodeTaggedFields(bad))).status();
    EXPECT_EQ(missing.code(), StatusCode::kDataLoss);
    EXPECT_THAT(missing.message(), HasSubstr(std::to_string(tag)));
    if (tag == 6) continue;     // any text is a name
    bad[tag] = value + '\x80';  // a varint without end
    EXPECT_EQ(
        DecodeSegmentProperties(AsBytes(EncodeTaggedFields(bad))).status(),
        missing);
  }
}

TEST(SegmentPropertiesTest, ContradictoryFieldsAreReported) {
  const TaggedFields good =
      *DecodeTaggedFields(AsBytes(EncodeSegmentProperties(SampleProperties())));
  const std::pair<uint64_t, std::string> cases[] = {
      {8, IndexOf({uint64_t{1} << 32})},  // partition
      {10, IndexOf({5, 0})},              // empty range
      {10, IndexOf({5, UINT64_MAX})},     // range wraps
      {12, IndexOf({2, 5, 2, 6})},        // epoch does not ascend
      {12, IndexOf({2, 5, 3, 5})},        // start does not ascend
      {12, IndexOf({uint64_t{1} << 32, 5})},
      {26, std::string("\1b\0\1a\0", 6)},  // names descend
  };
  for (const auto& [tag, value] : cases) {
    TaggedFields bad = good;
    bad[tag] = value;
    EXPECT_EQ(DecodeSegmentProperties(AsBytes(EncodeTaggedFields(bad)))
                  .status()
                  .code(),
              StatusCode::kDataLoss)
        << tag;
  }
}

TEST(SegmentPropertiesTest, EntryTellsWhatThePropertiesTell) {
  const SegmentProperties p = SampleProperties();
  const SegmentEntry entry = EntryOf(p);
  EXPECT_EQ(entry.id, p.id);
  EXPECT_EQ(entry.partition, p.partition);
  EXPECT_EQ(entry.offsets, p.offsets);
  EXPECT_EQ(entry.first_epoch, Epoch(2));
  EXPECT_EQ(entry.last_epoch, Epoch(5));
  EXPECT_EQ(entry.batch_count, 12u);
  EXPECT_EQ(entry.record_count, 190u);
  EXPECT_EQ(entry.min_timestamp, p.min_timestamp);
  EXPECT_EQ(entry.max_timestamp, p.max_timestamp);
  EXPECT_EQ(entry.sealed_at, p.sealed_at);
  EXPECT_FALSE(entry.warm || entry.cold);
}

// Without checksums in front of them the decoders must still take any bytes.
TEST(SegmentFormat, DecodersSurviveRandomMutations) {
  const std::string index = EncodeSegmentIndex(kEntries);
  const std::string properties = EncodeSegmentProperties(SampleProperties());
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    for (const std::string& good : {index, properties}) {
      std::string bad = good;
      for (uint64_t n = random() % 4 + 1; n > 0; --n) {
        bad[random() % bad.size()] = static_cast<char>(random());
      }
      if (random() % 4 == 0) bad.resize(random() % bad.size());
      // What is accepted is a value that has an encoding.
      const auto p = DecodeSegmentProperties(AsBytes(bad));
      if (p.ok()) {
        EXPECT_EQ(
            *DecodeSegmentProperties(AsBytes(EncodeSegmentProperties(*p))), *p);
      }
      const auto entries = DecodeSegmentIndex(AsBytes(bad), kFramesEnd);
      if (entries.ok()) {
        EXPECT_EQ(*DecodeSegmentIndex(AsBytes(EncodeSegmentIndex(*entries)),
                                      kFramesEnd),
                  *entries);
      }
    }
  }
}

}  // namespace
}  // namespace strata
