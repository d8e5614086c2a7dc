#include "manifest/manifest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "io/posix_file_system.h"
#include "manifest/manifest_reader.h"
#include "runtime/thread_runtime.h"
#include "testing/sim_file_system.h"
#include "testing/sim_runtime.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

constexpr uint64_t kReserve = 64 << 10;

TopicId Topic(uint64_t n) {
  TopicId id;
  for (size_t i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<std::byte>(n >> (8 * i));
  }
  return id;
}

// Edit number `n`: creates topic n.
ManifestEdit Create(uint64_t n) {
  return {{TopicCreated{
      .id = Topic(n), .name = "topic-" + std::to_string(n), .partitions = 1}}};
}

ManifestEdit Refused() { return {{TopicDeleted{Topic(999999)}}}; }

// A manifest on a simulated disk.
class ManifestTest : public testing::Test {
 protected:
  Result<ManifestOpened> TryOpen() {
    return Manifest::Open(disk_, runtime_, options_);
  }

  void Open() {
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status();
    opened_ = *std::move(opened);
    EXPECT_TRUE(opened_.state.CheckInvariants().ok());
  }

  Manifest& manifest() { return *opened_.manifest; }

  // Starts a commit; its answer goes to answers_.
  void Commit(ManifestEdit edit) {
    const size_t slot = answers_.size();
    answers_.emplace_back();
    manifest().Commit(std::move(edit), [this, slot](Status status) {
      EXPECT_FALSE(answers_[slot]) << "answered twice";
      answers_[slot] = std::move(status);
      order_.push_back(slot);
    });
  }

  Status CommitAndWait(ManifestEdit edit) {
    Commit(std::move(edit));
    runtime_.RunUntilIdle();
    return answers_.back().value_or(Status(StatusCode::kIoError, "unanswered"));
  }

  Status Close() {
    std::optional<Status> closed;
    manifest().Close([&](Status status) { closed = std::move(status); });
    runtime_.RunUntilIdle();
    return closed.value_or(Status(StatusCode::kIoError, "unanswered"));
  }

  // As after kill -9 and loss of power.
  void Crash(SimUnsyncedFate fate = SimUnsyncedFate::kLost) {
    runtime_.DropAllTasks();
    opened_ = {};
    disk_.Crash(fate);
  }

  std::string Newest() {
    const auto found = ListManifestFiles(disk_);
    return ManifestName(found->whole.back());
  }
  static std::string ManifestName(uint64_t number) {
    std::string digits = std::to_string(number);
    return "manifest/MANIFEST-" + std::string(20 - digits.size(), '0') + digits;
  }
  std::vector<std::string> ManifestFilesOnDisk() {
    std::vector<std::string> files;
    for (const std::string& path : disk_.Files()) {
      if (path.find("MANIFEST") != std::string::npos) files.push_back(path);
    }
    return files;
  }

  size_t topics() {
    return manifest().WithState(
        [](const ManifestState& state) { return state.topics().size(); });
  }

  SimFileSystem disk_{7};
  SimRuntime runtime_{7};
  ManifestOptions options_{.reserve_bytes = kReserve,
                           .roll_bytes = 1 << 20,
                           .create_if_missing = true};
  ManifestOpened opened_;
  std::vector<std::optional<Status>> answers_;
  std::vector<size_t> order_;
};

TEST_F(ManifestTest, FirstOpenCreatesAStoreWithAnIdOfItsOwn) {
  Open();
  EXPECT_TRUE(opened_.created);
  EXPECT_NE(opened_.store_id, TopicId());
  const TopicId id = opened_.store_id;
  Crash();
  Open();
  EXPECT_FALSE(opened_.created);
  EXPECT_EQ(opened_.store_id, id);
}

