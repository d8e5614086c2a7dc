#include "tiering/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "strata/config.h"

namespace strata {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimestampMs kNow = 1'000'000'000'000;
constexpr milliseconds kWarmMaxAge = hours(24);
constexpr uint64_t kTarget = 64 * kMiB;

PartitionId P(uint32_t partition) {
  return {.topic = {}, .partition = partition};
}

TimestampMs Ago(milliseconds age) { return kNow - age.count(); }

// Limits that nothing reaches.
PolicyLimits Roomy() {
  return {.hot_max_age = hours(1),
          .unflushed_bytes = 0,
          .unflushed_max_bytes = 100 * kMiB,
          .wal_bytes = 0,
          .wal_max_bytes = 100 * kMiB,
          .hot_cache_free_bytes = 100 * kMiB,
          .warm_max_bytes = 100 * kGiB,
          .warm_high_watermark = 0.9,
          .warm_low_watermark = 0.8,
          .warm_max_age = kWarmMaxAge,
          .target_segment_bytes = kTarget,
          .enable_promotion = true,
          .promotion_threshold = 100,
          .cold_enabled = true};
}

// Collects tails and segments, and plans. Segments get ids from 1 and follow
// each other's offsets within their partition.
class PolicyTest : public ::testing::Test {
 protected:
  PolicyTail& Tail(uint32_t partition, uint64_t bytes, milliseconds age) {
    return tails_.emplace_back(PolicyTail{
        .partition = P(partition), .bytes = bytes, .oldest_at = Ago(age)});
  }
  // A sole copy in warm, of the target size, that nobody read.
  PolicySegment& Segment(uint32_t partition, milliseconds age,
                         uint64_t bytes = kTarget) {
    const Offset base = ends_[partition];
    ends_[partition] = base + 10;
    return segments_.emplace_back(PolicySegment{.partition = P(partition),
                                                .id = segments_.size() + 1,
                                                .offsets = {base, base + 10},
                                                .bytes = bytes,
                                                .sealed_at = Ago(age),
                                                .last_access = Ago(age),
                                                .in_warm = true});
  }
  PolicySegment& ExtraCopy(uint32_t partition, milliseconds age,
                           uint64_t bytes = kTarget) {
    PolicySegment& s = Segment(partition, age, bytes);
    s.in_cold = true;
    return s;
  }
  std::vector<PlannedJob> Plan() const {
    return PlanTiers({.now = kNow,
                      .limits = limits_,
                      .tails = tails_,
                      .segments = segments_});
  }
  // The plan as "kind partition: segments", in its order.
  std::vector<std::string> Planned() const {
    std::vector<std::string> lines;
    for (const PlannedJob& job : Plan()) {
      std::string line(Name(job.kind));
      line += " " + std::to_string(job.partition.partition);
      for (const uint64_t id : job.segments) line += " " + std::to_string(id);
      lines.push_back(line);
    }
    return lines;
  }

