#include "io/posix_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "testing/file_system_contract.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

namespace stdfs = std::filesystem;
using testing::HasSubstr;

FileSystemInstance MakePosix() {
  auto dir = std::make_shared<TempDir>();
  return {.keeper = dir, .fs = *OpenPosixFileSystem(dir->path(), false)};
}
INSTANTIATE_TEST_SUITE_P(Posix, FileSystemContract,
                         testing::Values(FileSystemMaker(&MakePosix)));

// A root with a directory beside it where nothing may ever arrive.
class PosixFileSystemTest : public testing::Test {
 protected:
  PosixFileSystemTest() {
    stdfs::create_directories(root_);
    stdfs::create_directories(outside_);
    fs_ = *OpenPosixFileSystem(root_, false);
  }

  bool OutsideIsEmpty() const { return stdfs::is_empty(outside_); }
  void PutOutside(const char* name) {
    std::ofstream(outside_ / name) << "secret";
  }
  StatusCode OpenCode(std::string_view path, OpenMode mode) {
    return fs_->Open(path, mode).status().code();
  }

  TempDir dir_;
  const stdfs::path root_ = dir_.path() / "root";
  const stdfs::path outside_ = dir_.path() / "outside";
  std::unique_ptr<FileSystem> fs_;
};

TEST_F(PosixFileSystemTest, D11SymlinkWithMissingLeafDoesNotLeadOut) {
  stdfs::create_directory_symlink(outside_, root_ / "link");
  auto file = fs_->Open("link/new", OpenMode::kCreate);
  EXPECT_EQ(file.status().code(), StatusCode::kIoError);
  EXPECT_THAT(file.status().message(), HasSubstr("symbolic links"));
  EXPECT_EQ(fs_->CreateDirectory("link/dir").code(), StatusCode::kIoError);
  EXPECT_EQ(fs_->CreateDirectory("link").code(), StatusCode::kIoError);
  EXPECT_EQ(fs_->TryLock("link/LOCK", "").status().code(),
            StatusCode::kIoError);
  ASSERT_EQ(CreateWith(*fs_, "mine", "x"), Status::Ok());
  EXPECT_EQ(fs_->Rename("mine", "link/mine").code(), StatusCode::kIoError);
  EXPECT_EQ(fs_->Link("mine", "link/mine").code(), StatusCode::kIoError);
  EXPECT_TRUE(OutsideIsEmpty());
}

TEST_F(PosixFileSystemTest, D11SymlinkWithExistingLeafDoesNotLeadOut) {
  PutOutside("leaf");
  stdfs::create_directory_symlink(outside_, root_ / "link");
  EXPECT_EQ(OpenCode("link/leaf", OpenMode::kRead), StatusCode::kIoError);
  EXPECT_EQ(OpenCode("link/leaf", OpenMode::kReadWrite), StatusCode::kIoError);
  EXPECT_EQ(fs_->Stat("link/leaf").status().code(), StatusCode::kIoError);
  EXPECT_EQ(fs_->List("link").status().code(), StatusCode::kIoError);
  EXPECT_EQ(fs_->Remove("link/leaf").code(), StatusCode::kIoError);
  EXPECT_EQ(fs_->Rename("link/leaf", "mine").code(), StatusCode::kIoError);
  EXPECT_EQ(fs_->Link("link/leaf", "mine").code(), StatusCode::kIoError);
  EXPECT_TRUE(stdfs::exists(outside_ / "leaf"));
}

