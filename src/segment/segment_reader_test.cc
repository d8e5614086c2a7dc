#include "segment/segment_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/segment_samples.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

TEST(SegmentReader, BatchesOutsideOfTheRangeAreNotPartOfTheLog) {
  SampleBatches sample;
  sample.AddMany(0, 50, 100);
  const SampleImage image = MakeImage(sample.Spec(), sample.batches());
  // The batch that holds the base stays whole; the one cut by the end goes.
  const FoundBatches found = ReadAll(image.bytes, {Offset(205), Offset(238)});
  EXPECT_EQ(found.status, Status::Ok());
  ASSERT_EQ(found.batches.size(), 3u);
  EXPECT_EQ(found.batches.front().first, 200u);
  EXPECT_EQ(found.batches.back().first, 220u);
}

TEST(SegmentReader, LargeImagesAreReadInPieces) {
  SampleBatches sample;
  sample.AddMany(0, 300, 10'000);
  sample.Add(3000, 3001, std::string(3 << 20, 'L'));
  sample.AddMany(3001, 20, 10'000);
  const SampleImage image = MakeImage(sample.Spec(), sample.batches());
  const FoundBatches found = ReadAll(image.bytes, image.entry.offsets);
  ASSERT_EQ(found.status, Status::Ok());
  ASSERT_EQ(found.batches.size(), sample.batches().size());
  for (size_t i = 0; i < found.batches.size(); ++i) {
    EXPECT_EQ(found.batches[i].second, AsText(sample.batches()[i].payload));
  }
  SpanSource source(AsBytes(image.bytes));
  EXPECT_EQ(VerifySegmentImage(source, image.entry), Status::Ok());
}

TEST(SegmentReader, VerifyReportsEveryFlippedByte) {
  SampleBatches sample;
  sample.AddMany(0, 3, 11);
  const SampleImage image = MakeImage(sample.Spec(), sample.batches());
  for (size_t i = 0; i < image.bytes.size(); ++i) {
    std::string bad = image.bytes;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    SpanSource source(AsBytes(bad));
    EXPECT_EQ(VerifySegmentImage(source, image.entry).code(),
              StatusCode::kDataLoss)
        << i;
  }
}

TEST(SegmentReader, VerifyReportsAnotherImageOfTheSameSegment) {
  SampleBatches sample;
  sample.AddMany(0, 3, 11);
  const SampleImage image = MakeImage(sample.Spec(), sample.batches());
  SegmentSpec later = sample.Spec();
  later.sealed_at += 1;
  const SampleImage other = MakeImage(later, sample.batches());
  SpanSource source(AsBytes(other.bytes));
  ASSERT_EQ(other.bytes.size(), image.bytes.size());
  EXPECT_THAT(VerifySegmentImage(source, image.entry).message(),
              HasSubstr("checksum of the segment image"));
}

}  // namespace
}  // namespace strata
