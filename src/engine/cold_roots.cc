#include "engine/cold_roots.h"

#include <algorithm>

namespace strata::engine {

void ColdRoots::Load(PartitionPtr partition,
                     Engine::Done<ColdPartitionPtr> done) {
  if (ColdPartitionPtr root = context_.cold_manifest->Cached(partition->id)) {
    bool adopted;
    {
      MutexLock lock(partition->mu);
      adopted = partition->cold_adopted;
    }
    if (adopted) return done(std::move(root));
    return Adopt(std::move(partition), std::move(root), std::move(done));
  }
  const PartitionId id = partition->id;
  context_.cold_manifest->Load(
      id, [this, partition = std::move(partition),
           done = std::move(done)](Result<ColdPartitionPtr> root) mutable {
        if (!root.ok()) return done(std::move(root));
        Adopt(std::move(partition), *std::move(root), std::move(done));
      });
}

void ColdRoots::Reload(PartitionPtr partition,
                       Engine::Done<ColdPartitionPtr> done) {
  context_.cold_manifest->Forget(partition->id);
  Load(std::move(partition), std::move(done));
}

void ColdRoots::Adopt(PartitionPtr partition, ColdPartitionPtr root,
                      Engine::Done<ColdPartitionPtr> done) {
  const Offset root_end = root->cold_end();
  PartitionChanged change;
  {
    MutexLock lock(partition->mu);
    // Beyond flushed_end it cannot reach: what is offloaded was flushed.
    const bool behind = !partition->cold_adopted && !partition->deleted &&
                        root_end > partition->cold_end &&
                        root_end <= partition->flushed_end;
    if (!behind) {
      partition->cold_adopted = true;
    } else {
      change.partition = partition->id;
      change.cold_end = root_end;
      change.cold_generation = root->generation;
    }
  }
  if (!change.cold_end) return done(std::move(root));
  context_.log.Info("{}: adopting the bucket's cold end {}",
                    partition->name.ToString(), root_end.value());
  context_.manifest.Commit(
      {.ops = {change}},
      [partition = std::move(partition), root = std::move(root), root_end,
       done = std::move(done)](Status status) mutable {
        if (!status.ok()) return done(std::move(status));
        {
          MutexLock lock(partition->mu);
          partition->cold_end = std::max(partition->cold_end, root_end);
          partition->cold_generation =
              std::max(partition->cold_generation, root->generation);
          partition->cold_adopted = true;
        }
        done(std::move(root));
      });
}

}  // namespace strata::engine
