#include "cli/view.h"

#include <fmt/format.h>

#include "cli/effective_config.h"
#include "cli/interrupt.h"
#include "cli/store.h"
#include "io/posix_file_system.h"
#include "wal/wal_recovery.h"

namespace strata::cli {
namespace {

// Of a store's directory; see docs/formats/.
constexpr std::string_view kLock = "LOCK";
constexpr std::string_view kManifestDirectory = "manifest";

}  // namespace

Result<Viewer> Viewer::Make(const Invocation& invocation) {
  STRATA_ASSIGN_OR_RETURN(EffectiveConfig effective, Resolve(invocation));
  return Viewer(std::move(effective.config));
}

Result<std::unique_ptr<TieredStorage>> Viewer::Look() {
  STRATA_RETURN_IF_ERROR(CheckDirectory(config_));
  if (files_ == nullptr) {
    STRATA_ASSIGN_OR_RETURN(files_,
                            OpenPosixFileSystem(config_.data_dir, false));
  }
  // What changes while the view is made counts as changed after it.
  seen_ = Appearance();
  STRATA_ASSIGN_OR_RETURN(
      std::unique_ptr<TieredStorage> view,
      TieredStorage::OpenReadOnly(
          config_, {.cold_store = nullptr, .log = MakeTerminalLog()}));
  std::set<std::string> damaged;
  for (const RecoveryReport::Damage& damage : view->recovery().damage) {
    if (!told_.contains(damage.partition)) TellDamage(damage);
    damaged.insert(damage.partition);
  }
  told_.merge(damaged);
  return view;
}

// A writer that is killed changes no file, but what it left unsynced counts
// from then on: whether the store is locked belongs to its looks.
std::string Viewer::Appearance() const {
  const Result<bool> locked = files_->IsLocked(kLock);
  std::string looks = locked.ok() && *locked ? "locked" : "";
  for (const std::string_view directory : {kWalDirectory, kManifestDirectory}) {
    const auto names = files_->List(directory);
    if (!names.ok()) continue;  // the next view says what is wrong
    for (const std::string& name : *names) {
      const auto file = files_->Stat(fmt::format("{}/{}", directory, name));
      if (!file.ok()) continue;  // went meanwhile
      looks += fmt::format(" {}:{}:{}:{}", name, file->inode, file->size_bytes,
                           file->change_time_ns);
    }
  }
  return looks;
}

bool MayBeStale(const Status& status) {
  return status.code() == StatusCode::kDataLoss ||
         status.code() == StatusCode::kOutOfRange;
}

Status WithView(const Invocation& invocation,
                const std::function<Status(TieredStorage&)>& work) {
  CatchInterrupts(OnInterrupt::kEnd);
  STRATA_ASSIGN_OR_RETURN(Viewer viewer, Viewer::Make(invocation));
  for (int look = 1;; ++look) {
    STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<TieredStorage> view,
                            viewer.Look());
    Status status = work(*view);
    if (!MayBeStale(status) || look == kMaxLooks || !viewer.Changed()) {
      return status;
    }
  }
}

}  // namespace strata::cli
