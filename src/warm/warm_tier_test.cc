#include "warm/warm_tier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "segment/segment_file_writer.h"
#include "testing/await.h"
#include "testing/segment_samples.h"
#include "testing/sim_file_system.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Batches = WarmTier::Batches;

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

ReadWindow From(uint64_t start, uint64_t max_bytes = kNoLimit) {
  return {.start = Offset(start),
          .end = Offset(kNoLimit),
          .max_bytes = max_bytes,
          .at_least_one = true};
}

std::vector<uint64_t> Bases(const Batches& batches) {
  std::vector<uint64_t> bases;
  for (const BatchView& b : batches) bases.push_back(b.base_offset().value());
  return bases;
}

// A warm tier over files in memory; file 1 is a bundle of two segments of
// forty batches [0, 10) [10, 20) .. of 2000 bytes each.
class WarmTierTest : public ::testing::TestWithParam<WarmReadMode> {
 protected:
  WarmTierTest() {
    sample_.AddMany(0, 40, 2000);
    entries_ = WriteFile(1, {11, 12});
  }

  std::vector<SegmentEntry> WriteFile(uint64_t number,
                                      std::vector<uint64_t> ids) {
    std::vector<SegmentEntry> entries;
    auto writer = *SegmentFileWriter::Create(files_, number);
    for (const uint64_t id : ids) {
      const auto entry = writer->Add(sample_.Spec(id), sample_.batches());
      EXPECT_TRUE(entry.ok()) << entry.status();
      entries.push_back(*entry);
    }
    EXPECT_EQ(writer->Finish(), Status::Ok());
    return entries;
  }
  WarmTier& Tier(uint32_t max_open_files = 4) {
    tier_.emplace(
        files_, runtime_,
        WarmOptions{.mode = Mode(), .max_open_files = max_open_files});
    return *tier_;
  }
  virtual WarmReadMode Mode() const { return GetParam(); }

  Result<Batches> Read(const SegmentEntry& entry, const ReadWindow& window) {
    return Await<Result<Batches>>(runtime_, [&](auto done) {
      tier_->Read(entry, window, std::move(done));
    });
  }
  // Position in the file of the payload of batch `i` of segment `entry`.
  uint64_t PayloadAt(const SegmentEntry& entry, size_t i) {
    const std::string file = *files_.ReadFile(Name(entry));
    return file.find(AsText(sample_.batches()[i].payload),
                     entry.warm->position);
  }
  static std::string Name(const SegmentEntry& entry) {
    return SegmentFileName(entry.warm->file);
  }

  SimFileSystem files_;
  SimRuntime runtime_{1};
  SampleBatches sample_;
  std::vector<SegmentEntry> entries_;
  std::optional<WarmTier> tier_;
};

INSTANTIATE_TEST_SUITE_P(Modes, WarmTierTest,
                         ::testing::Values(WarmReadMode::kMap,
                                           WarmReadMode::kPread),
                         [](const auto& mode) {
                           return mode.param == WarmReadMode::kMap ? "Map"
                                                                   : "Pread";
                         });

TEST_P(WarmTierTest, ReadReturnsTheBytesThatWereSealed) {
  Tier();
  for (const SegmentEntry& entry : entries_) {
    size_t i = 0;
    while (i < sample_.batches().size()) {
      const auto batches = Read(entry, From(i * 10, 7000));
      ASSERT_TRUE(batches.ok()) << batches.status();
      ASSERT_FALSE(batches->empty());
      for (const BatchView& view : *batches) {
        EXPECT_EQ(AsText(view.bytes()), AsText(sample_.batches()[i].payload));
        EXPECT_EQ(view.offsets(), sample_.batches()[i].header.offsets);
        EXPECT_EQ(view.tier(), StorageTier::kWarm);
        EXPECT_EQ(view.status(), Status::Ok());
        ++i;
      }
    }
  }
}

TEST_P(WarmTierTest, EntryCutByTruncationHidesTheRest) {
  Tier();
  SegmentEntry cut = entries_[0];
  cut.offsets = {Offset(95), Offset(130)};
  EXPECT_THAT(Bases(*Read(cut, From(0))), ElementsAre(90, 100, 110, 120));
  EXPECT_THAT(*Read(cut, From(130)), IsEmpty());
}

