#include "segment/segment_file_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "segment/segment_reader.h"
#include "testing/segment_samples.h"
#include "testing/sim_file_system.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SegmentFileWriterTest : public ::testing::Test {
 protected:
  SegmentFileWriterTest() { sample_.AddMany(0, 20, 500); }

  std::unique_ptr<SegmentFileWriter> Create(uint64_t number) {
    auto writer = SegmentFileWriter::Create(files_, number);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }
  // The image's bytes as they lie in the file.
  std::string Stored(const SegmentEntry& entry) {
    const auto file = files_.ReadFile(SegmentFileName(entry.warm->file));
    EXPECT_TRUE(file.ok()) << file.status();
    return file->substr(entry.warm->position, entry.warm->length);
  }

  SimFileSystem files_;
  SampleBatches sample_;
};

TEST(SegmentFileName, ReadsBackAndRefusesAnyOther) {
  EXPECT_EQ(SegmentFileName(7), "00000000000000000007.seg");
  EXPECT_EQ(TemporarySegmentFileName(7), "tmp-00000000000000000007.seg");
  for (const uint64_t n : {uint64_t{0}, uint64_t{7}, UINT64_MAX}) {
    EXPECT_EQ(ParseSegmentFileName(SegmentFileName(n)), n);
    EXPECT_EQ(ParseTemporarySegmentFileName(TemporarySegmentFileName(n)), n);
    EXPECT_EQ(ParseSegmentFileName(TemporarySegmentFileName(n)), std::nullopt);
    EXPECT_EQ(ParseTemporarySegmentFileName(SegmentFileName(n)), std::nullopt);
  }
  for (const char* name :
       {"", ".seg", "7.seg", "0000000000000000000x.seg",
        "-0000000000000000007.seg", "00000000000000000007.sEg",
        "000000000000000000007.seg", "00000000000000000007.seg ",
        "99999999999999999999.seg", "../00000000000000000007.seg"}) {
    EXPECT_EQ(ParseSegmentFileName(name), std::nullopt) << name;
  }
}

TEST_F(SegmentFileWriterTest, OwnFileHoldsTheImageAlone) {
  const auto writer = Create(3);
  const auto entry = writer->Add(sample_.Spec(), sample_.batches());
  ASSERT_TRUE(entry.ok()) << entry.status();
  ASSERT_EQ(writer->Finish(), Status::Ok());
  EXPECT_EQ(
      entry->warm,
      (WarmAddress{.file = 3, .position = 0, .length = entry->image_bytes}));
  EXPECT_THAT(files_.Files(), ElementsAre("00000000000000000003.seg"));
  EXPECT_EQ(Stored(*entry), MakeImage(sample_.Spec(), sample_.batches()).bytes);
  EXPECT_EQ(writer->file_bytes(), entry->image_bytes);
}

TEST_F(SegmentFileWriterTest, ImagesOfABundleStartAtPages) {
  const auto writer = Create(3);
  std::vector<SegmentEntry> entries;
  for (uint64_t id = 1; id <= 5; ++id) {
    const auto entry = writer->Add(sample_.Spec(id), sample_.batches());
    ASSERT_TRUE(entry.ok()) << entry.status();
    entries.push_back(*entry);
  }
  ASSERT_EQ(writer->Finish(), Status::Ok());
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].warm->position % kSegmentImageAlignment, 0u);
    EXPECT_EQ(Stored(entries[i]),
              MakeImage(sample_.Spec(i + 1), sample_.batches()).bytes);
  }
  EXPECT_EQ(entries[1].warm->position,
            (entries[0].image_bytes + 4095) / 4096 * 4096);
}

TEST_F(SegmentFileWriterTest, NoNameIsSeenBeforeItsBytesAreDurable) {
  files_.EnableTrace();
  const auto writer = Create(3);
  ASSERT_TRUE(writer->Add(sample_.Spec(), sample_.batches()).ok());
  ASSERT_EQ(writer->Finish(), Status::Ok());
  EXPECT_THAT(
      files_.Trace(),
      ElementsAre(TraceEntry{FileOp::kCreate, TemporarySegmentFileName(3), ""},
                  TraceEntry{FileOp::kWrite, TemporarySegmentFileName(3), ""},
                  TraceEntry{FileOp::kSync, TemporarySegmentFileName(3), ""},
                  TraceEntry{FileOp::kRename, TemporarySegmentFileName(3),
                             SegmentFileName(3)}));
}

TEST_F(SegmentFileWriterTest, WritesAreLarge) {
  sample_.AddMany(200, 1000, 2000);
  const uint64_t before = files_.write_count();
  const auto writer = Create(3);
  ASSERT_TRUE(writer->Add(sample_.Spec(), sample_.batches()).ok());
  ASSERT_EQ(writer->Finish(), Status::Ok());
  EXPECT_LE(files_.write_count() - before,
            writer->file_bytes() / (256 * 1024) + 1);
}

TEST_F(SegmentFileWriterTest, DroppedWithoutFinishLeavesNothing) {
  auto writer = Create(3);
  ASSERT_TRUE(writer->Add(sample_.Spec(), sample_.batches()).ok());
  writer.reset();
  EXPECT_THAT(files_.Files(), IsEmpty());
}

