#include "cold/cold_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cold/cold_manifest_store.h"
#include "cold/object_names.h"
#include "object_store/instrumented_object_store.h"
#include "object_store/memory/memory_object_store.h"
#include "testing/faulty_object_store.h"
#include "testing/object_store_client.h"
#include "testing/segment_samples.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Answer = Result<ColdPartitionPtr>;

class ColdManifestTest : public testing::Test {
 protected:
  // Segment `n` holds the offsets [10 n, 10 n + 10).
  SegmentEntry Entry(uint64_t n) const {
    SegmentEntry e;
    e.id = n + 1;
    e.partition = id;
    e.offsets = {Offset(n * 10), Offset(n * 10 + 10)};
    e.image_bytes = 1000;
    e.warm = WarmAddress{1, 0, 1000};
    e.cold = ColdAddress{"key" + std::to_string(n), 0, 1000};
    return e;
  }
  ColdEdit Adding(std::vector<uint64_t> numbers) const {
    ColdEdit edit;
    for (uint64_t n : numbers) edit.add.push_back(Entry(n));
    edit.topic_name = "orders";
    return edit;
  }

  Answer Load(ColdManifest& from) {
    return Await<Answer>(runtime,
                         [&](auto done) { from.Load(id, std::move(done)); });
  }
  Answer Load() { return Load(*manifest); }
  Answer Commit(ColdManifest& to, ColdEdit edit) {
    return Await<Answer>(runtime, [&](auto done) {
      to.Commit(id, std::move(edit), std::move(done));
    });
  }
  Answer Commit(ColdEdit edit) { return Commit(*manifest, std::move(edit)); }

  // Another owner of the same bucket, or the same after a restart.
  std::unique_ptr<ColdManifest> Open() {
    return MakeColdManifest(counted, runtime,
                            {.request_timeout = 30s, .group_size = 4});
  }

  Result<ColdRunPtr> LoadRun(ColdManifest& from, ColdPartitionPtr root,
                             uint64_t offset) {
    return Await<Result<ColdRunPtr>>(runtime, [&](auto done) {
      from.LoadRun(id, std::move(root), Offset(offset), std::move(done));
    });
  }
  // The entry that owns `offset`, wherever it lies.
  SegmentEntry Find(ColdManifest& from, const Answer& root, uint64_t offset) {
    const auto run = LoadRun(from, *root, offset);
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() && *run != nullptr ? *FindEntry(**run, Offset(offset))
                                       : SegmentEntry{};
  }
  // Of all segments, run by run.
  std::vector<uint64_t> Bases(const Answer& answer) {
    std::vector<uint64_t> bases;
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return bases;
    uint64_t next = (*answer)->cold_base().value();
    while (next < (*answer)->cold_end().value()) {
      const auto run = LoadRun(*manifest, *answer, next);
      EXPECT_TRUE(run.ok()) << run.status();
      if (!run.ok()) break;
      for (const auto& [base, entry] : **run) bases.push_back(base.value());
      next = (*run)->rbegin()->second.offsets.end.value();
    }
    return bases;
  }
  using Offsets = std::vector<uint64_t>;

  const PartitionId id = SamplePartition();
  SimRuntime runtime{13};
  std::shared_ptr<ObjectStore> memory = MakeMemoryObjectStore(runtime);
  std::shared_ptr<FaultyObjectStore> faulty =
      std::make_shared<FaultyObjectStore>(memory, runtime, 13);
  std::shared_ptr<InstrumentedObjectStore> counted =
      std::make_shared<InstrumentedObjectStore>(faulty, runtime.clock());
  ObjectStoreClient bucket{*memory, runtime};
  std::unique_ptr<ColdManifest> manifest = Open();
};

TEST_F(ColdManifestTest, AbsentRootIsAnEmptyPartition) {
  const Answer root = Load();
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ((*root)->generation, 0u);
  EXPECT_TRUE((*root)->empty());
  EXPECT_TRUE(bucket.Keys().empty());
}

TEST_F(ColdManifestTest, WhatIsCommittedIsLoadedElsewhere) {
  ColdEdit edit = Adding({0, 1});
  edit.epochs = {{Epoch(1), Offset(0)}, {Epoch(2), Offset(12)}};
  const Answer committed = Commit(edit);
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ((*committed)->generation, 1u);
  EXPECT_EQ(bucket.Keys(), std::vector<std::string>{RootKey(id)});

  const auto other = Open();
  const Answer loaded = Load(*other);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(static_cast<const ColdRoot&>(**loaded),
            static_cast<const ColdRoot&>(**committed));
  EXPECT_EQ((*loaded)->version, (*committed)->version);
  EXPECT_EQ((*loaded)->topic_name, "orders");
  EXPECT_EQ((*loaded)->epochs, *edit.epochs);
  EXPECT_EQ(Find(*other, loaded, 15).id, 2u);
  EXPECT_FALSE(Find(*other, loaded, 15).warm.has_value());
  EXPECT_EQ(*LoadRun(*other, *loaded, 20), nullptr);
}