TEST_F(ManifestTest, AbsentManifestIsNotFoundUnlessItMayBeCreated) {
  options_.create_if_missing = false;
  EXPECT_EQ(TryOpen().status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(ManifestFilesOnDisk().empty());
}

TEST_F(ManifestTest, AnsweredEditSurvivesPowerLoss) {
  Open();
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  ASSERT_TRUE(CommitAndWait(Create(2)).ok());
  Crash();
  Open();
  EXPECT_EQ(opened_.state.topics().size(), 2u);
  EXPECT_TRUE(opened_.state == manifest().Snapshot());
}

TEST_F(ManifestTest, AnswerComesFromTheExecutorNotFromTheCall) {
  Open();
  Commit(Create(1));
  EXPECT_FALSE(answers_[0]);
}

TEST_F(ManifestTest, WaitingEditsShareOneWriteAndSync) {
  Open();
  const uint64_t syncs = disk_.sync_count();
  const uint64_t writes = disk_.write_count();
  for (uint64_t i = 0; i < 20; ++i) Commit(Create(i));
  runtime_.RunUntilIdle();
  EXPECT_EQ(disk_.sync_count() - syncs, 1u);
  EXPECT_EQ(disk_.write_count() - writes, 1u);
  EXPECT_EQ(manifest().stats().commits, 20u);
  EXPECT_EQ(manifest().stats().syncs, 1u);
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(answers_[i]->ok());
    EXPECT_EQ(order_[i], i);
  }
}

TEST_F(ManifestTest, EditThatContradictsTheStateIsAConflictAndLeavesTheRest) {
  Open();
  Commit(Create(1));
  Commit(Create(1));
  Commit(Create(2));
  runtime_.RunUntilIdle();
  EXPECT_TRUE(answers_[0]->ok());
  EXPECT_EQ(answers_[1]->code(), StatusCode::kConflict);
  EXPECT_TRUE(answers_[2]->ok());
  EXPECT_EQ(order_, (std::vector<size_t>{0, 1, 2}));
  Crash();
  Open();
  EXPECT_EQ(topics(), 2u);
}

TEST_F(ManifestTest, ConflictAloneWritesNothing) {
  Open();
  const uint64_t changes = disk_.change_count();
  EXPECT_EQ(CommitAndWait(Refused()).code(), StatusCode::kConflict);
  EXPECT_EQ(disk_.change_count(), changes);
}

