#include "runtime/service_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

namespace strata {
namespace {

TEST(ServicePoolTest, DestructorRunsWhatWasPosted) {
  std::atomic<int> ran = 0;
  {
    ServicePool pool("test", 2);
    for (int i = 0; i < 100; ++i) pool.Post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 100);
}

TEST(ServicePoolTest, DelayedTasksRunInOrderOfTime) {
  std::promise<void> last;
  std::atomic<int> ran = 0;
  ServicePool pool("test", 1);
  pool.PostAfter(std::chrono::milliseconds(2), [&] {
    EXPECT_EQ(ran, 1);
    last.set_value();
  });
  pool.PostAfter(std::chrono::milliseconds(1), [&] { ++ran; });
  last.get_future().wait();
}

TEST(ServicePoolTest, WhatIsNotDueIsDestroyed) {
  auto alive = std::make_shared<int>();
  std::weak_ptr<int> watched = alive;
  {
    ServicePool pool("test", 1);
    pool.PostAfter(std::chrono::hours(1), [alive = std::move(alive)] {});
  }
  EXPECT_TRUE(watched.expired());
}

TEST(ServicePoolTest, MayBeDestroyedByItsOwnTask) {
  std::promise<void> destroyed;
  auto pool = std::make_shared<ServicePool>("test", 2);
  ServicePool& executor = *pool;
  executor.Post([pool = std::move(pool), &destroyed]() mutable {
    pool.reset();
    destroyed.set_value();
  });
  destroyed.get_future().wait();
}

}  // namespace
}  // namespace strata