  PolicyLimits limits_ = Roomy();
  std::vector<PolicyTail> tails_;
  std::vector<PolicySegment> segments_;
  std::map<uint32_t, Offset> ends_;
};

// ---- flush ----------------------------------------------------------------

TEST_F(PolicyTest, NothingIsProposedWhenNothingIsDue) {
  Tail(1, 10 * kMiB, minutes(59));
  Segment(1, hours(23));
  ExtraCopy(2, hours(23));
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(PolicyTest, TailOlderThanHotMaxAgeIsFlushed) {
  Tail(1, 1, minutes(61));
  Tail(2, 1, minutes(60));
  EXPECT_THAT(Planned(), ElementsAre("flush 1"));
}

TEST_F(PolicyTest, TopicsOwnHotMaxAgeCounts) {
  Tail(1, 1, minutes(10)).hot_max_age = minutes(5);
  Tail(2, 1, minutes(70)).hot_max_age = hours(2);
  EXPECT_THAT(Planned(), ElementsAre("flush 1"));
}

TEST_F(PolicyTest, EmptyTailIsNotFlushed) {
  Tail(1, 0, hours(100));
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(PolicyTest, HalfOfUnflushedMemoryFlushesTheLargestTails) {
  Tail(1, 10 * kMiB, minutes(1));
  Tail(2, 25 * kMiB, minutes(1));
  Tail(3, 15 * kMiB, minutes(1));
  limits_.unflushed_bytes = 50 * kMiB - 1;
  EXPECT_THAT(Planned(), IsEmpty());
  limits_.unflushed_bytes = 50 * kMiB;
  EXPECT_THAT(Planned(), ElementsAre("flush 2"));
  limits_.unflushed_bytes = 50 * kMiB + 1;
  EXPECT_THAT(Planned(), ElementsAre("flush 2", "flush 3"));
}

TEST_F(PolicyTest, HalfOfTheWalFlushesAllTailsInItsOldestFileFirst) {
  Tail(1, 30 * kMiB, minutes(1));
  Tail(2, 1, minutes(1)).holds_oldest_wal = true;
  Tail(3, 2, minutes(1)).holds_oldest_wal = true;
  Tail(4, 20 * kMiB, minutes(1));
  limits_.wal_bytes = 50 * kMiB;
  EXPECT_THAT(Planned(), ElementsAre("flush 3", "flush 2", "flush 1"));
}

TEST_F(PolicyTest, FlushForRoomGoesBeforeAllElse) {
  Tail(1, 60 * kMiB, minutes(1));
  Tail(2, 1, hours(1000));
  limits_.unflushed_bytes = 60 * kMiB;
  limits_.warm_max_bytes = kTarget;
  ExtraCopy(1, hours(1));
  Segment(2, hours(1000), 1);
  EXPECT_THAT(Planned(), ElementsAre("flush 1", "drop-warm 1 1", "flush 2",
                                     "offload 2 2"));
}

// ---- age ------------------------------------------------------------------

TEST_F(PolicyTest, AgedSoleCopyIsOffloadedAndAgedExtraCopyDropped) {
  ExtraCopy(1, hours(49));
  Segment(1, hours(25));
  Segment(1, hours(24));
  EXPECT_THAT(Planned(), ElementsAre("drop-warm 1 1", "offload 1 2"));
}

TEST_F(PolicyTest, TopicsOwnWarmMaxAgeCounts) {
  Segment(1, hours(2)).warm_max_age = hours(1);
  Segment(2, hours(30)).warm_max_age = hours(48);
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1"));
}

TEST_F(PolicyTest, ClockThatWentBackMakesAgeZero) {
  Segment(1, -hours(1000));
  ExtraCopy(2, -hours(1000));
  Tail(3, 1, -hours(1000));
  Segment(4, milliseconds(0)).sealed_at =
      std::numeric_limits<TimestampMs>::max();
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(PolicyTest, HostileTimeOfSealingIsOnlyVeryOld) {
  Segment(1, milliseconds(0)).sealed_at =
      std::numeric_limits<TimestampMs>::min();
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1"));
}

TEST_F(PolicyTest, WhatLiesBelowADueSegmentIsOffloadedBeforeIt) {
  Segment(1, -hours(1000));  // sealed while the clock was wrong
  Segment(1, hours(25));
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1 2"));
}

TEST_F(PolicyTest, OffloadStopsAtASegmentInAnotherJob) {
  Segment(1, hours(30));
  Segment(1, hours(29)).busy = true;
  Segment(1, hours(28));
  Segment(2, hours(28)).busy = true;
  Segment(2, hours(27));
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1"));
}

TEST_F(PolicyTest, OffloadJobEndsAfterFourTargets) {
  for (int i = 0; i < 6; ++i) Segment(1, hours(30));
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1 2 3 4"));
}

TEST_F(PolicyTest, HydratedCopyAgesFromItsPromotion) {
  ExtraCopy(1, hours(1000)).promoted_at = Ago(hours(1));
  ExtraCopy(2, hours(1000)).promoted_at = Ago(hours(25));
  EXPECT_THAT(Planned(), ElementsAre("drop-warm 2 2"));
}

TEST_F(PolicyTest, D28WithColdDisabledNothingIsProposedThatCanOnlyFail) {
  limits_.cold_enabled = false;
  limits_.warm_max_bytes = kTarget;
  for (int i = 0; i < 10; ++i) Segment(1, hours(1000));
  Segment(2, hours(1000), 1);
  Segment(2, hours(1000), 1);
  ExtraCopy(3, hours(1000));
  EXPECT_THAT(Planned(), IsEmpty());
}

// ---- merge ----------------------------------------------------------------

TEST_F(PolicyTest, SmallNeighboursAreMergedOnceNothingMoreFits) {
  Segment(1, hours(30), 30 * kMiB);
  Segment(1, hours(29), 30 * kMiB);
  Segment(1, hours(1), 5 * kMiB);
  EXPECT_THAT(Planned(), ElementsAre("merge 1 1 2"));
  EXPECT_EQ(Plan().front().bytes, 60 * kMiB);
}

TEST_F(PolicyTest, RunThatMayStillGrowWaits) {
  Segment(1, hours(30), 30 * kMiB);
  Segment(1, hours(29), 30 * kMiB);
  EXPECT_THAT(Planned(), IsEmpty());
  Segment(1, hours(1), 4 * kMiB);
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(PolicyTest, RunOfAnIdlePartitionGoesUpAfterTwiceTheAge) {
  Segment(1, hours(47), 1 * kMiB);
  EXPECT_THAT(Planned(), IsEmpty());
  segments_[0].sealed_at = Ago(hours(49));
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1"));
  Segment(1, hours(25), 1 * kMiB);
  EXPECT_THAT(Planned(), ElementsAre("merge 1 1 2"));
}

TEST_F(PolicyTest, SmallSegmentBeforeALargeOneGoesUpAsItIs) {
  Segment(1, hours(30), 1 * kMiB);
  Segment(1, hours(29));
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1 2"));
}

TEST_F(PolicyTest, NothingAboveAMergeIsOffloadedBeforeIt) {
  Segment(1, hours(31));
  Segment(1, hours(30), 1 * kMiB);
  Segment(1, hours(29), 1 * kMiB);
  Segment(1, hours(28));
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1", "merge 1 2 3"));
}

TEST_F(PolicyTest, FullDiskMovesUpWhatIsThereWithoutMerging) {
  Segment(1, hours(2), 1 * kMiB);
  Segment(1, hours(1), 1 * kMiB);
  EXPECT_THAT(Planned(), IsEmpty()) << "neither old nor too much";
  limits_.disk_full = true;
  limits_.warm_low_watermark = 0;
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1 2"));
  segments_[0].in_cold = true;
  segments_[1].in_cold = true;
  EXPECT_THAT(Planned(), ElementsAre("drop-warm 1 1 2"));
}

TEST_F(PolicyTest, SegmentsWithAHoleBetweenThemAreNotMerged) {
  Segment(1, hours(50), 1 * kMiB);
  ends_[1] = ends_[1] + 1;
  Segment(1, hours(49), 1 * kMiB);
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1 2"));
}

TEST_F(PolicyTest, RunWaitsForANeighbourInAnotherJob) {
  Segment(1, hours(30), 1 * kMiB);
  Segment(1, hours(29), 1 * kMiB).busy = true;
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(PolicyTest, TopicsOwnTargetSizeCounts) {
  Segment(1, hours(30), 3 * kMiB).target_segment_bytes = 4 * kMiB;
  Segment(1, hours(29), 3 * kMiB).target_segment_bytes = 4 * kMiB;
  // Both together are too much; the second may still grow.
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1"));
}

TEST_F(PolicyTest, MergeTakesNoMoreThanAJobMay) {
  for (size_t i = 0; i < kMaxSegmentsPerJob + 10; ++i) {
    Segment(1, hours(30), 1000);
  }
  const std::vector<PlannedJob> plan = Plan();
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].kind, JobKind::kMerge);
  EXPECT_EQ(plan[0].segments.size(), kMaxSegmentsPerJob);
}

// ---- room in warm ---------------------------------------------------------

class FullWarmTest : public PolicyTest {
 protected:
  // Ten segments fill warm; nine are at the high watermark, eight the low.
  FullWarmTest() { limits_.warm_max_bytes = 10 * kTarget; }
};

TEST_F(FullWarmTest, NothingIsProposedAtTheHighWatermark) {
  for (uint32_t i = 1; i <= 9; ++i) ExtraCopy(i, hours(1));
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(FullWarmTest, LeastRecentlyUsedExtraCopiesGoFirst) {
  for (uint32_t i = 1; i <= 10; ++i) {
    ExtraCopy(i, hours(10)).last_access = Ago(minutes(i == 4 ? 90 : i));
  }
  EXPECT_THAT(Planned(), ElementsAre("drop-warm 4 4", "drop-warm 10 10"));
}

TEST_F(FullWarmTest, SoleCopiesAreOffloadedWhenExtraCopiesAreNotEnough) {
  ExtraCopy(1, hours(5));
  for (uint32_t i = 2; i <= 10; ++i) Segment(i, hours(12 - i));
  EXPECT_THAT(Planned(), ElementsAre("drop-warm 1 1", "offload 2 2"));
}

TEST_F(FullWarmTest, OldestSoleCopiesGoFirstInOffsetOrder) {
  Segment(1, hours(2));
  Segment(1, hours(9));  // older, but above the first
  for (uint32_t i = 2; i <= 9; ++i) Segment(i, hours(i == 5 ? 8 : 1));
  EXPECT_THAT(Planned(), ElementsAre("offload 1 1", "offload 5 6"));
}

TEST_F(FullWarmTest, SmallNeighboursAreMergedWithoutWaiting) {
  for (int i = 0; i < 8; ++i) Segment(1, hours(10), kTarget / 8);
  for (uint32_t i = 2; i <= 10; ++i) Segment(i, hours(1));
  EXPECT_THAT(Planned(), ElementsAre("merge 1 1 2 3 4 5 6 7 8", "offload 2 9"));
}

TEST_F(FullWarmTest, WhatIsOnItsWayOutCountsAsRoom) {
  ExtraCopy(1, hours(1)).busy = true;
  Segment(2, hours(1)).busy = true;
  for (uint32_t i = 3; i <= 10; ++i) Segment(i, hours(1));
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(FullWarmTest, WhatStaysLeavesTheRoomToOthers) {
  for (uint32_t i = 1; i <= 5; ++i) Segment(i, hours(3)).stays = true;
  ExtraCopy(6, hours(2)).stays = true;
  for (uint32_t i = 7; i <= 10; ++i) Segment(i, hours(1));
  EXPECT_THAT(Planned(), ElementsAre("offload 7 7", "offload 8 8"));
}

TEST_F(FullWarmTest, StuckUploadsDoNotKeepExtraCopies) {
  Segment(1, hours(1)).busy = true;
  Segment(2, hours(1)).busy = true;
  for (uint32_t i = 3; i <= 10; ++i) ExtraCopy(i, hours(1));
  EXPECT_THAT(Planned(), ElementsAre("drop-warm 3 3", "drop-warm 4 4"));
}

// Applies a plan to the segments as the engine would.
void Apply(const std::vector<PlannedJob>& plan,
           std::vector<PolicySegment>& segments) {
  for (const PlannedJob& job : plan) {
    for (const uint64_t id : job.segments) {
      PolicySegment& s = segments[id - 1];
      if (job.kind == JobKind::kOffload) s.in_cold = true;
      if (job.kind == JobKind::kDropWarm) {
        ASSERT_TRUE(s.in_cold) << "segment " << id << " in no tier";
        s.in_warm = false;
      }
    }
  }
}

uint64_t WarmBytes(const std::vector<PolicySegment>& segments) {
  uint64_t bytes = 0;
  for (const PolicySegment& s : segments) bytes += s.in_warm ? s.bytes : 0;
  return bytes;
}

TEST_F(FullWarmTest, D13WarmLimitIsEnforcedWithoutLosingASoleCopy) {
  for (uint32_t i = 0; i < 30; ++i) Segment(i % 4, hours(i % 20));
  for (int pass = 0; pass < 20; ++pass) Apply(Plan(), segments_);
  EXPECT_EQ(WarmBytes(segments_), 8 * kTarget);
  for (const PolicySegment& s : segments_) EXPECT_TRUE(s.in_warm || s.in_cold);
}

// ---- promotion ------------------------------------------------------------

TEST_F(PolicyTest, OftenReadSegmentsArePromotedOneTierUp) {
  Segment(1, hours(1)).access_count = 100;
  Segment(2, hours(1)).access_count = 99;
  PolicySegment& cold = Segment(3, hours(1000));
  cold.in_warm = false;
  cold.in_cold = true;
  cold.access_count = 500;
  EXPECT_THAT(Planned(), ElementsAre("promote-warm 3 3", "promote-hot 1 1"));
}

TEST_F(PolicyTest, SegmentInHotIsNotPromotedAgain) {
  PolicySegment& s = Segment(1, hours(1));
  s.access_count = 1000;
  s.in_hot = true;
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(PolicyTest, PromotionObeysStoreAndTopic) {
  limits_.enable_promotion = false;
  Segment(1, hours(1)).access_count = 1000;
  PolicySegment& s = Segment(2, hours(1));
  s.access_count = 1000;
  EXPECT_THAT(Planned(), IsEmpty());
  s.enable_promotion = true;
  EXPECT_THAT(Planned(), ElementsAre("promote-hot 2 2"));
  limits_.enable_promotion = true;
  s.enable_promotion = false;
  EXPECT_THAT(Planned(), ElementsAre("promote-hot 1 1"));
}

TEST_F(PolicyTest, D27PromotionTooLargeForHotIsNotProposed) {
  limits_.hot_cache_free_bytes = kTarget + 10;
  Segment(1, hours(1), kTarget + 11).access_count = 1000;
  EXPECT_THAT(Planned(), IsEmpty());
  // The most read ones go first, as far as the room reaches.
  Segment(2, hours(1)).access_count = 200;
  Segment(3, hours(1)).access_count = 300;
  Segment(4, hours(1), 10).access_count = 100;
  EXPECT_THAT(Planned(), ElementsAre("promote-hot 3 3", "promote-hot 4 4"));
}

TEST_F(FullWarmTest, NothingIsFetchedIntoAFullWarmTier) {
  for (uint32_t i = 1; i <= 10; ++i) ExtraCopy(i, hours(1)).busy = true;
  PolicySegment& cold = Segment(11, hours(1));
  cold.in_warm = false;
  cold.in_cold = true;
  cold.access_count = 1000;
  EXPECT_THAT(Planned(), IsEmpty());
}

// ---- the plan as a whole --------------------------------------------------

// Segments and tails of every kind, drawn from a counter.
class MixedTest : public FullWarmTest {
 protected:
  MixedTest() {
    for (uint32_t i = 0; i < 200; ++i) {
      PolicySegment& s =
          Segment(i % 7, hours((i * 37) % 60), kTarget / (1 + (i * 13) % 9));
      s.in_cold = i < 90;
      s.in_warm = i >= 40;
      s.busy = i % 17 == 0;
      s.access_count = (i * 29) % 150;
    }
    for (uint32_t i = 0; i < 7; ++i) {
      Tail(i, (1 + i % 3) * kMiB, minutes(i * 20)).holds_oldest_wal = i == 3;
    }
    limits_.wal_bytes = 60 * kMiB;
  }
};

TEST_F(MixedTest, D36NothingIsQueuedTwiceAndOnlyWhatExists) {
  std::set<std::pair<PartitionId, uint64_t>> seen;
  std::set<PartitionId> flushed;
  const std::vector<PlannedJob> plan = Plan();
  EXPECT_GT(plan.size(), 10u);
  for (const PlannedJob& job : plan) {
    EXPECT_EQ(job.segments.empty(), job.kind == JobKind::kFlush);
    if (job.segments.empty()) {
      EXPECT_TRUE(flushed.insert(job.partition).second);
    }
    for (const uint64_t id : job.segments) {
      EXPECT_TRUE(seen.emplace(job.partition, id).second) << id;
      const PolicySegment& s = segments_.at(id - 1);
      EXPECT_EQ(s.partition, job.partition);
      EXPECT_FALSE(s.busy) << id;
      EXPECT_TRUE(job.kind != JobKind::kDropWarm || (s.in_warm && s.in_cold))
          << id;
    }
  }
}

TEST_F(MixedTest, HighestPressureComesFirst) {
  const std::vector<PlannedJob> plan = Plan();
  EXPECT_TRUE(std::is_sorted(
      plan.begin(), plan.end(),
      [](const auto& a, const auto& b) { return a.pressure > b.pressure; }));
}

TEST_F(MixedTest, PlanDoesNotDependOnTheOrderOfItsInput) {
  const std::vector<PlannedJob> plan = Plan();
  std::reverse(segments_.begin(), segments_.end());
  std::reverse(tails_.begin(), tails_.end());
  EXPECT_EQ(Plan(), plan);
  std::rotate(segments_.begin(), segments_.begin() + 71, segments_.end());
  EXPECT_EQ(Plan(), plan);
}

TEST_F(PolicyTest, EmptyInputGivesAnEmptyPlan) {
  EXPECT_THAT(PlanTiers({}), IsEmpty());
}

}  // namespace
}  // namespace strata