TEST_P(WarmTierTest, BatchThatDoesNotFitIsReturnedOnlyIfAskedFor) {
  Tier();
  ReadWindow window = From(100, 10);
  EXPECT_THAT(Bases(*Read(entries_[0], window)), ElementsAre(100));
  window.at_least_one = false;
  EXPECT_THAT(*Read(entries_[0], window), IsEmpty());
}

TEST_P(WarmTierTest, ViewsOutliveTierAndFile) {
  Tier();
  const Batches views = *Read(entries_[0], From(0));
  tier_->Forget(1);
  ASSERT_EQ(files_.Remove(SegmentFileName(1)), Status::Ok());
  tier_.reset();
  for (size_t i = 0; i < views.size(); ++i) {
    EXPECT_EQ(AsText(views[i].bytes()), AsText(sample_.batches()[i].payload));
    EXPECT_EQ(views[i].status(), Status::Ok());
  }
}

// ---- damage ---------------------------------------------------------------

TEST_P(WarmTierTest, D22FlippedByteIsReportedNotServed) {
  files_.FlipBit(Name(entries_[1]), PayloadAt(entries_[1], 5) + 1000);
  Tier();
  const Status status = Read(entries_[1], From(50)).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("00000000000000000001.seg"));
  EXPECT_THAT(status.message(), HasSubstr("[50, 60)"));
  // What lies before and behind, and the other segment, stay readable.
  EXPECT_THAT(Bases(*Read(entries_[1], From(0))),
              ElementsAre(0, 10, 20, 30, 40));
  EXPECT_EQ(Read(entries_[1], From(60))->size(), 34u);
  EXPECT_EQ(Read(entries_[0], From(50))->size(), 35u);
  EXPECT_EQ(tier_->VerifyImage(entries_[1]).code(), StatusCode::kDataLoss);
  EXPECT_EQ(tier_->VerifyImage(entries_[0]), Status::Ok());
}

TEST_P(WarmTierTest, D22NoFlippedByteOfAnImageIsServed) {
  const SegmentEntry& entry = entries_[0];
  for (uint64_t at = 0; at < entry.image_bytes; at += 61) {
    files_.FlipBit(Name(entry), at, static_cast<int>(at % 8));
    Tier();
    size_t i = 0;
    for (;;) {
      const auto batches = Read(entry, From(i * 10));
      if (!batches.ok()) {
        EXPECT_EQ(batches.status().code(), StatusCode::kDataLoss) << at;
        break;
      }
      if (batches->empty()) break;
      for (const BatchView& view : *batches) {
        ASSERT_EQ(AsText(view.bytes()), AsText(sample_.batches()[i++].payload))
            << at;
      }
    }
    files_.FlipBit(Name(entry), at, static_cast<int>(at % 8));
  }
}

TEST_P(WarmTierTest, D22TruncatedFileIsReportedWithPosition) {
  const SegmentEntry entry = entries_[1];
  for (const uint64_t kept : {uint64_t{0}, entry.warm->position,
                              entry.warm->position + entry.image_bytes - 1}) {
    files_.TruncateFile(Name(entry), kept);
    Tier();
    for (const Status& status :
         {Read(entry, From(0)).status(), tier_->VerifyImage(entry),
          tier_->OpenSource(entry).status(),
          tier_->ForEachBatch(
              entry, [](const SegmentBatch&) { return Status::Ok(); })}) {
      EXPECT_EQ(status.code(), StatusCode::kDataLoss) << kept;
      EXPECT_THAT(status.message(),
                  HasSubstr("00000000000000000001.seg, image at " +
                            std::to_string(entry.warm->position)));
    }
    files_.RemoveFile(Name(entry));
    entries_ = WriteFile(1, {11, 12});
  }
}

TEST_P(WarmTierTest, MissingFileIsLossNotAbsence) {
  Tier();
  files_.RemoveFile(Name(entries_[0]));
  for (const Status& status :
       {Read(entries_[0], From(0)).status(), tier_->VerifyImage(entries_[0]),
        tier_->OpenSource(entries_[0]).status(),
        tier_->ForEachBatch(
            entries_[0], [](const SegmentBatch&) { return Status::Ok(); })}) {
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("00000000000000000001.seg"));
    EXPECT_THAT(status.message(), HasSubstr("missing"));
  }
}

TEST_P(WarmTierTest, RefusalToOpenSaysNothingAboutTheBytes) {
  Tier();
  files_.FailNext(FileOp::kOpen);
  EXPECT_EQ(Read(entries_[0], From(0)).status().code(), StatusCode::kIoError);
  EXPECT_TRUE(Read(entries_[0], From(0)).ok());
}

