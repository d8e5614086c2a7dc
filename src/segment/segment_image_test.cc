// Whole images: written, read back, and damaged in every way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/tagged_fields.h"
#include "runtime/xoshiro.h"
#include "segment/frame_cursor.h"
#include "testing/golden_file.h"
#include "testing/segment_samples.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

// The worked example of docs/formats/segment.md.
SampleImage ExampleImage() {
  PartitionId partition;
  partition.topic =
      TopicId::FromString("000102030405060708090a0b0c0d0e0f").value();
  partition.partition = 3;
  const std::string tagged = EncodeTaggedFields({{2, "hi"}});
  SampleBatches sample(partition);
  SegmentBatch& first = sample.Add(1000, 1002, "first\nsecond\n", 5);
  first.header.flags = kFrameDurable;
  first.header.max_timestamp = 1767225600000;
  first.header.tagged_bytes = static_cast<uint32_t>(tagged.size());
  first.tagged = AsBytes(tagged);
  SegmentBatch& second = sample.Add(1005, 1006, "third\n", 6);
  second.header.max_timestamp = 1767225600250;
  SegmentSpec spec = sample.Spec(9);
  spec.topic_name = "clicks";
  spec.offsets = {Offset(1000), Offset(1010)};
  spec.sealed_at = 1767229200000;
  spec.index_interval_bytes = 64;
  spec.sections = {{"producers", "\x01\x02"}};
  return MakeImage(spec, sample.batches());
}

TEST(SegmentImage, BytesAreThoseOfTheDocument) {
  const std::string dump = ReadSourceFile("testing/golden/segment_v1.hex");
  EXPECT_EQ(ExampleImage().bytes, BytesOfHexDump(dump));
  EXPECT_EQ(ExampleImage().entry.image_crc32c, 0x71f32320u);
  EXPECT_THAT(ReadSourceFile("docs/formats/segment.md"), HasSubstr(dump));
}

TEST(SegmentImage, GoldenFileOfVersion1IsReadable) {
  const std::string image = GoldenBytes("segment_v1.hex");
  const auto index = ParseImage(image);
  ASSERT_TRUE(index.ok()) << index.status();
  const SegmentProperties& p = index->properties();
  EXPECT_EQ(p.id, 9u);
  EXPECT_EQ(p.topic_name, "clicks");
  EXPECT_EQ(p.sections.at("producers"), "\x01\x02");
  EXPECT_EQ(p.offsets, (OffsetRange{Offset(1000), Offset(1010)}));
  EXPECT_EQ(p.epochs, (std::vector<SegmentEpoch>{
                          {.epoch = Epoch(5), .start = Offset(1000)},
                          {.epoch = Epoch(6), .start = Offset(1005)}}));
  const FoundBatches found = ReadAll(image, p.offsets);
  EXPECT_EQ(found.status, Status::Ok());
  EXPECT_EQ(found.batches, (std::vector<std::pair<uint64_t, std::string>>{
                               {1000, "first\nsecond\n"}, {1005, "third\n"}}));
}

TEST(SegmentImage, FramesKeepEveryFieldAndByte) {
  const std::string image = ExampleImage().bytes;
  FrameCursor cursor(AsBytes(image).subspan(32, 96),
                     {.partition = ParseImage(image)->properties().partition,
                      .offsets = {Offset(1000), Offset(1005)},
                      .position = 32});
  const auto frame = cursor.Next();
  ASSERT_TRUE(frame.ok() && *frame != nullptr) << frame.status();
  const FrameHeader& h = (*frame)->header;
  EXPECT_EQ(h.flags, kFrameDurable);
  EXPECT_EQ(h.payload_crc32c, 0xddf4bd15u);
  EXPECT_EQ(h.record_count, 2u);
  EXPECT_EQ(AsText((*frame)->tagged), EncodeTaggedFields({{2, "hi"}}));
  EXPECT_EQ(cursor.VerifyLast(), Status::Ok());
  EXPECT_EQ(*cursor.Next(), nullptr);
}

