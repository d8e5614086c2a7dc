#include "cold/cold_manifest_store.h"

#include <map>
#include <utility>

#include "base/mutex.h"
#include "cold/root_cell.h"

namespace strata {
namespace {

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
    std::chrono::milliseconds request_timeout) {
  return std::make_unique<ColdManifestStore>(
      RootCellContext{std::move(store), &runtime, request_timeout});
}

}  // namespace strata