TEST_F(ManifestTest, OversizedEditIsRefused) {
  Open();
  const ManifestEdit edit{
      {UnknownOp{.tag = 2, .body = std::string(kMaxManifestEditBytes, 'x')}}};
  EXPECT_EQ(CommitAndWait(edit).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(CommitAndWait(Create(1)).ok());
}

TEST_F(ManifestTest, TooManyWaitingEditsAreOverloaded) {
  Open();
  for (size_t i = 0; i < 65537; ++i) Commit(Refused());
  runtime_.RunUntilIdle();
  EXPECT_EQ(answers_[65535]->code(), StatusCode::kConflict);
  EXPECT_EQ(answers_[65536]->code(), StatusCode::kOverloaded);
}

TEST_F(ManifestTest, EditsCommittedBeforeDestructionBecomeDurable) {
  Open();
  Commit(Create(1));
  opened_.manifest.reset();
  runtime_.RunUntilIdle();
  ASSERT_TRUE(answers_[0]);
  EXPECT_TRUE(answers_[0]->ok());
  Crash();
  Open();
  EXPECT_EQ(topics(), 1u);
}

TEST_F(ManifestTest, CloseLetsWaitingEditsFinishAndRefusesLaterOnes) {
  Open();
  Commit(Create(1));
  EXPECT_TRUE(Close().ok());
  EXPECT_TRUE(answers_[0]->ok());
  EXPECT_EQ(CommitAndWait(Create(2)).code(), StatusCode::kClosed);
  EXPECT_TRUE(Close().ok());
  Crash();
  Open();
  EXPECT_EQ(topics(), 1u);
}

TEST_F(ManifestTest, TornTailIsIgnoredAndCountedAtOpen) {
  Open();
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  const std::string path = Newest();
  const uint64_t good = disk_.ReadFile(path)->size();
  ASSERT_TRUE(CommitAndWait(Create(2)).ok());
  Crash();
  disk_.TruncateFile(path, good + 30);
  Open();
  EXPECT_EQ(opened_.torn_bytes, 30u);
  EXPECT_EQ(topics(), 1u);
  ASSERT_TRUE(CommitAndWait(Create(3)).ok());
}

TEST_F(ManifestTest, DamagedRecordBeforeAnotherIsDataLossWithPlace) {
  Open();
  const uint64_t at = disk_.ReadFile(Newest())->size();
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  ASSERT_TRUE(CommitAndWait(Create(2)).ok());
  const std::string path = Newest();
  Crash();
  disk_.FlipBit(path, at + 30);
  const Status status = TryOpen().status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(status.message().find(path), std::string::npos) << status;
  EXPECT_NE(status.message().find(" at " + std::to_string(at)),
            std::string::npos)
      << status;
  EXPECT_NE(status.message().find("expected"), std::string::npos) << status;
}

TEST_F(ManifestTest, CleanCloseMakesDamageOfTheLastEditVisible) {
  Open();
  const uint64_t at = disk_.ReadFile(Newest())->size();
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  ASSERT_TRUE(Close().ok());
  Crash();
  disk_.FlipBit(Newest(), at + 30);
  EXPECT_EQ(TryOpen().status().code(), StatusCode::kDataLoss);
}

TEST_F(ManifestTest, DamagedSnapshotIsDataLossEvenBesideAnOlderFile) {
  Open();
  const std::string older = Newest();
  const std::string bytes = *disk_.ReadFile(older);
  Crash();
  Open();
  Crash();
  disk_.WriteFile(older, bytes);
  disk_.FlipBit(Newest(), 60);
  EXPECT_EQ(TryOpen().status().code(), StatusCode::kDataLoss);
}

TEST_F(ManifestTest, FileUnderAnotherNumberIsDataLoss) {
  Open();
  const std::string bytes = *disk_.ReadFile(Newest());
  Crash();
  disk_.WriteFile(ManifestName(77), bytes);
  const Status status = TryOpen().status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("expected number 77, found 1"),
            std::string::npos)
      << status;
}

TEST_F(ManifestTest, EditThatBreaksAnInvariantOnDiskIsDataLoss) {
  Open();
  const std::string path = Newest();
  std::string bytes = *disk_.ReadFile(path);
  Crash();
  AppendManifestRecord(
      {.number = 1, .position = bytes.size(), .synced_through = bytes.size()},
      AsBytes(EncodeManifestEdit(Refused())), bytes);
  disk_.WriteFile(path, bytes);
  EXPECT_EQ(TryOpen().status().code(), StatusCode::kDataLoss);
}

TEST_F(ManifestTest, OpenGoesOnInAFileOfItsOwnAndRemovesOthers) {
  Open();
  EXPECT_EQ(Newest(), ManifestName(1));
  Crash();
  disk_.WriteFile(ManifestName(8) + ".tmp", "half a snapshot");
  disk_.WriteFile("manifest/NOTES", "of the operator");
  Open();
  EXPECT_EQ(ManifestFilesOnDisk(), std::vector<std::string>{ManifestName(9)});
  EXPECT_TRUE(disk_.ReadFile("manifest/NOTES").ok());
}

TEST_F(ManifestTest, GrownLogIsReplacedByASnapshot) {
  options_.roll_bytes = 4096;
  Open();
  for (uint64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(CommitAndWait(Create(i)).ok());
    ASSERT_TRUE(CommitAndWait({{TopicDeleted{Topic(i)}}}).ok());
  }
  EXPECT_EQ(manifest().stats().rolls, 2u);  // the open's and one more
  EXPECT_EQ(ManifestFilesOnDisk().size(), 1u);
  EXPECT_EQ(Newest(), ManifestName(manifest().stats().file_number));
  ASSERT_TRUE(CommitAndWait(Create(1000)).ok());
  Crash();
  Open();
  EXPECT_EQ(topics(), 1u);
}

