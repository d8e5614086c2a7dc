// Reader: from an offset to batches, wherever they lie.
//
// A read goes step by step: find who owns the next offset under the
// partition's lock, take the bytes outside of it. What can be had without I/O
// is taken in the caller's thread; the first step that needs I/O is waited for
// only while there is no batch yet. A read that comes to the visible end with
// less than it asked for is parked there until the partition wakes it.
#pragma once

#include <memory>
#include <vector>

#include "engine/context.h"
#include "engine/engine.h"

namespace strata::engine {

class ColdRoots;

// Thread-safe.
class Reader {
 public:
  using Batches = std::vector<BatchView>;

  Reader(EngineContext& context, ColdRoots* cold_roots)
      : context_(context), cold_roots_(cold_roots) {}

  // May call `done` inside the call. After its deadline, or when it is asked
  // to stop, a read is answered although its I/O goes on.
  void Read(PartitionPtr partition, Offset start, ReadOptions options,
            Engine::Done<Batches> done);

 private:
  class Request;
  using RequestPtr = std::shared_ptr<Request>;
  // Who owns the next offset of a request.
  struct Source;

  // Steps until the request is answered or a step needs I/O.
  void Run(RequestPtr request);
  Result<Source> Locate(Request& request);
  // What is there for a read that has come to the visible end: nothing, or it
  // is parked, and somebody else may have it already.
  Result<Source> AtEnd(PartitionState& p, Request& request)
      STRATA_REQUIRES(p.mu);
  // Wakes the partition's reads when its visible end moves by a sync.
  void WakeWhenDurable(PartitionPtr partition, uint64_t wal_seq, int attempts);
  // Goes on with a read that was woken, if it still waits.
  void Resume(RequestPtr request);
  // Answers a read that waits, for the deadline or because it shall stop.
  void GiveUp(RequestPtr request, StatusCode why);
  void ArmTimer(Request& request);
  // Around I/O, during which others may answer the read: it is not to be
  // touched in between. False when it has its answer.
  bool Leave(const RequestPtr& request);
  bool ComeBack(Request& request);
  // The step's batches when no I/O is needed for them.
  std::optional<Result<Batches>> ReadHere(Request& request,
                                          const Source& source);
  void ReadElsewhere(RequestPtr request, Source source);
  void ReadWarm(RequestPtr request, SegmentPtr segment);
  void ReadCold(RequestPtr request);
  void FindCold(RequestPtr request, ColdPartitionPtr root);
  void ReadColdSegment(RequestPtr request, const SegmentEntry& entry);
  // Takes over a step's batches, which come from `owner`; false when there is
  // no sense in another step.
  bool Absorb(Request& request, OffsetRange owner, Batches batches);
  // After a step that failed: goes on from elsewhere where that can help,
  // because data moved meanwhile or another copy exists.
  void Recover(RequestPtr request, SegmentPtr segment, Status status);
  void Finish(RequestPtr request, Status status);
  LatencyHistogram& ReadLatency(StorageTier tier) const;
  void CountAccess(AccessStats& access, const PartitionState& partition);

  EngineContext& context_;
  ColdRoots* const cold_roots_;  // null: cold storage disabled
};

}  // namespace strata::engine
