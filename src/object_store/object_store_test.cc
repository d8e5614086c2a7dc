#include "strata/object_store.h"

#include <gtest/gtest.h>

#include "io/posix_file_system.h"
#include "object_store/adaptive_object_store.h"
#include "object_store/file/file_object_store.h"
#include "object_store/instrumented_object_store.h"
#include "object_store/memory/memory_object_store.h"
#include "object_store/rate_limited_object_store.h"
#include "object_store/retrying_object_store.h"
#include "runtime/thread_runtime.h"
#include "testing/faulty_object_store.h"
#include "testing/object_store_contract.h"
#include "testing/sim_file_system.h"
#include "testing/sim_runtime.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

using World = std::unique_ptr<ObjectStoreWorld>;

World MemoryWorld() {
  auto world = std::make_unique<ObjectStoreWorld>();
  world->runtime = std::make_shared<SimRuntime>(7);
  world->store = MakeMemoryObjectStore(*world->runtime);
  return world;
}

World MemoryOnThreadsWorld() {
  auto world = std::make_unique<ObjectStoreWorld>();
  world->runtime = MakeThreadRuntime();
  world->store = MakeMemoryObjectStore(*world->runtime);
  return world;
}

World SimFileWorld() {
  auto world = std::make_unique<ObjectStoreWorld>();
  world->runtime = std::make_shared<SimRuntime>(7);
  world->store =
      MakeFileObjectStore(std::make_shared<SimFileSystem>(7), *world->runtime);
  return world;
}

World PosixFileWorld() {
  auto world = std::make_unique<ObjectStoreWorld>();
  auto directory = std::make_shared<TempDir>();
  world->keep_alive = directory;
  world->runtime = MakeThreadRuntime();
  auto files = OpenPosixFileSystem(directory->path() / "cold", true);
  EXPECT_TRUE(files.ok()) << files.status();
  world->store = MakeFileObjectStore(*std::move(files), *world->runtime);
  return world;
}

// The decorators must not change what they decorate.
World DecoratedWorld() {
  World world = MemoryWorld();
  world->store = std::make_shared<InstrumentedObjectStore>(
      std::move(world->store), world->runtime->clock());
  auto faulty = std::make_shared<FaultyObjectStore>(std::move(world->store),
                                                    *world->runtime, 7);
  faulty->SetChances({.max_delay = std::chrono::milliseconds(5)});
  world->store = std::move(faulty);
  return world;
}

// As a store of the network is put together.
World GuardedWorld() {
  World world = MemoryWorld();
  Runtime& runtime = *world->runtime;
  world->store = MakeRateLimitedObjectStore(
      std::move(world->store),
      {.requests_per_second = 10'000, .bytes_per_second = 100'000'000},
      runtime);
  auto adaptive = std::make_shared<AdaptiveObjectStore>(
      std::move(world->store), ConcurrencyLimits{}, runtime);
  world->store = MakeRetryingObjectStore(adaptive->store(), {}, runtime);
  return world;
}

INSTANTIATE_TEST_SUITE_P(
    BackEnds, ObjectStoreContract,
    testing::Values(ObjectStoreBackend{"Memory", MemoryWorld},
                    ObjectStoreBackend{"MemoryOnThreads", MemoryOnThreadsWorld},
                    ObjectStoreBackend{"SimFile", SimFileWorld},
                    ObjectStoreBackend{"PosixFile", PosixFileWorld},
                    ObjectStoreBackend{"Decorated", DecoratedWorld},
                    ObjectStoreBackend{"Guarded", GuardedWorld}),
    [](const auto& param_info) { return param_info.param.name; });

// --- What only a simulated clock can show ---

TEST(ObjectStoreDeadline, RequestThatBeginsTooLateIsNotDone) {
  SimRuntime runtime(1, {.max_step_time = std::chrono::seconds(1)});
  auto store = MakeMemoryObjectStore(runtime);
  ObjectStoreClient client(*store, runtime);
  client.request.timeout = std::chrono::milliseconds(1);
  int late = 0;
  for (int i = 0; i < 20; ++i) {
    const auto put = client.Put("key" + std::to_string(i), "x");
    if (put.ok()) continue;
    EXPECT_EQ(put.status().code(), StatusCode::kDeadlineExceeded);
    ++late;
  }
  EXPECT_GT(late, 0);
  client.request.timeout = std::chrono::milliseconds(0);
  EXPECT_EQ(client.Keys().size(), 20u - static_cast<size_t>(late));
}

// The clock may go before a store that does not answer.
TEST(InstrumentedObjectStoreTest, AnswerAfterTimingStoppedIsCountedOnly) {
  SimRuntime runtime(1);
  InstrumentedObjectStore store(MakeMemoryObjectStore(runtime),
                                runtime.clock());
  int answers = 0;
  const auto put = [&] {
    store.Put("a", MakeStringSource("1"), PutPrecondition::None(), {},
              [&](Result<ObjectVersion> version) {
                EXPECT_TRUE(version.ok()) << version.status();
                ++answers;
              });
  };
  put();
  runtime.RunUntilIdle();
  put();
  store.StopTiming();
  runtime.RunUntilIdle();
  EXPECT_EQ(answers, 2);
  EXPECT_EQ(store.counters().puts, 2u);
  EXPECT_EQ(store.counters().put_latency.Summary().count, 1u);
}

TEST(InstrumentedObjectStoreTest, CountsRequestsAndBytes) {
  SimRuntime runtime(1);
  InstrumentedObjectStore store(MakeMemoryObjectStore(runtime),
                                runtime.clock());
  ObjectStoreClient client(store, runtime);
  ASSERT_TRUE(client.Put("a", "12345").ok());
  EXPECT_FALSE(client.Put("a", "1", PutPrecondition::Absent()).ok());
  EXPECT_TRUE(client.Get("a", 1, 3).ok());
  EXPECT_FALSE(client.Get("b").ok());
  EXPECT_FALSE(client.Head("b//").ok());
  EXPECT_TRUE(client.List("", "", 1).ok());
  EXPECT_TRUE(client.Delete("a").ok());
  const ObjectStoreCounters& counters = store.counters();
  EXPECT_EQ(counters.puts, 2u);
  EXPECT_EQ(counters.gets, 2u);
  EXPECT_EQ(counters.heads, 1u);
  EXPECT_EQ(counters.lists, 1u);
  EXPECT_EQ(counters.deletes, 1u);
  EXPECT_EQ(counters.bytes_put, 5u);
  EXPECT_EQ(counters.bytes_got, 3u);
  EXPECT_EQ(counters.failures, 1u);
}

TEST(StringSourceTest, ReadsItsBytes) {
  const auto source = MakeStringSource("0123456789");
  EXPECT_EQ(source->size(), 10u);
  std::byte out[3];
  ASSERT_TRUE(source->ReadAt(7, out).ok());
  EXPECT_EQ(AsText(out), "789");
  EXPECT_EQ(AsText(*source->Contiguous()), "0123456789");
}

}  // namespace
}  // namespace strata
