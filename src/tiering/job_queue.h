// JobQueue: which jobs wait and which run, and that none gets in the way of
// another. A segment, or the tail of a partition, is in at most one job.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tiering/policy.h"

namespace strata {

// Names a job from Push on; never reused.
using JobNumber = uint64_t;

// Thread-compatible: JobRunner guards it with its lock.
class JobQueue {
 public:
  enum class Outcome {
    kAccepted,
    kDuplicate,  // another job has the tail or one of the segments
    kFull,       // max_waiting jobs wait
  };
  struct PushResult {
    Outcome outcome = Outcome::kFull;
    // Of the job accepted, or of the one in the way; 0 when full.
    JobNumber number = 0;
  };
  enum class Take {
    kAny,
    kLocal,  // only jobs that need no object store
  };
  struct NumberedJob {
    JobNumber number = 0;
    PlannedJob job{};
  };

  explicit JobQueue(size_t max_waiting) : max_waiting_(max_waiting) {}

  PushResult Push(PlannedJob job);
  // The waiting job of the highest pressure, the first pushed among equals. It
  // runs, and keeps others away from its segments, until Done.
  std::optional<NumberedJob> Pop(Take take);
  // The job, taken by Pop, has ended.
  void Done(JobNumber number);
  // Takes all waiting jobs out, highest pressure first.
  std::vector<NumberedJob> Clear();

  // Whether a waiting or running job has the segment.
  bool HasSegment(const PartitionId& partition, uint64_t segment) const {
    return claims_.contains({partition, segment});
  }
  size_t waiting() const { return waiting_.size(); }

 private:
  // What a job has: a segment, or (nothing) the tail.
  using Claim = std::pair<PartitionId, std::optional<uint64_t>>;
  // Negated pressure, then number: ascending is the order of Pop.
  using Rank = std::pair<double, JobNumber>;

  static std::vector<Claim> ClaimsOf(const PlannedJob& job);

  const size_t max_waiting_;
  JobNumber last_number_ = 0;
  std::map<Rank, PlannedJob> waiting_;
  std::map<Claim, JobNumber> claims_;
  std::map<JobNumber, std::vector<Claim>> jobs_;  // waiting and running
};

// Whether jobs of this kind wait for the object store.
bool NeedsObjectStore(JobKind kind);

}  // namespace strata
