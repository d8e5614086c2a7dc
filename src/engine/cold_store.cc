#include "engine/cold_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "engine/blocking.h"
#include "io/posix_file_system.h"
#include "object_store/adaptive_object_store.h"
#include "object_store/conditional_put_probe.h"
#include "object_store/connect.h"
#include "object_store/file/file_object_store.h"
#include "object_store/retrying_object_store.h"

namespace strata::engine {
namespace {

using StorePtr = std::shared_ptr<ObjectStore>;

// Of the questions at open; the log does not wait longer for its bucket.
constexpr std::chrono::milliseconds kProbeTimeout = std::chrono::seconds(5);

Result<StorePtr> OpenLocal(const TieredStorageConfig& config,
                           const cold::LocalFs& local, Runtime& runtime,
                           bool read_only) {
  const std::filesystem::path path =
      local.path.empty() ? config.data_dir / "cold" : local.path;
  std::error_code ignored;
  if (read_only && !std::filesystem::exists(path, ignored)) {
    return StorePtr();  // nothing was ever offloaded to it
  }
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<FileSystem> files,
                          OpenPosixFileSystem(path, !read_only));
  return StorePtr(MakeFileObjectStore(std::move(files), runtime));
}

// Where the store's own lock keeps everybody else out.
bool IsOwn(const TieredStorageConfig& config, const cold::LocalFs& local) {
  if (local.path.empty()) return true;
  std::error_code ignored;
  const auto home = std::filesystem::weakly_canonical(config.data_dir, ignored);
  const auto path = std::filesystem::weakly_canonical(local.path, ignored);
  const auto [at_home, at] = std::ranges::mismatch(home, path);
  return !home.empty() && at_home == home.end();
}

bool Passes(const Status& status) {
  const StatusCode code = status.code();
  return code == StatusCode::kUnavailable || code == StatusCode::kUnknown ||
         code == StatusCode::kDeadlineExceeded ||
         code == StatusCode::kOverloaded;
}

Status Probe(const StorePtr& store, const TieredStorageConfig& config,
             Runtime& runtime, const Logger& log) {
  const std::string key = fmt::format("probe/{:016x}", runtime.random().Next());
  const ObjectRequest request{
      .timeout = std::min(config.cold_request_timeout, kProbeTimeout),
      .cancel = {}};
  const auto found = WaitFor<Result<ConditionalPuts>>(runtime, [&](auto done) {
    ProbeConditionalPuts(store, key, request, std::move(done));
  });
  const std::string where = "cold storage " + store->Describe();
  if (Passes(found.status())) {
    log.Warning("{} does not answer; going on without it: {}", where,
                found.status().ToString());
    return Status::Ok();
  }
  if (!found.ok()) return found.status().WithContext(where);
  if (found->if_absent && found->if_version) return Status::Ok();
  return {StatusCode::kUnsupported,
          where +
              " does not honour conditions of puts (If-None-Match, "
              "If-Match): two writers could not be kept apart"};
}

}  // namespace

Result<ColdStore> OpenColdStore(const TieredStorageConfig& config,
                                std::shared_ptr<ObjectStore> host,
                                Runtime& runtime, const Logger& log,
                                bool read_only) {
  ColdStore cold;
  if (host != nullptr) {
    cold.store = cold.door = std::make_shared<HostObjectStore>(
        std::move(host), runtime.cold_executor());
    return cold;
  }
  if (std::holds_alternative<cold::Disabled>(config.cold_storage)) return cold;
  if (const auto* local = std::get_if<cold::LocalFs>(&config.cold_storage)) {
    STRATA_ASSIGN_OR_RETURN(cold.store,
                            OpenLocal(config, *local, runtime, read_only));
    cold.shared = !IsOwn(config, *local);
    return cold;
  }
  STRATA_ASSIGN_OR_RETURN(
      StorePtr bucket,
      ConnectObjectStore(config.cold_storage, ProcessEnvironment()));
  cold.door = std::make_shared<HostObjectStore>(std::move(bucket),
                                                runtime.cold_executor());
  // Each try counts for the concurrency.
  cold.store = MakeRetryingObjectStore(
      AdaptiveObjectStore(cold.door, {}, runtime).store(), {}, runtime);
  if (read_only) return cold;
  Status probed = Probe(cold.store, config, runtime, log);
  if (probed.ok()) return cold;
  cold.door->Close();
  return probed;
}

}  // namespace strata::engine