TEST_F(ColdManifestTest, RootIsFetchedOnceHoweverManyAsk) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  const auto other = Open();
  const uint64_t before = counted->counters().gets;
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    other->Load(id, [&](const Answer& root) {
      EXPECT_EQ(Bases(root), Offsets{0});
      ++answered;
    });
  }
  EXPECT_EQ(answered, 0) << "inside the call";
  EXPECT_EQ(other->Cached(id), nullptr);
  runtime.RunUntilIdle();
  EXPECT_EQ(answered, 20);
  EXPECT_EQ(counted->counters().gets, before + 1);
  EXPECT_NE(other->Cached(id), nullptr);
  other->Load(id, [&](const Answer&) { ++answered; });
  EXPECT_EQ(answered, 20) << "inside the call";
  runtime.RunUntilIdle();
  EXPECT_EQ(answered, 21);
  EXPECT_EQ(counted->counters().gets, before + 1);
}

TEST_F(ColdManifestTest, CommitsHappenOneAfterTheOther) {
  faulty->SetChances({.max_delay = 10ms});
  std::vector<uint64_t> generations;
  for (uint64_t n = 0; n < 10; ++n) {
    manifest->Commit(id, Adding({n}), [&](const Answer& root) {
      ASSERT_TRUE(root.ok()) << root.status();
      generations.push_back((*root)->generation);
    });
  }
  runtime.RunFor(5s);
  EXPECT_EQ(generations, (Offsets{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(Load(*Open()).value()->totals().segments, 10u);
}

TEST_F(ColdManifestTest, EntryThatDoesNotBeginAtTheColdEndConflicts) {
  ASSERT_TRUE(Commit(Adding({5})).ok());
  for (uint64_t n : {4, 7}) {
    const Status status = Commit(Adding({n})).status();
    EXPECT_EQ(status.code(), StatusCode::kConflict);
    EXPECT_THAT(status.message(), HasSubstr("the cold end is 60"));
  }
  SegmentEntry same_range = Entry(5);
  same_range.cold->key = "another upload";
  ColdEdit edit;
  edit.add = {same_range};
  EXPECT_EQ(Commit(edit).status().code(), StatusCode::kConflict);
  EXPECT_EQ(Bases(Load(*Open())), Offsets{50});
}

TEST_F(ColdManifestTest, InvalidEntryIsRefused) {
  ColdEdit edit = Adding({0});
  edit.add[0].cold.reset();
  EXPECT_EQ(Commit(edit).status().code(), StatusCode::kInvalidArgument);
  edit = Adding({0});
  edit.add[0].partition.partition = 99;
  EXPECT_EQ(Commit(edit).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Load().value()->generation, 0u);
  EXPECT_EQ(counted->counters().puts, 0u);
}

TEST_F(ColdManifestTest, RepeatedCommitCostsNoRequest) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  const uint64_t puts = counted->counters().puts;
  const Answer again = Commit(Adding({0}));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->generation, 1u);
  EXPECT_EQ(counted->counters().puts, puts);
}

TEST_F(ColdManifestTest, TrimRemovesEntriesWhollyBelow) {
  ASSERT_TRUE(Commit(Adding({0, 1, 2, 3})).ok());
  ColdEdit trim;
  trim.log_start = Offset(20);
  EXPECT_EQ(Bases(Commit(trim)), (Offsets{20, 30}));
  trim.log_start = Offset(25);
  EXPECT_EQ(Bases(Commit(trim)), (Offsets{20, 30}));
  trim.log_start = Offset(5);  // never goes down
  const Answer root = Commit(trim);
  EXPECT_EQ(Bases(root), (Offsets{20, 30}));
  EXPECT_EQ((*root)->log_start, Offset(25));
  trim.log_start = Offset(1000);
  EXPECT_EQ(Bases(Commit(trim)), Offsets{});
  EXPECT_EQ(Bases(Commit(Adding({200}))), Offsets{2000});
}

TEST_F(ColdManifestTest, OlderSegmentsMoveIntoGroups) {
  constexpr uint64_t kSegments = 200;
  Offsets all;
  for (uint64_t n = 0; n < kSegments; ++n) {
    ASSERT_TRUE(Commit(Adding({n})).ok()) << n;
    all.push_back(n * 10);
  }
  manifest = Open();
  const Answer root = Load();
  EXPECT_EQ(Bases(root), all);
  EXPECT_EQ((*root)->totals().segments, kSegments);
  EXPECT_LT((*root)->entries.size(), 8u);
  EXPECT_EQ((*root)->groups.front().level, 2u);
  for (uint64_t n = 0; n < kSegments; n += 7) {
    EXPECT_EQ(Find(*manifest, root, n * 10 + 9).id, n + 1) << n;
  }
}

// The bytes of a root and the requests for a commit, by the bucket's count.
TEST_F(ColdManifestTest, CommitCostsTheSameHoweverManySegments) {
  uint64_t largest_early = 0;
  uint64_t largest_late = 0;
  constexpr uint64_t kSegments = 600;
  for (uint64_t n = 0; n < kSegments; ++n) {
    const uint64_t puts = counted->counters().puts;
    const uint64_t gets = counted->counters().gets;
    ASSERT_TRUE(Commit(Adding({n})).ok());
    // A root, and as many groups as there are levels in the worst case.
    EXPECT_LE(counted->counters().puts - puts, 1u + 4u);
    EXPECT_LE(counted->counters().gets - gets, 4u);
    uint64_t& largest = n < kSegments / 2 ? largest_early : largest_late;
    largest = std::max<uint64_t>(largest, bucket.Get(RootKey(id))->size());
  }
  EXPECT_LT(largest_late, largest_early * 3 / 2);
}

TEST_F(ColdManifestTest, RunsAreReadOnceAndAreInMemoryThen) {
  for (uint64_t n = 0; n < 50; ++n) ASSERT_TRUE(Commit(Adding({n})).ok());
  manifest = Open();
  const ColdPartitionPtr root = *Load();
  EXPECT_EQ(manifest->CachedRun(root, Offset(0)), nullptr);
  const auto run = LoadRun(*manifest, root, 0);
  ASSERT_TRUE(run.ok()) << run.status();
  const uint64_t before = counted->counters().gets;
  EXPECT_EQ(manifest->CachedRun(root, Offset(0)), *run);
  EXPECT_EQ(*LoadRun(*manifest, root, 0), *run);
  EXPECT_EQ(counted->counters().gets, before);
  // The root's own.
  EXPECT_NE(manifest->CachedRun(root, Offset(499)), nullptr);
  EXPECT_EQ(manifest->CachedRun(root, Offset(500)), nullptr);
}

TEST_F(ColdManifestTest, TrimRemovesGroupsWhollyBelow) {
  for (uint64_t n = 0; n < 50; ++n) ASSERT_TRUE(Commit(Adding({n})).ok());
  const Answer before = Load();
  const OffsetRange first = (*before)->groups.front().offsets;
  ColdEdit edit;
  edit.log_start = Offset(first.end.value() - 1);
  Answer trimmed = Commit(edit);
  ASSERT_TRUE(trimmed.ok()) << trimmed.status();
  EXPECT_EQ((*trimmed)->groups.front().offsets, first);
  edit.log_start = first.end;
  trimmed = Commit(edit);
  ASSERT_TRUE(trimmed.ok()) << trimmed.status();
  EXPECT_EQ((*trimmed)->cold_base(), first.end);
  EXPECT_EQ((*trimmed)->cold_end(), Offset(500));
  edit.log_start = Offset(500);
  trimmed = Commit(edit);
  ASSERT_TRUE(trimmed.ok()) << trimmed.status();
  EXPECT_TRUE((*trimmed)->empty());
}

TEST_F(ColdManifestTest, GroupThatIsMissingOrDamagedIsReportedWithItsKey) {
  for (uint64_t n = 0; n < 8; ++n) ASSERT_TRUE(Commit(Adding({n})).ok());
  manifest = Open();
  const ColdPartitionPtr root = *Load();
  const std::string key = root->groups.front().key;
  std::string bytes = *bucket.Get(key);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ASSERT_EQ(bucket.Delete(key), Status::Ok());
  Status status = LoadRun(*manifest, root, 0).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(key));
  ASSERT_TRUE(bucket.Put(key, bytes).ok());
  status = LoadRun(*manifest, root, 0).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("object " + key));
  // What the root itself names can be read.
  EXPECT_TRUE(LoadRun(*manifest, root, 79).ok());
}