TEST_P(WarmTierTest, AnotherSegmentThanTheEntrysIsReported) {
  Tier();
  SegmentEntry wrong = entries_[0];
  wrong.warm = entries_[1].warm;
  // Also when its image was read for the right entry before.
  ASSERT_TRUE(Read(entries_[1], From(0)).ok());
  for (const Status& status :
       {Read(wrong, From(0)).status(), tier_->VerifyImage(wrong),
        tier_->ForEachBatch(
            wrong, [](const SegmentBatch&) { return Status::Ok(); })}) {
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("another segment: expected 11"));
  }
}

TEST_P(WarmTierTest, VerifyComparesTheWholeImage) {
  Tier();
  SegmentEntry entry = entries_[0];
  EXPECT_EQ(tier_->VerifyImage(entry), Status::Ok());
  entry.image_crc32c ^= 1;
  EXPECT_EQ(tier_->VerifyImage(entry).code(), StatusCode::kDataLoss);
}

// ---- jobs -----------------------------------------------------------------

TEST_P(WarmTierTest, SourceHoldsTheImageAfterTheFileIsRemoved) {
  Tier();
  const auto source = tier_->OpenSource(entries_[1]);
  ASSERT_TRUE(source.ok()) << source.status();
  tier_->Forget(1);
  ASSERT_EQ(files_.Remove(SegmentFileName(1)), Status::Ok());
  std::string bytes((*source)->size(), '\0');
  ASSERT_EQ((*source)->ReadAt(0, std::as_writable_bytes(std::span(bytes))),
            Status::Ok());
  EXPECT_EQ(bytes, MakeImage(sample_.Spec(12), sample_.batches()).bytes);
  std::string piece(100, '\0');
  ASSERT_EQ((*source)->ReadAt(5000, std::as_writable_bytes(std::span(piece))),
            Status::Ok());
  EXPECT_EQ(piece, bytes.substr(5000, 100));
}

TEST_P(WarmTierTest, ForEachBatchVisitsTheEntrysBatchesAndStopsAtAnError) {
  Tier();
  SegmentEntry cut = entries_[0];
  cut.offsets = {Offset(100), Offset(150)};
  std::vector<uint64_t> bases;
  EXPECT_EQ(
      tier_->ForEachBatch(cut,
                          [&](const SegmentBatch& batch) {
                            bases.push_back(batch.header.offsets.base.value());
                            return Status::Ok();
                          }),
      Status::Ok());
  EXPECT_THAT(bases, ElementsAre(100, 110, 120, 130, 140));
  const Status stop(StatusCode::kCancelled, "enough");
  EXPECT_EQ(tier_->ForEachBatch(cut, [&](const SegmentBatch&) { return stop; }),
            stop);
}

TEST_P(WarmTierTest, OpenFilesAreBoundedAndTheOldestGoesFirst) {
  WarmTier& tier = Tier(/*max_open_files=*/2);
  const SegmentEntry a = WriteFile(2, {21})[0];
  const SegmentEntry b = WriteFile(3, {31})[0];
  const Batches held = *Read(entries_[0], From(0));
  ASSERT_TRUE(Read(a, From(0)).ok());
  ASSERT_TRUE(Read(entries_[0], From(0)).ok());
  ASSERT_TRUE(Read(b, From(0)).ok());
  EXPECT_EQ(tier.stats().open_files, 2u);
  files_.FailNext(FileOp::kOpen, "", 1000);
  EXPECT_TRUE(Read(entries_[0], From(0)).ok()) << "used after file 2";
  EXPECT_TRUE(Read(b, From(0)).ok());
  EXPECT_EQ(Read(a, From(0)).status().code(), StatusCode::kIoError);
  EXPECT_EQ(AsText(held[0].bytes()), AsText(sample_.batches()[0].payload));
}

TEST_P(WarmTierTest, ForgottenFileIsNotOpen) {
  WarmTier& tier = Tier();
  ASSERT_TRUE(Read(entries_[0], From(0)).ok());
  EXPECT_EQ(tier.stats().open_files, 1u);
  tier.Forget(1);
  tier.Forget(99);
  EXPECT_EQ(tier.stats().open_files, 0u);
  EXPECT_EQ(tier.stats().mapped_bytes, 0u);
}

