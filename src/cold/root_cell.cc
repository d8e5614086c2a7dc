#include "cold/root_cell.h"

#include <utility>

#include "cold/cold_edit.h"
#include "cold/fold.h"
#include "cold/object_names.h"
#include "cold/root_fetch.h"

// A commit's states:
//
//   load ──> attempt ─groups, Put─> Ok ─────────────────────> published
//              ^               │ kConflict, kUnknown
//              │ once          v
//              └────────── reload ──the root is ours────────> published
//                              └──a second time─────────────> kConflict,
//                                                             kUnknown
//
// All attempts of a commit carry one commit id. A Put that was given up may
// still arrive: then the next attempt conflicts and the reload finds the id.
namespace strata {
namespace {

constexpr int kMaxAttempts = 2;

}  // namespace

RootCell::RootCell(RootCellContext context, PartitionId partition)
    : context_(std::move(context)),
      partition_(partition),
      key_(RootKey(partition)) {}

void RootCell::Load(Done done) {
  {
    MutexLock lock(mu_);
    if (closed_) return;
    if (cached_ == nullptr) {
      loads_.push_back(std::move(done));
      if (fetching_) return;
      fetching_ = true;
    }
  }
  if (!done) return StartFetch();
  context_.runtime->cold_executor().Post(
      [self = shared_from_this(), done = std::move(done)]() mutable {
        // Again from the start: it may have been forgotten since.
        if (ColdPartitionPtr cached = self->Cached()) {
          done(std::move(cached));
        } else {
          self->Load(std::move(done));
        }
      });
}

void RootCell::StartFetch() {
  uint64_t changes;
  {
    MutexLock lock(mu_);
    changes = changes_;
  }
  FetchRoot(
      context_.store, key_, partition_,
      {.timeout = context_.request_timeout, .cancel = {}},
      [self = shared_from_this(), changes](Result<ColdPartitionPtr> fetched) {
        self->OnFetched(changes, std::move(fetched));
      });
}

void RootCell::OnFetched(uint64_t changes, Result<ColdPartitionPtr> fetched) {
  std::vector<Done> loads;
  bool again = false;
  {
    MutexLock lock(mu_);
    const bool current = changes == changes_;
    if (current && fetched.ok()) cached_ = *fetched;
    if (!current && cached_ != nullptr) fetched = cached_;
    again = !current && cached_ == nullptr && fetched.ok();
    if (!again) {
      fetching_ = false;
      loads.swap(loads_);
    }
  }
  if (again) return StartFetch();
  for (Done& done : loads) done(fetched);
}

ColdPartitionPtr RootCell::Cached() {
  MutexLock lock(mu_);
  return cached_;
}

void RootCell::Forget() {
  ColdPartitionPtr dropped;
  MutexLock lock(mu_);
  ++changes_;
  dropped.swap(cached_);
}

void RootCell::Publish(ColdPartitionPtr partition) {
  MutexLock lock(mu_);
  ++changes_;
  cached_.swap(partition);
}

void RootCell::Close() {
  std::vector<Done> loads;
  std::deque<PendingCommit> commits;
  MutexLock lock(mu_);
  closed_ = true;
  loads.swap(loads_);
  commits.swap(commits_);
}

void RootCell::Commit(ColdEdit edit, Done done) {
  const uint64_t id = context_.runtime->random().Next();
  {
    MutexLock lock(mu_);
    if (closed_) return;
    commits_.push_back({std::move(edit), std::move(done), id, 0});
    if (std::exchange(busy_, true)) return;
  }
  context_.runtime->cold_executor().Post(
      [self = shared_from_this()] { self->NextCommit(); });
}

void RootCell::NextCommit() {
  {
    MutexLock lock(mu_);
    if (commits_.empty()) {
      busy_ = false;
      return;
    }
    committing_ = std::move(commits_.front());
    commits_.pop_front();
  }
  Load([self = shared_from_this()](Result<ColdPartitionPtr> current) {
    if (!current.ok()) return self->FinishCommit(std::move(current));
    self->Attempt(*current);
  });
}

void RootCell::Attempt(const ColdPartitionPtr& current) {
  ++committing_.attempts;
  Result<ColdRoot> next = ApplyColdEdit(partition_, *current, committing_.edit);
  if (!next.ok()) {
    return FinishCommit(std::move(next).status().WithContext(key_));
  }
  const bool nothing_new = static_cast<const ColdRoot&>(*current) == *next;
  if (nothing_new && current->generation > 0) return FinishCommit(current);
  Fold(current, *std::move(next));
}

void RootCell::Fold(const ColdPartitionPtr& current, ColdRoot next) {
  std::optional<ColdGroup> due = GroupDue(next, context_.group_size);
  if (!due) return Put(current, std::move(next));
  const uint64_t claim = next.claim.number;
  context_.groups->Write(
      partition_, *std::move(due), claim,
      [self = shared_from_this(), current,
       next = std::move(next)](const Result<ColdGroupRef>& written) mutable {
        if (!written.ok()) return self->FinishCommit(written.status());
        PutGroup(next, *written);
        self->Fold(current, std::move(next));
      });
}

void RootCell::Put(const ColdPartitionPtr& current, ColdRoot root) {
  ++root.generation;
  root.commit_id = committing_.id;
  ColdPartition next;
  static_cast<ColdRoot&>(next) = std::move(root);
  std::string bytes = EncodeColdRoot(partition_, next);
  if (bytes.size() > kMaxColdRootBytes) {
    return FinishCommit(
        Status(StatusCode::kOverloaded, key_ + ": the root is full"));
  }
  context_.store->Put(
      key_, MakeStringSource(std::move(bytes)),
      current->generation == 0 ? PutPrecondition::Absent()
                               : PutPrecondition::IfVersion(current->version),
      {.timeout = context_.request_timeout, .cancel = {}},
      [self = shared_from_this(), next = std::move(next)](
          Result<ObjectVersion> put) { self->OnPut(next, std::move(put)); });
}

void RootCell::OnPut(ColdPartition next, Result<ObjectVersion> put) {
  const StatusCode code = put.status().code();
  if (put.ok()) {
    next.version = *std::move(put);
    return Settle(std::make_shared<ColdPartition>(std::move(next)));
  }
  if (code != StatusCode::kConflict && code != StatusCode::kUnknown) {
    return FinishCommit(put.status().WithContext("object " + key_));
  }
  if (code == StatusCode::kUnknown) committing_.may_happen = true;
  Forget();
  Load([self = shared_from_this(),
        status = put.status()](Result<ColdPartitionPtr> fresh) {
    self->OnReloaded(status, std::move(fresh));
  });
}

void RootCell::OnReloaded(const Status& put, Result<ColdPartitionPtr> fresh) {
  if (!fresh.ok()) {
    // Whether it was applied stays as open as it was.
    if (put.code() == StatusCode::kConflict) {
      return FinishCommit(std::move(fresh));
    }
    return FinishCommit(put.WithContext("object " + key_));
  }
  if ((*fresh)->commit_id == committing_.id) return Settle(*fresh);
  if (committing_.attempts < kMaxAttempts) return Attempt(*fresh);
  Forget();  // a Put that was given up may still change it
  FinishCommit(put.WithContext("object " + key_));
}

void RootCell::Settle(ColdPartitionPtr written) {
  Publish(written);
  FinishCommit(std::move(written));
}

void RootCell::FinishCommit(Result<ColdPartitionPtr> answer) {
  // Whatever came later: an attempt that may have happened leaves it open.
  if (!answer.ok() && committing_.may_happen) {
    Forget();
    answer = Status(StatusCode::kUnknown, answer.status().message());
  }
  Done done = std::move(committing_.done);
  committing_ = {};
  // The next one first: `done` may drop what it likes.
  context_.runtime->cold_executor().Post(
      [self = shared_from_this()] { self->NextCommit(); });
  done(std::move(answer));
}

}  // namespace strata