TEST_F(ColdManifestTest, GroupThatCannotBeWrittenChangesNothing) {
  for (uint64_t n = 0; n < 8; ++n) ASSERT_TRUE(Commit(Adding({n})).ok());
  faulty->SetAway(true);
  const Status refused = Commit(Adding({8})).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_THAT(refused.message(), HasSubstr(".group"));
  faulty->SetAway(false);
  EXPECT_EQ(Load(*Open()).value()->cold_end(), Offset(80));
  EXPECT_TRUE(Commit(Adding({8})).ok());
  EXPECT_EQ(Load(*Open()).value()->cold_end(), Offset(90));
}

TEST_F(ColdManifestTest, UnknownPutThatHappenedIsOk) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownDone);
  const Answer root = Commit(Adding({1}));
  EXPECT_EQ(Bases(root), (Offsets{0, 10}));
  EXPECT_EQ((*root)->generation, 2u);
}

TEST_F(ColdManifestTest, UnknownFirstPutThatHappenedIsOk) {
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownDone);
  EXPECT_EQ(Bases(Commit(Adding({0}))), Offsets{0});
  EXPECT_EQ(Bases(Load(*Open())), Offsets{0});
}

TEST_F(ColdManifestTest, UnknownPutThatDidNotHappenIsMadeAgain) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownUndone);
  EXPECT_EQ(Bases(Commit(Adding({1}))), (Offsets{0, 10}));
  EXPECT_EQ(Bases(Load(*Open())), (Offsets{0, 10}));
}

