// The warm tier on real files, maps and threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "io/posix_file_system.h"
#include "runtime/thread_runtime.h"
#include "segment/segment_file_writer.h"
#include "testing/await.h"
#include "testing/segment_samples.h"
#include "testing/temp_dir.h"
#include "warm/warm_tier.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using Batches = WarmTier::Batches;

class PosixWarmTierTest : public ::testing::Test {
 protected:
  PosixWarmTierTest()
      : files_(*OpenPosixFileSystem(directory_.path() / "warm", true)),
        tier_(*files_, *runtime_, WarmOptions{.max_open_files = 2}) {
    sample_.AddMany(0, 200, 3000);
    for (uint64_t number = 1; number <= 3; ++number) {
      auto writer = *SegmentFileWriter::Create(*files_, number);
      entries_.push_back(*writer->Add(sample_.Spec(number), sample_.batches()));
      EXPECT_EQ(writer->Finish(), Status::Ok());
    }
  }
  // The tasks go before the tier.
  ~PosixWarmTierTest() override { runtime_.reset(); }

  Result<Batches> Read(const SegmentEntry& entry, uint64_t start) {
    const ReadWindow window{.start = Offset(start),
                            .end = Offset(1'000'000),
                            .max_bytes = 20'000,
                            .at_least_one = true};
    if (auto batches = tier_.TryRead(entry, window)) return *std::move(batches);
    return Await<Result<Batches>>(*runtime_, [&](auto done) {
      tier_.Read(entry, window, std::move(done));
    });
  }
  std::filesystem::path PathOf(uint64_t number) const {
    return directory_.path() / "warm" / SegmentFileName(number);
  }

  TempDir directory_;
  std::unique_ptr<Runtime> runtime_ = MakeThreadRuntime();
  std::unique_ptr<FileSystem> files_;
  SampleBatches sample_;
  std::vector<SegmentEntry> entries_;
  WarmTier tier_;
};

TEST_F(PosixWarmTierTest, ManyReadersOfFewMapsSeeTheSealedBytes) {
  std::atomic<int> wrong{0};
  const auto read_some = [&](uint64_t seed) {
    for (uint64_t i = 0; i < 300; ++i) {
      const uint64_t at = (seed * 7919 + i * 104729) % 200;
      const SegmentEntry& entry = entries_[(seed + i) % entries_.size()];
      if (i % 50 == seed) tier_.Forget(entry.warm->file);
      const auto batches = Read(entry, at * 10);
      const bool good = batches.ok() && !batches->empty() &&
                        AsText((*batches)[0].bytes()) ==
                            AsText(sample_.batches()[at].payload) &&
                        (*batches)[0].status().ok();
      if (!good) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) threads.emplace_back(read_some, t);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(tier_.stats().open_files, 2u);
}

TEST_F(PosixWarmTierTest, D24FileCutUnderALiveMapIsAnErrorOfReadAndView) {
  const Batches early = *Read(entries_[0], 0);
  const Batches late = *Read(entries_[0], 1900);
  std::filesystem::resize_file(PathOf(1), 65536);
  // Touching the bytes is harmless and tells.
  size_t zeros = 0;
  for (const std::byte b : late[0].bytes()) zeros += b == std::byte{0} ? 1 : 0;
  EXPECT_EQ(zeros, late[0].bytes().size());
  EXPECT_EQ(late[0].status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(early[0].status(), Status::Ok());
  EXPECT_EQ(AsText(early[0].bytes()), AsText(sample_.batches()[0].payload));
  for (int i = 0; i < 2; ++i) {
    const Status status = Read(entries_[0], 1900).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr(SegmentFileName(1)));
  }
  EXPECT_TRUE(Read(entries_[1], 1900).ok());
}

TEST_F(PosixWarmTierTest, D24ViewsKeepTheirBytesWhenTheFileIsReplaced) {
  const Batches views = *Read(entries_[0], 0);
  std::ofstream(directory_.path() / "other") << "other bytes";
  std::filesystem::rename(directory_.path() / "other", PathOf(1));
  tier_.Forget(1);
  EXPECT_EQ(AsText(views[0].bytes()), AsText(sample_.batches()[0].payload));
  EXPECT_EQ(views[0].status(), Status::Ok());
  EXPECT_EQ(Read(entries_[0], 0).status().code(), StatusCode::kDataLoss);
}

// D12: names are made from numbers alone, and what stands under one is not
// followed out of the directory.
TEST_F(PosixWarmTierTest, D12LinkOutOfTheDirectoryIsNotFollowed) {
  std::filesystem::rename(PathOf(1), directory_.path() / "outside.seg");
  std::filesystem::create_symlink(directory_.path() / "outside.seg", PathOf(1));
  EXPECT_EQ(Read(entries_[0], 0).status().code(), StatusCode::kIoError);
  EXPECT_EQ(tier_.VerifyImage(entries_[0]).code(), StatusCode::kIoError);
  EXPECT_EQ(tier_.OpenSource(entries_[0]).status().code(),
            StatusCode::kIoError);
}

TEST_F(PosixWarmTierTest, D12WriterDoesNotWriteThroughALink) {
  const std::filesystem::path victim = directory_.path() / "victim";
  std::ofstream(victim) << "precious";
  std::filesystem::create_symlink(
      victim, directory_.path() / "warm" / TemporarySegmentFileName(9));
  EXPECT_FALSE(SegmentFileWriter::Create(*files_, 9).ok());
  EXPECT_EQ(std::filesystem::file_size(victim), 8u);
}

}  // namespace
}  // namespace strata
