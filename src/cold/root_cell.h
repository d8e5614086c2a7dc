// RootCell: the root object of one partition, what is known of it, and the
// commits that wait for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cold/cold_manifest.h"
#include "cold/group_store.h"
#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

struct RootCellContext {
  std::shared_ptr<ObjectStore> store;
  std::shared_ptr<GroupStore> groups;
  size_t group_size = 0;
  Runtime* runtime = nullptr;
  std::chrono::milliseconds request_timeout{0};
};

// Thread-safe. Owned by shared_ptr: requests hold it. See ColdManifest.
class RootCell : public std::enable_shared_from_this<RootCell> {
 public:
  using Done = ColdManifest::Done<ColdPartitionPtr>;

  RootCell(RootCellContext context, PartitionId partition);

  void Load(Done done);
  void Commit(ColdEdit edit, Done done);
  ColdPartitionPtr Cached();
  void Forget();
  // Drops all who wait; for teardown.
  void Close();

 private:
  struct PendingCommit {
    ColdEdit edit;
    Done done;
    uint64_t id = 0;  // of the root that it writes
    int attempts = 0;
    // An attempt's outcome is unknown: it may even arrive yet.
    bool may_happen = false;
  };

  // --- loading ---
  void StartFetch();
  void OnFetched(uint64_t changes, Result<ColdPartitionPtr> fetched);

  // --- committing; one at a time, the one in committing_ ---
  void NextCommit();
  void Attempt(const ColdPartitionPtr& current);
  // Writes the groups that are due, then the root.
  void Fold(const ColdPartitionPtr& current, ColdRoot next);
  void Put(const ColdPartitionPtr& current, ColdRoot next);
  void OnPut(ColdPartition next, Result<ObjectVersion> put);
  void OnReloaded(const Status& put, Result<ColdPartitionPtr> fresh);
  // The commit's root is written.
  void Settle(ColdPartitionPtr written);
  void FinishCommit(Result<ColdPartitionPtr> answer);
  void Publish(ColdPartitionPtr partition);

  const RootCellContext context_;
  const PartitionId partition_;
  const std::string key_;
  Mutex mu_;
  ColdPartitionPtr cached_ STRATA_GUARDED_BY(mu_);
  // Counts Forget and Publish: a fetch that began before one is out of date.
  uint64_t changes_ STRATA_GUARDED_BY(mu_) = 0;
  bool fetching_ STRATA_GUARDED_BY(mu_) = false;
  std::vector<Done> loads_ STRATA_GUARDED_BY(mu_);
  std::deque<PendingCommit> commits_ STRATA_GUARDED_BY(mu_);
  bool busy_ STRATA_GUARDED_BY(mu_) = false;  // with a commit
  bool closed_ STRATA_GUARDED_BY(mu_) = false;
  // Touched by the commit's own chain of continuations only.
  PendingCommit committing_;
};

}  // namespace strata
