#include "testing/sim_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>

namespace strata {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// Posts forty tasks, half of them from tasks, and answers the order in which
// they ran.
std::vector<int> OrderOfRun(SimRuntime& runtime) {
  std::vector<int> order;
  for (int i = 0; i < 20; ++i) {
    Executor& executor =
        i % 2 == 0 ? runtime.log_executor() : runtime.cold_executor();
    executor.Post([&, i] {
      order.push_back(i);
      runtime.job_executor().PostAfter(
          milliseconds(i % 3), [&order, i] { order.push_back(100 + i); });
    });
  }
  runtime.RunFor(seconds(1));
  return order;
}

TEST(SimRuntimeTest, SameSeedReplaysTheSameRun) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    SimRuntime a(seed);
    SimRuntime b(seed);
    EXPECT_EQ(OrderOfRun(a), OrderOfRun(b));
    EXPECT_EQ(a.TraceHash(), b.TraceHash());
    EXPECT_EQ(a.random().Next(), b.random().Next());
    EXPECT_EQ(a.steps(), 40u);
  }
}

TEST(SimRuntimeTest, OtherSeedsRunInOtherOrders) {
  std::set<std::vector<int>> orders;
  std::set<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SimRuntime runtime(seed);
    orders.insert(OrderOfRun(runtime));
    hashes.insert(runtime.TraceHash());
  }
  EXPECT_EQ(orders.size(), 20u);
  EXPECT_EQ(hashes.size(), 20u);
}

TEST(SimRuntimeTest, WhatTheEngineDrawsDoesNotChangeTheSchedule) {
  SimRuntime a(7);
  SimRuntime b(7);
  b.random().Next();
  EXPECT_EQ(OrderOfRun(a), OrderOfRun(b));
}

