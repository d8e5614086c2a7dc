// What every FileSystem must do, as one suite. Include it in one test file of
// a program and instantiate it:
//
//   INSTANTIATE_TEST_SUITE_P(Posix, FileSystemContract,
//                            testing::Values(FileSystemMaker(&MakePosix)));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "io/file_system.h"

namespace strata {

struct FileSystemInstance {
  std::shared_ptr<void> keeper;  // what the file system lives in
  std::shared_ptr<FileSystem> fs;
};
// An empty file system.
using FileSystemMaker = std::function<FileSystemInstance()>;

// Creates `path` with `text` in it, not synced.
inline Status CreateWith(FileSystem& fs, std::string_view path,
                         std::string_view text) {
  STRATA_ASSIGN_OR_RETURN(auto file, fs.Open(path, OpenMode::kCreate));
  return file->Write(0, AsBytes(text));
}

// The whole file, or the name of the error's code in angle brackets.
inline std::string TextOf(FileSystem& fs, std::string_view path) {
  auto read = [&]() -> Result<std::string> {
    STRATA_ASSIGN_OR_RETURN(auto file, fs.Open(path, OpenMode::kRead));
    STRATA_ASSIGN_OR_RETURN(uint64_t size, file->Size());
    std::string text(size, '?');
    STRATA_ASSIGN_OR_RETURN(
        size_t n, file->Read(0, std::as_writable_bytes(std::span(text))));
    text.resize(n);
    return text;
  };
  Result<std::string> text = read();
  if (text.ok()) return *text;
  return "<" + std::string(StatusCodeName(text.status().code())) + ">";
}

class FileSystemContract : public testing::TestWithParam<FileSystemMaker> {
 protected:
  FileSystem& fs() { return *instance_.fs; }
  std::string TextOf(std::string_view path) {
    return strata::TextOf(fs(), path);
  }
  void Create(std::string_view path, std::string_view text) {
    ASSERT_EQ(CreateWith(fs(), path, text), Status::Ok());
  }
  StatusCode OpenCode(std::string_view path, OpenMode mode) {
    return fs().Open(path, mode).status().code();
  }
  std::unique_ptr<File> MustOpen(std::string_view path, OpenMode mode) {
    auto file = fs().Open(path, mode);
    EXPECT_EQ(file.status(), Status::Ok());
    return std::move(file).value();
  }
  std::vector<std::string> MustList(std::string_view path) {
    auto names = fs().List(path);
    EXPECT_EQ(names.status(), Status::Ok());
    return std::move(names).value();
  }