TEST_F(ManifestTest, SnapshotHoldsWhatIsSaidBeforeIt) {
  options_.roll_bytes = 4096;
  Open();
  ASSERT_TRUE(CommitAndWait(Create(1000)).ok());
  int asked = 0;
  manifest().BeforeSnapshots([&]() -> std::vector<ManifestEdit> {
    ++asked;
    PartitionChanged read{.partition = {Topic(1000), 0}};
    read.access = {{Offset(0), {.segment = 0, .count = 8, .last = 9}}};
    const PartitionChanged unknown{.partition = {Topic(2000), 0}};
    return {{.ops = {unknown}}, {.ops = {read}}};
  });
  for (uint64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(CommitAndWait(Create(i)).ok());
    ASSERT_TRUE(CommitAndWait({{TopicDeleted{Topic(i)}}}).ok());
  }
  EXPECT_EQ(asked, 1);
  Crash();
  Open();
  manifest().WithState([](const ManifestState& state) {
    EXPECT_EQ(state.partition({Topic(1000), 0}).access.at(Offset(0)).count, 8u);
  });
}

TEST_F(ManifestTest, FailedSyncMovesTheStateToANewFile) {
  Open();
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  const std::string old = Newest();
  disk_.FailNext(FileOp::kSync, old);
  Commit(Create(2));
  Commit(Create(3));
  runtime_.RunUntilIdle();
  EXPECT_TRUE(answers_[1]->ok());
  EXPECT_TRUE(answers_[2]->ok());
  EXPECT_EQ(ManifestFilesOnDisk().size(), 1u);
  EXPECT_NE(Newest(), old);
  ASSERT_TRUE(CommitAndWait(Create(4)).ok());
  Crash();
  Open();
  EXPECT_EQ(topics(), 4u);
}

TEST_F(ManifestTest, FailedWriteMovesTheStateToANewFile) {
  Open();
  disk_.FailNext(FileOp::kWrite, Newest());
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  EXPECT_TRUE(manifest().status().ok());
  Crash();
  Open();
  EXPECT_EQ(topics(), 1u);
}

TEST_F(ManifestTest, FailureOfTheNewFileTooIsUnknownAndThenReadOnly) {
  for (const FileOp op : {FileOp::kCreate, FileOp::kWrite, FileOp::kSync,
                          FileOp::kRename, FileOp::kSyncDirectory}) {
    SCOPED_TRACE(Name(op));
    Crash(SimUnsyncedFate::kKept);
    Open();
    const size_t before = topics();
    ASSERT_TRUE(CommitAndWait(Create(100 + before)).ok());
    if (op == FileOp::kWrite || op == FileOp::kSync) {
      disk_.FailNext(op, "manifest", 2);
    } else {
      disk_.FailNext(FileOp::kSync, Newest());
      disk_.FailNext(op, "manifest");
    }
    const Status unknown = CommitAndWait(Create(200 + before));
    EXPECT_EQ(unknown.code(), StatusCode::kUnknown) << unknown;
    EXPECT_EQ(CommitAndWait(Create(300 + before)).code(),
              StatusCode::kReadOnly);
    EXPECT_EQ(manifest().status().code(), StatusCode::kReadOnly);
    EXPECT_NE(manifest().status().message().find("MANIFEST"),
              std::string::npos);
    disk_.ClearFaults();
    EXPECT_TRUE(Close().ok());
    Crash();
    Open();  // the acknowledged edit is there, the unknown one perhaps
    EXPECT_GE(topics(), before + 1);
    EXPECT_LE(topics(), before + 2);
    EXPECT_TRUE(opened_.state.topics().contains(Topic(100 + before)));
    EXPECT_FALSE(opened_.state.topics().contains(Topic(300 + before)));
  }
}

