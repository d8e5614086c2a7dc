#include "testing/faulty_object_store.h"

#include <gtest/gtest.h>

#include "object_store/memory/memory_object_store.h"
#include "testing/object_store_client.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

class FaultyObjectStoreTest : public testing::Test {
 protected:
  SimRuntime runtime{5};
  std::shared_ptr<ObjectStore> memory = MakeMemoryObjectStore(runtime);
  FaultyObjectStore store{memory, runtime, 5};
  ObjectStoreClient client{store, runtime};
  ObjectStoreClient truth{*memory, runtime};
};

TEST_F(FaultyObjectStoreTest, UnavailableDoesNothing) {
  store.FailNext(StoreOp::kPut, StoreFault::kUnavailable);
  EXPECT_EQ(client.Put("a", "x").status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(truth.Keys().empty());
  EXPECT_TRUE(client.Put("a", "x").ok());
}

TEST_F(FaultyObjectStoreTest, UnknownIsDoneOrNotOrLate) {
  store.FailNext(StoreOp::kPut, StoreFault::kUnknownDone);
  store.FailNext(StoreOp::kPut, StoreFault::kUnknownUndone);
  store.FailNext(StoreOp::kPut, StoreFault::kUnknownLate);
  for (const char* key : {"done", "undone", "late"}) {
    EXPECT_EQ(client.Put(key, "x").status().code(), StatusCode::kUnknown);
  }
  EXPECT_EQ(truth.Keys(), std::vector<std::string>{"done"});
  runtime.RunFor(std::chrono::seconds(2));
  EXPECT_EQ(truth.Keys(), (std::vector<std::string>{"done", "late"}));
}

TEST_F(FaultyObjectStoreTest, AnswerIsShortOrCorrupt) {
  ASSERT_TRUE(client.Put("a", "0123456789").ok());
  store.FailNext(StoreOp::kGet, StoreFault::kShort);
  EXPECT_EQ(*client.Get("a"), "01234");
  store.FailNext(StoreOp::kGet, StoreFault::kCorrupt);
  const auto corrupt = client.Get("a");
  ASSERT_TRUE(corrupt.ok());
  EXPECT_EQ(corrupt->size(), 10u);
  EXPECT_NE(*corrupt, "0123456789");
  EXPECT_EQ(*client.Get("a"), "0123456789");
}

TEST_F(FaultyObjectStoreTest, AwayRefusesUntilItIsBack) {
  store.SetAway(true);
  EXPECT_EQ(client.Head("a").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(client.Delete("a").code(), StatusCode::kUnavailable);
  EXPECT_EQ(client.List("", "", 1).status().code(), StatusCode::kUnavailable);
  store.SetAway(false);
  EXPECT_TRUE(client.Put("a", "x").ok());
  EXPECT_EQ(store.faults(), 3u);
}

TEST_F(FaultyObjectStoreTest, ChanceIsTheSameForTheSameSeed) {
  const auto outcomes = [](uint64_t seed) {
    SimRuntime sim(seed);
    FaultyObjectStore faulty(MakeMemoryObjectStore(sim), sim, seed);
    faulty.SetChances({.unavailable = 200,
                       .unknown_done = 200,
                       .max_delay = std::chrono::milliseconds(10)});
    ObjectStoreClient puts(faulty, sim);
    std::vector<StatusCode> codes;
    for (int i = 0; i < 100; ++i) {
      codes.push_back(puts.Put("k", "v").status().code());
    }
    return codes;
  };
  EXPECT_EQ(outcomes(1), outcomes(1));
  EXPECT_NE(outcomes(1), outcomes(2));
  const auto codes = outcomes(1);
  EXPECT_GT(std::count(codes.begin(), codes.end(), StatusCode::kOk), 0);
  EXPECT_GT(std::count(codes.begin(), codes.end(), StatusCode::kUnknown), 0);
}

}  // namespace
}  // namespace strata
