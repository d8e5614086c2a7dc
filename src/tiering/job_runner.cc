#include "tiering/job_runner.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "runtime/rate_limiter.h"
#include "tiering/job_queue.h"

namespace strata {
namespace {

// Bytes that may go ahead of the rate: a job that comes after a pause need not
// wait.
constexpr uint64_t kBurstSeconds = 1;

}  // namespace

// What the runner and its running jobs share. Thread-safe.
class JobRunner::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(Runtime& runtime, JobRunnerOptions options, Execute execute)
      : options_(options),
        executor_(runtime.job_executor()),
        limiter_({.bytes_per_second = options.bytes_per_second,
                  .burst_bytes = options.bytes_per_second * kBurstSeconds},
                 runtime.clock(), executor_),
        execute_(std::move(execute)),
        queue_(options.queue_max) {}

  bool Submit(PlannedJob job, StatusDone finished) {
    Status refusal;
    {
      MutexLock lock(mu_);
      JobQueue::PushResult pushed;
      if (!stopping_) pushed = queue_.Push(std::move(job));
      if (pushed.outcome != JobQueue::Outcome::kFull) {
        if (finished)
          waiting_for_[pushed.number].push_back(std::move(finished));
        if (pushed.outcome == JobQueue::Outcome::kDuplicate) return false;
      } else {
        refusal = Refusal();
      }
    }
    if (refusal.ok()) {
      StartJobs();
      return true;
    }
    if (finished) Answer(std::move(finished), std::move(refusal));
    return false;
  }

  void SubmitInTurn(PlannedJob job, StatusDone finished) {
    Status refusal;
    {
      MutexLock lock(mu_);
      JobQueue::PushResult pushed;
      if (!stopping_) pushed = queue_.Push(job);
      switch (pushed.outcome) {
        case JobQueue::Outcome::kAccepted:
          waiting_for_[pushed.number].push_back(std::move(finished));
          break;
        case JobQueue::Outcome::kDuplicate:
          waiting_for_[pushed.number].push_back(
              [core = shared_from_this(), job = std::move(job),
               finished = std::move(finished)](Status) mutable {
                core->SubmitInTurn(std::move(job), std::move(finished));
              });
          return;
        case JobQueue::Outcome::kFull: refusal = Refusal(); break;
      }
    }
    if (refusal.ok()) return StartJobs();
    Answer(std::move(finished), std::move(refusal));
  }

  bool IsBusy(const PartitionId& partition, uint64_t segment) const {
    MutexLock lock(mu_);
    return queue_.HasSegment(partition, segment);
  }

  void WhenIdle(UniqueFunction<void()> done) {
    {
      MutexLock lock(mu_);
      if (!idle()) {
        when_idle_.push_back(std::move(done));
        return;
      }
    }
    executor_.Post(std::move(done));
  }

  void Stop() {
    std::vector<StatusDone> finished;
    {
      MutexLock lock(mu_);
      stopping_ = true;
      for (const JobQueue::NumberedJob& job : queue_.Clear()) {
        TakeWaiting(job.number, finished);
      }
      for (const auto& [number, job] : waiting_for_bytes_) {
        Leave(number, job.kind);
        TakeWaiting(number, finished);
      }
      waiting_for_bytes_.clear();
    }
    for (StatusDone& f : finished) Answer(std::move(f), Stopped());
    PostIdle();
  }

  // Nobody is called any more: who waits may be gone.
  void Abandon() {
    std::map<JobNumber, std::vector<StatusDone>> waiting_for;
    std::vector<UniqueFunction<void()>> when_idle;
    MutexLock lock(mu_);
    stopping_ = true;
    queue_.Clear();
    waiting_for_bytes_.clear();
    waiting_for.swap(waiting_for_);
    when_idle.swap(when_idle_);
  }

  JobRunnerStats Stats() const {
    MutexLock lock(mu_);
    return {.completed = completed_,
            .failed = failed_,
            .queued = queue_.waiting(),
            .running = running_};
  }

 private:
  static Status Stopped() {
    return {StatusCode::kClosed, "migration jobs are stopped"};
  }

  Status Refusal() const STRATA_REQUIRES(mu_) {
    return stopping_ ? Stopped()
                     : Status(StatusCode::kOverloaded,
                              "too many migration jobs are waiting");
  }

  bool idle() const STRATA_REQUIRES(mu_) {
    return running_ == 0 && queue_.waiting() == 0;
  }

  // A job that left the queue by PopNext has ended.
  void Leave(JobNumber number, JobKind kind) STRATA_REQUIRES(mu_) {
    queue_.Done(number);
    --running_;
    if (NeedsObjectStore(kind)) --running_remote_;
  }

  // From the executor, since the caller may hold locks.
  void Answer(StatusDone finished, Status status) {
    executor_.Post(
        [finished = std::move(finished), status = std::move(status)]() mutable {
          finished(std::move(status));
        });
  }

