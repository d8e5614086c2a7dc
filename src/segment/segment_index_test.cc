#include "segment/segment_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/segment_samples.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

class SegmentIndexTest : public ::testing::Test {
 protected:
  // A hundred batches of 10 offsets, a gap of 10 behind each, 4 to a block.
  SegmentIndexTest() {
    for (uint64_t i = 0; i < 100; ++i) {
      sample_.Add(1000 + 20 * i, 1010 + 20 * i, std::string(184, 'x'));
    }
    SegmentSpec spec = sample_.Spec();
    spec.index_interval_bytes = 1024;
    image_ = MakeImage(spec, sample_.batches());
  }

  SampleBatches sample_;
  SampleImage image_;
};

TEST_F(SegmentIndexTest, BlocksTileTheFrames) {
  const SegmentIndex index = *ParseImage(image_.bytes);
  EXPECT_EQ(index.block_count(), 25u);
  uint64_t position = kSegmentHeaderBytes;
  for (size_t i = 0; i < index.block_count(); ++i) {
    EXPECT_EQ(index.block(i).begin, position);
    EXPECT_EQ(index.block(i).offsets.base, Offset(1000 + 80 * i));
    position = index.block(i).end;
  }
  EXPECT_EQ(position, index.frames_end());
  EXPECT_EQ(index.block(24).offsets.end, Offset(2990));
}

TEST_F(SegmentIndexTest, BlockForOffsetIsTheLastThatBeginsAtOrBelow) {
  const SegmentIndex index = *ParseImage(image_.bytes);
  EXPECT_EQ(index.BlockFor(Offset(0)), 0u);
  EXPECT_EQ(index.BlockFor(Offset(1000)), 0u);
  EXPECT_EQ(index.BlockFor(Offset(1079)), 0u);
  EXPECT_EQ(index.BlockFor(Offset(1080)), 1u);
  EXPECT_EQ(index.BlockFor(Offset(UINT64_MAX)), 24u);
}

TEST_F(SegmentIndexTest, BlockForTimestampHoldsTheFirstBatchAtOrAfterIt) {
  const SegmentIndex index = *ParseImage(image_.bytes);
  // Batch i has 1'001'000 + 20 i; block k ends with batch 4 k + 3.
  EXPECT_EQ(index.BlockForTimestamp(0), 0u);
  EXPECT_EQ(index.BlockForTimestamp(1'001'060), 0u);
  EXPECT_EQ(index.BlockForTimestamp(1'001'061), 1u);
  EXPECT_EQ(index.BlockForTimestamp(1'002'980), 24u);
  EXPECT_EQ(index.BlockForTimestamp(1'002'981), std::nullopt);
}

TEST_F(SegmentIndexTest, TimestampThatGoesBackDoesNotHideTheGreaterBefore) {
  sample_.batches()[5].header.max_timestamp = 9'000'000;
  SegmentSpec spec = sample_.Spec();
  spec.index_interval_bytes = 1024;
  image_ = MakeImage(spec, sample_.batches());
  const SegmentIndex index = *ParseImage(image_.bytes);
  EXPECT_EQ(index.BlockForTimestamp(8'000'000), 1u);
  EXPECT_EQ(index.BlockForTimestamp(9'000'001), std::nullopt);
}

TEST_F(SegmentIndexTest, TailAloneIsEnough) {
  const ByteSpan image = AsBytes(image_.bytes);
  const auto needed =
      SegmentIndex::TailBytes(image.last(kSegmentFooterBytes), image.size());
  ASSERT_TRUE(needed.ok()) << needed.status();
  for (const uint64_t tail : {*needed, *needed + 100, image.size()}) {
    const auto index = SegmentIndex::ParseTail(image.last(tail), image.size());
    ASSERT_TRUE(index.ok()) << index.status();
    EXPECT_EQ(index->block_count(), 25u);
    EXPECT_EQ(index->CheckIdentity(image_.entry), Status::Ok());
  }
}

TEST_F(SegmentIndexTest, EntryOfAnotherSegmentIsReportedWithBoth) {
  const SegmentIndex index = *ParseImage(image_.bytes);
  const auto differs = [&](auto change) {
    SegmentEntry other = image_.entry;
    change(other);
    return index.CheckIdentity(other);
  };
  using Entry = SegmentEntry;
  for (const Status& status : {
           differs([](Entry& e) { e.id = 8; }),
           differs([](Entry& e) { e.partition.partition = 5; }),
           differs([](Entry& e) { e.partition.topic = TopicId(); }),
           differs([](Entry& e) { e.image_bytes += 8; }),
           differs([](Entry& e) { e.offsets.base = Offset(999); }),
           differs([](Entry& e) { e.offsets.end = Offset(2991); }),
       }) {
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("found 7 of 0101010101"));
  }
}

TEST_F(SegmentIndexTest, EntryCutByATruncationIsTheSameSegment) {
  SegmentEntry cut = image_.entry;
  cut.offsets = {Offset(1500), Offset(1600)};
  EXPECT_EQ(ParseImage(image_.bytes)->CheckIdentity(cut), Status::Ok());
}

TEST_F(SegmentIndexTest, EveryFlippedByteOfHeaderAndTailIsReported) {
  const SegmentIndex index = *ParseImage(image_.bytes);
  for (size_t i = 0; i < image_.bytes.size(); ++i) {
    if (i == kSegmentHeaderBytes) i = index.frames_end();
    std::string bad = image_.bytes;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_EQ(ParseImage(bad).status().code(), StatusCode::kDataLoss) << i;
  }
}

TEST_F(SegmentIndexTest, EveryTruncationIsReported) {
  for (size_t n = 0; n < image_.bytes.size(); n += n < 200 ? 1 : 97) {
    const std::string cut = image_.bytes.substr(0, n);
    EXPECT_EQ(ParseImage(cut).status().code(), StatusCode::kDataLoss) << n;
    // The same, where the entry remembers the full length.
    SpanSource source(AsBytes(cut));
    EXPECT_EQ(SegmentIndex::Parse(source, image_.bytes.size()).status().code(),
              StatusCode::kDataLoss)
        << n;
  }
}

TEST_F(SegmentIndexTest, HeaderOfAnotherImageIsReported) {
  std::string mixed = image_.bytes;
  const SampleImage other = MakeImage(sample_.Spec(8), sample_.batches());
  mixed.replace(0, kSegmentHeaderBytes, other.bytes, 0, kSegmentHeaderBytes);
  EXPECT_THAT(ParseImage(mixed).status().message(),
              HasSubstr("expected id 7 as in the properties, found 8"));
}

}  // namespace
}  // namespace strata
