// What the files of the migrator share. Included by them only.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/migrator.h"

namespace strata::engine {

struct Migrator::Job {
  PlannedJob plan;
  PartitionPtr partition;
  std::vector<SegmentPtr> inputs;  // local ones, ascending
  Engine::StatusDone done;
  std::unique_ptr<ColdWrite> cold_write;  // of an offload
  uint64_t claim = 0;                     // that the present upload's key says
  bool offloaded = false;                 // at least one segment
  MonotonicTime started{};                // with the segment that is moved now

  void Finish(Status status) {
    // Files of what was trimmed, cut or deleted meanwhile go at once: that is
    // no loss, there is nothing left to do.
    if (status.code() == StatusCode::kDataLoss && SomeGone()) {
      status = Status::Ok();
    }
    Engine::StatusDone d = std::move(done);
    d(std::move(status));
  }

  bool SomeGone() const {
    MutexLock lock(partition->mu);
    return partition->deleted ||
           !std::ranges::all_of(inputs, [&](const SegmentPtr& input)
                                            STRATA_REQUIRES(partition->mu) {
                                              return partition->IsLive(input);
                                            });
  }
};

// Reads are counted anew for each copy; when the last one was, stays.
inline void KeepLastAccess(const AccessStats& from, AccessStats& to) {
  const TimestampMs last = from.last.load(std::memory_order_relaxed);
  if (last > to.last.load(std::memory_order_relaxed)) {
    to.last.store(last, std::memory_order_relaxed);
  }
}

}  // namespace strata::engine