TEST_F(ManifestTest, FailedRollBeforeTheRenameStaysOnTheOldFile) {
  options_.roll_bytes = 256;
  Open();
  const std::string old = Newest();
  disk_.FailNext(FileOp::kCreate);
  uint64_t n = 0;
  while (manifest().stats().file_bytes < 500) {
    ASSERT_TRUE(CommitAndWait(Create(n++)).ok());
  }
  EXPECT_EQ(Newest(), old);
  EXPECT_TRUE(manifest().status().ok());
  Crash();
  Open();
  EXPECT_EQ(topics(), n);
}

// The next open may take the file whose rename "failed" for the newest.
TEST_F(ManifestTest, RollWithUncertainRenameGoesOnInYetAnotherFile) {
  options_.roll_bytes = 256;
  Open();
  disk_.FailNext(FileOp::kSyncDirectory, "manifest");
  uint64_t n = 0;
  while (manifest().stats().rolls < 2) {
    ASSERT_TRUE(CommitAndWait(Create(n++)).ok());
  }
  EXPECT_EQ(Newest(), ManifestName(3));
  ASSERT_TRUE(CommitAndWait(Create(n++)).ok());
  Crash(SimUnsyncedFate::kKept);
  Open();
  EXPECT_EQ(topics(), n);
}

TEST_F(ManifestTest, ReserveIsWrittenInFullAtOpen) {
  Open();
  EXPECT_TRUE(manifest().reserve_intact());
  const std::string bytes = *disk_.ReadFile("manifest/RESERVE");
  EXPECT_EQ(bytes.size(), kReserve);
  EXPECT_EQ(bytes.find(std::string(16, '\0')), std::string::npos);
  const uint64_t writes = disk_.write_count();
  Crash();
  Open();
  EXPECT_EQ(disk_.write_count() - writes, 1u);  // the snapshot only
}

TEST_F(ManifestTest, WithoutAReserveNothingIsMissing) {
  options_.reserve_bytes = 0;
  Open();
  EXPECT_TRUE(manifest().reserve_intact());
  EXPECT_FALSE(disk_.ReadFile("manifest/RESERVE").ok());
}

TEST_F(ManifestTest, FullDiskUsesUpTheReserveAndRestoresItLater) {
  Open();
  disk_.SetCapacity(disk_.used_bytes());
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  EXPECT_FALSE(manifest().reserve_intact());
  EXPECT_FALSE(disk_.ReadFile("manifest/RESERVE").ok());
  ASSERT_TRUE(CommitAndWait(Create(2)).ok());

  int restored = 0;
  manifest().TryRestoreReserve([&] { ++restored; });
  runtime_.RunUntilIdle();
  EXPECT_FALSE(manifest().reserve_intact());  // less than twice its size free
  EXPECT_EQ(restored, 0);
  disk_.SetCapacity(SimFileSystem::kUnlimited);
  manifest().TryRestoreReserve([&] { ++restored; });
  runtime_.RunUntilIdle();
  EXPECT_TRUE(manifest().reserve_intact());
  EXPECT_EQ(restored, 1);
  manifest().TryRestoreReserve([&] { ++restored; });  // it is there
  runtime_.RunUntilIdle();
  EXPECT_EQ(restored, 1);
  Crash();
  Open();
  EXPECT_EQ(topics(), 2u);
}

TEST_F(ManifestTest, FullDiskAtOpenBorrowsTheReserve) {
  Open();
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  Crash();
  disk_.SetCapacity(disk_.used_bytes());
  disk_.EnableTrace();
  Open();
  EXPECT_EQ(topics(), 1u);
  const TraceEntry given_back{
      .op = FileOp::kRemove, .path = "manifest/RESERVE", .to = ""};
  const std::vector<TraceEntry> trace = disk_.Trace();
  EXPECT_EQ(std::ranges::count(trace, given_back), 1);
  // The older file is gone: there is room for it again.
  EXPECT_TRUE(manifest().reserve_intact());
}

