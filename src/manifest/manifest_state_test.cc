#include "manifest/manifest_state.h"

#include <gtest/gtest.h>

#include "runtime/xoshiro.h"

namespace strata {
namespace {

TopicId Topic(uint8_t fill) {
  TopicId id;
  id.bytes.fill(static_cast<std::byte>(fill));
  return id;
}

const PartitionId kPartition{Topic(1), 0};

SegmentEntry Entry(uint64_t id, uint64_t base, uint64_t end,
                   PartitionId partition = kPartition) {
  SegmentEntry entry;
  entry.id = id;
  entry.partition = partition;
  entry.offsets = {Offset(base), Offset(end)};
  entry.first_epoch = Epoch(1);
  entry.last_epoch = Epoch(1);
  entry.image_bytes = 4096;
  entry.warm = WarmAddress{.file = id, .position = 0, .length = 4096};
  return entry;
}

SegmentAdded Added(uint64_t id, uint64_t base, uint64_t end) {
  return {.entry = Entry(id, base, end)};
}

SegmentRemoved Removed(uint64_t id) {
  return {.partition = kPartition, .id = id};
}

PartitionChanged FlushedTo(uint64_t end) {
  return {.partition = kPartition, .flushed_end = Offset(end)};
}

PartitionChanged ColdTo(uint64_t end) {
  return {.partition = kPartition, .cold_end = Offset(end)};
}

class ManifestStateTest : public testing::Test {
 protected:
  ManifestStateTest() {
    Apply({{TopicCreated{.id = Topic(1), .name = "one", .partitions = 2}}});
  }

  void Apply(const ManifestEdit& edit) {
    const Status status = state_.Apply(edit);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(state_.CheckInvariants().ok()) << state_.CheckInvariants();
  }

  // Refused, with `reason` in the message, and nothing changed.
  void ExpectRefused(const ManifestEdit& edit, std::string_view reason) {
    const ManifestState before = state_;
    const Status status = state_.Apply(edit);
    EXPECT_EQ(status.code(), StatusCode::kConflict) << status;
    EXPECT_NE(status.message().find(reason), std::string::npos) << status;
    EXPECT_TRUE(state_ == before);
  }

  // Three segments [0,100) [100,200) [200,300).
  void Flush3() {
    Apply({{Added(1, 0, 100), Added(2, 100, 200), Added(3, 200, 300),
            FlushedTo(300)}});
  }

  const ManifestPartition& partition() const {
    return state_.partition(kPartition);
  }

