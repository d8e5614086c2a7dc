#include "tiering/job_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strata {
namespace {

using Outcome = JobQueue::Outcome;
using Take = JobQueue::Take;

const PartitionId kFirst{.topic = {}, .partition = 1};
const PartitionId kSecond{.topic = {}, .partition = 2};

PlannedJob Job(JobKind kind, std::vector<uint64_t> segments,
               double pressure = 0, PartitionId partition = kFirst) {
  return {.kind = kind,
          .partition = partition,
          .segments = std::move(segments),
          .bytes = 0,
          .pressure = pressure};
}

std::vector<uint64_t> PopSegments(JobQueue& queue, Take take = Take::kAny) {
  const auto job = queue.Pop(take);
  return job ? job->job.segments : std::vector<uint64_t>();
}

TEST(JobQueueTest, HighestPressureGoesFirstThenTheFirstPushed) {
  JobQueue queue(10);
  for (const auto& [segment, pressure] :
       {std::pair(1, 0.5), std::pair(2, 2.0), std::pair(3, 0.5),
        std::pair(4, 2.0)}) {
    queue.Push(
        Job(JobKind::kMerge, {static_cast<uint64_t>(segment)}, pressure));
  }
  EXPECT_EQ(PopSegments(queue), std::vector<uint64_t>{2});
  EXPECT_EQ(PopSegments(queue), std::vector<uint64_t>{4});
  EXPECT_EQ(PopSegments(queue), std::vector<uint64_t>{1});
  EXPECT_EQ(PopSegments(queue), std::vector<uint64_t>{3});
  EXPECT_EQ(queue.Pop(Take::kAny), std::nullopt);
}

TEST(JobQueueTest, WaitingSegmentIsADuplicateForEveryKind) {
  JobQueue queue(10);
  const auto first = queue.Push(Job(JobKind::kMerge, {1, 2}));
  ASSERT_EQ(first.outcome, Outcome::kAccepted);
  for (const JobKind kind : {JobKind::kMerge, JobKind::kOffload,
                             JobKind::kDropWarm, JobKind::kPromoteHot}) {
    const auto again = queue.Push(Job(kind, {2, 3}));
    EXPECT_EQ(again.outcome, Outcome::kDuplicate) << Name(kind);
    EXPECT_EQ(again.number, first.number);
  }
  EXPECT_EQ(queue.waiting(), 1u);
  // What was refused left nothing behind.
  EXPECT_FALSE(queue.HasSegment(kFirst, 3));
}

TEST(JobQueueTest, RunningSegmentIsADuplicateUntilDone) {
  JobQueue queue(10);
  const auto first = queue.Push(Job(JobKind::kOffload, {1}));
  ASSERT_TRUE(queue.Pop(Take::kAny).has_value());
  EXPECT_TRUE(queue.HasSegment(kFirst, 1));
  EXPECT_EQ(queue.Push(Job(JobKind::kDropWarm, {1})).number, first.number);
  queue.Done(first.number);
  EXPECT_FALSE(queue.HasSegment(kFirst, 1));
  EXPECT_EQ(queue.Push(Job(JobKind::kDropWarm, {1})).outcome,
            Outcome::kAccepted);
}

TEST(JobQueueTest, TailIsInOneFlushOnly) {
  JobQueue queue(10);
  queue.Push(Job(JobKind::kFlush, {}));
  EXPECT_EQ(queue.Push(Job(JobKind::kFlush, {})).outcome, Outcome::kDuplicate);
  EXPECT_EQ(queue.Push(Job(JobKind::kFlush, {}, 0, kSecond)).outcome,
            Outcome::kAccepted);
  EXPECT_EQ(queue.Push(Job(JobKind::kMerge, {0})).outcome, Outcome::kAccepted);
}

TEST(JobQueueTest, SameSegmentNumberOfAnotherPartitionIsNoDuplicate) {
  JobQueue queue(10);
  queue.Push(Job(JobKind::kMerge, {1}));
  EXPECT_EQ(queue.Push(Job(JobKind::kMerge, {1}, 0, kSecond)).outcome,
            Outcome::kAccepted);
}

TEST(JobQueueTest, FullQueueRefusesAndKeepsNoClaim) {
  JobQueue queue(1);
  queue.Push(Job(JobKind::kMerge, {1}));
  EXPECT_EQ(queue.Push(Job(JobKind::kMerge, {2})).outcome, Outcome::kFull);
  EXPECT_FALSE(queue.HasSegment(kFirst, 2));
  // A job that runs does not wait.
  ASSERT_TRUE(queue.Pop(Take::kAny).has_value());
  EXPECT_EQ(queue.Push(Job(JobKind::kMerge, {2})).outcome, Outcome::kAccepted);
}

TEST(JobQueueTest, LocalTakeSkipsJobsThatNeedTheObjectStore) {
  JobQueue queue(10);
  queue.Push(Job(JobKind::kOffload, {1}, 3));
  queue.Push(Job(JobKind::kPromoteWarm, {2}, 2));
  queue.Push(Job(JobKind::kDropWarm, {3}, 1));
  EXPECT_EQ(PopSegments(queue, Take::kLocal), std::vector<uint64_t>{3});
  EXPECT_EQ(queue.Pop(Take::kLocal), std::nullopt);
  EXPECT_EQ(PopSegments(queue), std::vector<uint64_t>{1});
}

TEST(JobQueueTest, PurgeNeedsTheObjectStoreAndIsOneOfATopic) {
  JobQueue queue(10);
  EXPECT_EQ(queue.Push(Job(JobKind::kPurge, {}, -1)).outcome,
            Outcome::kAccepted);
  EXPECT_EQ(queue.Push(Job(JobKind::kPurge, {}, -1)).outcome,
            Outcome::kDuplicate);
  EXPECT_EQ(queue.Pop(Take::kLocal), std::nullopt);
  queue.Push(Job(JobKind::kOffload, {1}, 0));
  EXPECT_EQ(PopSegments(queue), std::vector<uint64_t>{1});
  EXPECT_TRUE(queue.Pop(Take::kAny).has_value());
}

TEST(JobQueueTest, ClearTakesWaitingJobsAndLeavesRunningOnes) {
  JobQueue queue(10);
  const auto running = queue.Push(Job(JobKind::kMerge, {1}, 9));
  queue.Push(Job(JobKind::kMerge, {2}, 1));
  queue.Push(Job(JobKind::kMerge, {3}, 2));
  ASSERT_TRUE(queue.Pop(Take::kAny).has_value());
  const auto cleared = queue.Clear();
  ASSERT_EQ(cleared.size(), 2u);
  EXPECT_EQ(cleared[0].job.segments, std::vector<uint64_t>{3});
  EXPECT_EQ(queue.waiting(), 0u);
  EXPECT_TRUE(queue.HasSegment(kFirst, 1));
  EXPECT_FALSE(queue.HasSegment(kFirst, 2));
  queue.Done(running.number);
  EXPECT_FALSE(queue.HasSegment(kFirst, 1));
}

TEST(JobQueueDeathTest, DoneOfAnUnknownJobIsABug) {
  JobQueue queue(1);
  EXPECT_DEATH(queue.Done(7), "job != jobs_.end");
}

}  // namespace
}  // namespace strata
