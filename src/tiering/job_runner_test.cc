#include "tiering/job_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/thread_runtime.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

const Status kBroken(StatusCode::kIoError, "broken");

// Jobs that end when the test says so.
class JobRunnerTest : public ::testing::Test {
 protected:
  void Make(JobRunnerOptions options) {
    runner_ = std::make_unique<JobRunner>(
        runtime_, options, [this](PlannedJob job, JobRunner::StatusDone done) {
          started_.push_back(job.segments.front());
          running_[job.segments.front()] = std::move(done);
        });
  }
  static PlannedJob Job(uint64_t segment, JobKind kind = JobKind::kMerge,
                        double pressure = 0, uint64_t bytes = 0) {
    return {.kind = kind,
            .segments = {segment},
            .bytes = bytes,
            .pressure = pressure};
  }
  bool Submit(PlannedJob job) { return runner_->Submit(std::move(job)); }
  // Submits and keeps the answer.
  bool Submit(PlannedJob job, std::optional<Status>& answer) {
    return runner_->Submit(std::move(job),
                           [&answer](Status s) { answer = std::move(s); });
  }
  void SubmitInTurn(PlannedJob job, std::optional<Status>& answer) {
    runner_->SubmitInTurn(std::move(job),
                          [&answer](Status s) { answer = std::move(s); });
  }
  void Finish(uint64_t segment, Status status = Status::Ok()) {
    JobRunner::StatusDone done = std::move(running_.at(segment));
    running_.erase(segment);
    done(std::move(status));
    runtime_.RunUntilIdle();
  }
  void Run() { runtime_.RunUntilIdle(); }

  SimRuntime runtime_{1};
  std::vector<uint64_t> started_;
  std::map<uint64_t, JobRunner::StatusDone> running_;
  std::unique_ptr<JobRunner> runner_;
};

TEST_F(JobRunnerTest, NoMoreThanConcurrencyRunAndTheMostUrgentGoesFirst) {
  Make({.concurrency = 2, .queue_max = 10});
  Submit(Job(1));
  Submit(Job(2));
  Submit(Job(3, JobKind::kMerge, 1));
  Submit(Job(4, JobKind::kMerge, 2));
  Run();
  EXPECT_THAT(started_, ::testing::UnorderedElementsAre(1, 2));
  EXPECT_EQ(runner_->Stats().running, 2u);
  EXPECT_EQ(runner_->Stats().queued, 2u);
  Finish(1);
  EXPECT_EQ(started_.back(), 4u);
  Finish(4);
  EXPECT_EQ(started_.back(), 3u);
}

TEST_F(JobRunnerTest, NothingRunsInsideSubmit) {
  Make({.concurrency = 1, .queue_max = 10});
  std::optional<Status> answer;
  EXPECT_TRUE(Submit(Job(1), answer));
  EXPECT_TRUE(started_.empty());
  runner_->Stop([] {});
  EXPECT_FALSE(Submit(Job(2), answer));
  EXPECT_FALSE(answer.has_value());
}

TEST_F(JobRunnerTest, FinishedGetsTheStatusOfTheJob) {
  Make({.concurrency = 2, .queue_max = 10});
  std::optional<Status> good, bad;
  Submit(Job(1), good);
  Submit(Job(2), bad);
  Run();
  EXPECT_FALSE(good.has_value());
  Finish(1);
  Finish(2, kBroken);
  EXPECT_EQ(good, Status::Ok());
  EXPECT_EQ(bad, kBroken);
  EXPECT_EQ(runner_->Stats().completed, 1u);
  EXPECT_EQ(runner_->Stats().failed, 1u);
  EXPECT_EQ(runner_->Stats().running, 0u);
}

TEST_F(JobRunnerTest, DuplicateWaitsForTheJobInTheWay) {
  Make({.concurrency = 1, .queue_max = 10});
  std::optional<Status> first, queued, running;
  EXPECT_TRUE(Submit(Job(1), first));
  EXPECT_FALSE(Submit(Job(1, JobKind::kOffload), queued));
  Run();
  EXPECT_FALSE(Submit(Job(1, JobKind::kDropWarm), running));
  EXPECT_TRUE(runner_->IsBusy({}, 1));
  Finish(1, kBroken);
  EXPECT_EQ(first, kBroken);
  EXPECT_EQ(queued, kBroken);
  EXPECT_EQ(running, kBroken);
  EXPECT_THAT(started_, ElementsAre(1));
  EXPECT_FALSE(runner_->IsBusy({}, 1));
}

