#include "testing/sim_runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace strata {

class SimRuntime::SimEvent final : public Event {
 public:
  explicit SimEvent(SimRuntime& runtime) : runtime_(runtime) {}
  void Set() override { set_ = true; }
  bool WaitUntil(std::optional<MonotonicTime> deadline) override {
    return runtime_.RunUntilSet(set_, deadline);
  }

 private:
  SimRuntime& runtime_;
  bool set_ = false;
};

SimRuntime::SimRuntime(uint64_t seed, SimRuntimeOptions options)
    : seed_(seed),
      options_(options),
      clock_(*this),
      random_(seed),
      schedule_(~seed),
      executors_{{*this, 0}, {*this, 1}, {*this, 2}, {*this, 3}} {}

SimRuntime::~SimRuntime() {
  DropAllTasks();
  dropping_ = true;  // what outlives us may not post, but must not crash
}

std::unique_ptr<Event> SimRuntime::NewEvent() {
  return std::make_unique<SimEvent>(*this);
}

TimestampMs SimRuntime::SimClock::WallNow() const {
  const Duration passed = runtime.now_ - MonotonicTime(std::chrono::hours(1));
  return kWallStart +
         std::chrono::floor<std::chrono::milliseconds>(passed).count() +
         runtime.wall_step_.count();
}

void SimRuntime::SimExecutor::PostAfter(Duration delay, Task task) {
  runtime.Enqueue(number, delay, std::move(task));
}

void SimRuntime::Enqueue(uint64_t executor, Duration delay, Task task) {
  if (dropping_) return;
  QueuedTask queued{executor, posted_++, std::move(task)};
  if (delay <= Duration::zero()) {
    ready_.push_back(std::move(queued));
  } else {
    const std::pair key(now_ + delay, queued.number);
    timers_.emplace(key, std::move(queued));
  }
}

void SimRuntime::MoveClock(MonotonicTime to) {
  now_ = std::max(now_, to);
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    ready_.push_back(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
  }
}

bool SimRuntime::Step() {
  if (ready_.empty()) return false;
  if (options_.max_step_time > Duration::zero()) {
    const auto limit = static_cast<uint64_t>(options_.max_step_time.count());
    MoveClock(now_ + Duration(schedule_.Next() % (limit + 1)));
  }
  std::swap(ready_[schedule_.Next() % ready_.size()], ready_.back());
  QueuedTask next = std::move(ready_.back());
  ready_.pop_back();
  ++steps_;
  const auto now = static_cast<uint64_t>(now_.time_since_epoch().count());
  for (const uint64_t part : {next.executor, next.number, now}) {
    trace_hash_ ^= part;
    trace_hash_ = SplitMix64(trace_hash_);
  }
  next.task();
  return true;
}

void SimRuntime::RunUntilIdle() {
  while (Step()) {
  }
}

void SimRuntime::AdvanceTo(MonotonicTime time) {
  RunUntilIdle();
  while (!timers_.empty() && timers_.begin()->first.first <= time) {
    MoveClock(timers_.begin()->first.first);
    RunUntilIdle();
  }
  MoveClock(time);
}

bool SimRuntime::RunUntilSet(const bool& set,
                             std::optional<MonotonicTime> deadline) {
  while (!set) {
    if (deadline && now_ >= *deadline) return false;
    if (Step()) continue;
    if (timers_.empty() && !deadline) {
      fmt::print(stderr,
                 "SimRuntime: deadlock: an event is awaited, no task is ready "
                 "and no timer is set (seed {}, after {} steps)\n",
                 seed_, steps_);
      std::abort();
    }
    MonotonicTime next =
        timers_.empty() ? *deadline : timers_.begin()->first.first;
    if (deadline) next = std::min(next, *deadline);
    MoveClock(next);
  }
  return true;
}

void SimRuntime::DropAllTasks() {
  const bool outer = std::exchange(dropping_, true);
  std::exchange(ready_, {}).clear();
  std::exchange(timers_, {}).clear();
  dropping_ = outer;
}

}  // namespace strata