  void PostIdle() {
    std::vector<UniqueFunction<void()>> done;
    {
      MutexLock lock(mu_);
      if (idle()) done.swap(when_idle_);
    }
    for (UniqueFunction<void()>& d : done) executor_.Post(std::move(d));
  }

  void TakeWaiting(JobNumber number, std::vector<StatusDone>& finished)
      STRATA_REQUIRES(mu_) {
    const auto waiting = waiting_for_.find(number);
    if (waiting == waiting_for_.end()) return;
    std::move(waiting->second.begin(), waiting->second.end(),
              std::back_inserter(finished));
    waiting_for_.erase(waiting);
  }

  // Moves jobs from the queue into free slots.
  void StartJobs() {
    for (;;) {
      JobNumber number;
      uint64_t bytes;
      {
        MutexLock lock(mu_);
        std::optional<JobQueue::NumberedJob> next = PopNext();
        if (!next) return;
        ++running_;
        if (NeedsObjectStore(next->job.kind)) ++running_remote_;
        number = next->number;
        bytes = next->job.bytes;
        waiting_for_bytes_.emplace(number, std::move(next->job));
      }
      Task go = [core = shared_from_this(), number] {
        core->ExecuteJob(number);
      };
      if (bytes == 0) {  // does not wait for what others have to pay
        executor_.Post(std::move(go));
      } else {
        limiter_.Acquire(bytes, std::move(go));
      }
    }
  }

  std::optional<JobQueue::NumberedJob> PopNext() STRATA_REQUIRES(mu_) {
    if (running_ >= options_.concurrency) return std::nullopt;
    const uint32_t for_remote = std::max(options_.concurrency - 1, 1u);
    return queue_.Pop(running_remote_ < for_remote ? JobQueue::Take::kAny
                                                   : JobQueue::Take::kLocal);
  }

  void ExecuteJob(JobNumber number) {
    PlannedJob job;
    {
      MutexLock lock(mu_);
      const auto entry = waiting_for_bytes_.find(number);
      if (entry == waiting_for_bytes_.end()) return;  // stopped meanwhile
      job = std::move(entry->second);
      waiting_for_bytes_.erase(entry);
    }
    const JobKind kind = job.kind;
    execute_(std::move(job),
             [core = shared_from_this(), number, kind](const Status& status) {
               core->EndJob(number, kind, status);
             });
  }

  void EndJob(JobNumber number, JobKind kind, const Status& status) {
    std::vector<StatusDone> finished;
    {
      MutexLock lock(mu_);
      Leave(number, kind);
      ++(status.ok() ? completed_ : failed_);
      TakeWaiting(number, finished);
    }
    for (StatusDone& f : finished) f(status);
    StartJobs();
    PostIdle();
  }

  const JobRunnerOptions options_;
  Executor& executor_;
  RateLimiter limiter_;
  Execute execute_;
  mutable Mutex mu_;
  JobQueue queue_ STRATA_GUARDED_BY(mu_);
  std::map<JobNumber, PlannedJob> waiting_for_bytes_ STRATA_GUARDED_BY(mu_);
  // Who is told when a job has ended.
  std::map<JobNumber, std::vector<StatusDone>> waiting_for_
      STRATA_GUARDED_BY(mu_);
  std::vector<UniqueFunction<void()>> when_idle_ STRATA_GUARDED_BY(mu_);
  bool stopping_ STRATA_GUARDED_BY(mu_) = false;
  uint32_t running_ STRATA_GUARDED_BY(mu_) = 0;
  uint32_t running_remote_ STRATA_GUARDED_BY(mu_) = 0;
  uint64_t completed_ STRATA_GUARDED_BY(mu_) = 0;
  uint64_t failed_ STRATA_GUARDED_BY(mu_) = 0;
};

JobRunner::JobRunner(Runtime& runtime, JobRunnerOptions options,
                     Execute execute)
    : core_(std::make_shared<Core>(runtime, options, std::move(execute))) {}

JobRunner::~JobRunner() { core_->Abandon(); }

bool JobRunner::Submit(PlannedJob job, StatusDone finished) {
  return core_->Submit(std::move(job), std::move(finished));
}

void JobRunner::SubmitInTurn(PlannedJob job, StatusDone finished) {
  core_->SubmitInTurn(std::move(job), std::move(finished));
}

bool JobRunner::IsBusy(const PartitionId& partition, uint64_t segment) const {
  return core_->IsBusy(partition, segment);
}

void JobRunner::Drain(UniqueFunction<void()> done) {
  core_->WhenIdle(std::move(done));
}

void JobRunner::Stop(UniqueFunction<void()> done) {
  core_->Stop();
  core_->WhenIdle(std::move(done));
}

JobRunnerStats JobRunner::Stats() const { return core_->Stats(); }

}  // namespace strata