TEST_F(JobRunnerTest, InTurnRunsAfterTheJobInTheWay) {
  Make({.concurrency = 2, .queue_max = 10});
  std::optional<Status> first, second;
  EXPECT_TRUE(Submit(Job(1), first));
  SubmitInTurn(Job(1, JobKind::kDropWarm), second);
  Run();
  EXPECT_THAT(started_, ElementsAre(1));
  Finish(1, kBroken);
  EXPECT_EQ(first, kBroken);
  EXPECT_FALSE(second.has_value()) << "the other job's error is not its own";
  Run();
  EXPECT_THAT(started_, ElementsAre(1, 1));
  Finish(1, Status::Ok());
  EXPECT_EQ(second, Status::Ok());
}

TEST_F(JobRunnerTest, InTurnIsRefusedOnceStopped) {
  Make({.concurrency = 1, .queue_max = 10});
  std::optional<Status> running, waiting;
  Submit(Job(1), running);
  SubmitInTurn(Job(1), waiting);
  Run();
  runner_->Stop([] {});
  EXPECT_FALSE(waiting.has_value());
  Finish(1, Status::Ok());
  Run();
  ASSERT_TRUE(waiting.has_value());
  EXPECT_EQ(waiting->code(), StatusCode::kClosed);
}

TEST_F(JobRunnerTest, FullQueueAnswersOverloaded) {
  Make({.concurrency = 1, .queue_max = 1});
  Submit(Job(1));
  Submit(Job(2));
  std::optional<Status> answer;
  EXPECT_FALSE(Submit(Job(3), answer));
  Run();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->code(), StatusCode::kOverloaded);
  EXPECT_FALSE(runner_->IsBusy({}, 3));
}

TEST_F(JobRunnerTest, HungUploadsLeaveASlotForLocalWork) {
  Make({.concurrency = 3, .queue_max = 10});
  for (uint64_t i = 1; i <= 4; ++i) Submit(Job(i, JobKind::kOffload, 5));
  Submit(Job(5, JobKind::kDropWarm));
  Run();
  EXPECT_THAT(started_, ::testing::UnorderedElementsAre(1, 2, 5));
  Finish(5);
  EXPECT_EQ(started_.size(), 3u);
  Finish(1);
  EXPECT_EQ(started_.back(), 3u);
}

TEST_F(JobRunnerTest, OneSlotIsForEveryKind) {
  Make({.concurrency = 1, .queue_max = 10});
  Submit(Job(1, JobKind::kOffload));
  Run();
  EXPECT_THAT(started_, ElementsAre(1));
}

TEST_F(JobRunnerTest, BytesGoNoFasterThanTheRate) {
  Make({.concurrency = 4, .bytes_per_second = 100, .queue_max = 10});
  Submit(Job(1, JobKind::kMerge, 0, 300));
  Submit(Job(2, JobKind::kMerge, 0, 300));
  Submit(Job(3, JobKind::kDropWarm));
  Run();
  // The first goes ahead of the rate, the third moves nothing.
  EXPECT_THAT(started_, ::testing::UnorderedElementsAre(1, 3));
  EXPECT_EQ(runner_->Stats().running, 3u);
  runtime_.RunFor(seconds(1));
  EXPECT_EQ(started_.size(), 2u);
  runtime_.RunFor(seconds(3));
  EXPECT_EQ(started_.back(), 2u);
}

TEST_F(JobRunnerTest, DrainEndsWhenNoJobWaitsOrRuns) {
  Make({.concurrency = 1, .queue_max = 10});
  bool idle_at_once = false;
  runner_->Drain([&] { idle_at_once = true; });
  Run();
  EXPECT_TRUE(idle_at_once);

  bool drained = false;
  Submit(Job(1));
  Submit(Job(2));
  runner_->Drain([&] { drained = true; });
  Run();
  Finish(1);
  EXPECT_FALSE(drained);
  Finish(2);
  EXPECT_TRUE(drained);
}

