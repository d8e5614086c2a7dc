#include "tiering/policy.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <queue>
#include <tuple>
#include <utility>

#include "tiering/job_drafts.h"

namespace strata {
namespace {

using std::chrono::milliseconds;

// The whole part of a pressure says which rule asks, the fraction how far its
// limit is reached.
constexpr double kPromotion = 0;
constexpr double kMoveByAge = 1;
constexpr double kFlushByAge = 2;
constexpr double kOffloadForRoom = 3;
constexpr double kDropForRoom = 4;
constexpr double kFlushForRoom = 5;

double Pressure(double rule, double ratio) {
  return rule + ratio / (1 + ratio);
}

double Ratio(uint64_t value, uint64_t limit) {
  return static_cast<double>(value) /
         static_cast<double>(std::max<uint64_t>(limit, 1));
}

double Ratio(milliseconds age, milliseconds limit) {
  return Ratio(static_cast<uint64_t>(age.count()),
               static_cast<uint64_t>(limit.count()));
}

uint64_t Part(uint64_t bytes, double part) {
  return static_cast<uint64_t>(static_cast<double>(bytes) * part);
}

milliseconds Age(TimestampMs now, TimestampMs since) {
  if (now <= since) return milliseconds(0);
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  return milliseconds(static_cast<int64_t>(std::min(
      static_cast<uint64_t>(now) - static_cast<uint64_t>(since), kMost)));
}

// ---- flush ----------------------------------------------------------------

// Bytes to flush so that a quarter of the limit is left; 0 below half of it.
uint64_t FlushNeeded(uint64_t bytes, uint64_t limit) {
  return bytes < limit / 2 ? 0 : bytes - std::min(bytes, limit / 4);
}

void PlanFlushes(const PolicyInput& in, std::vector<PlannedJob>& jobs) {
  const PolicyLimits& limits = in.limits;
  std::vector<const PolicyTail*> tails;
  for (const PolicyTail& tail : in.tails) {
    if (tail.bytes != 0) tails.push_back(&tail);
  }
  std::sort(tails.begin(), tails.end(), [](const auto* a, const auto* b) {
    return std::tuple(!a->holds_oldest_wal, b->bytes, a->partition) <
           std::tuple(!b->holds_oldest_wal, a->bytes, b->partition);
  });
  const uint64_t needed =
      std::max(FlushNeeded(limits.unflushed_bytes, limits.unflushed_max_bytes),
               FlushNeeded(limits.wal_bytes, limits.wal_max_bytes));
  const double fullness =
      std::max(Ratio(limits.unflushed_bytes, limits.unflushed_max_bytes),
               Ratio(limits.wal_bytes, limits.wal_max_bytes));
  uint64_t planned = 0;
  for (const PolicyTail* tail : tails) {
    PlannedJob job{.kind = JobKind::kFlush,
                   .partition = tail->partition,
                   .bytes = tail->bytes};
    const milliseconds age = Age(in.now, tail->oldest_at);
    const milliseconds max_age = tail->hot_max_age.value_or(limits.hot_max_age);
    if (planned < needed || (needed != 0 && tail->holds_oldest_wal)) {
      job.pressure = Pressure(kFlushForRoom, fullness);
      planned += tail->bytes;
    } else if (age > max_age) {
      job.pressure = Pressure(kFlushByAge, Ratio(age, max_age));
    } else {
      continue;
    }
    jobs.push_back(std::move(job));
  }
}

// ---- sealed segments ------------------------------------------------------

// The sole copies of one partition, ascending.
struct Backlog {
  std::vector<Candidate*> sole{};
  size_t usable = 0;    // the first ones that no other job holds
  size_t due = 0;       // of these, to be offloaded
  size_t for_room = 0;  // of these, because warm is full
};

// Plans what happens to sealed segments. Thread-compatible.
class SegmentPlanner {
 public:
  explicit SegmentPlanner(const PolicyInput& in);
  void Plan(std::vector<PlannedJob>& jobs);

 private:
  // [first, end) of Backlog::sole, to become one segment.
  struct Run {
    size_t first;
    size_t end;
    uint64_t bytes;
  };

  void FindBacklogs();
  // Answers how much of `room` the drops leave to be made.
  uint64_t DropForRoom(uint64_t room);
  void MarkForRoom(uint64_t room);
  void MarkByAge();
  void PlanBacklog(Backlog& backlog);
  Run RunFrom(const Backlog& backlog, size_t first) const;
  // Whether the segment behind the run would fit into it.
  bool NextJoins(const Backlog& backlog, const Run& run) const;
  // Whether more may join the run later and it is not too old to wait.
  bool Waits(const Backlog& backlog, const Run& run) const;
  void DropByAge();
  void Promote(bool warm_is_full);

  uint64_t Target(const PolicySegment& s) const {
    return s.target_segment_bytes.value_or(limits_.target_segment_bytes);
  }
  milliseconds MaxAge(const PolicySegment& s) const {
    return s.warm_max_age.value_or(limits_.warm_max_age);
  }
  milliseconds SealedFor(const PolicySegment& s) const {
    return Age(in_.now, s.sealed_at);
  }
  double Fullness() const { return Ratio(warm_bytes_, limits_.warm_max_bytes); }

