#include "runtime/thread_runtime.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace strata {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr ThreadRuntimeOptions kOneThreadEach{
    .log_threads = 1, .job_threads = 1, .read_threads = 1, .cold_threads = 1};

// Calls a function when its last copy goes.
std::shared_ptr<void> OnDestruction(std::function<void()> f) {
  return {nullptr, [f = std::move(f)](void*) { f(); }};
}

class ThreadRuntimeTest : public ::testing::Test {
 protected:
  std::unique_ptr<Runtime> runtime_ = MakeThreadRuntime(kOneThreadEach);
};

TEST_F(ThreadRuntimeTest, EachExecutorRunsOnThreadsOfItsName) {
  const std::pair<Executor*, std::string> executors[] = {
      {&runtime_->log_executor(), "strata-log-0"},
      {&runtime_->job_executor(), "strata-job-0"},
      {&runtime_->read_executor(), "strata-read-0"},
      {&runtime_->cold_executor(), "strata-cold-0"}};
  for (const auto& [executor, expected] : executors) {
    const std::unique_ptr<Event> done = runtime_->NewEvent();
    char name[16] = {};
    executor->Post([&] {
      pthread_getname_np(pthread_self(), name, sizeof(name));
      done->Set();
    });
    EXPECT_TRUE(done->WaitUntil(std::nullopt));
    EXPECT_EQ(name, expected);
  }
}

TEST(ThreadRuntimePoolTest, TasksOfOnePoolRunAtTheSameTime) {
  const std::unique_ptr<Runtime> runtime = MakeThreadRuntime({});
  const std::unique_ptr<Event> first = runtime->NewEvent();
  const std::unique_ptr<Event> second = runtime->NewEvent();
  const std::unique_ptr<Event> done = runtime->NewEvent();
  runtime->log_executor().Post([&] {
    first->Set();
    second->WaitUntil(std::nullopt);
    done->Set();
  });
  runtime->log_executor().Post([&] {
    first->WaitUntil(std::nullopt);
    second->Set();
  });
  EXPECT_TRUE(done->WaitUntil(std::nullopt));
}

TEST_F(ThreadRuntimeTest, DelayedTaskRunsNotBeforeItsTime) {
  const std::unique_ptr<Event> done = runtime_->NewEvent();
  const MonotonicTime due = runtime_->clock().Now() + milliseconds(5);
  MonotonicTime ran;
  runtime_->job_executor().PostAfter(milliseconds(5), [&] {
    ran = runtime_->clock().Now();
    done->Set();
  });
  EXPECT_TRUE(done->WaitUntil(std::nullopt));
  EXPECT_GE(ran, due);
}

TEST_F(ThreadRuntimeTest, EarlierTimerOvertakesALaterOne) {
  const std::unique_ptr<Event> done = runtime_->NewEvent();
  std::atomic<bool> late_ran = false;
  runtime_->job_executor().PostAfter(hours(1), [&] { late_ran = true; });
  runtime_->job_executor().PostAfter(milliseconds(1), [&] { done->Set(); });
  EXPECT_TRUE(done->WaitUntil(std::nullopt));
  runtime_.reset();
  EXPECT_FALSE(late_ran);
}

TEST_F(ThreadRuntimeTest, NegativeDelayRunsNow) {
  const std::unique_ptr<Event> done = runtime_->NewEvent();
  runtime_->job_executor().PostAfter(milliseconds(-1), [&] { done->Set(); });
  EXPECT_TRUE(done->WaitUntil(std::nullopt));
}

TEST_F(ThreadRuntimeTest, EventAnswersFalsePastTheDeadlineUnlessSet) {
  const std::unique_ptr<Event> event = runtime_->NewEvent();
  const MonotonicTime now = runtime_->clock().Now();
  EXPECT_FALSE(event->WaitUntil(now - milliseconds(1)));
  EXPECT_FALSE(event->WaitUntil(now + milliseconds(1)));
  EXPECT_GE(runtime_->clock().Now(), now + milliseconds(1));
  event->Set();
  EXPECT_TRUE(event->WaitUntil(now - milliseconds(1)));
  EXPECT_TRUE(event->WaitUntil(std::nullopt));
}

