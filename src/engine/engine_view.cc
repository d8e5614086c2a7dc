// Opening a store only to read it, beside the process that writes it.
#include <utility>

#include "engine/engine_impl.h"
#include "engine/store_directory.h"
#include "manifest/manifest_reader.h"

namespace strata::engine {
namespace {

// Whether what `before` says of the log's content still holds, so that a WAL
// read in between fits to it.
bool SameLog(const ManifestState& before, const ManifestState& after) {
  if (before.wal_needed() != after.wal_needed()) return false;
  for (const auto& [id, topic] : before.topics()) {
    if (!after.topics().contains(id)) return false;
    for (uint32_t p = 0; p < topic.partitions; ++p) {
      const PartitionId partition{id, p};
      if (before.partition(partition).epochs !=
          after.partition(partition).epochs) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

Result<bool> Engine::Impl::OpenView() {
  read_only_ = true;
  FileSystem& files = environment_.data_fs;
  STRATA_RETURN_IF_ERROR(CheckStoreDirectory(files, false));
  // Without a writer, what it left unsynced is what it will find again.
  STRATA_ASSIGN_OR_RETURN(const bool written, files.IsLocked(kLockPath));
  STRATA_ASSIGN_OR_RETURN(ManifestOpened opened,
                          Manifest::View(files, runtime_));
  manifest_ = std::move(opened.manifest);
  report_.clean = written || opened.state.checkpoint().clean;
  BuildTopics(opened.state);
  MakeLocalTiers();
  STRATA_ASSIGN_OR_RETURN(
      ReplayedWal replayed,
      ReplayWal(opened, written ? WalAccess::kViewSynced : WalAccess::kView));
  STRATA_ASSIGN_OR_RETURN(const ManifestRead now, ReadNewestManifest(files));
  if (!SameLog(opened.state, now.state)) return false;
  // The tail that a writer has not synced yet is not torn.
  if (written) report_.torn_bytes = 0;
  wal_ = WalWriter::View(files, runtime_, log_, *hot_, LogOptions(),
                         std::move(replayed.log));
  MakeColdParts();
  Wire();
  return true;
}

Status Engine::Impl::RefuseChange() const {
  if (stopping()) return {StatusCode::kClosed, "the store is shut down"};
  if (read_only_) return {StatusCode::kReadOnly, "opened to read only"};
  return Status::Ok();
}

}  // namespace strata::engine
