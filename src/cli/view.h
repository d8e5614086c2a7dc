// How commands that only read look at a store, also while another process
// writes it: without its lock, by views that each show one moment.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "cli/command.h"
#include "io/file_system.h"
#include "strata/tiered_storage.h"

namespace strata::cli {

// Views of one store, one after the other. Owned by one thread.
class Viewer {
 public:
  // With the configuration in force. Nothing is opened yet.
  static Result<Viewer> Make(const Invocation& invocation);

  // The store as it is now. Warnings go to standard error, and what was lost,
  // if anything was: by the first view that finds a partition damaged. Errors
  // as of TieredStorage::OpenReadOnly.
  Result<std::unique_ptr<TieredStorage>> Look();

  // Whether the next view may show something else than the last one. Costs a
  // stat per file of log and manifest.
  bool Changed() const { return Appearance() != seen_; }

 private:
  explicit Viewer(TieredStorageConfig config) : config_(std::move(config)) {}

  // What changes when a writer comes, goes, or writes.
  std::string Appearance() const;

  TieredStorageConfig config_;
  // Opened with the first view, which says what is wrong if it cannot be.
  std::unique_ptr<FileSystem> files_;
  std::string seen_;            // before the last view
  std::set<std::string> told_;  // partitions
};

// So many views of a store that changes are tried where one was too old.
inline constexpr int kMaxLooks = 5;

// Whether a newer view may do better: the writer drops files that an older one
// refers to, and offsets that it shows.
bool MayBeStale(const Status& status);

// Has `work` done on a view of the store. When that turns out too old, `work`
// is done again on the next: it prints only at its end. A signal ends the
// process.
Status WithView(const Invocation& invocation,
                const std::function<Status(TieredStorage&)>& work);

}  // namespace strata::cli
