// The blocking calls: wait, outside of the core, for what the engine answers.
// Under simulation waiting runs the executors.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "engine/engine.h"

namespace strata::engine {

// Calls start(done) and waits for done(value).
template <typename T, typename Start>
T WaitFor(Runtime& runtime, Start&& start) {
  // Shared with the callback, which may still be returning when the waiter has
  // the answer.
  struct Answer {
    explicit Answer(Runtime& r) : event(r.NewEvent()) {}
    std::unique_ptr<Event> event;
    std::optional<T> value;
  };
  auto answer = std::make_shared<Answer>(runtime);
  start([answer](T value) {
    answer->value.emplace(std::move(value));
    answer->event->Set();
  });
  answer->event->WaitUntil(std::nullopt);
  return std::move(*answer->value);
}

template <typename Start>
Status WaitForStatus(Runtime& runtime, Start&& start) {
  return WaitFor<Status>(runtime, std::forward<Start>(start));
}

// Puts by `put`, which answers a Result<PendingAppend>, waiting for room as
// long as append_timeout, then waits for the durability.
template <typename Put>
Result<AppendResult> AppendAndWait(Engine& engine, Put&& put) {
  const auto wants_room = [](const Result<PendingAppend>& refused) {
    if (refused.ok()) return false;
    const StatusCode why = refused.status().code();
    return why == StatusCode::kOverloaded || why == StatusCode::kNoSpace;
  };
  Runtime& runtime = engine.runtime();
  const MonotonicTime deadline =
      runtime.clock().Now() + engine.config().append_timeout;
  Result<PendingAppend> pending = put();
  while (wants_room(pending)) {
    // However often it is woken in vain.
    if (runtime.clock().Now() >= deadline) {
      return pending.status().WithContext(fmt::format(
          "no room within {} ms", engine.config().append_timeout.count()));
    }
    const std::shared_ptr<Event> room = runtime.NewEvent();
    const uint64_t waiter = engine.WhenWritable([room] { room->Set(); });
    // Room may have come between the refusal and the registration.
    pending = put();
    if (wants_room(pending)) {
      room->WaitUntil(deadline);
      pending = put();
    }
    engine.CancelWritable(waiter);
  }
  if (!pending.ok()) return std::move(pending).status();
  if (pending->wait) {
    STRATA_RETURN_IF_ERROR(WaitForStatus(runtime, [&](auto done) {
      engine.WhenDurable(*pending, std::move(done));
    }));
  }
  return pending->result;
}

}  // namespace strata::engine
