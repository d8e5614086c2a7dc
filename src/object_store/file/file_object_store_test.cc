#include "object_store/file/file_object_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/posix_file_system.h"
#include "runtime/thread_runtime.h"
#include "testing/object_store_client.h"
#include "testing/sim_file_system.h"
#include "testing/sim_runtime.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

class FileObjectStoreTest : public testing::Test {
 protected:
  SimRuntime runtime{3};
  std::shared_ptr<SimFileSystem> disk = std::make_shared<SimFileSystem>(3);
  std::shared_ptr<ObjectStore> store = MakeFileObjectStore(disk, runtime);
  ObjectStoreClient client{*store, runtime};
};

TEST_F(FileObjectStoreTest, ObjectIsAFileUnderItsKey) {
  ASSERT_TRUE(client.Put("topics/x/0/seg", "bytes").ok());
  EXPECT_EQ(*disk->ReadFile("topics/x/0/seg"), "bytes");
}

TEST_F(FileObjectStoreTest, NoTemporaryStaysBehind) {
  ASSERT_TRUE(client.Put("a", "1").ok());
  ASSERT_TRUE(client.Put("b", "1", PutPrecondition::Absent()).ok());
  EXPECT_FALSE(client.Put("b", "2", PutPrecondition::Absent()).ok());
  EXPECT_FALSE(client.Put("b", "2", PutPrecondition::IfVersion("x")).ok());
  EXPECT_EQ(disk->Files(), (std::vector<std::string>{".lock", "a", "b"}));
}

TEST_F(FileObjectStoreTest, KeyOfADirectoryIsRefused) {
  ASSERT_TRUE(client.Put("dir/key", "x").ok());
  for (const auto& condition :
       {PutPrecondition::None(), PutPrecondition::Absent()}) {
    const Status status = client.Put("dir", "y", condition).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    EXPECT_NE(status.message().find("is a directory"), std::string::npos);
  }
  EXPECT_EQ(*client.Get("dir/key"), "x");
}

TEST_F(FileObjectStoreTest, KeyBeneathAnObjectIsRefused) {
  ASSERT_TRUE(client.Put("a/object", "x").ok());
  const Status status = client.Put("a/object/b/c", "y").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("a/object is an object"), std::string::npos)
      << status;
}