 private:
  FileSystemInstance instance_ = GetParam()();
};

TEST_P(FileSystemContract, MissingFileIsNotFound) {
  EXPECT_EQ(OpenCode("a", OpenMode::kRead), StatusCode::kNotFound);
  EXPECT_EQ(OpenCode("a", OpenMode::kReadWrite), StatusCode::kNotFound);
  EXPECT_EQ(OpenCode("no/a", OpenMode::kRead), StatusCode::kNotFound);
  EXPECT_EQ(OpenCode("no/a", OpenMode::kCreate), StatusCode::kNotFound);
  EXPECT_EQ(fs().Stat("a").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().Remove("a").code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().Rename("a", "b").code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().Link("a", "b").code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().List("a").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().SyncDirectory("a").code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().RemoveDirectory("a").code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().TryLock("no/a", "").status().code(), StatusCode::kNotFound);
}

TEST_P(FileSystemContract, ErrorNamesThePath) {
  auto file = fs().Open("dir/missing", OpenMode::kRead);
  EXPECT_THAT(file.status().message(), testing::HasSubstr("dir/missing"));
}

TEST_P(FileSystemContract, CreateRefusesExistingName) {
  Create("a", "old");
  ASSERT_EQ(fs().CreateDirectory("d"), Status::Ok());
  EXPECT_EQ(OpenCode("a", OpenMode::kCreate), StatusCode::kAlreadyExists);
  EXPECT_EQ(OpenCode("d", OpenMode::kCreate), StatusCode::kAlreadyExists);
  EXPECT_EQ(TextOf("a"), "old");
}

TEST_P(FileSystemContract, DirectoryIsNotAFile) {
  ASSERT_EQ(fs().CreateDirectory("d"), Status::Ok());
  EXPECT_EQ(OpenCode("d", OpenMode::kRead), StatusCode::kIoError);
  EXPECT_EQ(OpenCode("d", OpenMode::kReadWrite), StatusCode::kIoError);
  EXPECT_EQ(fs().Remove("d").code(), StatusCode::kIoError);
  EXPECT_EQ(fs().TryLock("d", "").status().code(), StatusCode::kIoError);
}

TEST_P(FileSystemContract, FileIsNotADirectory) {
  Create("a", "");
  EXPECT_EQ(OpenCode("a/b", OpenMode::kCreate), StatusCode::kIoError);
  EXPECT_EQ(fs().List("a").status().code(), StatusCode::kIoError);
  EXPECT_EQ(fs().SyncDirectory("a").code(), StatusCode::kIoError);
  EXPECT_EQ(fs().CreateDirectory("a").code(), StatusCode::kIoError);
  EXPECT_EQ(fs().CreateDirectory("a/b").code(), StatusCode::kIoError);
  EXPECT_EQ(fs().RemoveDirectory("a").code(), StatusCode::kIoError);
}

TEST_P(FileSystemContract, WriteIsReadBackThroughAnyHandle) {
  auto file = MustOpen("a", OpenMode::kCreate);
  ASSERT_EQ(file->Write(0, AsBytes("hello")), Status::Ok());
  ASSERT_EQ(file->Write(5, AsBytes(" world")), Status::Ok());
  ASSERT_EQ(file->Write(0, AsBytes("J")), Status::Ok());
  EXPECT_EQ(*file->Size(), 11u);
  EXPECT_EQ(TextOf("a"), "Jello world");
  EXPECT_EQ(file->Sync(), Status::Ok());
}

TEST_P(FileSystemContract, ReadIsShortOnlyAtTheEnd) {
  Create("a", "0123456789");
  auto file = MustOpen("a", OpenMode::kRead);
  std::array<std::byte, 4> out;
  EXPECT_EQ(*file->Read(0, out), 4u);
  EXPECT_EQ(*file->Read(8, out), 2u);
  EXPECT_EQ(AsText(std::span(out).first(2)), "89");
  EXPECT_EQ(*file->Read(10, out), 0u);
  EXPECT_EQ(*file->Read(1000, out), 0u);
  EXPECT_EQ(*file->Read(0, {}), 0u);
}

TEST_P(FileSystemContract, WritePastTheEndLeavesZerosBetween) {
  auto file = MustOpen("a", OpenMode::kCreate);
  ASSERT_EQ(file->Write(3, AsBytes("x")), Status::Ok());
  EXPECT_EQ(TextOf("a"), std::string("\0\0\0x", 4));
}

TEST_P(FileSystemContract, TruncateCutsAndExtendsWithZeros) {
  Create("a", "abcdef");
  auto file = MustOpen("a", OpenMode::kReadWrite);
  ASSERT_EQ(file->Truncate(2), Status::Ok());
  ASSERT_EQ(file->Truncate(4), Status::Ok());
  EXPECT_EQ(*file->Size(), 4u);
  EXPECT_EQ(TextOf("a"), std::string("ab\0\0", 4));
}

TEST_P(FileSystemContract, HandleForReadingDoesNotWrite) {
  Create("a", "abc");
  auto file = MustOpen("a", OpenMode::kRead);
  EXPECT_EQ(file->Write(0, AsBytes("x")).code(), StatusCode::kIoError);
  EXPECT_FALSE(file->Truncate(0).ok());
  EXPECT_EQ(TextOf("a"), "abc");
}

TEST_P(FileSystemContract, RenameReplaces) {
  Create("a", "new");
  Create("b", "old");
  auto old = MustOpen("b", OpenMode::kRead);
  ASSERT_EQ(fs().Rename("a", "b"), Status::Ok());
  EXPECT_EQ(TextOf("b"), "new");
  EXPECT_EQ(TextOf("a"), "<NotFound>");
  std::array<std::byte, 3> out;
  EXPECT_EQ(*old->Read(0, out), 3u);
  EXPECT_EQ(AsText(out), "old");  // the handle holds what it opened
}

TEST_P(FileSystemContract, RenameAcrossDirectories) {
  ASSERT_EQ(fs().CreateDirectory("x/y"), Status::Ok());
  ASSERT_EQ(fs().CreateDirectory("z"), Status::Ok());
  Create("x/y/a", "1");
  ASSERT_EQ(fs().Rename("x/y/a", "z/b"), Status::Ok());
  ASSERT_EQ(fs().Rename("z", "x/z"), Status::Ok());
  EXPECT_EQ(TextOf("x/z/b"), "1");
  EXPECT_THAT(MustList("x"), testing::ElementsAre("y", "z"));
}

TEST_P(FileSystemContract, LinkIsASecondNameAndRefusesExisting) {
  Create("a", "1");
  Create("b", "2");
  ASSERT_EQ(fs().Link("a", "c"), Status::Ok());
  EXPECT_EQ(fs().Link("a", "b").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(TextOf("b"), "2");
  EXPECT_EQ(fs().Stat("a")->inode, fs().Stat("c")->inode);
  ASSERT_EQ(fs().Remove("a"), Status::Ok());
  EXPECT_EQ(TextOf("c"), "1");
}

TEST_P(FileSystemContract, RemovedFileStaysReadableThroughItsHandle) {
  Create("a", "abc");
  auto file = MustOpen("a", OpenMode::kReadWrite);
  ASSERT_EQ(fs().Remove("a"), Status::Ok());
  EXPECT_EQ(TextOf("a"), "<NotFound>");
  EXPECT_EQ(file->Write(0, AsBytes("x")), Status::Ok());
  EXPECT_EQ(*file->Size(), 3u);
}

TEST_P(FileSystemContract, ListIsSortedAndNotRecursive) {
  EXPECT_THAT(MustList(""), testing::IsEmpty());
  ASSERT_EQ(fs().CreateDirectory("d/e"), Status::Ok());
  for (const char* name : {"b", "c", "B", "a", "d/x"}) Create(name, "");
  EXPECT_THAT(MustList(""), testing::ElementsAre("B", "a", "b", "c", "d"));
  EXPECT_THAT(MustList("d"), testing::ElementsAre("e", "x"));
}

TEST_P(FileSystemContract, CreateDirectoryMakesParentsAndMayRepeat) {
  ASSERT_EQ(fs().CreateDirectory("a/b/c"), Status::Ok());
  EXPECT_EQ(fs().CreateDirectory("a/b/c"), Status::Ok());
  EXPECT_EQ(fs().CreateDirectory("a"), Status::Ok());
  EXPECT_EQ(fs().CreateDirectory(""), Status::Ok());
  EXPECT_TRUE(fs().Stat("a/b/c")->is_directory);
  EXPECT_EQ(fs().SyncDirectory("a/b"), Status::Ok());
  EXPECT_EQ(fs().SyncDirectory(""), Status::Ok());
}

TEST_P(FileSystemContract, RemoveDirectoryOnlyWhenEmpty) {
  ASSERT_EQ(fs().CreateDirectory("a/b"), Status::Ok());
  EXPECT_EQ(fs().RemoveDirectory("a").code(), StatusCode::kIoError);
  ASSERT_EQ(fs().RemoveDirectory("a/b"), Status::Ok());
  ASSERT_EQ(fs().RemoveDirectory("a"), Status::Ok());
  EXPECT_THAT(MustList(""), testing::IsEmpty());
}

TEST_P(FileSystemContract, StatTellsSizeAndVersion) {
  Create("a", "12345");
  Create("b", "1");
  FileStat before = *fs().Stat("a");
  EXPECT_EQ(before.size_bytes, 5u);
  EXPECT_FALSE(before.is_directory);
  EXPECT_TRUE(fs().Stat("")->is_directory);
  ASSERT_EQ(fs().Rename("b", "a"), Status::Ok());
  EXPECT_NE(fs().Stat("a")->inode, before.inode);
}

TEST_P(FileSystemContract, D12InvalidPathsAreRefusedEverywhere) {
  const std::string_view invalid[] = {
      "..",   "../a", "a/..", "a/../b", ".",  "./a",
      "/abs", "a//b", "a/",   "a/./b",  "//", std::string_view("a\0b", 3)};
  for (std::string_view path : invalid) {
    SCOPED_TRACE(path);
    constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;
    EXPECT_EQ(OpenCode(path, OpenMode::kRead), kInvalid);
    EXPECT_EQ(OpenCode(path, OpenMode::kCreate), kInvalid);
    EXPECT_EQ(fs().Rename(path, "x").code(), kInvalid);
    EXPECT_EQ(fs().Link(path, "x").code(), kInvalid);
    EXPECT_EQ(fs().Remove(path).code(), kInvalid);
    EXPECT_EQ(fs().CreateDirectory(path).code(), kInvalid);
    EXPECT_EQ(fs().RemoveDirectory(path).code(), kInvalid);
    EXPECT_EQ(fs().SyncDirectory(path).code(), kInvalid);
    EXPECT_EQ(fs().List(path).status().code(), kInvalid);
    EXPECT_EQ(fs().Stat(path).status().code(), kInvalid);
    EXPECT_EQ(fs().TryLock(path, "").status().code(), kInvalid);
    EXPECT_EQ(fs().Lock(path).status().code(), kInvalid);
  }
  Create("x", "");
  EXPECT_EQ(fs().Rename("x", "../x").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(fs().Link("x", "../x").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenCode("", OpenMode::kRead), StatusCode::kInvalidArgument);
}

TEST_P(FileSystemContract, D11HarmlessDotsInANameAreAllowed) {
  Create("v1..v2", "1");
  Create("..a", "2");
  Create("...", "3");
  EXPECT_EQ(TextOf("v1..v2") + TextOf("..a") + TextOf("..."), "123");
}

TEST_P(FileSystemContract, LockConflictsUntilReleased) {
  auto first = fs().TryLock("LOCK", "pid 17 strata serve");
  ASSERT_EQ(first.status(), Status::Ok());
  auto second = fs().TryLock("LOCK", "pid 18");
  EXPECT_EQ(second.status().code(), StatusCode::kConflict);
  EXPECT_THAT(second.status().message(),
              testing::HasSubstr("pid 17 strata serve"));
  EXPECT_EQ(TextOf("LOCK"), "pid 17 strata serve");
  EXPECT_TRUE(fs().TryLock("OTHER", "").ok());
  EXPECT_TRUE(*fs().IsLocked("LOCK"));
  EXPECT_FALSE(*fs().IsLocked("OTHER")) << "let go of at once";
  EXPECT_FALSE(*fs().IsLocked("NONE"));
  EXPECT_EQ(fs().Stat("NONE").status().code(), StatusCode::kNotFound);
  *first = nullptr;
  EXPECT_FALSE(*fs().IsLocked("LOCK"));
  EXPECT_TRUE(fs().TryLock("LOCK", "pid 18").ok());
  EXPECT_EQ(TextOf("LOCK"), "pid 18");
}

TEST_P(FileSystemContract, LockWaitsForTheOther) {
  // Not ++: without the lock, increments get lost.
  std::atomic<int> count = 0;
  auto work = [&] {
    for (int i = 0; i < 100; ++i) {
      auto lock = fs().Lock("LOCK");
      EXPECT_EQ(lock.status(), Status::Ok());
      int before = count.load();
      std::this_thread::yield();
      count.store(before + 1);
    }
  };
  std::thread first(work), second(work), third(work);
  first.join();
  second.join();
  third.join();
  EXPECT_EQ(count.load(), 300);
}

TEST_P(FileSystemContract, MapShowsTheFileAsLongAsItWas) {
  std::string text(10'000, 'x');
  text.back() = 'y';
  Create("a", text);
  auto file = MustOpen("a", OpenMode::kReadWrite);
  auto mapping = file->Map();
  ASSERT_EQ(mapping.status(), Status::Ok());
  ASSERT_EQ(file->Write(text.size(), AsBytes("more")), Status::Ok());
  EXPECT_EQ(AsText((*mapping)->bytes()), text);
  EXPECT_FALSE((*mapping)->damaged());
  EXPECT_FALSE((*mapping)->DamagedIn(0, text.size()));
}

TEST_P(FileSystemContract, MapOutlivesHandleAndFile) {
  Create("a", "content");
  auto file = MustOpen("a", OpenMode::kRead);
  std::shared_ptr<Mapping> mapping = *file->Map();
  file = nullptr;
  Create("b", "another");
  ASSERT_EQ(fs().Rename("b", "a"), Status::Ok());
  ASSERT_EQ(fs().Remove("a"), Status::Ok());
  EXPECT_EQ(AsText(mapping->bytes()), "content");
  EXPECT_FALSE(mapping->damaged());
}

TEST_P(FileSystemContract, EmptyFileGivesAnEmptyMap) {
  auto file = MustOpen("a", OpenMode::kCreate);
  std::shared_ptr<Mapping> mapping = *file->Map();
  EXPECT_TRUE(mapping->bytes().empty());
  EXPECT_FALSE(mapping->damaged());
  EXPECT_FALSE(mapping->DamagedIn(0, 100));
}

TEST_P(FileSystemContract, TruncationUnderAMapDamagesLostPages) {
  constexpr size_t kPage = 4096;
  Create("a", std::string(4 * kPage, 'x'));
  auto file = MustOpen("a", OpenMode::kReadWrite);
  std::shared_ptr<Mapping> mapping = *file->Map();
  ASSERT_EQ(file->Truncate(2 * kPage), Status::Ok());
  ByteSpan bytes = mapping->bytes();
  EXPECT_EQ(bytes[2 * kPage - 1], std::byte{'x'});
  EXPECT_EQ(bytes[3 * kPage], std::byte{0});
  EXPECT_TRUE(mapping->damaged());
  EXPECT_TRUE(mapping->DamagedIn(3 * kPage, 1));
  EXPECT_TRUE(mapping->DamagedIn(0, 4 * kPage));
  EXPECT_FALSE(mapping->DamagedIn(0, 2 * kPage));
}

TEST_P(FileSystemContract, ThereAreFreeBytes) {
  ASSERT_EQ(fs().FreeBytes().status(), Status::Ok());
  EXPECT_GT(*fs().FreeBytes(), 0u);
}

TEST_P(FileSystemContract, HasAName) { EXPECT_NE(fs().Describe(), ""); }

}  // namespace strata