// D24: no file is ever written over, so no map changes under its readers.
TEST_F(SegmentFileWriterTest, D24NumberThatWasUsedIsRefused) {
  ASSERT_EQ(Create(3)->Finish(), Status::Ok());
  EXPECT_EQ(SegmentFileWriter::Create(files_, 3).status().code(),
            StatusCode::kAlreadyExists);
  const auto unfinished = Create(4);
  EXPECT_EQ(SegmentFileWriter::Create(files_, 4).status().code(),
            StatusCode::kAlreadyExists);
}

TEST_F(SegmentFileWriterTest, FirstErrorSticksAndNothingIsPublished) {
  for (const FileOp op : {FileOp::kWrite, FileOp::kSync, FileOp::kRename}) {
    auto writer = Create(3);
    ASSERT_TRUE(writer->Add(sample_.Spec(), sample_.batches()).ok());
    files_.FailNext(op);
    const Status failed = writer->Finish();
    EXPECT_EQ(failed.code(), StatusCode::kIoError) << Name(op);
    // Not tried again: what a failed sync left is unknown.
    EXPECT_EQ(writer->Finish(), failed);
    EXPECT_EQ(writer->Add(sample_.Spec(), sample_.batches()).status(), failed);
    writer.reset();
    EXPECT_THAT(files_.Files(), IsEmpty());
  }
}

TEST_F(SegmentFileWriterTest, FullDiskIsAnsweredAndLeavesNothing) {
  files_.SetCapacity(100'000);
  sample_.AddMany(200, 1000, 2000);
  auto writer = Create(3);
  EXPECT_EQ(writer->Add(sample_.Spec(), sample_.batches()).status().code(),
            StatusCode::kNoSpace);
  writer.reset();
  EXPECT_THAT(files_.Files(), IsEmpty());
}

TEST_F(SegmentFileWriterTest, ErrorOfAnImageEndsTheFile) {
  const auto writer = Create(3);
  SegmentSpec spec = sample_.Spec();
  spec.offsets.end = Offset(100);
  const Status failed = writer->Add(spec, sample_.batches()).status();
  EXPECT_EQ(failed.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(writer->Finish(), failed);
}

TEST_F(SegmentFileWriterTest, CrashAtAnyStepLeavesTheWholeFileOrNone) {
  for (uint64_t step = 0; step < 6; ++step) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      SimFileSystem files(seed);
      files.CrashAfter(step);
      {
        auto writer = SegmentFileWriter::Create(files, 3);
        if (writer.ok() &&
            (*writer)->Add(sample_.Spec(), sample_.batches()).ok() &&
            (*writer)->Finish().ok()) {
          (void)files.SyncDirectory("");
        }
      }
      files.Crash();
      const auto stored = files.ReadFile(SegmentFileName(3));
      if (!stored.ok()) continue;
      EXPECT_EQ(*stored, MakeImage(sample_.Spec(), sample_.batches()).bytes)
          << "step " << step << " seed " << seed;
    }
  }
}

TEST_F(SegmentFileWriterTest, CopyOfAnImageHasTheSameBytes) {
  const SampleImage image = MakeImage(sample_.Spec(), sample_.batches());
  const auto writer = Create(3);
  ASSERT_TRUE(writer->Add(sample_.Spec(1), sample_.batches()).ok());
  for (size_t at = 0; at < image.bytes.size(); at += 1000) {
    ASSERT_EQ(writer->AppendImagePiece(
                  AsBytes(std::string_view(image.bytes).substr(at, 1000))),
              Status::Ok());
  }
  SegmentEntry expected = image.entry;
  expected.cold = {.key = "k", .position = 5, .length = image.bytes.size()};
  const auto entry = writer->FinishImage(expected);
  ASSERT_TRUE(entry.ok()) << entry.status();
  ASSERT_EQ(writer->Finish(), Status::Ok());
  EXPECT_EQ(entry->cold, expected.cold);
  EXPECT_EQ(entry->warm->position % kSegmentImageAlignment, 0u);
  EXPECT_EQ(Stored(*entry), image.bytes);
}

TEST_F(SegmentFileWriterTest, CopyThatDiffersIsReportedAndNotPublished) {
  const SampleImage image = MakeImage(sample_.Spec(), sample_.batches());
  for (std::string bad : {image.bytes.substr(1), image.bytes + "x",
                          "X" + image.bytes.substr(1)}) {
    auto writer = Create(3);
    ASSERT_EQ(writer->AppendImagePiece(AsBytes(bad)), Status::Ok());
    const Status failed = writer->FinishImage(image.entry).status();
    EXPECT_EQ(failed.code(), StatusCode::kDataLoss);
    EXPECT_THAT(failed.message(), HasSubstr("copy of segment 7"));
    EXPECT_EQ(writer->Finish(), failed);
    writer.reset();
    EXPECT_THAT(files_.Files(), IsEmpty());
  }
}

}  // namespace
}  // namespace strata
