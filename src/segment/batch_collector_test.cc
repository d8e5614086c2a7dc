#include "segment/batch_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "segment/byte_source.h"
#include "testing/segment_samples.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Payloads = BatchCollector::Payloads;

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// Says of one range of bytes that it was lost.
class LossyOwner final : public internal::ViewOwner {
 public:
  Status Check(ByteSpan bytes) const override {
    const bool lost =
        bytes.data() <= place && place < bytes.data() + bytes.size();
    return lost ? Status(StatusCode::kDataLoss, "lost page") : Status::Ok();
  }
  const std::byte* place = nullptr;
};

// Batches [0, 10) [10, 20) .. of 100 bytes, a gap over [50, 60), 2 to a block.
class BatchCollectorTest : public ::testing::Test {
 protected:
  BatchCollectorTest() : owner_(std::make_shared<LossyOwner>()) {
    sample_.AddMany(0, 5, 100);
    sample_.AddMany(60, 5, 100);
    SegmentSpec spec = sample_.Spec();
    spec.index_interval_bytes = 300;
    image_ = MakeImage(spec, sample_.batches());
    SpanSource source(AsBytes(image_.bytes));
    index_.emplace(*SegmentIndex::Parse(source, image_.bytes.size()));
  }

  // Base offsets of the result of a read; `verified` holds one flag a block.
  Result<std::vector<uint64_t>> Read(const ReadWindow& window,
                                     Payloads payloads = Payloads::kVerify) {
    BatchCollector collector(image_.entry, window, StorageTier::kWarm);
    verified_.clear();
    for (size_t i = index_->BlockFor(collector.start());
         i < index_->block_count() && !collector.full(); ++i) {
      const SegmentIndex::Block block = index_->block(i);
      const auto good = collector.AddBlock(
          AsBytes(image_.bytes).subspan(block.begin, block.end - block.begin),
          block, payloads, owner_);
      lost_page_ = collector.lost_page();
      if (!good.ok()) return good.status();
      verified_.push_back(*good);
    }
    views_ = collector.Take();
    std::vector<uint64_t> bases;
    for (const BatchView& v : views_) bases.push_back(v.base_offset().value());
    return bases;
  }
  ReadWindow From(uint64_t start) const {
    return {.start = Offset(start),
            .end = Offset(kNoLimit),
            .max_bytes = kNoLimit,
            .at_least_one = true};
  }
  // Position in the image of the payload of batch `i`.
  size_t PayloadAt(size_t i) const {
    return image_.bytes.find(AsText(sample_.batches()[i].payload));
  }

  std::shared_ptr<LossyOwner> owner_;
  SampleBatches sample_;
  SampleImage image_;
  std::optional<SegmentIndex> index_;
  std::vector<bool> verified_;
  std::vector<BatchView> views_;
  bool lost_page_ = false;
};

TEST_F(BatchCollectorTest, ReadFromWithinABatchReturnsIt) {
  EXPECT_THAT(*Read(From(75)), ElementsAre(70, 80, 90, 100));
}

TEST_F(BatchCollectorTest, ReadFromAGapReturnsTheNextBatch) {
  EXPECT_THAT(*Read(From(55)), ElementsAre(60, 70, 80, 90, 100));
}

TEST_F(BatchCollectorTest, ViewsTellWhatTheHeaderTells) {
  ASSERT_TRUE(Read(From(10)).ok());
  const BatchView& view = views_.front();
  const FrameHeader& h = sample_.batches()[1].header;
  EXPECT_EQ(view.offsets(), h.offsets);
  EXPECT_EQ(view.epoch(), h.epoch);
  EXPECT_EQ(view.format(), h.format);
  EXPECT_EQ(view.record_count(), h.record_count);
  EXPECT_EQ(view.max_timestamp(), h.max_timestamp);
  EXPECT_EQ(view.tier(), StorageTier::kWarm);
  EXPECT_EQ(AsText(view.bytes()), AsText(sample_.batches()[1].payload));
}

