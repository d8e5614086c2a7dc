#include "engine/store_directory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "manifest/manifest_log.h"
#include "manifest/manifest_reader.h"
#include "wal/wal_recovery.h"

namespace strata::engine {
namespace {

// What a store's directory may hold before there is a manifest: ours, and what
// a new file system begins with.
constexpr std::array<std::string_view, 6> kKnownNames = {
    kLockPath, kWalDirectory, kManifestDirectory, "warm", "cold", "lost+found"};

}  // namespace

Result<std::unique_ptr<FileLock>> LockStore(FileSystem& files) {
  return files.TryLock(kLockPath, fmt::format("pid {} ({})", ::getpid(),
                                              program_invocation_name));
}

Status CheckStoreDirectory(FileSystem& files, bool create_if_missing) {
  STRATA_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(""));
  const auto holds = [&](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  if (holds(kManifestDirectory)) {
    STRATA_ASSIGN_OR_RETURN(const ManifestFiles found,
                            ListManifestFiles(files));
    if (!found.whole.empty()) return Status::Ok();
  }
  // Where a store is, a file more does no harm.
  for (const std::string& name : names) {
    if (std::ranges::find(kKnownNames, name) == kKnownNames.end()) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{} is not a Strata directory: it holds '{}'",
                                files.Describe(), name));
    }
  }
  // The manifest is written before the first file of the log.
  if (holds(kWalDirectory)) {
    STRATA_ASSIGN_OR_RETURN(const std::vector<std::string> log,
                            files.List(kWalDirectory));
    if (!log.empty()) {
      return Status(
          StatusCode::kDataLoss,
          fmt::format("{0}: the manifest is missing: expected a file in "
                      "{0}/{1}, found none, but {2} in {0}/{3}",
                      files.Describe(), kManifestDirectory, log.size(),
                      kWalDirectory));
    }
  }
  if (create_if_missing) return Status::Ok();
  return Status(StatusCode::kNotFound,
                fmt::format("there is no store in {}", files.Describe()));
}

}  // namespace strata::engine
