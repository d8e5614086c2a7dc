#include "engine/gate.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "testing/sim_runtime.h"

namespace strata::engine {
namespace {

class GateTest : public ::testing::Test {
 protected:
  // Appends `name` to entered_ when it has the gate, which it keeps.
  void Enter(Gate& gate, char name) {
    gate.Enter([this, name](Gate::Hold hold) {
      entered_ += name;
      hold_ = std::move(hold);
    });
  }

  SimRuntime runtime_{1};
  std::string entered_;
  Gate::Hold hold_;
};

TEST_F(GateTest, OneAtATimeInTheOrderOfEntering) {
  Gate gate(runtime_.job_executor());
  for (const char name : {'a', 'b', 'c'}) Enter(gate, name);
  EXPECT_EQ(entered_, "");  // never inside the call
  for (const char* expected : {"a", "ab", "abc", "abc"}) {
    runtime_.RunUntilIdle();
    EXPECT_EQ(entered_, expected);
    hold_.Release();
    EXPECT_FALSE(hold_);
  }
  Enter(gate, 'd');  // free again
  runtime_.RunUntilIdle();
  EXPECT_EQ(entered_, "abcd");
}

TEST_F(GateTest, HoldThatReplacesAnotherLeavesTheOther) {
  Gate gate(runtime_.job_executor());
  Enter(gate, 'a');
  runtime_.RunUntilIdle();
  Gate other(runtime_.job_executor());
  Enter(gate, 'b');
  Enter(other, 'x');
  runtime_.RunUntilIdle();  // x replaces the hold of a: b may enter
  EXPECT_EQ(entered_, "axb");
}

TEST_F(GateTest, DroppedTaskLeaves) {
  Gate gate(runtime_.job_executor());
  Enter(gate, 'a');
  Enter(gate, 'b');
  runtime_.DropAllTasks();
  Enter(gate, 'c');
  runtime_.RunUntilIdle();
  EXPECT_EQ(entered_, "c");
}

// What is in line often owns what the gate is a part of.
TEST_F(GateTest, LastOwnerMayBeATaskThatIsDropped) {
  auto gate = std::make_shared<Gate>(runtime_.job_executor());
  const std::weak_ptr<Gate> alive = gate;
  for (int i = 0; i < 3; ++i) {
    gate->Enter([gate](Gate::Hold) {});
  }
  gate.reset();
  EXPECT_FALSE(alive.expired());
  runtime_.DropAllTasks();
  EXPECT_TRUE(alive.expired());
}

TEST_F(GateTest, LastOwnerMayBeATaskThatIsRun) {
  auto gate = std::make_shared<Gate>(runtime_.job_executor());
  const std::weak_ptr<Gate> alive = gate;
  int entered = 0;
  for (int i = 0; i < 3; ++i) {
    gate->Enter([gate, &entered](Gate::Hold) { ++entered; });
  }
  gate.reset();
  runtime_.RunUntilIdle();
  EXPECT_EQ(entered, 3);
  EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace strata::engine
