#include "warm/warm_file_cache.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "segment/segment_file_writer.h"
#include "testing/segment_samples.h"
#include "testing/sim_file_system.h"

namespace strata {
namespace {

// Does something of the test's choice while a file is being opened.
class InterruptedFiles final : public FileSystem {
 public:
  explicit InterruptedFiles(FileSystem& base) : base_(base) {}
  std::function<void()> while_opening = [] {};

  Result<std::unique_ptr<File>> Open(std::string_view path,
                                     OpenMode mode) override {
    auto file = base_.Open(path, mode);
    std::exchange(while_opening, [] {})();
    return file;
  }
  std::string Describe() const override { return base_.Describe(); }
  Status Rename(std::string_view from, std::string_view to) override {
    return base_.Rename(from, to);
  }
  Status Link(std::string_view from, std::string_view to) override {
    return base_.Link(from, to);
  }
  Status Remove(std::string_view path) override { return base_.Remove(path); }
  Status CreateDirectory(std::string_view path) override {
    return base_.CreateDirectory(path);
  }
  Status RemoveDirectory(std::string_view path) override {
    return base_.RemoveDirectory(path);
  }
  Status SyncDirectory(std::string_view path) override {
    return base_.SyncDirectory(path);
  }
  Result<std::vector<std::string>> List(std::string_view path) override {
    return base_.List(path);
  }
  Result<FileStat> Stat(std::string_view path) override {
    return base_.Stat(path);
  }
  Result<bool> IsLocked(std::string_view path) override {
    return base_.IsLocked(path);
  }
  Result<std::unique_ptr<FileLock>> TryLock(std::string_view path,
                                            std::string_view note) override {
    return base_.TryLock(path, note);
  }
  Result<std::unique_ptr<FileLock>> Lock(std::string_view path) override {
    return base_.Lock(path);
  }
  Result<uint64_t> FreeBytes() override { return base_.FreeBytes(); }

 private:
  FileSystem& base_;
};

class WarmFileCacheTest : public ::testing::Test {
 protected:
  WarmFileCacheTest() : files_(disk_), cache_(files_, {.max_open_files = 2}) {
    sample_.AddMany(0, 4, 100);
    for (uint64_t number = 1; number <= 3; ++number) {
      auto writer = *SegmentFileWriter::Create(disk_, number);
      EXPECT_TRUE(writer->Add(sample_.Spec(), sample_.batches()).ok());
      EXPECT_EQ(writer->Finish(), Status::Ok());
    }
  }

  SimFileSystem disk_;
  InterruptedFiles files_;
  SampleBatches sample_;
  WarmFileCache cache_;
};

TEST_F(WarmFileCacheTest, OpenFileIsFoundAgain) {
  EXPECT_EQ(cache_.Find(1), nullptr);
  const auto file = cache_.Open(1);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(cache_.Find(1), *file);
  EXPECT_EQ(*cache_.Open(1), *file);
  EXPECT_EQ(cache_.stats().open_files, 1u);
  EXPECT_EQ(cache_.stats().mapped_bytes, (*file)->mapped_bytes());
}

TEST_F(WarmFileCacheTest, LeastRecentlyUsedGoesFirst) {
  ASSERT_TRUE(cache_.Open(1).ok());
  ASSERT_TRUE(cache_.Open(2).ok());
  ASSERT_NE(cache_.Find(1), nullptr);
  ASSERT_TRUE(cache_.Open(3).ok());
  EXPECT_EQ(cache_.Find(2), nullptr);
  EXPECT_NE(cache_.Find(1), nullptr);
  EXPECT_NE(cache_.Find(3), nullptr);
  EXPECT_EQ(cache_.stats().open_files, 2u);
}

TEST_F(WarmFileCacheTest, LimitOfZeroStillOpensOne) {
  WarmFileCache cache(files_, {.max_open_files = 0});
  EXPECT_TRUE(cache.Open(1).ok());
  EXPECT_TRUE(cache.Open(2).ok());
  EXPECT_EQ(cache.stats().open_files, 1u);
}

TEST_F(WarmFileCacheTest, FileForgottenWhileItIsOpenedIsNotKept) {
  files_.while_opening = [this] { cache_.Forget(1); };
  EXPECT_TRUE(cache_.Open(1).ok());
  EXPECT_EQ(cache_.stats().open_files, 0u);
  EXPECT_EQ(cache_.Find(1), nullptr);
}

TEST_F(WarmFileCacheTest, TwoThatOpenTheSameFileShareTheFirstOne) {
  std::shared_ptr<WarmFile> first;
  files_.while_opening = [&] { first = *cache_.Open(1); };
  EXPECT_EQ(*cache_.Open(1), first);
  EXPECT_EQ(cache_.stats().open_files, 1u);
  EXPECT_EQ(cache_.stats().mapped_bytes, first->mapped_bytes());
}

}  // namespace
}  // namespace strata
