#include "engine/purger.h"

#include <algorithm>
#include <utility>

#include "cold/upload.h"

namespace strata::engine {
namespace {

// A pass takes no more objects, so that it ends soon.
constexpr size_t kObjectsPerPass = 1000;
// Passes planned at once: the others' jobs need the queue too.
constexpr size_t kMaxPlanned = 4;
// Below that of any job of the policy.
constexpr double kPressure = -1;
constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kMaxPause = std::chrono::minutes(1);
// In the longest time of a request: one of this life or an earlier one may be
// under way for one; the other is for a store that is late with what it was
// sent.
constexpr int kGraceTimeouts = 2;

}  // namespace

// The roots of a topic are looked at, all of them, and then closed.
struct Purger::Closing {
  TopicId topic{};
  std::vector<ColdClaim> known{};  // of each partition
  size_t next = 0;
  bool all_ours = false;  // seen: none is another store's
  Engine::StatusDone done{};

  PartitionId partition() const { return {topic, static_cast<uint32_t>(next)}; }
};

Purger::Purger(EngineContext& context, TopicPublisher* publisher)
    : context_(context), publisher_(publisher) {
  std::vector<TopicId> pending;
  context.manifest.WithState([&](const ManifestState& state) {
    for (const auto& [id, purge] : state.purges()) pending.push_back(id);
  });
  MutexLock lock(mu_);
  for (const TopicId& id : pending) purges_[id];
}

void Purger::Add(const Topic& topic) {
  const bool pending =
      context_.manifest.WithState([&](const ManifestState& state) {
        return state.purges().contains(topic.info.id);
      });
  if (!pending) return;
  MutexLock lock(mu_);
  purges_[topic.info.id].partitions = topic.partitions;
}

size_t Purger::pending() const {
  MutexLock lock(mu_);
  return purges_.size();
}

std::vector<PlannedJob> Purger::Plan() const {
  std::vector<PlannedJob> jobs;
  if (context_.cold == nullptr) return jobs;
  const MonotonicTime now = context_.runtime.clock().Now();
  MutexLock lock(mu_);
  for (const auto& [topic, purge] : purges_) {
    if (jobs.size() == kMaxPlanned) break;
    if (purge.due > now) continue;
    jobs.push_back({.kind = JobKind::kPurge,
                    .partition = {topic, 0},
                    .segments = {},
                    .bytes = 0,
                    .pressure = kPressure});
  }
  return jobs;
}

void Purger::Pass(const TopicId& topic, Engine::StatusDone done) {
  if (context_.stopping.load(std::memory_order_acquire) || !MayBegin(topic)) {
    return done(Status::Ok());
  }
  bool closed;
  {
    MutexLock lock(mu_);
    closed = purges_[topic].closed;
  }
  if (closed) return OnClosed(topic, std::move(done));
  auto closing = std::make_shared<Closing>();
  closing->topic = topic;
  closing->done = std::move(done);
  context_.manifest.WithState([&](const ManifestState& state) {
    const auto purge = state.purges().find(topic);
    if (purge != state.purges().end()) closing->known = purge->second.claims;
  });
  NextRoot(std::move(closing));
}

void Purger::NextRoot(ClosingPtr closing) {
  if (closing->next == closing->known.size()) {
    closing->next = 0;
    if (!std::exchange(closing->all_ours, true)) {
      return NextRoot(std::move(closing));
    }
    {
      MutexLock lock(mu_);
      purges_[closing->topic].closed = true;
    }
    return OnClosed(closing->topic, std::move(closing->done));
  }
  context_.cold_manifest->Load(
      closing->partition(), [this, closing](Result<ColdPartitionPtr> root) {
        if (root.ok()) return LookAtRoot(closing, **root);
        FailPass(closing->topic, root.status(), std::move(closing->done));
      });
}

void Purger::LookAtRoot(ClosingPtr closing, const ColdPartition& root) {
  const StoreIdentity& self = context_.identity;
  const ColdClaim& known = closing->known[closing->next];
  const bool gone = root.generation == 0;
  const bool closed = root.closed() && self.Owns(root.claim);
  const bool ours = gone || closed || self.MayFollow(known, root.claim);
  if (!ours) {
    context_.log.Error(
        "deleted topic {}: store {} has taken it over (claim {} of partition "
        "{}); it is left in the bucket",
        closing->topic.ToString(), root.claim.owner.ToString(),
        root.claim.number, closing->next);
    return CommitDone(closing->topic, std::move(closing->done));
  }
  if (gone || closed || !closing->all_ours) {
    ++closing->next;
    return NextRoot(std::move(closing));
  }
  ColdEdit edit;
  edit.claim = root.claim;
  edit.take = self.Next(known, root.claim);
  edit.log_start = kClosedLogStart;
  context_.cold_manifest->Commit(
      closing->partition(), std::move(edit),
      [this, closing](Result<ColdPartitionPtr> written) {
        if (written.ok()) {
          ++closing->next;
          return NextRoot(closing);
        }
        context_.cold_manifest->Forget(closing->partition());
        FailPass(closing->topic, written.status(), std::move(closing->done));
      });
}

void Purger::OnClosed(const TopicId& topic, Engine::StatusDone done) {
  publisher_->WhenGone(
      topic, [this, topic, done = std::move(done)](Status status) mutable {
        if (status.ok()) return Remove(topic, std::move(done));
        FailPass(topic, std::move(status), std::move(done));
      });
}

void Purger::FailPass(const TopicId& topic, Status status,
                      Engine::StatusDone done) {
  {
    MutexLock lock(mu_);
    Fail(purges_[topic]);
  }
  done(std::move(status));
}

void Purger::Remove(const TopicId& topic, Engine::StatusDone done) {
  const MonotonicTime began = context_.runtime.clock().Now();
  context_.cold->RemoveTopic(
      topic, kObjectsPerPass,
      [this, topic, began,
       done = std::move(done)](Result<ColdTier::Removed> removed) mutable {
        EndPass(topic, began, std::move(removed), std::move(done));
      });
}

bool Purger::MayBegin(const TopicId& topic) {
  std::vector<PartitionPtr> partitions;
  {
    MutexLock lock(mu_);
    const auto found = purges_.find(topic);
    if (found == purges_.end()) return false;
    partitions = found->second.partitions;
  }
  bool writes = false;
  for (const PartitionPtr& p : partitions) {
    context_.cold_manifest->Forget(p->id);
    MutexLock lock(p->mu);
    writes = writes || p->cold_writes > 0;
  }
  if (!writes) return true;
  MutexLock lock(mu_);
  purges_[topic].due = context_.runtime.clock().Now() + kFirstPause;
  return false;
}

void Purger::EndPass(const TopicId& topic, MonotonicTime began,
                     Result<ColdTier::Removed> removed,
                     Engine::StatusDone done) {
  // Where a topic's segments are larger than the store's, an upload may come
  // later yet, and its object is left behind: it costs space.
  const TieredStorageConfig& config = context_.config;
  const Duration grace =
      kGraceTimeouts *
      UploadTimeout(config.cold_request_timeout,
                    config.target_segment_bytes + config.max_batch_bytes);
  const MonotonicTime now = context_.runtime.clock().Now();
  bool gone = false;
  {
    MutexLock lock(mu_);
    Purge& purge = purges_[topic];
    if (!removed.ok()) {
      Fail(purge);
    } else if (removed->more) {
      purge.due = now;
    } else {
      gone = removed->objects == 0 && purge.cleared_at &&
             began >= *purge.cleared_at + grace;
      purge.pause = Duration::zero();
      purge.cleared_at = now;
      purge.due = now + grace;
    }
  }
  if (gone) {
    context_.log.Info("deleted topic {}: nothing is left in the bucket",
                      topic.ToString());
    return CommitDone(topic, std::move(done));
  }
  if (removed.ok() && removed->more) context_.attention.RequestMigrations();
  done(removed.status());
}

void Purger::Fail(Purge& purge) {
  purge.pause = std::clamp(2 * purge.pause, kFirstPause, kMaxPause);
  purge.due = context_.runtime.clock().Now() + purge.pause;
}

void Purger::CommitDone(const TopicId& topic, Engine::StatusDone done) {
  context_.manifest.Commit(
      {.ops = {PurgeDone{topic}}},
      [this, topic, done = std::move(done)](Status status) mutable {
        {
          MutexLock lock(mu_);
          if (status.ok()) {
            purges_.erase(topic);
          } else {
            Fail(purges_[topic]);
          }
        }
        done(std::move(status));
      });
}

}  // namespace strata::engine