TEST_F(FileObjectStoreTest, ReservedAndOverlongNamesAreRefused) {
  for (const std::string& key :
       {std::string(".tmp/x"), std::string(".tmp"), std::string(".lock"),
        "a/" + std::string(256, 'n')}) {
    EXPECT_EQ(client.Put(key, "x").status().code(),
              StatusCode::kInvalidArgument);
    EXPECT_EQ(client.Get(key).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(client.Delete(key).code(), StatusCode::kInvalidArgument);
  }
}

TEST_F(FileObjectStoreTest, D25FullDiskChangesNothing) {
  ASSERT_TRUE(client.Put("key", "old").ok());
  disk->SetCapacity(disk->used_bytes() + 10);
  const Status status = client.Put("key", std::string(100, 'x')).status();
  EXPECT_EQ(status.code(), StatusCode::kNoSpace) << status;
  EXPECT_EQ(*client.Get("key"), "old");
  EXPECT_EQ(disk->Files(), (std::vector<std::string>{".lock", "key"}));
}

TEST_F(FileObjectStoreTest, FailedSyncOfTheFileChangesNothing) {
  ASSERT_TRUE(client.Put("key", "old").ok());
  disk->FailNext(FileOp::kSync, ".tmp/");
  EXPECT_EQ(client.Put("key", "new").status().code(), StatusCode::kIoError);
  EXPECT_EQ(*client.Get("key"), "old");
}

TEST_F(FileObjectStoreTest, FailedRenameIsUnknown) {
  disk->FailNext(FileOp::kRename);
  EXPECT_EQ(client.Put("key", "new").status().code(), StatusCode::kUnknown);
  disk->FailNext(FileOp::kLink);
  EXPECT_EQ(client.Put("key", "new", PutPrecondition::Absent()).status().code(),
            StatusCode::kUnknown);
}

TEST_F(FileObjectStoreTest, FailedDirectorySyncIsUnknown) {
  ASSERT_TRUE(client.Put("dir/other", "x").ok());
  disk->FailNext(FileOp::kSyncDirectory, "dir");
  EXPECT_EQ(client.Put("dir/key", "new").status().code(), StatusCode::kUnknown);
  disk->FailNext(FileOp::kSyncDirectory, "dir");
  EXPECT_EQ(client.Delete("dir/key").code(), StatusCode::kUnknown);
}

TEST_F(FileObjectStoreTest, LeftoversOfTheDeadGoWhenOld) {
  const std::string leftover = ".tmp/0123456789abcdef0123456789abcdef";
  disk->WriteFile(leftover, "half an obj");
  disk->WriteFile(".tmp/keep-me", "not ours");
  ASSERT_TRUE(client.Put("key", "x").ok());
  // The simulated disk counts its time from 1970.
  EXPECT_EQ(disk->Files(),
            (std::vector<std::string>{".lock", ".tmp/keep-me", "key"}));
}

// Whatever the disk makes of a crash between any two of its changes, an object
// is there whole or not at all, and there when the Put was answered.
class CrashTest : public testing::TestWithParam<PutPrecondition::Kind> {
 protected:
  static constexpr char kKey[] = "topics/t/0/object";

  // Old and new content, long enough to be torn.
  const std::string old_bytes = std::string(5000, 'o');
  const std::string new_bytes = std::string(9000, 'n');

  PutPrecondition Condition(ObjectStoreClient& client) {
    switch (GetParam()) {
      case PutPrecondition::Kind::kNone: return PutPrecondition::None();
      case PutPrecondition::Kind::kAbsent: return PutPrecondition::Absent();
      case PutPrecondition::Kind::kVersion:
        return PutPrecondition::IfVersion(client.Head(kKey)->version);
    }
    return {};
  }
};

TEST_P(CrashTest, D09D25NoTornObjectUnderItsName) {
  const bool replaces = GetParam() != PutPrecondition::Kind::kAbsent;
  bool finished = false;
  for (uint64_t operations = 0; !finished; ++operations) {
    ASSERT_LT(operations, 100u);
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(testing::Message()
                   << operations << " operations, seed " << seed);
      SimRuntime runtime(seed);
      auto disk = std::make_shared<SimFileSystem>(seed);
      auto store = MakeFileObjectStore(disk, runtime);
      ObjectStoreClient client(*store, runtime);
      if (replaces) {
        ASSERT_TRUE(client.Put(kKey, old_bytes).ok());
      }
      const PutPrecondition condition = Condition(client);
      disk->CrashAfter(operations);
      const Status put = client.Put(kKey, new_bytes, condition).status();
      finished = !disk->frozen();
      disk->Crash();

      auto reopened = MakeFileObjectStore(disk, runtime);
      ObjectStoreClient after(*reopened, runtime);
      const auto found = after.Get(kKey);
      if (put.ok()) {
        ASSERT_TRUE(found.ok()) << found.status();
        ASSERT_EQ(*found, new_bytes);
      } else if (found.ok()) {
        ASSERT_TRUE(*found == new_bytes || (replaces && *found == old_bytes));
      } else {
        ASSERT_EQ(found.status().code(), StatusCode::kNotFound);
        ASSERT_FALSE(replaces) << "the old object is gone";
      }
      // Nothing else shows, and the store goes on.
      ASSERT_EQ(after.Keys().size(), found.ok() ? 1u : 0u);
      ASSERT_TRUE(after.Put(kKey, "next").ok());
      ASSERT_EQ(*after.Get(kKey), "next");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Conditions, CrashTest,
                         testing::Values(PutPrecondition::Kind::kNone,
                                         PutPrecondition::Kind::kAbsent,
                                         PutPrecondition::Kind::kVersion));

// --- On the real file system ---

class PosixFileObjectStoreTest : public testing::Test {
 protected:
  std::shared_ptr<FileSystem> OpenFiles() {
    auto files = OpenPosixFileSystem(directory.path() / "cold", true);
    EXPECT_TRUE(files.ok()) << files.status();
    return *std::move(files);
  }

  TempDir directory;
  std::unique_ptr<Runtime> runtime = MakeThreadRuntime();
  std::shared_ptr<ObjectStore> store =
      MakeFileObjectStore(OpenFiles(), *runtime);
  ObjectStoreClient client{*store, *runtime};
};

TEST_F(PosixFileObjectStoreTest, D11SymlinksLeadNowhere) {
  namespace fs = std::filesystem;
  const fs::path outside = directory.path() / "outside";
  fs::create_directory(outside);
  std::ofstream(outside / "secret") << "secret";
  fs::create_directory_symlink(outside, directory.path() / "cold/link");
  fs::create_symlink(outside / "secret", directory.path() / "cold/leaf");

  // The leaf does not exist: the seed followed the link then.
  EXPECT_FALSE(client.Put("link/new", "x").ok());
  EXPECT_FALSE(client.Put("link/a/b", "x").ok());
  EXPECT_FALSE(client.Put("leaf", "x").ok());
  EXPECT_FALSE(client.Put("leaf", "x", PutPrecondition::Absent()).ok());
  EXPECT_FALSE(client.Get("link/secret").ok());
  EXPECT_FALSE(client.Get("leaf").ok());
  EXPECT_FALSE(client.Delete("link/secret").ok());
  std::string content;
  std::ifstream(outside / "secret") >> content;
  EXPECT_EQ(content, "secret");
  EXPECT_EQ(std::distance(fs::directory_iterator(outside), {}), 1);
}

TEST_F(PosixFileObjectStoreTest, VersionSurvivesReopening) {
  const auto version = client.Put("key", "x", PutPrecondition::Absent());
  ASSERT_TRUE(version.ok());
  auto again = MakeFileObjectStore(OpenFiles(), *runtime);
  EXPECT_EQ(ObjectStoreClient(*again, *runtime).Head("key")->version, *version);
}

// Two stores on one directory are as two processes: only files connect them.
TEST_F(PosixFileObjectStoreTest, TwoStoresCountTogetherWithoutLoss) {
  auto other = MakeFileObjectStore(OpenFiles(), *runtime);
  ASSERT_TRUE(client.Put("counter", "0").ok());
  struct Count {
    std::atomic<int> left{2};
    std::unique_ptr<Event> over;
  };
  constexpr int kRounds = 50;
  auto count = std::make_shared<Count>();
  count->over = runtime->NewEvent();
  for (ObjectStore* mine : {store.get(), other.get()}) {
    runtime->job_executor().Post([this, mine, count] {
      ObjectStoreClient counting(*mine, *runtime);
      for (int done = 0; done < kRounds;) {
        const auto version = counting.Head("counter");
        const auto value = counting.Get("counter");
        const auto put =
            counting.Put("counter", std::to_string(std::stoi(*value) + 1),
                         PutPrecondition::IfVersion(version->version));
        done += put.ok();
        EXPECT_TRUE(put.ok() || put.status().code() == StatusCode::kConflict)
            << put.status();
      }
      if (--count->left == 0) count->over->Set();
    });
  }
  count->over->WaitUntil(std::nullopt);
  EXPECT_EQ(*client.Get("counter"), std::to_string(2 * kRounds));
}

}  // namespace
}  // namespace strata