TEST_F(JobRunnerTest, StopAnswersWaitingJobsAndWaitsForRunningOnes) {
  Make({.concurrency = 1, .queue_max = 10});
  std::optional<Status> running, waiting, late;
  Submit(Job(1), running);
  Submit(Job(2), waiting);
  Run();
  bool stopped = false;
  runner_->Stop([&] { stopped = true; });
  EXPECT_FALSE(Submit(Job(3), late));
  Run();
  EXPECT_EQ(waiting->code(), StatusCode::kClosed);
  EXPECT_EQ(late->code(), StatusCode::kClosed);
  EXPECT_FALSE(running.has_value());
  EXPECT_FALSE(stopped);
  Finish(1);
  EXPECT_EQ(running, Status::Ok());
  EXPECT_TRUE(stopped);
  EXPECT_THAT(started_, ElementsAre(1));
  bool again = false;
  runner_->Stop([&] { again = true; });
  Run();
  EXPECT_TRUE(again);
}

TEST_F(JobRunnerTest, StopDoesNotWaitForTheRate) {
  Make({.concurrency = 2, .bytes_per_second = 1, .queue_max = 10});
  std::optional<Status> paid, waiting;
  Submit(Job(1, JobKind::kMerge, 1, 1'000'000), paid);
  Submit(Job(2, JobKind::kOffload, 0, 1'000'000), waiting);
  Run();
  bool stopped = false;
  runner_->Stop([&] { stopped = true; });
  Run();
  EXPECT_EQ(waiting->code(), StatusCode::kClosed);
  Finish(1);
  EXPECT_TRUE(stopped);
  runtime_.RunFor(seconds(2'000'000));
  EXPECT_THAT(started_, ElementsAre(1));
}

TEST_F(JobRunnerTest, JobThatEndsAfterTheRunnerIsGoneCallsNobody) {
  Make({.concurrency = 1, .queue_max = 10});
  std::optional<Status> running, waiting;
  Submit(Job(1), running);
  Submit(Job(2), waiting);
  Run();
  runner_.reset();
  Finish(1);
  EXPECT_FALSE(running.has_value());
  EXPECT_FALSE(waiting.has_value());
  EXPECT_THAT(started_, ElementsAre(1));
}

TEST_F(JobRunnerTest, JobThatEndsInsideItsCallMakesRoomForTheNext) {
  std::vector<uint64_t> ran;
  JobRunner runner(runtime_, {.concurrency = 1, .queue_max = 100},
                   [&](PlannedJob job, JobRunner::StatusDone done) {
                     ran.push_back(job.segments.front());
                     done(Status::Ok());
                   });
  for (uint64_t i = 0; i < 100; ++i) runner.Submit(Job(i));
  Run();
  EXPECT_EQ(ran.size(), 100u);
  EXPECT_EQ(runner.Stats().completed, 100u);
}

// For the thread sanitizer: submitting threads against running jobs.
TEST(JobRunnerConcurrencyTest, JobsFromManyTasksAllEndOnce) {
  constexpr uint64_t kJobs = 500;
  std::unique_ptr<Runtime> threads = MakeThreadRuntime({});
  Runtime& runtime = *threads;
  std::atomic<uint64_t> executed{0};
  std::atomic<uint64_t> finished{0};
  const std::unique_ptr<Event> all_finished = runtime.NewEvent();
  const std::unique_ptr<Event> stopped = runtime.NewEvent();
  JobRunner runner(runtime, {.concurrency = 4, .queue_max = 2 * kJobs},
                   [&](PlannedJob, JobRunner::StatusDone done) {
                     executed.fetch_add(1);
                     done(Status::Ok());
                   });
  for (uint64_t i = 0; i < kJobs; ++i) {
    runtime.read_executor().Post([&, i] {
      runner.Submit({.kind = JobKind::kMerge, .segments = {i}},
                    [&](const Status& status) {
                      EXPECT_EQ(status, Status::Ok());
                      if (finished.fetch_add(1) + 1 == kJobs) {
                        all_finished->Set();
                      }
                    });
    });
  }
  EXPECT_TRUE(all_finished->WaitUntil(std::nullopt));
  runner.Stop([&] { stopped->Set(); });
  EXPECT_TRUE(stopped->WaitUntil(std::nullopt));
  EXPECT_EQ(executed.load(), kJobs);
  EXPECT_EQ(runner.Stats().completed, kJobs);
  threads.reset();  // joins: nobody is inside an event any more
}

}  // namespace
}  // namespace strata
