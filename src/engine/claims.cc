#include "engine/claims.h"

#include <fmt/format.h>

#include <vector>

#include "cold/object_names.h"

namespace strata::engine {
namespace {

// Others may claim the root between a look at it and the commit, but a store
// that is allowed to does so once.
constexpr int kMaxTries = 3;
// So long an append waits for the bucket if it need not.
constexpr Duration kPatience = std::chrono::seconds(5);
// While the bucket does not answer: not tried again, not waited for.
constexpr Duration kPause = std::chrono::seconds(5);
constexpr Duration kAway = std::chrono::seconds(30);
// Of HoldAppended.
constexpr size_t kAtOnce = 64;
// How soon a note is found.
constexpr Duration kNotesInterval = std::chrono::seconds(5);
constexpr size_t kNotesAtOnce = 1000;

// Whether the bucket did not answer, rather than what it answered.
bool IsSilence(const Status& status) {
  switch (status.code()) {
    case StatusCode::kUnavailable:
    case StatusCode::kUnknown:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kOverloaded: return true;
    default: return false;
  }
}

Status WasDeleted(const PartitionState& p) {
  return {StatusCode::kNotFound, p.name.ToString() + " was deleted"};
}

}  // namespace

struct Claims::Attempt {
  PartitionPtr partition;
  std::unique_ptr<ColdWrite> write;
  int tries = 0;
};

Claims::~Claims() {
  std::set<PartitionPtr> left;
  {
    MutexLock lock(mu_);
    left.swap(under_way_);
  }
  for (const PartitionPtr& p : left) {
    std::vector<Engine::StatusDone> waiters;  // outside of the lock
    MutexLock lock(p->mu);
    waiters.swap(p->claim.waiters);
  }
}

void Claims::NoteUnderWay(PartitionPtr partition) {
  MutexLock lock(mu_);
  under_way_.insert(std::move(partition));
}

void Claims::Hold(PartitionPtr partition, Engine::StatusDone done) {
  Status now;
  {
    MutexLock lock(partition->mu);
    PartitionClaim& claim = partition->claim;
    now = partition->Fenced();
    if (now.ok() && !claim.held) {
      claim.waiters.push_back(std::move(done));
      if (std::exchange(claim.under_way, true)) return;
      NoteUnderWay(partition);
    }
  }
  if (done) return done(std::move(now));
  Begin(std::move(partition));
}

void Claims::Renew(PartitionPtr partition, Engine::StatusDone done) {
  {
    MutexLock lock(partition->mu);
    PartitionClaim& claim = partition->claim;
    // Appends need not wait for what is held already.
    claim.appends_ahead = claim.appends_ahead || claim.held;
    claim.held = false;
  }
  Hold(std::move(partition), std::move(done));
}

// The partition is marked as under way.
void Claims::Begin(PartitionPtr partition) {
  auto attempt = std::make_shared<Attempt>();
  attempt->partition = partition;
  attempt->write = ColdWrite::Begin(std::move(partition));
  if (attempt->write == nullptr) {
    Status deleted = WasDeleted(*attempt->partition);
    return End(std::move(attempt), std::move(deleted));
  }
  LoadRoot(std::move(attempt));
}

void Claims::LoadRoot(AttemptPtr attempt) {
  const PartitionPtr partition = attempt->partition;
  roots_.LoadWhole(partition, [this, attempt = std::move(attempt)](
                                  Result<ColdPartitionPtr> root) mutable {
    if (!root.ok()) return End(std::move(attempt), root.status());
    // The bucket can tell of every root which topic it is of.
    const TopicId topic = attempt->partition->id.topic;
    publisher_.WhenNamed(topic, [this, attempt = std::move(attempt),
                                 root = *root](Status named) mutable {
      if (!named.ok()) return End(std::move(attempt), std::move(named));
      Commit(std::move(attempt), std::move(root));
    });
  });
}

void Claims::Commit(AttemptPtr attempt, ColdPartitionPtr root) {
  const StoreIdentity& self = context_.identity;
  // An attempt of before, whose outcome was unknown.
  PartitionState& p = *attempt->partition;
  uint64_t known;
  {
    MutexLock lock(p.mu);
    known = p.claim.known.number;
  }
  if (root->claim.owner == self.store && root->claim.session == self.session &&
      root->claim.number > known) {
    return Record(std::move(attempt), root->claim);
  }
  ColdEdit edit;
  edit.claim = root->claim;
  edit.topic_name = p.name.topic;
  {
    MutexLock lock(p.mu);
    edit.take = self.Next(p.claim.known, root->claim);
    edit.epochs = p.epochs;
  }
  ++attempt->tries;
  context_.cold_manifest->Commit(
      p.id, std::move(edit),
      [this, attempt = std::move(attempt),
       before = root->claim](Result<ColdPartitionPtr> committed) mutable {
        OnCommitted(std::move(attempt), before, std::move(committed));
      });
}

void Claims::OnCommitted(AttemptPtr attempt, ColdClaim before,
                         Result<ColdPartitionPtr> root) {
  const PartitionState& p = *attempt->partition;
  if (!root.ok()) {
    const StatusCode code = root.status().code();
    if (code == StatusCode::kConflict || code == StatusCode::kUnknown) {
      context_.cold_manifest->Forget(p.id);
    }
    if (code == StatusCode::kConflict && attempt->tries < kMaxTries) {
      return LoadRoot(std::move(attempt));
    }
    return End(std::move(attempt), root.status());
  }
  if (before.number > 0 && before.owner != context_.identity.store) {
    context_.log.Info("{}: taken over from store {}, claim {}",
                      p.name.ToString(), before.owner.ToString(),
                      (*root)->claim.number);
    LeaveNote(before.owner, p.id);
  }
  Record(std::move(attempt), (*root)->claim);
}

// For the next session, which may have to go on while the bucket is away.
void Claims::Record(AttemptPtr attempt, ColdClaim claim) {
  PartitionChanged change;
  change.partition = attempt->partition->id;
  change.cold_claim = claim;
  context_.manifest.Commit(
      {.ops = {std::move(change)}},
      [this, attempt = std::move(attempt), claim](Status status) mutable {
        if (status.ok()) {
          MutexLock lock(attempt->partition->mu);
          attempt->partition->claim.known = claim;
          // It may have been lost again meanwhile.
          attempt->partition->claim.held = attempt->partition->Fenced().ok();
        }
        if (status.code() == StatusCode::kConflict) {
          status = WasDeleted(*attempt->partition);
        }
        End(std::move(attempt), std::move(status));
      });
}

void Claims::End(AttemptPtr attempt, Status status) {
  PartitionState& p = *attempt->partition;
  if (IsSilence(status)) NoteBucketAway();
  std::vector<Engine::StatusDone> waiters;
  bool ahead;
  bool first;
  {
    MutexLock lock(p.mu);
    PartitionClaim& claim = p.claim;
    claim.under_way = false;
    claim.failed = status;
    claim.again = context_.Ticks() + kPause;
    ahead = !status.ok() && !p.deleted && MayGoAhead(p);
    first = ahead && !claim.appends_ahead;
    claim.appends_ahead = ahead;
    waiters.swap(claim.waiters);
    MutexLock own(mu_);
    under_way_.erase(attempt->partition);
  }
  if (first && !context_.stopping.load(std::memory_order_acquire)) {
    context_.log.Warning("{}: appends go on unclaimed: {}", p.name.ToString(),
                         status.ToString());
  }
  attempt->write.reset();
  for (Engine::StatusDone& done : waiters) done(status);
  context_.attention.NotifyWritable();
}

// ---- appends --------------------------------------------------------------

// Whether nobody but this store is known to have claimed it.
bool Claims::MayGoAhead(const PartitionState& p) const {
  const PartitionClaim& claim = p.claim;
  return claim.fenced_by.number == 0 &&
         (claim.known.number == 0 ||
          claim.known.owner == context_.identity.store);
}

bool Claims::BucketIsAway() const {
  return context_.Ticks() < away_until_.load(std::memory_order_relaxed);
}

void Claims::NoteBucketAway() {
  away_until_.store(context_.Ticks() + kAway, std::memory_order_relaxed);
}

Status Claims::CheckAppend(PartitionState& partition) {
  PartitionClaim& claim = partition.claim;
  STRATA_RETURN_IF_ERROR(partition.Fenced());
  if (!context_.identity.shared_bucket || claim.appends_ahead) {
    return Status::Ok();
  }
  if (MayGoAhead(partition) && BucketIsAway()) {
    claim.appends_ahead = true;
    return Status::Ok();
  }
  if (!claim.under_way) {
    if (!claim.failed.ok() && context_.Ticks() < claim.again) {
      return claim.failed.WithContext(partition.name.ToString() +
                                      " cannot be claimed in the bucket");
    }
    claim.under_way = true;
    NoteUnderWay(partition.shared_from_this());
    context_.runtime.job_executor().Post(
        [this, p = partition.shared_from_this()] { Begin(p); });
    context_.runtime.job_executor().PostAfter(
        kPatience,
        [this, p = partition.shared_from_this()] { OnPatienceOver(*p); });
  }
  return {StatusCode::kOverloaded,
          partition.name.ToString() + " is being claimed in the bucket"};
}

void Claims::OnPatienceOver(PartitionState& partition) {
  {
    MutexLock lock(partition.mu);
    PartitionClaim& claim = partition.claim;
    if (!claim.under_way || claim.appends_ahead || !MayGoAhead(partition)) {
      return;
    }
    claim.appends_ahead = true;
  }
  NoteBucketAway();
  context_.log.Warning(
      "{}: appends go on unclaimed: the bucket has not answered for {} s",
      partition.name.ToString(),
      std::chrono::duration_cast<std::chrono::seconds>(kPatience).count());
  context_.attention.NotifyWritable();
}

bool Claims::IsDue(PartitionState& p) const {
  MutexLock lock(p.mu);
  return p.AppendsUnclaimed() && !p.claim.under_way && !p.deleted &&
         context_.Ticks() >= p.claim.again;
}

void Claims::HoldAppended(Engine::StatusDone done) {
  if (!context_.identity.shared_bucket || BucketIsAway() ||
      context_.stopping.load(std::memory_order_acquire)) {
    return done(Status::Ok());
  }
  std::vector<PartitionPtr> due;
  for (const PartitionPtr& p : context_.topics.Partitions()) {
    if (due.size() + in_background_.load() >= kAtOnce) break;
    if (IsDue(*p)) due.push_back(p);
  }
  if (due.empty()) return done(Status::Ok());
  auto shared_done = std::make_shared<Engine::StatusDone>(std::move(done));
  auto left = std::make_shared<std::atomic<size_t>>(due.size());
  in_background_ += due.size();
  for (PartitionPtr& p : due) {
    Hold(std::move(p), [this, shared_done, left](const Status&) {
      --in_background_;
      // What fails is said once, by End, and tried again by the next pass.
      if (--*left == 0) HoldAppended(std::move(*shared_done));
    });
  }
}

// ---- notes ----------------------------------------------------------------

// For speed only: who misses it finds out by its next commit.
void Claims::LeaveNote(const TopicId& owner, const PartitionId& partition) {
  store_->Put(NoteKey(owner, partition), MakeStringSource({}),
              PutPrecondition::None(),
              {.timeout = context_.config.cold_request_timeout, .cancel = {}},
              [](const Result<ObjectVersion>&) {});
}

void Claims::WatchNotes() {
  context_.runtime.job_executor().PostAfter(kNotesInterval, [this] {
    if (context_.stopping.load(std::memory_order_acquire)) return;
    const uint64_t bytes =
        context_.counters.bytes_written.load(std::memory_order_relaxed);
    if (bytes == std::exchange(seen_bytes_, bytes)) return WatchNotes();
    LookForNotes([this](const Status&) { WatchNotes(); });
  });
}

void Claims::LookForNotes(Engine::StatusDone done) {
  auto shared_done = std::make_shared<Engine::StatusDone>(std::move(done));
  store_->List(NotesPrefix(context_.identity.store), "", kNotesAtOnce,
               {.timeout = context_.config.cold_request_timeout, .cancel = {}},
               [this, shared_done](Result<ListPage> page) {
                 OnNotes(std::move(page), std::move(*shared_done));
               });
}

void Claims::OnNotes(Result<ListPage> page, Engine::StatusDone done) {
  if (!page.ok()) return done(page.status());
  // The last one to let go of it answers.
  struct Rest {
    Engine::StatusDone done;
    ~Rest() { done(Status::Ok()); }
  };
  auto rest = std::make_shared<Rest>(std::move(done));
  const ObjectRequest request{.timeout = context_.config.cold_request_timeout,
                              .cancel = {}};
  for (const ObjectInfo& object : page->objects) {
    const auto about = PartitionOfNote(context_.identity.store, object.key);
    PartitionPtr p = about ? context_.topics.Find(*about) : nullptr;
    auto remove = [this, rest, key = object.key, request](bool seen) {
      if (!seen) return;
      store_->Delete(key, request, [rest](const Status&) {});
    };
    if (p == nullptr) {
      remove(true);
      continue;
    }
    roots_.Reload(std::move(p), [remove](const Result<ColdPartitionPtr>& root) {
      remove(root.ok());
    });
  }
}

}  // namespace strata::engine