TEST_F(ColdManifestTest, UnknownPutThatArrivesLateChangesNothing) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownLate);
  ASSERT_TRUE(Commit(Adding({1})).ok());
  ASSERT_TRUE(Commit(Adding({2})).ok());
  runtime.RunFor(5s);
  const auto root = Load(*Open());
  EXPECT_EQ(Bases(root), (Offsets{0, 10, 20}));
  EXPECT_EQ((*root)->generation, 3u);
}

TEST_F(ColdManifestTest, UnknownTwiceIsUnknownAndTheBucketIsAskedAnew) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownUndone);
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownLate);
  EXPECT_EQ(Commit(Adding({1})).status().code(), StatusCode::kUnknown);
  EXPECT_EQ(manifest->Cached(id), nullptr);
  runtime.RunFor(5s);
  EXPECT_EQ(Bases(Load()), (Offsets{0, 10}));
  const Answer again = Commit(Adding({1}));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->generation, 2u);
}

TEST_F(ColdManifestTest, UnknownAndThenAwayIsUnknown) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownDone);
  faulty->FailNext(StoreOp::kHead, StoreFault::kUnavailable);
  EXPECT_EQ(Commit(Adding({1})).status().code(), StatusCode::kUnknown);
  EXPECT_EQ(Bases(Load()), (Offsets{0, 10}));
}

// Who is told that nothing happened deletes what it uploaded.
TEST_F(ColdManifestTest, UnknownAndThenRefusedIsUnknown) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownLate);
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnavailable);
  EXPECT_EQ(Commit(Adding({1})).status().code(), StatusCode::kUnknown);
  runtime.RunFor(5s);
  EXPECT_EQ(Bases(Load()), (Offsets{0, 10}));
}

TEST_F(ColdManifestTest, EditIsAppliedToARootThatSomebodyElseChanged) {
  ASSERT_TRUE(Commit(Adding({0, 1})).ok());
  const auto other = Open();
  ASSERT_TRUE(Load(*other).ok());
  ColdEdit trim;
  trim.log_start = Offset(10);
  ASSERT_TRUE(Commit(*other, trim).ok());
  const Answer root = Commit(Adding({2}));
  EXPECT_EQ(Bases(root), (Offsets{10, 20}));
  EXPECT_EQ((*root)->generation, 3u);
}

TEST_F(ColdManifestTest, EditThatNoLongerAppliesConflicts) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  const auto other = Open();
  ASSERT_TRUE(Commit(*other, Adding({1})).ok());
  ColdEdit edit = Adding({1});
  edit.add[0].cold->key = "mine";
  EXPECT_EQ(Commit(edit).status().code(), StatusCode::kConflict);
  EXPECT_EQ(Find(*manifest, Load(*Open()), 10).cold->key, "key1");
  EXPECT_EQ(Bases(Load()), (Offsets{0, 10})) << "the fresh root is known";
}

