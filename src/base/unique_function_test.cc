#include "base/unique_function.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace strata {
namespace {

// Counts how often copies of it live.
struct Counted {
  explicit Counted(int& n) : live(&n) { ++*live; }
  Counted(Counted&& other) noexcept : live(other.live) { ++*live; }
  ~Counted() { --*live; }
  int* live;
};

TEST(UniqueFunctionTest, PassesArgumentsAndResult) {
  UniqueFunction<std::string(int, std::string)> f =
      [](int n, const std::string& s) { return s + std::to_string(n); };
  EXPECT_EQ(f(7, "a"), "a7");
  EXPECT_EQ(f(8, "b"), "b8");
}

TEST(UniqueFunctionTest, HoldsAndTakesMoveOnlyValues) {
  UniqueFunction<std::unique_ptr<int>(std::unique_ptr<int>)> f =
      [kept = std::make_unique<int>(2)](std::unique_ptr<int> in) {
        *in += *kept;
        return in;
      };
  EXPECT_EQ(*f(std::make_unique<int>(40)), 42);
}

TEST(UniqueFunctionTest, PassesReferencesThrough) {
  UniqueFunction<void(int&)> f = [](int& n) { n = 5; };
  int n = 0;
  f(n);
  EXPECT_EQ(n, 5);
}

TEST(UniqueFunctionTest, KeepsStateBetweenCalls) {
  UniqueFunction<int()> f = [n = 0]() mutable { return ++n; };
  f();
  EXPECT_EQ(f(), 2);
}

TEST(UniqueFunctionTest, EmptyIsFalse) {
  UniqueFunction<void()> none;
  EXPECT_FALSE(none);
  EXPECT_FALSE(UniqueFunction<void()>(nullptr));
  EXPECT_TRUE(UniqueFunction<void()>([] {}));
}

TEST(UniqueFunctionDeathTest, CallOfAnEmptyOneAborts) {
  UniqueFunction<void()> none;
  EXPECT_DEATH(none(), "check failed");
}

template <size_t kExtraBytes>
void ExpectOneLiveTargetUntilDestroyed() {
  int live = 0;
  {
    std::array<char, kExtraBytes> extra{};
    UniqueFunction<size_t()> f = [c = Counted(live), extra] {
      return extra.size();
    };
    EXPECT_EQ(live, 1);
    UniqueFunction<size_t()> g = std::move(f);
    EXPECT_FALSE(f);  // NOLINT: moved from on purpose
    EXPECT_EQ(live, 1);
    EXPECT_EQ(g(), kExtraBytes);
    f = std::move(g);
    EXPECT_EQ(f(), kExtraBytes);
    EXPECT_EQ(live, 1);
  }
  EXPECT_EQ(live, 0);
}

TEST(UniqueFunctionTest, SmallTargetIsMovedAndDestroyedOnce) {
  ExpectOneLiveTargetUntilDestroyed<8>();
}

TEST(UniqueFunctionTest, LargeTargetIsMovedAndDestroyedOnce) {
  ExpectOneLiveTargetUntilDestroyed<500>();
}

TEST(UniqueFunctionTest, AssignmentDestroysTheFormerTarget) {
  int live = 0;
  UniqueFunction<void()> f = [c = Counted(live)] {};
  f = [] {};
  EXPECT_EQ(live, 0);
  f = [c = Counted(live)] {};
  f = nullptr;
  EXPECT_EQ(live, 0);
  EXPECT_FALSE(f);
}

TEST(UniqueFunctionTest, SelfMoveKeepsTheTarget) {
  UniqueFunction<int()> f = [] { return 3; };
  UniqueFunction<int()>& same = f;
  f = std::move(same);
  EXPECT_EQ(f(), 3);
}

TEST(UniqueFunctionTest, OverAlignedTargetIsAligned) {
  struct alignas(64) Wide {
    char bytes[64];
  };
  Wide wide{};
  UniqueFunction<uintptr_t()> f = [wide] {
    return reinterpret_cast<uintptr_t>(&wide) % 64;
  };
  UniqueFunction<uintptr_t()> g = std::move(f);
  EXPECT_EQ(g(), 0u);
}

}  // namespace
}  // namespace strata
