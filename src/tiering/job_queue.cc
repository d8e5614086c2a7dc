#include "tiering/job_queue.h"

#include <algorithm>

#include "base/check.h"

namespace strata {

bool NeedsObjectStore(JobKind kind) {
  return kind == JobKind::kOffload || kind == JobKind::kPromoteWarm ||
         kind == JobKind::kPurge;
}

std::vector<JobQueue::Claim> JobQueue::ClaimsOf(const PlannedJob& job) {
  if (job.segments.empty()) return {{job.partition, std::nullopt}};
  std::vector<Claim> claims;
  for (const uint64_t segment : job.segments) {
    claims.push_back({job.partition, segment});
  }
  return claims;
}

JobQueue::PushResult JobQueue::Push(PlannedJob job) {
  std::vector<Claim> claims = ClaimsOf(job);
  for (const Claim& claim : claims) {
    const auto held = claims_.find(claim);
    if (held != claims_.end()) return {Outcome::kDuplicate, held->second};
  }
  if (waiting_.size() >= max_waiting_) return {};
  const JobNumber number = ++last_number_;
  for (const Claim& claim : claims) claims_.emplace(claim, number);
  jobs_.emplace(number, std::move(claims));
  waiting_.emplace(Rank(-job.pressure, number), std::move(job));
  return {Outcome::kAccepted, number};
}

std::optional<JobQueue::NumberedJob> JobQueue::Pop(Take take) {
  const auto next =
      std::find_if(waiting_.begin(), waiting_.end(), [take](const auto& entry) {
        return take == Take::kAny || !NeedsObjectStore(entry.second.kind);
      });
  if (next == waiting_.end()) return std::nullopt;
  NumberedJob job{next->first.second, std::move(next->second)};
  waiting_.erase(next);
  return job;
}

std::vector<JobQueue::NumberedJob> JobQueue::Clear() {
  std::vector<NumberedJob> cleared;
  while (std::optional<NumberedJob> job = Pop(Take::kAny)) {
    Done(job->number);
    cleared.push_back(*std::move(job));
  }
  return cleared;
}

void JobQueue::Done(JobNumber number) {
  const auto job = jobs_.find(number);
  STRATA_CHECK(job != jobs_.end());
  for (const Claim& claim : job->second) claims_.erase(claim);
  jobs_.erase(job);
}

}  // namespace strata
