// SimRuntime: the deterministic Runtime. One thread, one seed: which of the
// ready tasks runs next is drawn from the seed, time stands still until it is
// moved, and the same seed replays the same run.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "runtime/runtime.h"
#include "runtime/xoshiro.h"

namespace strata {

struct SimRuntimeOptions {
  // Before each task the clock moves by a random part of this, so that timers
  // become due between tasks, as they do on slow machines. Zero: time moves
  // only by AdvanceTo, RunFor and waiting.
  Duration max_step_time = Duration::zero();
};

// Owned by one thread. Tasks may post, wait on events, and destroy anything
// but the runtime itself.
class SimRuntime final : public Runtime {
 public:
  // The clock starts here: 2026-01-01T00:00:00Z.
  static constexpr TimestampMs kWallStart = 1767225600000;

  explicit SimRuntime(uint64_t seed, SimRuntimeOptions options = {});
  SimRuntime(const SimRuntime&) = delete;
  SimRuntime& operator=(const SimRuntime&) = delete;
  // Destroys the tasks that did not run.
  ~SimRuntime() override;

  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }
  Executor& log_executor() override { return executors_[0]; }
  Executor& job_executor() override { return executors_[1]; }
  Executor& read_executor() override { return executors_[2]; }
  Executor& cold_executor() override { return executors_[3]; }
  // WaitUntil runs tasks, and moves the clock to the next timer when none is
  // ready, until the event is set or the clock stands at the deadline. Without
  // deadline, task and timer it aborts: a deadlock is found.
  std::unique_ptr<Event> NewEvent() override;

  // Runs one ready task of any executor; false when none is ready.
  bool Step();
  // Runs tasks until none is ready. Does not wait for timers.
  void RunUntilIdle();
  // Runs everything that is due up to `time`, in order of time, and leaves the
  // clock there. A time in the past only runs what is ready.
  void AdvanceTo(MonotonicTime time);
  void RunFor(Duration duration) { AdvanceTo(now_ + duration); }
  // Moves the wall clock only, as an operator or NTP does.
  void StepWallClock(std::chrono::milliseconds by) { wall_step_ += by; }
  // A simulated crash: destroys all queued tasks and timers without running
  // them, and those that their destruction posts. Call it between tasks: one
  // that is running goes on, and so does the strand that it runs on.
  void DropAllTasks();

  uint64_t seed() const { return seed_; }
  // Tasks run so far.
  uint64_t steps() const { return steps_; }
  // Hash of which task ran when: equal for runs that went the same way.
  uint64_t TraceHash() const { return trace_hash_; }

 private:
  struct SimClock final : Clock {
    explicit SimClock(const SimRuntime& r) : runtime(r) {}
    MonotonicTime Now() const override { return runtime.now_; }
    TimestampMs WallNow() const override;
    const SimRuntime& runtime;
  };
  struct SimRandom final : Random {
    explicit SimRandom(uint64_t seed) : generator(seed) {}
    uint64_t Next() override { return generator.Next(); }
    Xoshiro256 generator;
  };
  struct SimExecutor final : Executor {
    SimExecutor(SimRuntime& r, uint64_t n) : runtime(r), number(n) {}
    void Post(Task task) override {
      PostAfter(Duration::zero(), std::move(task));
    }
    void PostAfter(Duration delay, Task task) override;
    SimRuntime& runtime;
    const uint64_t number;
  };
  class SimEvent;

  struct QueuedTask {
    uint64_t executor = 0;
    uint64_t number = 0;  // counts all tasks ever posted
    Task task;
  };

  bool RunUntilSet(const bool& set, std::optional<MonotonicTime> deadline);
  void MoveClock(MonotonicTime to);
  void Enqueue(uint64_t executor, Duration delay, Task task);

  const uint64_t seed_;
  const SimRuntimeOptions options_;
  // Not zero: a default MonotonicTime lies in the past, as on a real machine.
  MonotonicTime now_{std::chrono::hours(1)};
  std::chrono::milliseconds wall_step_{0};
  SimClock clock_;
  // Two streams, so that what the engine draws does not change the schedule.
  SimRandom random_;
  Xoshiro256 schedule_;
  SimExecutor executors_[4];
  std::vector<QueuedTask> ready_;
  std::map<std::pair<MonotonicTime, uint64_t>, QueuedTask> timers_;
  bool dropping_ = false;
  uint64_t posted_ = 0;
  uint64_t steps_ = 0;
  uint64_t trace_hash_ = 0;
};

}  // namespace strata