// The destructor waits for the running task, which waits for the queued ones
// to be destroyed.
TEST_F(ThreadRuntimeTest, DestructorDestroysQueuedTasksWithoutRunningThem) {
  const std::unique_ptr<Event> running = runtime_->NewEvent();
  const std::unique_ptr<Event> queued_gone = runtime_->NewEvent();
  const std::unique_ptr<Event> timer_gone = runtime_->NewEvent();
  std::atomic<bool> ran = false;
  Executor& executor = runtime_->log_executor();
  executor.Post([&] {
    running->Set();
    queued_gone->WaitUntil(std::nullopt);
    timer_gone->WaitUntil(std::nullopt);
    executor.Post([&] { ran = true; });
    executor.PostAfter(milliseconds(0), [&] { ran = true; });
    executor.PostAfter(hours(1), [&] { ran = true; });
  });
  EXPECT_TRUE(running->WaitUntil(std::nullopt));
  auto queued = OnDestruction([&] { queued_gone->Set(); });
  auto timer = OnDestruction([&] { timer_gone->Set(); });
  executor.Post([&ran, q = std::move(queued)] { ran = true; });
  executor.PostAfter(hours(1), [&ran, t = std::move(timer)] { ran = true; });
  runtime_.reset();
  EXPECT_FALSE(ran);
}

TEST_F(ThreadRuntimeTest, DroppedTaskMayPostFromItsDestructor) {
  const std::unique_ptr<Event> running = runtime_->NewEvent();
  const std::unique_ptr<Event> dropped = runtime_->NewEvent();
  std::atomic<bool> ran = false;
  Executor& executor = runtime_->log_executor();
  Executor& other = runtime_->cold_executor();
  executor.Post([&] {
    running->Set();
    dropped->WaitUntil(std::nullopt);
  });
  EXPECT_TRUE(running->WaitUntil(std::nullopt));
  auto poster = OnDestruction([&] {
    executor.Post([&] { ran = true; });
    other.PostAfter(milliseconds(1), [&] { ran = true; });
    dropped->Set();
  });
  executor.Post([p = std::move(poster)] {});
  runtime_.reset();
  EXPECT_FALSE(ran);
}

TEST_F(ThreadRuntimeTest, TaskMayDestroyTheLastReferenceOfAnObjectThatPosts) {
  const std::unique_ptr<Event> done = runtime_->NewEvent();
  Executor& executor = runtime_->log_executor();
  auto object = OnDestruction([&] { executor.Post([&] { done->Set(); }); });
  executor.Post([o = std::move(object)] {});
  EXPECT_TRUE(done->WaitUntil(std::nullopt));
}

TEST_F(ThreadRuntimeTest, WallClockIsTheSystems) {
  const auto now_ms = [] {
    return std::chrono::floor<milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  const TimestampMs before = now_ms();
  const TimestampMs found = runtime_->clock().WallNow();
  EXPECT_LE(before, found);
  EXPECT_LE(found, now_ms());
}

TEST_F(ThreadRuntimeTest, RandomDiffersBetweenRuntimes) {
  const std::unique_ptr<Runtime> other = MakeThreadRuntime(kOneThreadEach);
  EXPECT_NE(runtime_->random().NewTopicId(), other->random().NewTopicId());
  EXPECT_NE(runtime_->random().Next(), runtime_->random().Next());
}

TEST(ThreadRuntimeDeathTest, DestructionOnItsOwnThreadIsFound) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        auto* runtime = new std::unique_ptr<Runtime>(MakeThreadRuntime({}));
        const std::unique_ptr<Event> done = (*runtime)->NewEvent();
        (*runtime)->log_executor().Post([&] { runtime->reset(); });
        done->WaitUntil(std::nullopt);
      },
      "check failed");
}

}  // namespace
}  // namespace strata
