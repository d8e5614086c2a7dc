#include "segment/frame_cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/segment_samples.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

Status CursorError(const SampleBatches& sample, const FrameRun& run) {
  const SampleImage image = MakeImage(sample.Spec(), sample.batches());
  const SegmentIndex index = *ParseImage(image.bytes);
  FrameCursor cursor(AsBytes(image.bytes).subspan(32, index.frames_end() - 32),
                     run);
  for (;;) {
    const auto frame = cursor.Next();
    if (!frame.ok()) {
      EXPECT_EQ(cursor.Next().status(), frame.status()) << "sticks";
      return frame.status();
    }
    if (*frame == nullptr) return Status::Ok();
  }
}

TEST(FrameCursorTest, ForeignAndUnorderedFramesAreReportedWithPosition) {
  SampleBatches sample;
  sample.AddMany(100, 3, 8);
  const OffsetRange all{Offset(100), Offset(130)};
  EXPECT_EQ(CursorError(sample, {.partition = SamplePartition(),
                                 .offsets = all,
                                 .position = 32}),
            Status::Ok());
  const Status foreign = CursorError(
      sample,
      {.partition = SamplePartition(2), .offsets = all, .position = 32});
  EXPECT_EQ(foreign.code(), StatusCode::kDataLoss);
  EXPECT_THAT(foreign.message(), HasSubstr("frame at 32"));
  EXPECT_THAT(foreign.message(), HasSubstr("another partition"));
  const Status beyond =
      CursorError(sample, {.partition = SamplePartition(),
                           .offsets = {Offset(100), Offset(129)},
                           .position = 32});
  EXPECT_EQ(beyond.code(), StatusCode::kDataLoss);
  EXPECT_THAT(beyond.message(), HasSubstr("frame at 192"));
  EXPECT_THAT(beyond.message(), HasSubstr("found [120, 130)"));
  const Status before =
      CursorError(sample, {.partition = SamplePartition(),
                           .offsets = {Offset(101), Offset(130)},
                           .position = 32});
  EXPECT_THAT(before.message(), HasSubstr("frame at 32"));
}

TEST(FrameCursorTest, SwappedFramesAreReported) {
  SampleBatches sample;
  sample.AddMany(100, 2, 8);
  std::string image = MakeImage(sample.Spec(), sample.batches()).bytes;
  const std::string first = image.substr(32, 80);
  image.replace(32, 80, image, 112, 80);
  image.replace(112, 80, first);
  const FoundBatches found = ReadAll(image, sample.Spec().offsets);
  EXPECT_EQ(found.status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(found.status.message(), HasSubstr("out of order"));
}

TEST(FrameCursorTest, DamagedPayloadIsReportedWithPositionAndOffsets) {
  SampleBatches sample;
  sample.AddMany(100, 2, 8);
  std::string image = MakeImage(sample.Spec(), sample.batches()).bytes;
  image[112 + kFrameHeaderBytes] ^= 1;
  const FoundBatches found = ReadAll(image, sample.Spec().offsets);
  EXPECT_EQ(found.status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(found.status.message(), HasSubstr("frame at 112"));
  EXPECT_THAT(found.status.message(), HasSubstr("[110, 120)"));
  EXPECT_EQ(found.batches.size(), 1u);
}

}  // namespace
}  // namespace strata