TEST_F(BatchCollectorTest, NothingAtOrAboveTheEndIsShown) {
  ReadWindow window = From(60);
  window.end = Offset(80);
  EXPECT_THAT(*Read(window), ElementsAre(60, 70));
  window.end = Offset(79);  // not in part
  EXPECT_THAT(*Read(window), ElementsAre(60));
  window.end = Offset(60);
  EXPECT_THAT(*Read(window), IsEmpty());
  EXPECT_THAT(verified_, IsEmpty()) << "no block was touched";
}

TEST_F(BatchCollectorTest, BatchesAreAddedWhileTheSumFits) {
  ReadWindow window = From(0);
  window.max_bytes = 300;
  EXPECT_THAT(*Read(window), ElementsAre(0, 10, 20));
  window.max_bytes = 299;
  EXPECT_THAT(*Read(window), ElementsAre(0, 10));
}

TEST_F(BatchCollectorTest, FirstBatchAboveTheLimitIsReturnedOnlyIfAskedFor) {
  ReadWindow window = From(0);
  window.max_bytes = 99;
  EXPECT_THAT(*Read(window), ElementsAre(0));
  window.at_least_one = false;
  EXPECT_THAT(*Read(window), IsEmpty());
}

TEST_F(BatchCollectorTest, EntryCutByTruncationAndTrimHidesTheRest) {
  image_.entry.offsets = {Offset(15), Offset(80)};
  EXPECT_THAT(*Read(From(0)), ElementsAre(10, 20, 30, 40, 60, 70));
}

TEST_F(BatchCollectorTest, BlockIsVerifiedToItsEndThoughTheResultIsFull) {
  ReadWindow window = From(0);
  window.max_bytes = 100;
  EXPECT_THAT(*Read(window), ElementsAre(0));
  EXPECT_THAT(verified_, ElementsAre(true));
}

TEST_F(BatchCollectorTest, TrustedBlockIsNotVerified) {
  image_.bytes[PayloadAt(0)] ^= 1;
  EXPECT_EQ(Read(From(0), Payloads::kTrust)->size(), 10u);
  EXPECT_THAT(verified_, ::testing::Each(false));
}

TEST_F(BatchCollectorTest, DamageEndsTheResultAndFailsTheReadThatBeginsThere) {
  image_.bytes[PayloadAt(3)] ^= 1;
  EXPECT_THAT(*Read(From(0)), ElementsAre(0, 10, 20));
  const Status status = Read(From(30)).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("[30, 40)"));
  // The intact rest stays readable.
  EXPECT_THAT(*Read(From(40)), ElementsAre(40, 60, 70, 80, 90, 100));
}

TEST_F(BatchCollectorTest, DamageBeforeTheStartLeavesTheBlockUnverified) {
  image_.bytes[PayloadAt(2)] ^= 1;
  EXPECT_THAT(*Read(From(30)), ::testing::Contains(30));
  EXPECT_FALSE(verified_.front());
}

TEST_F(BatchCollectorTest, DamageBehindTheResultIsTheNextReadersBusiness) {
  image_.bytes[PayloadAt(1)] ^= 1;
  ReadWindow window = From(0);
  window.max_bytes = 100;
  EXPECT_THAT(*Read(window), ElementsAre(0));
  EXPECT_THAT(verified_, ElementsAre(false));
}

TEST_F(BatchCollectorTest, LostPageTakesBackTheWholeBlock) {
  owner_->place =
      reinterpret_cast<const std::byte*>(image_.bytes.data()) + PayloadAt(3);
  EXPECT_THAT(*Read(From(0)), ElementsAre(0, 10));
  EXPECT_TRUE(lost_page_);
  EXPECT_EQ(Read(From(20)).status().message(), "lost page");
}

}  // namespace
}  // namespace strata
