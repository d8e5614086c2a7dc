// Claims: for which partitions this session of the store may write to the
// bucket, and acknowledge appends.
//
// A session claims a partition's root by compare-and-set before it commits
// anything else to it, and, where others can reach the bucket, before its first
// append. A claim by another store, which was restored from the bucket, is the
// end here: the partition is fenced, for good.
//
//   none ──Hold──> under way ──the root has our claim──> held
//                      │ └──no answer──> none; appends go ahead if the last
//                      claim │                 that is known is this store's
//                      └──the root has another store's──> fenced
//
// What is safe is so by the compare-and-set of each commit. The notes that who
// takes over leaves make it quick: the old owner looks for them while it takes
// appends.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <utility>

#include "engine/cold_roots.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/topic_publisher.h"

namespace strata::engine {

// Thread-safe. Only with cold storage.
class Claims {
 public:
  // `store` is the bucket.
  Claims(EngineContext& context, ColdRoots& roots, TopicPublisher& publisher,
         std::shared_ptr<ObjectStore> store)
      : context_(context),
        roots_(roots),
        publisher_(publisher),
        store_(std::move(store)) {}
  // Drops who waits: they hold the partitions that hold them.
  ~Claims();

  // Ok once the partition is held; kReadOnly when it is fenced, kNotFound when
  // it is deleted, else why the bucket could not be asked. May call `done`
  // before it returns.
  void Hold(PartitionPtr partition, Engine::StatusDone done);

  // Hold, under a claim of a higher number than any object's of before that no
  // root names: those are garbage then.
  void Renew(PartitionPtr partition, Engine::StatusDone done);

  // Whether the partition, which is not held, takes appends. kOverloaded while
  // it is being claimed, which this begins: attention.NotifyWritable tells of
  // the end.
  Status CheckAppend(PartitionState& partition) STRATA_REQUIRES(partition.mu);

  // Claims what takes appends without, a few at a time; done with those.
  void HoldAppended(Engine::StatusDone done);

  // Looks for notes every few seconds while there are appends, until shutdown.
  void WatchNotes();
  // Has fenced what they tell of, and removed them.
  void LookForNotes(Engine::StatusDone done);

 private:
  struct Attempt;
  using AttemptPtr = std::shared_ptr<Attempt>;

  void Begin(PartitionPtr partition);
  void LoadRoot(AttemptPtr attempt);
  void Commit(AttemptPtr attempt, ColdPartitionPtr root);
  void OnCommitted(AttemptPtr attempt, ColdClaim before,
                   Result<ColdPartitionPtr> root);
  void Record(AttemptPtr attempt, ColdClaim claim);
  void End(AttemptPtr attempt, Status status);
  void OnPatienceOver(PartitionState& partition);

  void NoteUnderWay(PartitionPtr partition);

  bool MayGoAhead(const PartitionState& p) const STRATA_REQUIRES(p.mu);
  // To be held in the background.
  bool IsDue(PartitionState& partition) const;
  bool BucketIsAway() const;
  void NoteBucketAway();
  void LeaveNote(const TopicId& owner, const PartitionId& partition);
  void OnNotes(Result<ListPage> page, Engine::StatusDone done);

  EngineContext& context_;
  ColdRoots& roots_;
  TopicPublisher& publisher_;
  const std::shared_ptr<ObjectStore> store_;
  std::atomic<size_t> in_background_{0};
  Mutex mu_;  // taken last
  // Those with an attempt under way; of deleted topics, too.
  std::set<PartitionPtr> under_way_ STRATA_GUARDED_BY(mu_);
  // Until then nobody waits for the bucket who need not.
  std::atomic<MonotonicTime> away_until_{MonotonicTime{}};
  // Bytes written when notes were last looked for. Of the watch's task only.
  uint64_t seen_bytes_ = 0;
};

}  // namespace strata::engine
