#include "runtime/strand.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "runtime/thread_runtime.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

TEST(StrandTest, TasksRunInOrderOfPostingWhateverTheSchedule) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    SimRuntime runtime(seed);
    Strand a(runtime.log_executor());
    Strand b(runtime.log_executor());
    std::vector<int> seen_a;
    std::vector<int> seen_b;
    for (int i = 0; i < 10; ++i) {
      a.Post([&, i] { seen_a.push_back(i); });
      b.Post([&, i] { seen_b.push_back(i); });
    }
    runtime.RunUntilIdle();
    const std::vector<int> expected{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    EXPECT_EQ(seen_a, expected);
    EXPECT_EQ(seen_b, expected);
  }
}

TEST(StrandTest, PostNeverRunsInsideTheCallNorInsideATask) {
  SimRuntime runtime(1);
  Strand strand(runtime.log_executor());
  bool inside = false;
  bool ran = false;
  strand.Post([&] {
    inside = true;
    strand.Post([&] {
      EXPECT_FALSE(inside);
      ran = true;
    });
    inside = false;
  });
  EXPECT_FALSE(inside);
  runtime.RunUntilIdle();
  EXPECT_TRUE(ran);
}

TEST(StrandTest, TaskIsDestroyedBeforeTheNextRuns) {
  SimRuntime runtime(1);
  Strand strand(runtime.log_executor());
  auto token = std::make_shared<int>(0);
  strand.Post([token] {});
  long held = 0;
  strand.Post([&held, &token] { held = token.use_count(); });
  runtime.RunUntilIdle();
  EXPECT_EQ(held, 1);
}

TEST(StrandTest, TasksPostedBeforeDestructionStillRun) {
  SimRuntime runtime(1);
  int ran = 0;
  {
    Strand strand(runtime.log_executor());
    for (int i = 0; i < 3; ++i) strand.Post([&] { ++ran; });
  }
  runtime.RunUntilIdle();
  EXPECT_EQ(ran, 3);
}

TEST(StrandTest, TaskMayDestroyItsStrand) {
  SimRuntime runtime(1);
  std::optional<Strand> strand(std::in_place, runtime.log_executor());
  int ran = 0;
  strand->Post([&] {
    strand.reset();
    ++ran;
  });
  strand->Post([&] { ++ran; });
  runtime.RunUntilIdle();
  EXPECT_EQ(ran, 2);
}

TEST(StrandTest, DroppedExecutorDestroysAllTasksAndBreaksCycles) {
  struct Owner {
    explicit Owner(Executor& executor) : strand(executor) {}
    Strand strand;
  };
  SimRuntime runtime(1);
  auto owner = std::make_shared<Owner>(runtime.log_executor());
  bool ran = false;
  for (int i = 0; i < 3; ++i) {
    owner->strand.Post([owner, &ran] { ran = true; });
  }
  const std::weak_ptr<Owner> watch = owner;
  owner.reset();
  runtime.DropAllTasks();
  EXPECT_TRUE(watch.expired());
  EXPECT_FALSE(ran);
}

TEST(StrandTest, StrandIsUsableAfterItsTasksWereDropped) {
  SimRuntime runtime(1);
  Strand strand(runtime.log_executor());
  int ran = 0;
  strand.Post([&] { ran += 10; });
  runtime.DropAllTasks();
  strand.Post([&] { ran += 1; });
  runtime.RunUntilIdle();
  EXPECT_EQ(ran, 1);
}

TEST(StrandTest, TaskDestroyedByADropMayPostToItsStrand) {
  SimRuntime runtime(1);
  Strand strand(runtime.log_executor());
  bool ran = false;
  std::shared_ptr<int> poster(
      nullptr, [&](int*) { strand.Post([&ran] { ran = true; }); });
  strand.Post([p = std::move(poster)] {});
  runtime.DropAllTasks();
  runtime.RunUntilIdle();
  EXPECT_FALSE(ran);
}

// Under TSan also a check that the strand orders memory.
TEST(StrandTest, ThreadsPostToOneStrandWithoutOverlap) {
  constexpr int kPosters = 4;
  constexpr int kTasks = 2000;
  const std::unique_ptr<Runtime> runtime = MakeThreadRuntime({});
  const std::unique_ptr<Event> done = runtime->NewEvent();
  Strand strand(runtime->cold_executor());
  std::vector<int> next(kPosters, 0);  // only touched on the strand
  int total = 0;
  bool in_order = true;
  for (int poster = 0; poster < kPosters; ++poster) {
    runtime->job_executor().Post([&, poster] {
      for (int i = 0; i < kTasks; ++i) {
        strand.Post([&, poster, i] {
          in_order = in_order && next[poster] == i;
          ++next[poster];
          if (++total == kPosters * kTasks) done->Set();
        });
      }
    });
  }
  EXPECT_TRUE(done->WaitUntil(std::nullopt));
  EXPECT_TRUE(in_order);
  EXPECT_EQ(total, kPosters * kTasks);
}

}  // namespace
}  // namespace strata