TEST_F(ManifestTest, FullDiskWithoutReserveIsReadOnly) {
  options_.reserve_bytes = 0;
  Open();
  disk_.SetCapacity(disk_.used_bytes());
  EXPECT_EQ(CommitAndWait(Create(1)).code(), StatusCode::kUnknown);
  EXPECT_EQ(CommitAndWait(Create(2)).code(), StatusCode::kReadOnly);
  Crash();
  EXPECT_EQ(TryOpen().status().code(), StatusCode::kNoSpace);
  disk_.SetCapacity(SimFileSystem::kUnlimited);
  Open();
}

TEST_F(ManifestTest, RestoringTheReserveAfterCloseTouchesNothing) {
  Open();
  disk_.SetCapacity(disk_.used_bytes());
  ASSERT_TRUE(CommitAndWait(Create(1)).ok());
  ASSERT_TRUE(Close().ok());
  disk_.SetCapacity(SimFileSystem::kUnlimited);
  const uint64_t changes = disk_.change_count();
  manifest().TryRestoreReserve([] { ADD_FAILURE(); });
  runtime_.RunUntilIdle();
  EXPECT_EQ(disk_.change_count(), changes);
}

// Dies before each change on disk in turn, with rolls on the way: the edits
// that were answered are there, and what is there is a prefix.
class ManifestCrashTest : public ManifestTest,
                          public testing::WithParamInterface<SimUnsyncedFate> {
};

TEST_P(ManifestCrashTest, AnsweredEditsSurviveACrashAtAnyPoint) {
  options_.roll_bytes = 512;
  for (uint64_t point = 0;; ++point) {
    SCOPED_TRACE("crash after " + std::to_string(point));
    SimFileSystem disk(point + 1);
    SimRuntime runtime(point + 1);
    uint64_t answered = 0;
    bool survived = false;
    {
      disk.CrashAfter(point);
      auto opened = Manifest::Open(disk, runtime, options_);
      for (uint64_t i = 0; opened.ok() && i < 24; i += 2) {
        for (const uint64_t n : {i, i + 1}) {
          opened->manifest->Commit(Create(n), [&, n](Status status) {
            if (status.ok()) answered = n + 1;
          });
        }
        runtime.RunUntilIdle();
      }
      survived = !disk.frozen();
    }
    disk.Crash(GetParam());
    const auto again = Manifest::Open(disk, runtime, options_);
    ASSERT_TRUE(again.ok()) << again.status();
    const auto& topics = again->state.topic_ids();
    ASSERT_GE(topics.size(), answered);
    for (uint64_t n = 0; n < topics.size(); ++n) {
      ASSERT_TRUE(topics.contains("topic-" + std::to_string(n)));
    }
    if (survived) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Fates, ManifestCrashTest,
                         testing::Values(SimUnsyncedFate::kByChance,
                                         SimUnsyncedFate::kKept,
                                         SimUnsyncedFate::kLost));

TEST(ManifestThreadsTest, CommitsFromManyThreadsOnRealFilesAreAllThere) {
  const TempDir dir;
  auto files = OpenPosixFileSystem(dir.path(), true);
  ASSERT_TRUE(files.ok()) << files.status();
  const ManifestOptions options{
      .reserve_bytes = 4096, .roll_bytes = 2048, .create_if_missing = true};
  {
    const std::unique_ptr<Runtime> runtime = MakeThreadRuntime();
    auto opened = Manifest::Open(**files, *runtime, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (uint64_t i = 0; i < 50; ++i) {
          opened->manifest->Commit(Create(t * 1000 + i), [&](Status status) {
            if (status.ok()) ++good;
          });
          (void)opened->manifest->Snapshot();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const auto closed = runtime->NewEvent();
    opened->manifest->Close([&](Status status) {
      EXPECT_TRUE(status.ok()) << status;
      closed->Set();
    });
    ASSERT_TRUE(closed->WaitUntil(std::nullopt));
    EXPECT_EQ(good, 200);
  }
  const std::unique_ptr<Runtime> runtime = MakeThreadRuntime();
  const auto again = Manifest::Open(**files, *runtime, options);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->state.topics().size(), 200u);
}

}  // namespace
}  // namespace strata
