// Await: turns a call with a continuation into one that waits, on any Runtime.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "runtime/runtime.h"

namespace strata {

// Calls `start(done)`, waits until it calls `done` with a T, and answers that.
// Under simulation tasks run and time passes until it does.
template <typename T, typename Start>
T Await(Runtime& runtime, Start start) {
  struct State {
    std::unique_ptr<Event> called;
    std::optional<T> answer;
  };
  auto state = std::make_shared<State>();
  state->called = runtime.NewEvent();
  start([state](T answer) {
    EXPECT_FALSE(state->answer.has_value()) << "called twice";
    state->answer.emplace(std::move(answer));
    state->called->Set();
  });
  state->called->WaitUntil(std::nullopt);
  return *std::move(state->answer);
}

}  // namespace strata
