#include "cold/single_flight_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "cold/request_gate.h"

namespace strata {
namespace {

using Cache = SingleFlightCache<int, std::string>;

class SingleFlightCacheTest : public testing::Test {
 protected:
  // Loads `key`; the value comes when Land is called.
  bool Load(int key) {
    return cache->Load(
        key,
        [this](Cache::LoadDone done) { flights.push_back(std::move(done)); },
        [this](Result<Cache::ValuePtr> value) {
          answers.push_back(value.ok() ? **value : value.status().message());
        });
  }
  void Land(std::string value) {
    auto done = std::move(flights.front());
    flights.erase(flights.begin());
    const uint64_t bytes = value.size();
    done(Cache::Loaded{std::make_shared<std::string>(std::move(value)), bytes});
  }
  using Texts = std::vector<std::string>;

  std::shared_ptr<Cache> cache = std::make_shared<Cache>(10);
  std::vector<Cache::LoadDone> flights;
  Texts answers;
};

TEST_F(SingleFlightCacheTest, OneLoadAnswersAllWhoWait) {
  EXPECT_TRUE(Load(1));
  EXPECT_FALSE(Load(1));
  EXPECT_TRUE(cache->Holds(1));
  EXPECT_EQ(cache->Find(1), nullptr);
  Land("one");
  EXPECT_EQ(answers, (Texts{"one", "one"}));
  EXPECT_FALSE(Load(1));
  EXPECT_EQ(answers.size(), 3u);
  EXPECT_EQ(cache->misses(), 1u);
}

TEST_F(SingleFlightCacheTest, ErrorGoesToAllAndIsNotKept) {
  Load(1);
  Load(1);
  flights[0](Status(StatusCode::kUnavailable, "away"));
  EXPECT_EQ(answers, (Texts{"away", "away"}));
  EXPECT_TRUE(Load(1)) << "asks again";
}

TEST_F(SingleFlightCacheTest, LeastRecentlyUsedGoesFirst) {
  for (int key : {1, 2, 3}) {
    Load(key);
    Land("abc");
  }
  EXPECT_EQ(cache->bytes(), 9u);
  EXPECT_NE(cache->Find(1), nullptr);
  Load(4);
  Land("abc");
  EXPECT_EQ(cache->Find(2), nullptr);
  EXPECT_NE(cache->Find(1), nullptr);
  EXPECT_EQ(cache->bytes(), 9u);
}

TEST_F(SingleFlightCacheTest, ValueLargerThanTheCacheIsAnsweredNotKept) {
  Load(1);
  Land("abc");
  Load(2);
  Land("abcdefghijk");
  EXPECT_EQ(answers.back(), "abcdefghijk");
  EXPECT_EQ(cache->Find(2), nullptr);
  EXPECT_NE(cache->Find(1), nullptr);
}

TEST_F(SingleFlightCacheTest, EvictedValueLivesWhileItIsHeld) {
  Load(1);
  Land("0123456789");
  const Cache::ValuePtr held = cache->Find(1);
  Load(2);
  Land("abcdefghij");
  EXPECT_EQ(cache->Find(1), nullptr);
  EXPECT_EQ(*held, "0123456789");
}

TEST_F(SingleFlightCacheTest, ForgottenValueIsLoadedAgain) {
  Load(1);
  Land("abc");
  cache->Forget(1);
  EXPECT_EQ(cache->bytes(), 0u);
  EXPECT_TRUE(Load(1));
}

TEST_F(SingleFlightCacheTest, ClosedCacheDropsWhoWaits) {
  Load(1);
  cache->Close();
  EXPECT_FALSE(Load(2));
  Land("abc");
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(cache->bytes(), 0u);
}

TEST(RequestGateTest, ThoseWhoWaitStartInOrder) {
  RequestGate gate({.under_way = 2, .waiting = 2});
  std::vector<int> started;
  const auto enter = [&](int n) {
    return gate.Enter([&started, n] { started.push_back(n); });
  };
  for (int n : {1, 2, 3, 4}) EXPECT_TRUE(enter(n).ok());
  EXPECT_EQ(started, (std::vector<int>{1, 2}));
  EXPECT_EQ(enter(5).code(), StatusCode::kOverloaded);
  EXPECT_FALSE(gate.TryEnter());
  gate.Leave();
  EXPECT_EQ(started, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(gate.under_way(), 2u);
  gate.Leave();
  gate.Leave();
  EXPECT_EQ(started.size(), 4u);
  EXPECT_EQ(gate.under_way(), 1u);
  EXPECT_TRUE(gate.TryEnter());
  gate.Leave();
  gate.Leave();
  EXPECT_EQ(gate.under_way(), 0u);
}

}  // namespace
}  // namespace strata