TEST(SegmentImage, EntryCountsAndNamesWhatWasWritten) {
  SampleBatches sample;
  sample.Add(10, 12, "a", 1).header.max_timestamp = 500;
  sample.Add(12, 15, "b", 1).header.max_timestamp = kNoTimestamp;
  sample.Add(20, 21, "c", 4).header.max_timestamp = 300;
  SegmentSpec spec = sample.Spec(7);
  spec.offsets = {Offset(8), Offset(30)};
  const SampleImage image = MakeImage(spec, sample.batches());
  const SegmentEntry& e = image.entry;
  EXPECT_EQ(e.id, 7u);
  EXPECT_EQ(e.partition, SamplePartition());
  EXPECT_EQ(e.offsets, spec.offsets);
  EXPECT_EQ(e.first_epoch, Epoch(1));
  EXPECT_EQ(e.last_epoch, Epoch(4));
  EXPECT_EQ(e.batch_count, 3u);
  EXPECT_EQ(e.record_count, 6u);
  EXPECT_EQ(e.min_timestamp, 300);
  EXPECT_EQ(e.max_timestamp, 500);
  EXPECT_EQ(e.sealed_at, spec.sealed_at);
  EXPECT_EQ(e.image_bytes, image.bytes.size());
  EXPECT_EQ(e.image_crc32c, Crc32c(AsBytes(image.bytes)));
  EXPECT_FALSE(e.warm || e.cold);
}

TEST(SegmentImage, WithoutBatchesIsAllGap) {
  const SampleBatches none;
  SegmentSpec spec;
  spec.partition = SamplePartition();
  spec.offsets = {Offset(5), Offset(9)};
  const SampleImage image = MakeImage(spec, none.batches());
  const auto index = ParseImage(image.bytes);
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_EQ(index->block_count(), 0u);
  EXPECT_EQ(index->BlockFor(Offset(6)), 0u);
  EXPECT_EQ(index->BlockForTimestamp(0), std::nullopt);
  SpanSource source(AsBytes(image.bytes));
  EXPECT_EQ(VerifySegmentImage(source, image.entry), Status::Ok());
}

// P9: any bytes are input. What is handed out is what was written, and without
// an error it is all of it.
TEST(SegmentImage, RandomMutationsAreReportedOrHarmless) {
  SampleBatches sample;
  sample.AddMany(1000, 40, 60);
  SegmentSpec spec = sample.Spec();
  spec.index_interval_bytes = 512;
  const SampleImage image = MakeImage(spec, sample.batches());
  const FoundBatches whole = ReadAll(image.bytes, spec.offsets);
  ASSERT_EQ(whole.batches.size(), 40u);
  Xoshiro256 random(42);
  for (int round = 0; round < 20000; ++round) {
    std::string bad = image.bytes;
    const uint64_t kind = random.Next() % 8;
    if (kind == 0) {
      bad.resize(random.Next() % bad.size());
    } else if (kind == 1) {  // one piece over another, as a misdirected write
      const size_t n = 8 * (random.Next() % 64 + 1);
      const size_t from = 8 * (random.Next() % ((bad.size() - n) / 8));
      const size_t to = 8 * (random.Next() % ((bad.size() - n) / 8));
      bad.replace(to, n, image.bytes, from, n);
    } else {
      for (uint64_t n = kind - 1; n > 0; --n) {
        bad[random.Next() % bad.size()] = static_cast<char>(random.Next());
      }
    }
    const FoundBatches found = ReadAll(bad, spec.offsets);
    ASSERT_LE(found.batches.size(), whole.batches.size()) << round;
    for (size_t i = 0; i < found.batches.size(); ++i) {
      ASSERT_EQ(found.batches[i], whole.batches[i]) << round;
    }
    if (found.status.ok()) {
      ASSERT_EQ(found.batches.size(), 40u) << round;
    } else {
      ASSERT_EQ(found.status.code(), StatusCode::kDataLoss)
          << round << found.status;
    }
  }
}

}  // namespace
}  // namespace strata
