#include "cold/cold_manifest_store.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "cold/root_cell.h"

namespace strata {
namespace {

// The group that holds `offset`, or null.
const ColdGroupRef* RefAt(const std::vector<ColdGroupRef>& groups,
                          Offset offset) {
  const auto behind = std::ranges::upper_bound(
      groups, offset, {},
      [](const ColdGroupRef& group) { return group.offsets.base; });
  if (behind == groups.begin()) return nullptr;
  const ColdGroupRef& group = *std::prev(behind);
  return group.offsets.Contains(offset) ? &group : nullptr;
}

ColdRunPtr OwnRun(const ColdPartitionPtr& root) {
  return {root, &root->entries};
}

ColdRunPtr RunOf(GroupStore::GroupPtr group) {
  const ColdEntries* entries = &group->entries;
  return {std::move(group), entries};
}

// `ref` holds `offset`, and so do the groups below it on the way: they tile.
void Descend(const std::shared_ptr<GroupStore>& groups, PartitionId partition,
             const ColdGroupRef& ref, Offset offset,
             ColdManifest::Done<ColdRunPtr> done) {
  groups->Load(partition, ref,
               [groups, partition, offset, done = std::move(done)](
                   Result<GroupStore::GroupPtr> group) mutable {
                 if (!group.ok()) return done(group.status());
                 if ((*group)->level == 0)
                   return done(RunOf(*std::move(group)));
                 const ColdGroupRef* below = RefAt((*group)->groups, offset);
                 Descend(groups, partition, *below, offset, std::move(done));
               });
}

// Collects the keys of what overlaps a range, group by group.
class KeyWalk : public std::enable_shared_from_this<KeyWalk> {
 public:
  KeyWalk(std::shared_ptr<GroupStore> groups, PartitionId partition,
          OffsetRange range, ColdManifest::Done<std::set<std::string>> done)
      : groups_(std::move(groups)),
        partition_(partition),
        range_(range),
        done_(std::move(done)) {}

  void Start(const ColdRoot& root) {
    Add(root.groups, root.entries);
    Next();
  }

 private:
  bool Overlaps(const OffsetRange& offsets) const {
    return offsets.base < range_.end && range_.base < offsets.end;
  }

  void Add(const std::vector<ColdGroupRef>& groups,
           const ColdEntries& entries) {
    for (const ColdGroupRef& ref : groups) {
      if (!Overlaps(ref.offsets)) continue;
      keys_.insert(ref.key);
      left_.push_back(ref);
    }
    for (const auto& [base, entry] : entries) {
      if (Overlaps(entry.offsets)) keys_.insert(entry.cold->key);
    }
  }

  void Next() {
    if (left_.empty()) return done_(std::move(keys_));
    const ColdGroupRef ref = std::move(left_.back());
    left_.pop_back();
    groups_->Load(partition_, ref,
                  [self = shared_from_this()](
                      Result<GroupStore::GroupPtr> group) mutable {
                    if (!group.ok()) return self->done_(group.status());
                    self->Add((*group)->groups, (*group)->entries);
                    self->Next();
                  });
  }

  const std::shared_ptr<GroupStore> groups_;
  const PartitionId partition_;
  const OffsetRange range_;
  ColdManifest::Done<std::set<std::string>> done_;
  std::set<std::string> keys_;
  std::vector<ColdGroupRef> left_;  // to be looked into
};

// Thread-safe.
class ColdManifestStore final : public ColdManifest {
 public:
  explicit ColdManifestStore(RootCellContext context)
      : context_(std::move(context)) {}

  // Who waits may hold what holds this.
  ~ColdManifestStore() override {
    std::map<PartitionId, std::shared_ptr<RootCell>> cells;
    {
      MutexLock lock(mu_);
      cells.swap(cells_);
    }
    for (const auto& [id, cell] : cells) cell->Close();
    context_.groups->Close();
  }

  void Load(PartitionId partition, Done<ColdPartitionPtr> done) override {
    Cell(partition)->Load(std::move(done));
  }
  void Commit(PartitionId partition, ColdEdit edit,
              Done<ColdPartitionPtr> done) override {
    Cell(partition)->Commit(std::move(edit), std::move(done));
  }
  ColdPartitionPtr Cached(PartitionId partition) override {
    return Cell(partition)->Cached();
  }
  void Forget(PartitionId partition) override { Cell(partition)->Forget(); }

  void LoadRun(PartitionId partition, ColdPartitionPtr root, Offset offset,
               Done<ColdRunPtr> done) override {
    if (!root->Covers(offset)) return done(ColdRunPtr());
    const ColdGroupRef* ref = RefAt(root->groups, offset);
    if (ref == nullptr) return done(OwnRun(root));
    Descend(context_.groups, partition, *ref, offset, std::move(done));
  }

  void NamedKeys(PartitionId partition, ColdPartitionPtr root,
                 OffsetRange range, Done<std::set<std::string>> done) override {
    std::make_shared<KeyWalk>(context_.groups, partition, range,
                              std::move(done))
        ->Start(*root);
  }

  ColdRunPtr CachedRun(const ColdPartitionPtr& root, Offset offset) override {
    if (!root->Covers(offset)) return nullptr;
    const ColdGroupRef* ref = RefAt(root->groups, offset);
    if (ref == nullptr) return OwnRun(root);
    for (GroupStore::GroupPtr group = context_.groups->Find(*ref);
         group != nullptr; group = context_.groups->Find(*ref)) {
      if (group->level == 0) return RunOf(std::move(group));
      ref = RefAt(group->groups, offset);
    }
    return nullptr;
  }

 private:
  std::shared_ptr<RootCell> Cell(const PartitionId& partition) {
    MutexLock lock(mu_);
    std::shared_ptr<RootCell>& cell = cells_[partition];
    if (cell == nullptr) {
      cell = std::make_shared<RootCell>(context_, partition);
    }
    return cell;
  }

  const RootCellContext context_;
  Mutex mu_;
  // As many as there are partitions; they stay small when these are gone.
  std::map<PartitionId, std::shared_ptr<RootCell>> cells_
      STRATA_GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<ColdManifest> MakeColdManifest(
    std::shared_ptr<ObjectStore> store, Runtime& runtime,
    const ColdManifestOptions& options) {
  auto groups = std::make_shared<GroupStore>(
      store, runtime, options.request_timeout, options.group_cache_max_bytes);
  return std::make_unique<ColdManifestStore>(
      RootCellContext{.store = std::move(store),
                      .groups = std::move(groups),
                      .group_size = options.group_size,
                      .runtime = &runtime,
                      .request_timeout = options.request_timeout});
}

}  // namespace strata