  ManifestState state_;
};

TEST_F(ManifestStateTest, TopicIsFoundByIdAndNameUntilDeleted) {
  EXPECT_EQ(state_.topics().at(Topic(1)).name, "one");
  EXPECT_EQ(state_.topic_ids().at("one"), Topic(1));
  Flush3();
  Apply({{TopicDeleted{Topic(1)}}});
  EXPECT_TRUE(state_.topics().empty());
  EXPECT_TRUE(state_.topic_ids().empty());
  EXPECT_TRUE(state_.partitions().empty());
  EXPECT_TRUE(state_.file_segments().empty());
  Apply({{TopicCreated{.id = Topic(2), .name = "one", .partitions = 1}}});
}

TEST_F(ManifestStateTest, DeletedTopicIsPurgedUntilToldDone) {
  Apply({{TopicDeleted{Topic(1)},
          PurgePending{
              .id = Topic(1), .name = "one", .extra = {{100, "newer"}}}}});
  EXPECT_EQ(state_.purges().at(Topic(1)).name, "one");
  // Of the same name, not of the same id.
  ExpectRefused(
      {{TopicCreated{.id = Topic(1), .name = "two", .partitions = 1}}},
      "existed");
  Apply({{TopicCreated{.id = Topic(2), .name = "one", .partitions = 1}}});
  ManifestState again;
  for (const ManifestEdit& edit : state_.ToSnapshot()) {
    ASSERT_TRUE(again.Apply(edit).ok());
  }
  EXPECT_TRUE(again == state_);
  Apply({{PurgeDone{Topic(1)}}});
  EXPECT_TRUE(state_.purges().empty());
}

TEST_F(ManifestStateTest, PurgeOutOfPlaceIsRefused) {
  ExpectRefused({{PurgePending{.id = Topic(1), .name = "one"}}}, "exists");
  ExpectRefused({{PurgeDone{Topic(1)}}}, "no purge");
  Apply({{PurgePending{.id = Topic(7), .name = "seven"}}});
  ExpectRefused({{PurgePending{.id = Topic(7), .name = "seven"}}},
                "is being purged");
}

TEST_F(ManifestStateTest, TopicIdAndNameAreUnique) {
  ExpectRefused({{TopicCreated{.id = Topic(1), .name = "b"}}}, "exists");
  ExpectRefused({{TopicCreated{.id = Topic(2), .name = "one"}}}, "one");
  ExpectRefused({{TopicCreated{.id = Topic(2), .name = "b", .partitions = 0}}},
                "without partitions");
  ExpectRefused({{TopicDeleted{Topic(9)}}}, "no topic");
}

TEST_F(ManifestStateTest, UnknownPartitionIsRefused) {
  ExpectRefused({{PartitionChanged{.partition = {Topic(1), 2}}}},
                "no partition");
  ExpectRefused({{PartitionChanged{.partition = {Topic(9), 0}}}},
                "no partition");
  ExpectRefused({{SegmentAdded{.entry = Entry(1, 0, 1, {Topic(9), 0})}}},
                "no partition");
}

TEST_F(ManifestStateTest, UntouchedPartitionIsEmpty) {
  EXPECT_EQ(state_.partition({Topic(9), 4}), ManifestPartition());
}

TEST_F(ManifestStateTest, FlushedSegmentsTileTheLog) {
  Flush3();
  EXPECT_EQ(partition().segments.size(), 3u);
  EXPECT_EQ(partition().FindSegment(2)->offsets.base, Offset(100));
  EXPECT_EQ(partition().FindSegment(9), nullptr);
  EXPECT_EQ(state_.next_segment_id(), 4u);
  EXPECT_EQ(state_.next_file_number(), 4u);
}

TEST_F(ManifestStateTest, OverlapIsRefused) {
  Flush3();
  for (const auto& [base, end] : std::vector<std::pair<uint64_t, uint64_t>>{
           {0, 100}, {50, 60}, {0, 300}, {299, 301}, {199, 200}}) {
    ExpectRefused({{Added(9, base, end), FlushedTo(400)}}, "overlaps");
  }
}

TEST_F(ManifestStateTest, HoleIsRefused) {
  ExpectRefused({{FlushedTo(100)}}, "offset 0 has no owner");
  Apply({{Added(1, 0, 100), FlushedTo(100)}});
  ExpectRefused({{Added(2, 101, 200), FlushedTo(200)}},
                "offset 100 has no owner");
  ExpectRefused({{FlushedTo(150)}}, "offset 100 has no owner");
}

TEST_F(ManifestStateTest, SegmentAboveFlushedEndIsRefused) {
  ExpectRefused({{Added(1, 0, 100)}}, "above flushed end");
  Flush3();
  ExpectRefused({{FlushedTo(250)}}, "above flushed end");
}

TEST_F(ManifestStateTest, MalformedSegmentIsRefused) {
  ExpectRefused({{Added(1, 5, 5)}}, "empty");
  ExpectRefused({{Added(1, 5, 4)}}, "empty");
  SegmentEntry entry = Entry(1, 0, 5);
  entry.warm.reset();
  ExpectRefused({{SegmentAdded{.entry = entry}}}, "warm address");
  entry = Entry(1, 0, 5);
  entry.first_epoch = Epoch(2);
  ExpectRefused({{SegmentAdded{.entry = entry}}}, "epochs");
}

TEST_F(ManifestStateTest, SegmentIdIsTakenOnce) {
  Apply({{Added(1, 0, 100), FlushedTo(100)}});
  ExpectRefused({{Added(1, 100, 200), FlushedTo(200)}}, "taken");
}

TEST_F(ManifestStateTest, NextIdsNeverGoDown) {
  Apply({{Added(9, 0, 100), FlushedTo(100)}});
  Apply({{Checkpoint{.next_segment_id = 3, .next_file_number = 30}}});
  EXPECT_EQ(state_.next_segment_id(), 10u);
  EXPECT_EQ(state_.next_file_number(), 30u);
  Apply({{Removed(9), Added(11, 0, 100),
          Checkpoint{.wal_synced_seq = 1, .next_segment_id = 5}}});
  EXPECT_EQ(state_.next_segment_id(), 12u);
  EXPECT_EQ(state_.next_file_number(), 30u);
}

TEST_F(ManifestStateTest, WalPositionsNeverGoDown) {
  Apply({{WalNeeded{5}, Checkpoint{.wal_synced_seq = 7, .clean = true}}});
  Apply({{WalNeeded{4}, Checkpoint{.wal_synced_seq = 6, .clean = false}}});
  EXPECT_EQ(state_.wal_needed(), 5u);
  EXPECT_EQ(state_.checkpoint().wal_synced_seq, 7u);
  EXPECT_FALSE(state_.checkpoint().clean);
}

TEST_F(ManifestStateTest, OnlyCopyIsNotRemoved) {
  Flush3();
  ExpectRefused({{Removed(2)}}, "offset 100 has no owner");
  ExpectRefused({{Removed(9)}}, "no segment 9");
}

TEST_F(ManifestStateTest, ColdSegmentMayBeRemovedAndHydrated) {
  Flush3();
  Apply({{ColdTo(200)}});
  Apply({{Removed(1)}});
  Apply({{Removed(2)}});
  ExpectRefused({{Removed(3)}}, "no owner");
  Apply({{Added(2, 100, 200)}});
  EXPECT_EQ(partition().segments.size(), 2u);
}

TEST_F(ManifestStateTest, ColdEndDoesNotGoBelowWhatOnlyColdHas) {
  Flush3();
  Apply({{ColdTo(200), Removed(1), Removed(2)}});
  ExpectRefused({{ColdTo(150)}}, "offset 150 has no owner");
  ExpectRefused({{ColdTo(301)}}, "cold end 301 is above flushed end 300");
}

TEST_F(ManifestStateTest, TrimmedSegmentMayBeRemoved) {
  Flush3();
  const PartitionChanged trim{.partition = kPartition,
                              .log_start = Offset(150)};
  Apply({{trim}});
  Apply({{Removed(1)}});
  ExpectRefused({{Removed(2)}}, "offset 150 has no owner");
  ExpectRefused(
      {{PartitionChanged{.partition = kPartition, .log_start = Offset(149)}}},
      "log start goes down");
}

TEST_F(ManifestStateTest, LogStartMayPassTheFlushedEnd) {
  Flush3();
  Apply({{PartitionChanged{.partition = kPartition, .log_start = Offset(500)},
          Removed(1), Removed(2), Removed(3)}});
  Apply({{FlushedTo(450)}});
  Apply({{Added(4, 450, 600), FlushedTo(600)}});
}

TEST_F(ManifestStateTest, NeighboursAreMergedInOneEdit) {
  Flush3();
  ExpectRefused({{Added(4, 0, 200), Removed(1), Removed(2)}}, "overlaps");
  ExpectRefused({{Removed(1), Removed(2), Added(4, 0, 199)}},
                "offset 199 has no owner");
  Apply({{Removed(1), Removed(2), Added(4, 0, 200)}});
  EXPECT_EQ(partition().segments.size(), 2u);
}

TEST_F(ManifestStateTest, TailIsTruncated) {
  Flush3();
  const SegmentTruncated cut{
      .partition = kPartition, .id = 2, .end = Offset(150)};
  ExpectRefused({{cut}}, "offset 150 has no owner");
  ExpectRefused({{cut, FlushedTo(150)}}, "above flushed end");
  Apply({{Removed(3), cut, FlushedTo(150)}});
  EXPECT_EQ(partition().FindSegment(2)->offsets.end, Offset(150));
  Apply({{Added(5, 150, 170), FlushedTo(170)}});
}

TEST_F(ManifestStateTest, TruncationOutsideOfASegmentIsRefused) {
  Flush3();
  for (const uint64_t end : {100, 99, 200, 201}) {
    ExpectRefused({{SegmentTruncated{
                      .partition = kPartition, .id = 2, .end = Offset(end)}}},
                  "cannot be cut");
  }
}

TEST_F(ManifestStateTest, DamagedRangeNeedsNoOwner) {
  PartitionChanged change = FlushedTo(200);
  change.damaged = std::vector<OffsetRange>{{Offset(40), Offset(60)}};
  Apply({{Added(1, 0, 40), Added(2, 60, 200), change}});
  PartitionChanged repaired{.partition = kPartition};
  repaired.damaged = std::vector<OffsetRange>{};
  ExpectRefused({{repaired}}, "offset 40 has no owner");
  Apply({{Added(3, 40, 60), repaired}});
}

TEST_F(ManifestStateTest, DamagedRangesAscend) {
  for (const std::vector<OffsetRange>& ranges :
       {std::vector<OffsetRange>{{Offset(5), Offset(5)}},
        std::vector<OffsetRange>{{Offset(5), Offset(9)},
                                 {Offset(8), Offset(10)}}}) {
    ExpectRefused(
        {{PartitionChanged{.partition = kPartition, .damaged = ranges}}},
        "does not ascend");
  }
}

TEST_F(ManifestStateTest, EpochsAscend) {
  const auto with = [](std::vector<EpochStart> epochs) {
    return ManifestEdit{
        {PartitionChanged{.partition = kPartition, .epochs = epochs}}};
  };
  Apply(with({{Epoch(1), Offset(0)}, {Epoch(2), Offset(0)}}));
  ExpectRefused(with({{Epoch(2), Offset(0)}, {Epoch(2), Offset(1)}}),
                "epochs do not ascend");
  ExpectRefused(with({{Epoch(1), Offset(5)}, {Epoch(2), Offset(4)}}),
                "epochs do not ascend");
}

TEST_F(ManifestStateTest, FilesCountTheirSegments) {
  SegmentAdded one = Added(1, 0, 100);
  SegmentAdded two = Added(2, 100, 200);
  one.entry.warm = WarmAddress{.file = 7, .position = 0, .length = 4096};
  two.entry.warm = WarmAddress{.file = 7, .position = 4096, .length = 4096};
  Apply({{one, two, FlushedTo(200), ColdTo(200)}});
  EXPECT_EQ(state_.file_segments().at(7), 2u);
  Apply({{Removed(1)}});
  EXPECT_EQ(state_.file_segments().at(7), 1u);
  Apply({{Removed(2)}});
  EXPECT_FALSE(state_.file_segments().contains(7));
}

TEST_F(ManifestStateTest, TheLatestSessionsAreRemembered) {
  constexpr uint64_t kSessions = 300;
  for (uint64_t n = 0; n < kSessions; ++n) Apply({{SessionBegun{n}}});
  ASSERT_EQ(state_.sessions().size(), ManifestState::kMaxSessions);
  EXPECT_EQ(state_.sessions().front(), kSessions - ManifestState::kMaxSessions);
  EXPECT_EQ(state_.sessions().back(), kSessions - 1);
}

// Each op of an edit whose last op is refused is undone.
TEST_F(ManifestStateTest, RefusedEditLeavesNoTrace) {
  Flush3();
  Apply({{WalNeeded{3}, UnknownOp{.tag = 8, .body = "x"},
          PurgePending{.id = Topic(7), .name = "seven"}}});
  PartitionChanged change = FlushedTo(400);
  change.epochs = std::vector<EpochStart>{{Epoch(1), Offset(0)}};
  change.extra = {{2, "y"}};
  SegmentAdded added = Added(8, 300, 400);
  added.extra = {{2, "z"}};
  const std::vector<ManifestOp> ops = {
      TopicCreated{.id = Topic(5), .name = "five", .partitions = 1},
      PartitionChanged{.partition = {Topic(5), 0}, .cold_generation = 4},
      PartitionChanged{.partition = {Topic(1), 1}, .cold_generation = 4},
      added,
      change,
      SegmentTruncated{.partition = kPartition, .id = 8, .end = Offset(350)},
      SegmentRemoved{.partition = kPartition, .id = 8},
      Removed(1),
      WalNeeded{10},
      Checkpoint{.wal_synced_seq = 4, .clean = true, .next_segment_id = 99},
      UnknownOp{.tag = 10, .body = "x"},
      TopicDeleted{Topic(1)},
      PurgePending{.id = Topic(1), .name = "one", .claims = {{.number = 2}}},
      PurgeDone{Topic(7)},
      SessionBegun{17},
      PartitionChanged{.partition = {Topic(5), 0},
                       .cold_claim = ColdClaim{.number = 1, .session = 17},
                       .fenced_by = ColdClaim{.number = 2}},
      TopicDeleted{Topic(5)}};
  for (size_t length = 0; length <= ops.size(); ++length) {
    ManifestEdit edit;
    edit.ops.assign(ops.begin(),
                    ops.begin() + static_cast<std::ptrdiff_t>(length));
    edit.ops.push_back(TopicDeleted{Topic(99)});
    ExpectRefused(edit, "no topic");
    EXPECT_TRUE(state_.CheckInvariants().ok());
  }
}

TEST_F(ManifestStateTest, ExtrasOfNewerVersionsAreKept) {
  SegmentAdded added = Added(1, 0, 100);
  added.extra = {{100, "segment"}};
  PartitionChanged change = FlushedTo(100);
  change.extra = {{100, "partition"}};
  Apply({{added, change, UnknownOp{.tag = 40, .body = "op"},
          UnknownOp{.tag = 40, .body = "op"},
          Checkpoint{.extra = {{100, "checkpoint"}}}}});
  ManifestState again;
  for (const ManifestEdit& edit : state_.ToSnapshot()) {
    ASSERT_TRUE(again.Apply(edit).ok());
  }
  EXPECT_TRUE(again == state_);
  EXPECT_EQ(again.unknown_ops().size(), 1u);
  EXPECT_EQ(again.partition(kPartition).segment_extras.at(1).at(100),
            "segment");
  Apply({{ColdTo(100), Removed(1)}});
  EXPECT_TRUE(partition().segment_extras.empty());
}

TEST_F(ManifestStateTest, LargeSnapshotIsCutIntoEditsThatAreValidAlone) {
  ManifestEdit edit;
  for (uint64_t i = 0; i < 5000; ++i) {
    if (i == 2000) continue;
    edit.ops.push_back(Added(i + 1, i * 10, i * 10 + 10));
  }
  PartitionChanged change = FlushedTo(50000);
  change.damaged = std::vector<OffsetRange>{{Offset(20000), Offset(20010)}};
  change.cold_end = Offset(15);
  edit.ops.push_back(change);
  Apply(edit);
  const std::vector<ManifestEdit> snapshot = state_.ToSnapshot();
  EXPECT_GT(snapshot.size(), 4u);
  ManifestState again;
  for (const ManifestEdit& part : snapshot) {
    EXPECT_LE(part.ops.size(), 2100u);
    ASSERT_TRUE(again.Apply(part).ok());
    ASSERT_TRUE(again.CheckInvariants().ok());
  }
  EXPECT_TRUE(again == state_);
  EXPECT_TRUE(std::holds_alternative<SnapshotEnd>(snapshot.back().ops.back()));
}

PartitionChanged Read(std::map<Offset, SegmentAccess> access) {
  return {.partition = kPartition, .access = std::move(access)};
}

TEST_F(ManifestStateTest, AccessIsInTheSnapshot) {
  Flush3();
  const std::map<Offset, SegmentAccess> access = {
      {Offset(0), {.segment = 1, .count = 3, .last = 1000}},
      {Offset(200), {.segment = 3, .count = 1, .last = 2000}}};
  Apply({{Read(access)}});
  EXPECT_EQ(partition().access, access);
  ManifestState again;
  for (const ManifestEdit& edit : state_.ToSnapshot()) {
    ASSERT_TRUE(again.Apply(edit).ok());
  }
  EXPECT_TRUE(again == state_);
  // Of an edit that says nothing about it.
  Apply({{PartitionChanged{.partition = kPartition, .log_start = Offset(10)}}});
  EXPECT_EQ(partition().access, access);
  Apply({{Read({})}});
  EXPECT_TRUE(partition().access.empty());
}

TEST_F(ManifestStateTest, AccessOfWhatIsRemovedOrAddedIsForgotten) {
  Flush3();
  Apply({{Read({{Offset(0), {.segment = 1, .count = 3, .last = 1}},
                {Offset(100), {.segment = 2, .count = 4, .last = 2}},
                {Offset(200), {.segment = 3, .count = 5, .last = 3}}})}});
  // Merged: the base offset is that of the first input.
  Apply({{Removed(1), Removed(2), Added(4, 0, 200)}});
  EXPECT_EQ(partition().access.size(), 1u);
  EXPECT_EQ(partition().access.at(Offset(200)).count, 5u);
  ExpectRefused({{Removed(3), Added(4, 200, 300)}}, "id is taken");
  EXPECT_EQ(partition().access.at(Offset(200)).count, 5u);
  ExpectRefused({{Read({}), Removed(9)}}, "no segment 9");
  EXPECT_EQ(partition().access.at(Offset(200)).count, 5u);
}

TEST_F(ManifestStateTest, SharedBytesInAFileAreFound) {
  SegmentAdded one = Added(1, 0, 100);
  SegmentAdded two = Added(2, 100, 200);
  one.entry.warm = WarmAddress{.file = 7, .position = 0, .length = 4097};
  two.entry.warm = WarmAddress{.file = 7, .position = 4096, .length = 4096};
  ASSERT_TRUE(state_.Apply({{one, two, FlushedTo(200)}}).ok());
  EXPECT_EQ(state_.CheckInvariants().code(), StatusCode::kDataLoss);
}

// Random edits, good and bad: what is accepted keeps the invariants, what is
// refused changes nothing, and a snapshot rebuilds the same.
class ManifestStateRandomTest : public testing::TestWithParam<uint64_t> {};

TEST_P(ManifestStateRandomTest, InvariantsHoldAndSnapshotsRebuild) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Xoshiro256 random(GetParam());
  const auto below = [&](uint64_t bound) { return random.Next() % bound; };
  const auto some_partition = [&] {
    return PartitionId{Topic(static_cast<uint8_t>(below(3))),
                       static_cast<uint32_t>(below(2))};
  };
  ManifestState state;
  uint64_t images = 0;
  const auto some_op = [&]() -> ManifestOp {
    const PartitionId id = some_partition();
    const ManifestPartition& p = state.partition(id);
    const uint64_t flushed = p.flushed_end.value();
    const uint64_t segment =
        p.segment_bases.empty()
            ? 1
            : std::next(
                  p.segment_bases.begin(),
                  static_cast<std::ptrdiff_t>(below(p.segment_bases.size())))
                  ->first;
    switch (below(11)) {
      case 0:
        return TopicCreated{.id = id.topic,
                            .name = "t" + std::to_string(below(3)),
                            .partitions = 2};
      case 1:
        if (below(20) == 0) return TopicDeleted{id.topic};
        [[fallthrough]];
      case 2:
      case 3: {
        const uint64_t base = below(4) == 0 ? below(flushed + 1) : flushed;
        SegmentEntry entry = Entry(state.next_segment_id() - below(2), base,
                                   base + below(30), id);
        entry.warm = WarmAddress{
            .file = 1 + below(5), .position = 4096 * ++images, .length = 4096};
        return SegmentAdded{.entry = entry};
      }
      case 4: return SegmentRemoved{.partition = id, .id = segment};
      case 5:
        return SegmentTruncated{
            .partition = id, .id = segment, .end = Offset(below(flushed + 2))};
      case 6:
        return PartitionChanged{.partition = id,
                                .cold_end = Offset(below(flushed + 2))};
      case 7:
        return PartitionChanged{
            .partition = id,
            .log_start = Offset(p.log_start.value() + below(20))};
      case 8:
        return PartitionChanged{
            .partition = id,
            .damaged = std::vector<OffsetRange>{
                {Offset(below(100)), Offset(50 + below(100))}}};
      case 9:
        if (below(2) == 0) return PurgeDone{id.topic};
        return PurgePending{.id = id.topic, .name = "t"};
      default:
        return PartitionChanged{.partition = id,
                                .flushed_end = Offset(flushed + below(30))};
    }
  };
  int accepted = 0;
  for (int i = 0; i < 4000; ++i) {
    ManifestEdit edit;
    for (uint64_t n = 0; n <= below(3); ++n) edit.ops.push_back(some_op());
    if (const auto* added = std::get_if<SegmentAdded>(&edit.ops.back())) {
      const SegmentEntry& entry = added->entry;
      edit.ops.push_back(PartitionChanged{
          .partition = entry.partition,
          .flushed_end =
              std::max(entry.offsets.end,
                       state.partition(entry.partition).flushed_end)});
    }
    const ManifestState before = state;
    if (state.Apply(edit).ok()) {
      ++accepted;
      ASSERT_TRUE(state.CheckInvariants().ok()) << state.CheckInvariants();
    } else {
      ASSERT_TRUE(state == before);
    }
  }
  EXPECT_GT(accepted, 400);
  ManifestState again;
  for (const ManifestEdit& edit : state.ToSnapshot()) {
    ASSERT_TRUE(again.Apply(edit).ok());
  }
  EXPECT_TRUE(again == state);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ManifestStateRandomTest,
                         testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace strata