TEST_F(PosixFileSystemTest, D11LeafThatIsASymlinkIsNotFollowed) {
  PutOutside("there");
  stdfs::create_symlink(outside_ / "missing", root_ / "dangling");
  stdfs::create_symlink(outside_ / "there", root_ / "link");
  EXPECT_EQ(OpenCode("dangling", OpenMode::kCreate),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(fs_->TryLock("dangling", "").status().code(), StatusCode::kIoError);
  EXPECT_FALSE(stdfs::exists(outside_ / "missing"));
  EXPECT_EQ(OpenCode("link", OpenMode::kRead), StatusCode::kIoError);
  EXPECT_EQ(OpenCode("link", OpenMode::kReadWrite), StatusCode::kIoError);
  EXPECT_EQ(fs_->Stat("link").status().code(), StatusCode::kIoError);
}

TEST_F(PosixFileSystemTest, D11SymlinkWithinTheRootIsNotFollowedEither) {
  ASSERT_EQ(CreateWith(*fs_, "a", "1"), Status::Ok());
  stdfs::create_symlink("a", root_ / "b");
  EXPECT_EQ(OpenCode("b", OpenMode::kRead), StatusCode::kIoError);
}

TEST_F(PosixFileSystemTest, RemoveOfASymlinkRemovesTheLink) {
  PutOutside("there");
  stdfs::create_symlink(outside_ / "there", root_ / "link");
  EXPECT_EQ(fs_->Remove("link"), Status::Ok());
  EXPECT_TRUE(stdfs::exists(outside_ / "there"));
}

TEST_F(PosixFileSystemTest, FifoIsRefusedWithoutWaiting) {
  ASSERT_EQ(::mkfifo((root_ / "fifo").c_str(), 0600), 0);
  auto file = fs_->Open("fifo", OpenMode::kRead);
  EXPECT_EQ(file.status().code(), StatusCode::kIoError);
  EXPECT_THAT(file.status().message(), HasSubstr("not a regular file"));
  EXPECT_EQ(fs_->Stat("fifo").status().code(), StatusCode::kIoError);
}

TEST_F(PosixFileSystemTest, RootIsCreatedWithItsParentsWhenAsked) {
  stdfs::path root = dir_.path() / "x" / "y" / "z";
  EXPECT_EQ(OpenPosixFileSystem(root, false).status().code(),
            StatusCode::kNotFound);
  auto fs = OpenPosixFileSystem(root / "", true);
  ASSERT_EQ(fs.status(), Status::Ok());
  EXPECT_EQ((*fs)->Describe(), root.string());
  ASSERT_EQ(CreateWith(**fs, "a", "1"), Status::Ok());
  EXPECT_TRUE(stdfs::exists(root / "a"));
  EXPECT_TRUE(OpenPosixFileSystem(root, true).ok());
}

TEST_F(PosixFileSystemTest, RootThatIsAFileIsRefused) {
  std::ofstream(dir_.path() / "file") << "x";
  EXPECT_EQ(OpenPosixFileSystem(dir_.path() / "file", true).status().code(),
            StatusCode::kIoError);
  EXPECT_EQ(OpenPosixFileSystem(dir_.path() / "file/x", true).status().code(),
            StatusCode::kIoError);
  EXPECT_EQ(OpenPosixFileSystem("", true).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(PosixFileSystemTest, ErrorCarriesOperationFullPathAndErrno) {
  auto file = fs_->Open("a/b", OpenMode::kRead);
  EXPECT_EQ(
      file.status().message(),
      "open " + root_.string() + "/a/b: No such file or directory (errno 2)");
}

TEST_F(PosixFileSystemTest, PositionBeyondTheFileSystemIsAnErrorWithPosition) {
  ASSERT_EQ(CreateWith(*fs_, "a", "1"), Status::Ok());
  auto file = *fs_->Open("a", OpenMode::kReadWrite);
  Status status = file->Write(~uint64_t{0}, AsBytes("x"));
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_THAT(status.message(), HasSubstr("at 18446744073709551615"));
  std::byte out;
  EXPECT_EQ(file->Read(~uint64_t{0}, {&out, 1}).status().code(),
            StatusCode::kIoError);
}

TEST_F(PosixFileSystemTest, LockConflictsBetweenTwoFileSystems) {
  auto other = *OpenPosixFileSystem(root_, false);
  auto lock = fs_->TryLock("LOCK", "first");
  ASSERT_TRUE(lock.ok());
  Status status = other->TryLock("LOCK", "second").status();
  EXPECT_EQ(status.code(), StatusCode::kConflict);
  EXPECT_THAT(status.message(), HasSubstr("held by first"));
  *lock = nullptr;
  EXPECT_TRUE(other->TryLock("LOCK", "second").ok());
}

}  // namespace
}  // namespace strata
