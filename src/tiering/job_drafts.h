// Drafts: jobs while the policy gathers segments for them.
#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "tiering/policy.h"

namespace strata {

// A segment, and whether a job has it.
struct Candidate {
  const PolicySegment* segment = nullptr;
  bool taken = false;
};

// Gathers segments into jobs. Thread-compatible.
class Drafts {
 public:
  // Adds to the newest job of this kind and partition, or to a new one when
  // that is full.
  void Add(JobKind kind, double pressure, Candidate& candidate) {
    const PolicySegment& s = *candidate.segment;
    const auto [at, first] =
        newest_.try_emplace({kind, s.partition}, drafts_.size());
    if (first || drafts_[at->second].segments.size() == kMaxSegmentsPerJob) {
      at->second = drafts_.size();
      drafts_.push_back({kind, pressure, {}});
    }
    Draft& draft = drafts_[at->second];
    draft.pressure = std::max(draft.pressure, pressure);
    draft.segments.push_back(&s);
    candidate.taken = true;
  }

  // The next Add of this kind and partition begins a new job.
  void Close(JobKind kind, const PartitionId& partition) {
    newest_.erase({kind, partition});
  }

  void MoveTo(std::vector<PlannedJob>& jobs) {
    for (Draft& draft : drafts_) {
      std::sort(draft.segments.begin(), draft.segments.end(),
                [](const auto* a, const auto* b) {
                  return a->offsets.base < b->offsets.base;
                });
      PlannedJob& job = jobs.emplace_back();
      job.kind = draft.kind;
      job.partition = draft.segments.front()->partition;
      job.pressure = draft.pressure;
      for (const PolicySegment* s : draft.segments) {
        job.segments.push_back(s->id);
        job.bases.push_back(s->offsets.base);
        if (draft.kind != JobKind::kDropWarm) job.bytes += s->bytes;
      }
    }
  }

 private:
  struct Draft {
    JobKind kind;
    double pressure;
    std::vector<const PolicySegment*> segments;
  };
  std::vector<Draft> drafts_;
  std::map<std::pair<JobKind, PartitionId>, size_t> newest_;
};

}  // namespace strata