TEST_F(ColdManifestTest, TwoOwnersLoseNoCommitOfEachOther) {
  faulty->SetChances(
      {.unknown_done = 100, .unknown_undone = 100, .max_delay = 5ms});
  const auto other = Open();
  std::set<uint64_t> acknowledged;
  for (uint64_t n = 0; n < 60; ++n) {
    ColdManifest& writer = n % 2 == 0 ? *manifest : *other;
    for (;;) {
      const Answer root = Commit(writer, Adding({n}));
      if (root.ok()) break;
      ASSERT_THAT(root.status().code(),
                  testing::AnyOf(StatusCode::kUnknown, StatusCode::kConflict,
                                 StatusCode::kUnavailable))
          << root.status();
      writer.Forget(id);
    }
    acknowledged.insert(n * 10);
  }
  faulty->SetChances({});
  const Offsets bases = Bases(Load(*Open()));
  EXPECT_EQ(std::set<uint64_t>(bases.begin(), bases.end()), acknowledged);
}

TEST_F(ColdManifestTest, AwayIsUnavailableAndChangesNothing) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  faulty->SetAway(true);
  EXPECT_EQ(Commit(Adding({1})).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Bases(Load()), Offsets{0}) << "from memory";
  EXPECT_EQ(Load(*Open()).status().code(), StatusCode::kUnavailable);
  faulty->SetAway(false);
  EXPECT_EQ(Bases(Commit(Adding({1}))), (Offsets{0, 10}));
}

TEST_F(ColdManifestTest, ForgottenRootIsFetchedAgain) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  const auto other = Open();
  ASSERT_TRUE(Commit(*other, Adding({1})).ok());
  EXPECT_EQ(Bases(Load()), Offsets{0});
  manifest->Forget(id);
  EXPECT_EQ(manifest->Cached(id), nullptr);
  EXPECT_EQ(Bases(Load()), (Offsets{0, 10}));
}

TEST_F(ColdManifestTest, RootForgottenWhileItIsFetchedIsFetchedAgain) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  const auto other = Open();
  Answer answer = Status(StatusCode::kUnknown, "no answer");
  other->Load(id, [&](Answer root) { answer = std::move(root); });
  while (counted->counters().gets == 0) ASSERT_TRUE(runtime.Step());
  ASSERT_TRUE(Commit(Adding({1})).ok());
  other->Forget(id);
  runtime.RunUntilIdle();
  EXPECT_EQ(Bases(Load(*other)), (Offsets{0, 10}));
}

TEST_F(ColdManifestTest, DamagedRootIsReportedWithItsKey) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  std::string bytes = *bucket.Get(RootKey(id));
  bytes[40] ^= 1;
  ASSERT_TRUE(bucket.Put(RootKey(id), bytes).ok());
  const auto other = Open();
  const Status status = Load(*other).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(RootKey(id)));
  EXPECT_EQ(Commit(*other, Adding({1})).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(*bucket.Get(RootKey(id)), bytes) << "left for repair";
  ASSERT_TRUE(bucket.Put(RootKey(id), "").ok());
  EXPECT_EQ(Load(*Open()).status().code(), StatusCode::kDataLoss);
}

TEST_F(ColdManifestTest, RootDamagedOnItsWayIsFetchedAgain) {
  ASSERT_TRUE(Commit(Adding({0})).ok());
  for (const StoreFault fault : {StoreFault::kCorrupt, StoreFault::kShort}) {
    faulty->FailNext(StoreOp::kGet, fault, 2);
    EXPECT_EQ(Bases(Load(*Open())), Offsets{0});
  }
}

TEST_F(ColdManifestTest, FieldsOfANewerVersionArePassedOn) {
  ColdRoot root;
  root.generation = 1;
  root.extra = {{2, "from the future"}};
  ASSERT_TRUE(bucket.Put(RootKey(id), EncodeColdRoot(id, root)).ok());
  ASSERT_TRUE(Commit(Adding({0})).ok());
  EXPECT_EQ(Load(*Open()).value()->extra, root.extra);
}

TEST_F(ColdManifestTest, ManifestMayGoWhileOthersWait) {
  faulty->SetChances({.max_delay = 20ms});
  auto held = std::make_shared<int>(0);
  manifest->Load(id, [held](const Answer&) { ++*held; });
  manifest->Commit(id, Adding({0}), [held](const Answer&) { ++*held; });
  manifest->Commit(id, Adding({1}), [held](const Answer&) { ++*held; });
  runtime.RunUntilIdle();
  manifest.reset();
  runtime.RunFor(1s);
  EXPECT_EQ(*held, 0);
  EXPECT_EQ(held.use_count(), 1) << "a continuation leaked";
}

}  // namespace
}  // namespace strata
