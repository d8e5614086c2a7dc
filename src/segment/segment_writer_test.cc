#include "segment/segment_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/segment_format.h"
#include "testing/segment_samples.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

TEST(SegmentWriter, BatchThatDoesNotBelongHereIsRefused) {
  const auto refused = [](auto change) {
    SampleBatches sample;
    sample.AddMany(100, 3, 20);
    SegmentSpec spec = sample.Spec();
    change(sample.batches()[1], spec);
    StringSink sink;
    return WriteSegmentImage(spec, sample.batches(), sink).status();
  };
  using Batch = SegmentBatch;
  const Status cases[] = {
      refused([](Batch& b, auto&) { b.header.kind = FrameKind::kGap; }),
      refused([](Batch& b, auto&) { b.header.partition = 9; }),
      refused([](Batch& b, auto&) { b.header.topic = TopicId(); }),
      refused([](Batch& b, auto&) { b.header.payload_bytes = 19; }),
      refused([](Batch& b, auto&) { b.header.tagged_bytes = 1; }),
      refused([](Batch& b, auto&) { b.header.offsets.base = Offset(109); }),
      refused([](Batch& b, auto&) { b.header.offsets.end = Offset(121); }),
      refused([](Batch& b, auto&) { b.header.offsets.end = Offset(110); }),
      refused([](Batch& b, auto&) { b.header.epoch = Epoch(0); }),
      refused([](Batch&, auto& s) { s.offsets.end = Offset(129); }),
      refused([](Batch&, auto& s) { s.offsets.base = Offset(110); }),
      refused([](Batch&, auto& s) { s.offsets.end = s.offsets.base; }),
      refused([](Batch&, auto& s) {
        s.sections["large"] = std::string(kMaxSegmentPropertiesBytes, 'x');
      }),
  };
  for (const Status& status : cases) {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  }
}

TEST(SegmentWriter, PayloadThatChangedInMemoryIsNotSealed) {
  SampleBatches sample;
  sample.AddMany(0, 3, 20);
  sample.batches()[2].header.payload_crc32c ^= 1;
  StringSink sink;
  const auto entry = WriteSegmentImage(sample.Spec(), sample.batches(), sink);
  EXPECT_EQ(entry.status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(entry.status().message(), HasSubstr("[20, 30)"));
}

TEST(SegmentWriter, FirstBatchMayBeginBeforeATrimmedRange) {
  SampleBatches sample;
  sample.AddMany(0, 2, 20);
  SegmentSpec spec = sample.Spec();
  spec.offsets.base = Offset(4);
  const SampleImage image = MakeImage(spec, sample.batches());
  EXPECT_EQ(ReadAll(image.bytes, spec.offsets).batches.size(), 2u);
}

TEST(SegmentWriter, ErrorsOfSinkAndProducerAreAnswered) {
  class FullSink final : public SegmentSink {
   public:
    Status Append(ByteSpan) override { return {StatusCode::kNoSpace, "full"}; }
  } full;
  SampleBatches sample;
  sample.AddMany(0, 2, 20);
  EXPECT_EQ(
      WriteSegmentImage(sample.Spec(), sample.batches(), full).status().code(),
      StatusCode::kNoSpace);
  StringSink sink;
  EXPECT_EQ(WriteSegmentImage(
                sample.Spec(),
                [](const BatchConsumer&) {
                  return Status(StatusCode::kCancelled, "");
                },
                sink)
                .status()
                .code(),
            StatusCode::kCancelled);
}

TEST(SegmentWriter, ImageIsAtMostAsLargeAsItsFramesAllow) {
  for (const uint64_t interval : {64, 4096, 1 << 30}) {
    SampleBatches sample;
    sample.AddMany(uint64_t{1} << 60, 500, 1);
    SegmentSpec spec = sample.Spec();
    spec.index_interval_bytes = interval;
    uint64_t frames = 0;
    for (const SegmentBatch& batch : sample.batches()) {
      frames += FrameBytes(batch.payload.size(), batch.tagged.size());
    }
    StringSink sink;
    const auto entry = WriteSegmentImage(spec, sample.batches(), sink);
    ASSERT_TRUE(entry.ok()) << entry.status();
    EXPECT_LE(entry->image_bytes, MaxSegmentImageBytes(frames, interval));
  }
}

}  // namespace
}  // namespace strata
