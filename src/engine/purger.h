// Purger: removes from the bucket what deleted topics have there. Which topics,
// the manifest says (PurgePending). A purge goes in passes, each a job:
//
//   pass ──the bucket does not answer──> later, after a pause that doubles
//    │ └──a root is another store's──> PurgeDone, nothing is touched
//    │ all that was listed is deleted
//    └──> once more, when no request of before can arrive any more
//          └──nothing was listed──> PurgeDone
//
// First the topic's roots are closed: claimed and trimmed to the end of all
// offsets, so that no store can go on from them, whenever deletions arrive.
// Then the bucket ceases to name the topic. What is listed goes, whoever left
// it: the topic's root, segments, and what uploads that were cut or deletions
// that failed left behind. A topic's id is in its keys and is never used again,
// so nothing of others can be met. Dying anywhere leaves the purge pending, and
// a pass may be repeated.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/context.h"
#include "engine/engine.h"
#include "engine/topic_publisher.h"
#include "tiering/policy.h"

namespace strata::engine {

// Thread-safe.
class Purger {
 public:
  // Takes up what the manifest has pending.
  // `publisher`: null without cold storage.
  Purger(EngineContext& context, TopicPublisher* publisher);

  // `topic` was deleted; nothing happens unless the manifest has it pending.
  void Add(const Topic& topic);

  // Passes that are due, a few at a time, behind all other jobs.
  std::vector<PlannedJob> Plan() const;
  // One pass for one topic; JobQueue lets no second one run beside it. The
  // bucket's errors are answered, and the pass is due again later.
  void Pass(const TopicId& topic, Engine::StatusDone done);

  // Topics of which something may be left.
  size_t pending() const;

 private:
  struct Purge {
    // Deleted in this life: jobs may still write what is theirs.
    std::vector<PartitionPtr> partitions{};
    MonotonicTime due{};
    Duration pause{};     // after the last failure
    bool closed = false;  // all roots that there are
    // When a pass had deleted all that it found.
    std::optional<MonotonicTime> cleared_at{};
  };

  // False when the pass has to wait for jobs that write to the bucket.
  bool MayBegin(const TopicId& topic);
  void EndPass(const TopicId& topic, MonotonicTime began,
               Result<ColdTier::Removed> removed, Engine::StatusDone done);
  void Fail(Purge& purge) STRATA_REQUIRES(mu_);
  void CommitDone(const TopicId& topic, Engine::StatusDone done);

  struct Closing;
  using ClosingPtr = std::shared_ptr<Closing>;
  void NextRoot(ClosingPtr closing);
  void LookAtRoot(ClosingPtr closing, const ColdPartition& root);
  void OnClosed(const TopicId& topic, Engine::StatusDone done);
  void FailPass(const TopicId& topic, Status status, Engine::StatusDone done);
  void Remove(const TopicId& topic, Engine::StatusDone done);

  EngineContext& context_;
  TopicPublisher* const publisher_;
  mutable Mutex mu_;
  std::map<TopicId, Purge> purges_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata::engine
