#include "segment/segment_salvage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/segment_samples.h"

namespace strata {
namespace {

// Base offsets of what is found; every payload is compared.
std::vector<uint64_t> Salvaged(std::string_view image,
                               const SegmentEntry& entry,
                               const SampleBatches& sample) {
  std::vector<uint64_t> found;
  const Status status =
      SalvageBatches(AsBytes(image), entry, [&](const SegmentBatch& batch) {
        const uint64_t base = batch.header.offsets.base.value();
        EXPECT_EQ(AsText(batch.payload),
                  AsText(sample.batches().at(base / 10).payload));
        found.push_back(base);
        return Status::Ok();
      });
  EXPECT_TRUE(status.ok()) << status;
  return found;
}

class SegmentSalvage : public ::testing::Test {
 protected:
  SegmentSalvage() {
    sample_.AddMany(0, 6, 1000);
    SegmentSpec spec = sample_.Spec();
    spec.index_interval_bytes = 2000;  // two frames a block
    image_ = MakeImage(spec, sample_.batches());
  }
  std::string Damaged(size_t position) {
    std::string bytes = image_.bytes;
    bytes[position] = static_cast<char>(bytes[position] ^ 1);
    return bytes;
  }
  // Where the payload of batch `i` begins.
  size_t PayloadAt(size_t i) {
    return image_.bytes.find(AsText(sample_.batches()[i].payload));
  }
  std::vector<uint64_t> Find(std::string_view bytes) {
    return Salvaged(bytes, image_.entry, sample_);
  }

  SampleBatches sample_;
  SampleImage image_;
};

using Offsets = std::vector<uint64_t>;

TEST_F(SegmentSalvage, WholeImageIsFoundWhole) {
  EXPECT_EQ(Find(image_.bytes), (Offsets{0, 10, 20, 30, 40, 50}));
}

TEST_F(SegmentSalvage, DamagedPayloadCostsItsBatch) {
  EXPECT_EQ(Find(Damaged(PayloadAt(2) + 500)), (Offsets{0, 10, 30, 40, 50}));
}

TEST_F(SegmentSalvage, DamagedFrameHeaderCostsTheRestOfItsBlock) {
  EXPECT_EQ(Find(Damaged(PayloadAt(2) - 8)), (Offsets{0, 10, 40, 50}));
}

TEST_F(SegmentSalvage, WithoutIndexFramesAreFoundUpToTheFirstBrokenHeader) {
  std::string bytes = Damaged(image_.bytes.size() - 1);
  EXPECT_EQ(Find(bytes), (Offsets{0, 10, 20, 30, 40, 50}));
  bytes[PayloadAt(1) + 3] ^= 1;
  bytes[PayloadAt(4) - 8] ^= 1;
  EXPECT_EQ(Find(bytes), (Offsets{0, 20, 30}));
}

TEST_F(SegmentSalvage, ImageCutAnywhereGivesTheBatchesBelowTheCut) {
  for (size_t size = 0; size < image_.bytes.size(); ++size) {
    size_t whole = 0;
    while (whole < 6 && PayloadAt(whole) + 1000 <= size) ++whole;
    EXPECT_EQ(Find(image_.bytes.substr(0, size)).size(), whole) << size;
  }
}

TEST_F(SegmentSalvage, EveryFlippedByteCostsAtMostABlock) {
  for (size_t i = 0; i < image_.bytes.size(); ++i) {
    EXPECT_GE(Find(Damaged(i)).size(), 4u) << i;
  }
}

TEST_F(SegmentSalvage, BatchesOutsideOfTheRangeStayOut) {
  SegmentEntry entry = image_.entry;
  entry.offsets.end = Offset(35);  // cut within a batch
  EXPECT_EQ(Salvaged(image_.bytes, entry, sample_), (Offsets{0, 10, 20}));
  EXPECT_EQ(Salvaged(Damaged(image_.bytes.size() - 1), entry, sample_),
            (Offsets{0, 10, 20}));
}

TEST_F(SegmentSalvage, ImageOfAnotherSegmentGivesNothing) {
  const SampleImage other = MakeImage(sample_.Spec(8), sample_.batches());
  EXPECT_EQ(Find(other.bytes), Offsets{});
  EXPECT_EQ(Find(other.bytes.substr(0, other.bytes.size() - 1)), Offsets{});
}

TEST_F(SegmentSalvage, ErrorOfTheConsumerIsAnswered) {
  const Status status = SalvageBatches(
      AsBytes(image_.bytes), image_.entry,
      [](const SegmentBatch&) { return Status(StatusCode::kNoSpace, "full"); });
  EXPECT_EQ(status, Status(StatusCode::kNoSpace, "full"));
}

}  // namespace
}  // namespace strata