TEST(SimRuntimeTest, PostNeverRunsInsideTheCall) {
  SimRuntime runtime(1);
  bool ran = false;
  runtime.read_executor().Post([&] { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_TRUE(runtime.Step());
  EXPECT_TRUE(ran);
  EXPECT_FALSE(runtime.Step());
}

TEST(SimRuntimeTest, RunUntilIdleLeavesTimersAlone) {
  SimRuntime runtime(1);
  const MonotonicTime start = runtime.clock().Now();
  bool ran = false;
  runtime.log_executor().PostAfter(Duration(1), [&] { ran = true; });
  runtime.RunUntilIdle();
  EXPECT_FALSE(ran);
  EXPECT_EQ(runtime.clock().Now(), start);
}

TEST(SimRuntimeTest, TimersRunInOrderOfTimeAndAtTheirTime) {
  SimRuntime runtime(1);
  const MonotonicTime start = runtime.clock().Now();
  std::vector<Duration> seen;
  std::function<void()> again = [&] {
    seen.push_back(runtime.clock().Now() - start);
    if (seen.size() < 5) runtime.job_executor().PostAfter(seconds(2), again);
  };
  runtime.log_executor().PostAfter(seconds(3), again);
  runtime.log_executor().PostAfter(seconds(1), again);
  runtime.AdvanceTo(start + seconds(5));
  EXPECT_THAT(seen, ElementsAre(seconds(1), seconds(3), seconds(3), seconds(5),
                                seconds(5)));
  EXPECT_EQ(runtime.clock().Now(), start + seconds(5));
}

TEST(SimRuntimeTest, AdvanceToAPastTimeDoesNotTurnTheClockBack) {
  SimRuntime runtime(1);
  const MonotonicTime start = runtime.clock().Now();
  runtime.AdvanceTo(start - seconds(1));
  EXPECT_EQ(runtime.clock().Now(), start);
}

TEST(SimRuntimeTest, WaitRunsTasksAndMovesToTimersUntilSet) {
  SimRuntime runtime(1);
  const MonotonicTime start = runtime.clock().Now();
  const std::unique_ptr<Event> event = runtime.NewEvent();
  runtime.log_executor().Post([&] {
    runtime.cold_executor().PostAfter(seconds(9), [&] { event->Set(); });
  });
  EXPECT_TRUE(event->WaitUntil(std::nullopt));
  EXPECT_EQ(runtime.clock().Now(), start + seconds(9));
}

TEST(SimRuntimeTest, WaitEndsAtTheDeadlineBeforeALaterTimer) {
  SimRuntime runtime(1);
  const MonotonicTime start = runtime.clock().Now();
  const std::unique_ptr<Event> event = runtime.NewEvent();
  runtime.cold_executor().PostAfter(seconds(9), [&] { event->Set(); });
  EXPECT_FALSE(event->WaitUntil(start + seconds(4)));
  EXPECT_EQ(runtime.clock().Now(), start + seconds(4));
  EXPECT_TRUE(event->WaitUntil(start + seconds(10)));
  EXPECT_EQ(runtime.clock().Now(), start + seconds(9));
}

TEST(SimRuntimeTest, WaitWithNothingToDoEndsAtTheDeadline) {
  SimRuntime runtime(1);
  const MonotonicTime deadline = runtime.clock().Now() + seconds(4);
  EXPECT_FALSE(runtime.NewEvent()->WaitUntil(deadline));
  EXPECT_EQ(runtime.clock().Now(), deadline);
}

TEST(SimRuntimeTest, SetEventIsTrueEvenPastTheDeadline) {
  SimRuntime runtime(1);
  const std::unique_ptr<Event> event = runtime.NewEvent();
  event->Set();
  EXPECT_TRUE(event->WaitUntil(runtime.clock().Now() - seconds(1)));
}

TEST(SimRuntimeTest, TaskMayWait) {
  SimRuntime runtime(1);
  const std::unique_ptr<Event> inner = runtime.NewEvent();
  const std::unique_ptr<Event> outer = runtime.NewEvent();
  runtime.job_executor().Post([&] {
    runtime.log_executor().PostAfter(seconds(1), [&] { inner->Set(); });
    EXPECT_TRUE(inner->WaitUntil(std::nullopt));
    outer->Set();
  });
  EXPECT_TRUE(outer->WaitUntil(std::nullopt));
}

TEST(SimRuntimeDeathTest, WaitForWhatCannotComeAborts) {
  SimRuntime runtime(42);
  EXPECT_DEATH((void)runtime.NewEvent()->WaitUntil(std::nullopt),
               "deadlock.*seed 42");
}

TEST(SimRuntimeTest, WallClockFollowsTimeAndSteps) {
  SimRuntime runtime(1);
  EXPECT_EQ(runtime.clock().WallNow(), SimRuntime::kWallStart);
  runtime.RunFor(seconds(2));
  EXPECT_EQ(runtime.clock().WallNow(), SimRuntime::kWallStart + 2000);
  const MonotonicTime before = runtime.clock().Now();
  runtime.StepWallClock(milliseconds(-5000));
  EXPECT_EQ(runtime.clock().WallNow(), SimRuntime::kWallStart - 3000);
  EXPECT_EQ(runtime.clock().Now(), before);
}

TEST(SimRuntimeTest, StepTimeMovesTheClockAndMakesTimersDue) {
  SimRuntime runtime(3, {.max_step_time = milliseconds(1)});
  const MonotonicTime start = runtime.clock().Now();
  int timers = 0;
  for (int i = 0; i < 50; ++i) {
    runtime.log_executor().Post([] {});
    runtime.log_executor().PostAfter(Duration(1), [&] { ++timers; });
  }
  for (int i = 0; i < 40; ++i) runtime.Step();
  EXPECT_GT(timers, 0);
  EXPECT_GT(runtime.clock().Now(), start);
  EXPECT_LE(runtime.clock().Now(), start + milliseconds(40));
}

TEST(SimRuntimeTest, DroppedTasksAreDestroyedWithoutBeingRun) {
  SimRuntime runtime(1);
  bool ran = false;
  auto token = std::make_shared<int>(0);
  runtime.log_executor().Post([&ran, token] { ran = true; });
  runtime.log_executor().PostAfter(seconds(1), [&ran, token] { ran = true; });
  runtime.DropAllTasks();
  EXPECT_EQ(token.use_count(), 1);
  runtime.RunFor(seconds(10));
  EXPECT_FALSE(ran);
}

TEST(SimRuntimeTest, TaskPostedWhileTasksAreDroppedIsDroppedToo) {
  SimRuntime runtime(1);
  bool ran = false;
  auto post = [&](int*) {
    runtime.job_executor().Post([&ran] { ran = true; });
    runtime.job_executor().PostAfter(seconds(1), [&ran] { ran = true; });
  };
  std::shared_ptr<int> poster(nullptr, post);
  runtime.log_executor().Post([p = poster] {});
  runtime.log_executor().PostAfter(seconds(1), [p = std::move(poster)] {});
  runtime.DropAllTasks();
  runtime.RunFor(seconds(10));
  EXPECT_FALSE(ran);

  runtime.log_executor().Post([&ran] { ran = true; });
  runtime.RunUntilIdle();
  EXPECT_TRUE(ran) << "the runtime goes on after a crash";
}

TEST(SimRuntimeTest, TaskMayDropAllOthers) {
  SimRuntime runtime(1);
  int ran = 0;
  for (int i = 0; i < 3; ++i) {
    runtime.log_executor().Post([&] {
      ++ran;
      runtime.DropAllTasks();
    });
  }
  runtime.RunUntilIdle();
  EXPECT_EQ(ran, 1);
}

TEST(SimRuntimeTest, DestructionDestroysTasksThatPost) {
  auto runtime = std::make_unique<SimRuntime>(1);
  bool destroyed = false;
  Executor& executor = runtime->log_executor();
  std::shared_ptr<int> poster(nullptr, [&](int*) {
    executor.Post([] {});
    destroyed = true;
  });
  executor.Post([p = std::move(poster)] {});
  runtime.reset();
  EXPECT_TRUE(destroyed);
}

}  // namespace
}  // namespace strata