TEST_P(WarmTierTest, ReadsThatWaitAtTheEndOfTheRuntimeAreDropped) {
  Tier();
  auto held = std::make_shared<int>();
  tier_->Read(entries_[0], From(0), [held](Result<Batches>) { FAIL(); });
  EXPECT_EQ(held.use_count(), 2);
  runtime_.DropAllTasks();
  EXPECT_EQ(held.use_count(), 1);
}

// ---- maps -----------------------------------------------------------------

class MappedWarmTierTest : public WarmTierTest {
 protected:
  WarmReadMode Mode() const override { return WarmReadMode::kMap; }
};

TEST_F(MappedWarmTierTest, D31FirstAccessIsLeftToTheReadExecutor) {
  WarmTier& tier = Tier();
  EXPECT_EQ(tier.TryRead(entries_[0], From(0)), std::nullopt);
  EXPECT_EQ(tier.stats().open_files, 0u);
  bool called = false;
  tier.Read(entries_[0], From(0, 4000),
            [&](Result<Batches>) { called = true; });
  EXPECT_FALSE(called);
  EXPECT_EQ(tier.stats().open_files, 0u) << "nothing happens inside the call";
  runtime_.RunUntilIdle();
  EXPECT_TRUE(called);
  const auto again = tier.TryRead(entries_[0], From(0, 4000));
  ASSERT_TRUE(again && again->ok());
  EXPECT_THAT(Bases(**again), ElementsAre(0, 10));
}

TEST_F(MappedWarmTierTest, D31UnverifiedBlockIsLeftToTheReadExecutor) {
  WarmTier& tier = Tier();
  ASSERT_TRUE(Read(entries_[0], From(0, 4000)).ok());
  EXPECT_EQ(tier.TryRead(entries_[0], From(300, 4000)), std::nullopt);
  EXPECT_EQ(tier.TryRead(entries_[0], From(0)), std::nullopt);
  EXPECT_EQ(tier.TryRead(entries_[1], From(0, 4000)), std::nullopt);
  ASSERT_TRUE(Read(entries_[0], From(0)).ok());
  const auto all = tier.TryRead(entries_[0], From(0));
  ASSERT_TRUE(all && all->ok());
  EXPECT_EQ((*all)->size(), 40u);
}

TEST_F(MappedWarmTierTest, SegmentsOfAFileShareOneMap) {
  WarmTier& tier = Tier();
  const Batches first = *Read(entries_[0], From(0));
  const Batches second = *Read(entries_[1], From(0));
  EXPECT_EQ(tier.stats().open_files, 1u);
  EXPECT_EQ(tier.stats().mapped_bytes,
            files_.ReadFile(SegmentFileName(1))->size());
  EXPECT_EQ(second[0].bytes().data() - first[0].bytes().data(),
            static_cast<ptrdiff_t>(entries_[1].warm->position));
}

TEST_F(MappedWarmTierTest, LostPageIsReportedAndTheFileMappedAnew) {
  WarmTier& tier = Tier();
  const Batches held = *Read(entries_[0], From(0));
  const uint64_t at = PayloadAt(entries_[0], 20);
  files_.DamageMapped(Name(entries_[0]), at, 1);
  // The view that was handed out says so, others are not touched.
  EXPECT_EQ(held[20].status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(held[20].status().message(), HasSubstr("00000000000000000001"));
  EXPECT_EQ(held[0].status(), Status::Ok());
  const auto lost = tier.TryRead(entries_[0], From(200));
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(lost->status().message(), HasSubstr("could not be read"));
  // The old map is not asked again; the disk still does not give the page.
  EXPECT_EQ(tier.TryRead(entries_[0], From(0, 4000)), std::nullopt);
  EXPECT_EQ(Read(entries_[0], From(200)).status().code(),
            StatusCode::kDataLoss);
  const std::vector<uint64_t> before = Bases(*Read(entries_[0], From(0)));
  EXPECT_THAT(before, Not(IsEmpty()));
  EXPECT_LT(before.back(), 200u);
  EXPECT_EQ(Read(entries_[0], From(300))->size(), 10u);
}

// D24: a file that is cut under a live map costs an error, not the process.
TEST_F(MappedWarmTierTest, D24FileCutUnderALiveMapIsAnErrorOfTheRead) {
  Tier();
  ASSERT_TRUE(Read(entries_[0], From(0, 100)).ok());
  files_.TruncateFile(Name(entries_[0]), 4096);
  const Status status = Read(entries_[0], From(200)).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("00000000000000000001.seg"));
}

}  // namespace
}  // namespace strata
