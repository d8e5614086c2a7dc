// JobRunner: runs planned jobs, a few at a time and at a bounded rate of
// bytes, the most urgent first.
#pragma once

#include <cstdint>
#include <memory>

#include "base/unique_function.h"
#include "runtime/runtime.h"
#include "strata/status.h"
#include "tiering/policy.h"

namespace strata {

struct JobRunnerOptions {
  // Jobs at the same time. Of two or more, one slot is kept for jobs that need
  // no object store, so that a slow bucket never holds up local work.
  uint32_t concurrency = 1;
  uint64_t bytes_per_second = 0;  // of all jobs together; 0: no limit
  uint32_t queue_max = 1;         // jobs that wait
};

struct JobRunnerStats {
  uint64_t completed = 0;
  uint64_t failed = 0;
  uint64_t queued = 0;   // waiting for a slot
  uint64_t running = 0;  // executed, or waiting for bytes
};

// Thread-safe. Never blocks. Callbacks run on the job executor, or where the
// job calls its `done`; never inside a call to the runner and never under its
// lock. Once the executor drops tasks, those that wait are destroyed uncalled.
class JobRunner {
 public:
  using StatusDone = UniqueFunction<void(Status)>;
  // Runs on the job executor, several at a time; calls `done` once, from
  // anywhere, when the job has ended.
  using Execute = UniqueFunction<void(PlannedJob job, StatusDone done)>;

  // `runtime` outlives the runner and its jobs.
  JobRunner(Runtime& runtime, JobRunnerOptions options, Execute execute);
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;
  // Starts and calls nothing any more. Stop first, so that nothing runs either
  // and everybody gets an answer.
  ~JobRunner();

  // True when `job` was queued. `finished` gets its status when it has ended.
  // False when it was not: another job has one of its segments (`finished` gets
  // the status of that one: look again then), the queue is full (kOverloaded),
  // or the runner stops (kClosed).
  bool Submit(PlannedJob job, StatusDone finished = {});

  // As Submit, but when other jobs have its segments it is queued once these
  // have ended: by then they may have replaced or moved some of them.
  void SubmitInTurn(PlannedJob job, StatusDone finished);

  // Whether a job that waits or runs has the segment.
  bool IsBusy(const PartitionId& partition, uint64_t segment) const;

  // Calls `done` once no job waits or runs.
  void Drain(UniqueFunction<void()> done);
  // Takes no more jobs, answers kClosed to those that were not executed yet,
  // and calls `done` once those executing have ended. May be called again.
  void Stop(UniqueFunction<void()> done);

  JobRunnerStats Stats() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace strata