  const PolicyInput& in_;
  const PolicyLimits& limits_;
  std::vector<Candidate> segments_;  // by partition and offset
  std::map<PartitionId, Backlog> backlogs_;
  uint64_t warm_bytes_ = 0;
  Drafts drafts_;
};

SegmentPlanner::SegmentPlanner(const PolicyInput& in)
    : in_(in), limits_(in.limits) {
  segments_.reserve(in.segments.size());
  for (const PolicySegment& s : in.segments) {
    segments_.push_back({&s, s.busy || s.stays});
    if (s.in_warm) warm_bytes_ += s.bytes;
  }
  std::sort(segments_.begin(), segments_.end(),
            [](const Candidate& a, const Candidate& b) {
              return std::tie(a.segment->partition, a.segment->offsets.base) <
                     std::tie(b.segment->partition, b.segment->offsets.base);
            });
}

void SegmentPlanner::Plan(std::vector<PlannedJob>& jobs) {
  const bool warm_is_full =
      limits_.disk_full ||
      warm_bytes_ > Part(limits_.warm_max_bytes, limits_.warm_high_watermark);
  if (limits_.cold_enabled) {
    FindBacklogs();
    if (warm_is_full) {
      const uint64_t holds = limits_.disk_full
                                 ? std::min(warm_bytes_, limits_.warm_max_bytes)
                                 : limits_.warm_max_bytes;
      const uint64_t room =
          warm_bytes_ - Part(holds, limits_.warm_low_watermark);
      MarkForRoom(DropForRoom(room));
    }
    MarkByAge();
    for (auto& [partition, backlog] : backlogs_) PlanBacklog(backlog);
    DropByAge();
  }
  Promote(warm_is_full);
  drafts_.MoveTo(jobs);
}

void SegmentPlanner::FindBacklogs() {
  for (Candidate& c : segments_) {
    if (c.segment->in_cold) continue;
    Backlog& backlog = backlogs_[c.segment->partition];
    const bool usable =
        c.segment->in_warm && !c.taken && backlog.usable == backlog.sole.size();
    backlog.sole.push_back(&c);
    if (usable) ++backlog.usable;
  }
}

uint64_t SegmentPlanner::DropForRoom(uint64_t room) {
  std::multimap<TimestampMs, Candidate*> extra;  // by last access
  for (Candidate& c : segments_) {
    if (!c.segment->in_warm || !c.segment->in_cold) continue;
    if (c.segment->busy) {  // on its way out already
      room -= std::min(room, c.segment->bytes);
    } else if (!c.segment->stays) {
      extra.emplace(c.segment->last_access, &c);
    }
  }
  for (const auto& [last_access, c] : extra) {
    if (room == 0) break;
    drafts_.Add(JobKind::kDropWarm, Pressure(kDropForRoom, Fullness()), *c);
    room -= std::min(room, c->segment->bytes);
  }
  return room;
}

void SegmentPlanner::MarkForRoom(uint64_t room) {
  // The oldest head of all backlogs goes first.
  using Head = std::pair<TimestampMs, Backlog*>;
  const auto younger = [](const Head& a, const Head& b) {
    return std::tie(a.first, a.second->sole.front()->segment->partition) >
           std::tie(b.first, b.second->sole.front()->segment->partition);
  };
  std::priority_queue<Head, std::vector<Head>, decltype(younger)> heads(
      younger);
  for (auto& [partition, backlog] : backlogs_) {
    for (const Candidate* c : backlog.sole) {
      if (c->segment->busy) room -= std::min(room, c->segment->bytes);
    }
    if (backlog.usable != 0) {
      heads.push({backlog.sole.front()->segment->sealed_at, &backlog});
    }
  }
  while (room != 0 && !heads.empty()) {
    Backlog& backlog = *heads.top().second;
    heads.pop();
    room -= std::min(room, backlog.sole[backlog.for_room]->segment->bytes);
    backlog.due = ++backlog.for_room;
    if (backlog.for_room < backlog.usable) {
      heads.push(
          {backlog.sole[backlog.for_room]->segment->sealed_at, &backlog});
    }
  }
}

void SegmentPlanner::MarkByAge() {
  for (auto& [partition, backlog] : backlogs_) {
    for (size_t i = backlog.due; i < backlog.usable; ++i) {
      const PolicySegment& s = *backlog.sole[i]->segment;
      if (SealedFor(s) > MaxAge(s)) backlog.due = i + 1;
    }
  }
}

bool SegmentPlanner::NextJoins(const Backlog& backlog, const Run& run) const {
  const PolicySegment& last = *backlog.sole[run.end - 1]->segment;
  const PolicySegment& next = *backlog.sole[run.end]->segment;
  const uint64_t target = Target(next);
  return next.offsets.base == last.offsets.end && next.bytes < target &&
         run.bytes + next.bytes <= target &&
         run.end - run.first < kMaxSegmentsPerJob;
}

SegmentPlanner::Run SegmentPlanner::RunFrom(const Backlog& backlog,
                                            size_t first) const {
  Run run{first, first + 1, backlog.sole[first]->segment->bytes};
  while (!limits_.disk_full && run.end < backlog.due &&
         NextJoins(backlog, run)) {
    run.bytes += backlog.sole[run.end++]->segment->bytes;
  }
  return run;
}

bool SegmentPlanner::Waits(const Backlog& backlog, const Run& run) const {
  const PolicySegment& first = *backlog.sole[run.first]->segment;
  if (limits_.disk_full || run.first < backlog.for_room ||
      run.bytes >= Target(first) || SealedFor(first) / 2 > MaxAge(first)) {
    return false;
  }
  // What is flushed later, or what another job makes of the next one.
  return run.end == backlog.sole.size() ||
         backlog.sole[run.end]->segment->busy || NextJoins(backlog, run);
}

void SegmentPlanner::PlanBacklog(Backlog& backlog) {
  uint64_t offloaded = 0;
  bool in_order = true;  // all below was offloaded by this plan
  for (size_t at = 0; at < backlog.due;) {
    const Run run = RunFrom(backlog, at);
    if (Waits(backlog, run)) return;
    Candidate& first = *backlog.sole[at];
    const PolicySegment& s = *first.segment;
    const double pressure =
        at < backlog.for_room
            ? Pressure(kOffloadForRoom, Fullness())
            : Pressure(kMoveByAge, Ratio(SealedFor(s), MaxAge(s)));
    if (run.end - run.first > 1) {
      in_order = false;
      drafts_.Close(JobKind::kMerge, s.partition);
      for (; at < run.end; ++at) {
        drafts_.Add(JobKind::kMerge, pressure, *backlog.sole[at]);
      }
      continue;
    }
    in_order = in_order && at < kMaxSegmentsPerJob &&
               offloaded < kMaxOffloadTargets * Target(s);
    if (in_order) drafts_.Add(JobKind::kOffload, pressure, first);
    offloaded += s.bytes;
    at = run.end;
  }
}

void SegmentPlanner::DropByAge() {
  for (Candidate& c : segments_) {
    const PolicySegment& s = *c.segment;
    if (c.taken || !s.in_warm || !s.in_cold) continue;
    const milliseconds age = Age(in_.now, s.promoted_at.value_or(s.sealed_at));
    if (age <= MaxAge(s)) continue;
    drafts_.Add(JobKind::kDropWarm, Pressure(kMoveByAge, Ratio(age, MaxAge(s))),
                c);
  }
}

void SegmentPlanner::Promote(bool warm_is_full) {
  // The most read first.
  std::multimap<uint64_t, Candidate*, std::greater<>> wanted;
  for (Candidate& c : segments_) {
    const PolicySegment& s = *c.segment;
    if (!c.taken && s.access_count >= limits_.promotion_threshold &&
        s.enable_promotion.value_or(limits_.enable_promotion)) {
      wanted.emplace(s.access_count, &c);
    }
  }
  uint64_t hot_free = limits_.hot_cache_free_bytes;
  // What would be dropped again at once is not fetched.
  uint64_t warm_free = warm_is_full || !limits_.cold_enabled
                           ? 0
                           : limits_.warm_max_bytes -
                                 std::min(limits_.warm_max_bytes, warm_bytes_);
  for (const auto& [count, c] : wanted) {
    const PolicySegment& s = *c->segment;
    const double pressure = Pressure(
        kPromotion, Ratio(s.access_count, limits_.promotion_threshold));
    if (s.in_warm && !s.in_hot && s.bytes <= hot_free) {
      hot_free -= s.bytes;
      drafts_.Add(JobKind::kPromoteHot, pressure, *c);
    } else if (!s.in_warm && s.in_cold && s.bytes <= warm_free) {
      warm_free -= s.bytes;
      drafts_.Add(JobKind::kPromoteWarm, pressure, *c);
    }
  }
}

}  // namespace

std::string_view Name(JobKind kind) {
  switch (kind) {
    case JobKind::kFlush: return "flush";
    case JobKind::kMerge: return "merge";
    case JobKind::kOffload: return "offload";
    case JobKind::kDropWarm: return "drop-warm";
    case JobKind::kPromoteWarm: return "promote-warm";
    case JobKind::kPromoteHot: return "promote-hot";
    case JobKind::kPurge: return "purge";
  }
  return "invalid";
}

std::vector<PlannedJob> PlanTiers(const PolicyInput& input) {
  std::vector<PlannedJob> jobs;
  PlanFlushes(input, jobs);
  SegmentPlanner(input).Plan(jobs);
  // Equals keep their order, which the rules above gave them.
  std::multimap<double, PlannedJob, std::greater<>> by_pressure;
  for (PlannedJob& job : jobs)
    by_pressure.emplace(job.pressure, std::move(job));
  jobs.clear();
  for (auto& [pressure, job] : by_pressure) jobs.push_back(std::move(job));
  return jobs;
}

}  // namespace strata
