#include "engine/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "engine/blocking.h"
#include "engine/store_directory.h"
#include "manifest/manifest.h"
#include "wal/wal_recovery.h"

namespace strata::engine {
namespace {

// Between the greatest epoch that the bucket has heard of and the first one
// after a restore: the lost store may have begun some that never reached the
// bucket, and no epoch may mean two histories.
constexpr uint32_t kEpochsSkipped = 1024;

// Of those that are called the same, the one that came last keeps the name.
std::vector<TopicCreated> WithUniqueNames(std::vector<TopicCreated> topics,
                                          RestoreReport& report) {
  std::set<std::string> taken;
  for (const TopicCreated& topic : topics) taken.insert(topic.name);
  std::set<std::string> given;
  for (auto topic = topics.rbegin(); topic != topics.rend(); ++topic) {
    if (given.insert(topic->name).second) continue;
    const std::string id = topic->id.ToString();
    std::string name;
    for (size_t digits = 8; name.empty() || taken.contains(name); ++digits) {
      name = fmt::format("{}-{}", topic->name.substr(0, 200),
                         id.substr(0, digits));
    }
    taken.insert(name);
    report.renamed.emplace_back(topic->name, name);
    topic->name = std::move(name);
  }
  return topics;
}

std::vector<EpochStart> EpochsBehind(const ColdRoot& root, Offset end) {
  std::vector<EpochStart> epochs = root.epochs;
  if (epochs.empty()) epochs.push_back({});
  const Epoch next(epochs.back().epoch.value() + kEpochsSkipped);
  StartEpoch(epochs, next, end);
  return epochs;
}

PartitionChanged FromRoot(const PartitionId& id, const ColdRoot& root) {
  PartitionChanged change;
  change.partition = id;
  const Offset end = std::max(root.log_start, root.cold_end());
  change.log_start = std::max(root.log_start, root.cold_base());
  change.flushed_end = end;
  change.cold_end = end;
  change.cold_generation = root.generation;
  change.cold_claim = root.claim;
  change.epochs = EpochsBehind(root, end);
  return change;
}

Status RefuseExisting(const ManifestOpened& opened, FileSystem& files) {
  const Result<std::vector<std::string>> log = files.List(kWalDirectory);
  const bool empty =
      opened.state.topics().empty() && opened.state.purges().empty() &&
      (log.ok() ? log->empty() : log.status().code() == StatusCode::kNotFound);
  if (empty) return Status::Ok();  // new, or of a restore that did not come far
  return {StatusCode::kAlreadyExists,
          files.Describe() +
              " is a store already; a bucket is restored into a directory of "
              "its own"};
}

Result<BucketImage> LoadImage(const TieredStorageConfig& config,
                              Runtime& runtime,
                              std::shared_ptr<ObjectStore> cold) {
  if (cold == nullptr) {
    const bool disabled =
        std::holds_alternative<cold::Disabled>(config.cold_storage);
    return Status(StatusCode::kNotFound,
                  disabled
                      ? "cold storage is disabled: no bucket to look into"
                      : "no store is kept in " + ColdUrl(config.cold_storage) +
                            ": no such directory");
  }
  return WaitFor<Result<BucketImage>>(runtime, [&](auto done) {
    LoadBucketImage(std::move(cold),
                    {.timeout = config.cold_request_timeout, .cancel = {}},
                    std::move(done));
  });
}

}  // namespace

Restored RestoreFrom(const BucketImage& image, TimestampMs now) {
  Restored restored;
  uint64_t next_segment_id = 1;
  // Topics whose deletion had begun.
  std::set<TopicId> deleted;
  for (const auto& [id, root] : image.roots) {
    if (root->closed()) deleted.insert(id.topic);
  }
  std::vector<TopicCreated> topics = image.topics.topics;
  std::erase_if(topics, [&](const TopicCreated& topic) {
    return deleted.contains(topic.id);
  });
  for (TopicCreated& topic :
       WithUniqueNames(std::move(topics), restored.report)) {
    restored.report.topics.push_back(topic.name);
    restored.report.partitions += topic.partitions;
    restored.edit.ops.emplace_back(std::move(topic));
  }
  for (const auto& [id, root] : image.roots) {
    if (deleted.contains(id.topic)) continue;
    const ColdTotals totals = root->totals();
    restored.report.segments += totals.segments;
    restored.report.bytes += totals.image_bytes;
    next_segment_id = std::max(next_segment_id, root->next_segment_id);
    restored.edit.ops.emplace_back(FromRoot(id, *root));
  }
  restored.edit.ops.emplace_back(Checkpoint{.wal_synced_seq = 0,
                                            .clean = true,
                                            .next_segment_id = next_segment_id,
                                            .next_file_number = 1,
                                            .at = now});
  return restored;
}

Result<RestoreReport> Restore(const TieredStorageConfig& config,
                              EngineEnvironment environment) {
  FileSystem& files = environment.data_fs;
  Runtime& runtime = environment.runtime;
  STRATA_RETURN_IF_ERROR(CheckStoreDirectory(files, true));
  // First, so that a bucket that cannot be read leaves nothing behind.
  STRATA_ASSIGN_OR_RETURN(const BucketImage image,
                          LoadImage(config, runtime, environment.cold));
  STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                          LockStore(files));
  STRATA_ASSIGN_OR_RETURN(
      ManifestOpened opened,
      Manifest::Open(files, runtime, {.reserve_bytes = config.reserve_bytes}));
  STRATA_RETURN_IF_ERROR(RefuseExisting(opened, files));
  STRATA_RETURN_IF_ERROR(files.CreateDirectory(kWalDirectory));
  Restored restored = RestoreFrom(image, runtime.clock().WallNow());
  STRATA_RETURN_IF_ERROR(WaitForStatus(runtime, [&](auto done) {
    opened.manifest->Commit(std::move(restored.edit), std::move(done));
  }));
  STRATA_RETURN_IF_ERROR(WaitForStatus(
      runtime, [&](auto done) { opened.manifest->Close(std::move(done)); }));
  return std::move(restored.report);
}

Result<std::vector<BucketPartition>> ListBucket(
    const TieredStorageConfig& config, Runtime& runtime,
    std::shared_ptr<ObjectStore> cold) {
  STRATA_ASSIGN_OR_RETURN(const BucketImage image,
                          LoadImage(config, runtime, std::move(cold)));
  std::vector<BucketPartition> partitions;
  for (const TopicCreated& topic : image.topics.topics) {
    for (uint32_t p = 0; p < topic.partitions; ++p) {
      BucketPartition& listed = partitions.emplace_back();
      listed.name = {topic.name, p};
      listed.topic = topic.id;
      const auto root = image.roots.find({topic.id, p});
      if (root == image.roots.end()) continue;
      const ColdTotals totals = root->second->totals();
      listed.log_start = root->second->log_start;
      listed.cold_end = std::max(listed.log_start, root->second->cold_end());
      listed.segments = totals.segments;
      listed.bytes = totals.image_bytes;
      listed.generation = root->second->generation;
    }
  }
  std::ranges::sort(partitions, [](const auto& a, const auto& b) {
    return std::tie(a.name.topic, a.topic, a.name.partition) <
           std::tie(b.name.topic, b.topic, b.name.partition);
  });
  return partitions;
}

}  // namespace strata::engine
