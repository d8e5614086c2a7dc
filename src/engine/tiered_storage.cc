// The blocking shell: waits, outside of the core, for what the engine answers.
#include "strata/tiered_storage.h"

#include <fmt/format.h>

#include <utility>

#include "engine/blocking.h"
#include "engine/cold_store.h"
#include "engine/engine.h"
#include "engine/restore.h"
#include "engine/store_directory.h"
#include "io/posix_file_system.h"
#include "object_store/host_object_store.h"
#include "runtime/completion_thread.h"
#include "runtime/thread_runtime.h"

namespace strata {
namespace {

using engine::AppendAndWait;
using engine::Engine;
using engine::PartitionPtr;
using engine::WaitFor;
using engine::WaitForStatus;

}  // namespace

// Destroyed from the bottom up: the host's object store, or the bucket's
// client, is cut off, so that nothing begins any more but on the runtime's
// threads; the engine's last tasks end with the runtime, and everything they
// refer to goes after it. The last completions are posted when the engine goes,
// and run before the destructor returns.
struct TieredStorage::World {
  ~World() {
    if (cold_door != nullptr) cold_door->Close();
    runtime.reset();
    engine.reset();
    if (own_executor != nullptr) own_executor->Finish();
  }

  // Threads and bucket, without directories.
  static Result<std::unique_ptr<World>> OfBucket(
      const TieredStorageConfig& config, const OpenOptions& options,
      bool read_only);
  // Everything but the engine.
  static Result<std::unique_ptr<World>> Make(const TieredStorageConfig& config,
                                             const OpenOptions& options,
                                             bool read_only);
  // For the one engine of this world.
  engine::EngineEnvironment Environment(OpenOptions options);

  std::shared_ptr<CompletionThread> own_executor;  // null: the host has one
  std::unique_ptr<FileSystem> data_fs;
  std::unique_ptr<FileSystem> warm_fs;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Runtime> runtime;
  std::shared_ptr<ObjectStore> cold;           // null: disabled
  std::shared_ptr<HostObjectStore> cold_door;  // null: no threads of others
  bool shared_bucket = true;
};

Result<std::unique_ptr<TieredStorage::World>> TieredStorage::World::OfBucket(
    const TieredStorageConfig& config, const OpenOptions& options,
    bool read_only) {
  auto world = std::make_unique<World>();
  world->runtime =
      MakeThreadRuntime({.log_threads = 2,
                         .job_threads = config.migration_concurrency,
                         .read_threads = 2,
                         .cold_threads = 4});
  STRATA_ASSIGN_OR_RETURN(
      engine::ColdStore cold,
      engine::OpenColdStore(config, options.cold_store, *world->runtime,
                            Logger(options.log), read_only));
  world->cold = std::move(cold.store);
  world->cold_door = std::move(cold.door);
  world->shared_bucket = cold.shared;
  return world;
}

Result<std::unique_ptr<TieredStorage::World>> TieredStorage::World::Make(
    const TieredStorageConfig& config, const OpenOptions& options,
    bool read_only) {
  // Before the bucket is asked.
  const bool create = config.create_if_missing;
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<FileSystem> data,
                          OpenPosixFileSystem(config.data_dir, create));
  STRATA_ASSIGN_OR_RETURN(
      std::unique_ptr<FileSystem> warm,
      OpenPosixFileSystem(config.EffectiveWarmPath(), create));
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<World> world,
                          OfBucket(config, options, read_only));
  world->data_fs = std::move(data);
  world->warm_fs = std::move(warm);
  return world;
}

engine::EngineEnvironment TieredStorage::World::Environment(
    OpenOptions options) {
  std::shared_ptr<CompletionExecutor> executor = std::move(options.executor);
  if (executor == nullptr) {
    executor = own_executor = std::make_shared<CompletionThread>();
  }
  return {.runtime = *runtime,
          .data_fs = *data_fs,
          .warm_fs = *warm_fs,
          .cold = std::move(cold),
          .log = std::move(options.log),
          .executor = std::move(executor),
          .shared_bucket = shared_bucket};
}

TieredStorage::TieredStorage(std::unique_ptr<World> world)
    : world_(std::move(world)) {}

TieredStorage::~TieredStorage() {
  const Status status = Shutdown();
  (void)status.ok();  // the next open recovers what could not be closed
}

Result<std::unique_ptr<TieredStorage>> TieredStorage::Open(
    TieredStorageConfig config, OpenOptions options) {
  STRATA_RETURN_IF_ERROR(config.Validate());
  // Before anything is made in it, or elsewhere.
  STRATA_ASSIGN_OR_RETURN(
      const std::unique_ptr<FileSystem> data,
      OpenPosixFileSystem(config.data_dir, config.create_if_missing));
  STRATA_RETURN_IF_ERROR(
      engine::CheckStoreDirectory(*data, config.create_if_missing));
  return OpenWorld(std::move(config), std::move(options), false);
}

Result<std::unique_ptr<TieredStorage>> TieredStorage::OpenReadOnly(
    TieredStorageConfig config, OpenOptions options) {
  STRATA_RETURN_IF_ERROR(config.Validate());
  config.create_if_missing = false;
  return OpenWorld(std::move(config), std::move(options), true);
}

Result<RestoreReport> TieredStorage::Restore(TieredStorageConfig config,
                                             OpenOptions options) {
  STRATA_RETURN_IF_ERROR(config.Validate());
  config.create_if_missing = true;
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<World> world,
                          World::Make(config, options, true));
  return engine::Restore(config, world->Environment(std::move(options)));
}

Result<std::vector<BucketPartition>> TieredStorage::ListBucket(
    TieredStorageConfig config, OpenOptions options) {
  STRATA_RETURN_IF_ERROR(config.Validate());
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<World> world,
                          World::OfBucket(config, options, true));
  return engine::ListBucket(config, *world->runtime, world->cold);
}

Result<std::unique_ptr<TieredStorage>> TieredStorage::OpenWorld(
    TieredStorageConfig config, OpenOptions options, bool read_only) {
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<World> world,
                          World::Make(config, options, read_only));
  engine::EngineEnvironment environment =
      world->Environment(std::move(options));
  const auto open = read_only ? &Engine::OpenReadOnly : &Engine::Open;
  Result<std::unique_ptr<Engine>> engine =
      open(std::move(config), std::move(environment));
  if (!engine.ok()) return std::move(engine).status();
  world->engine = *std::move(engine);
  return std::unique_ptr<TieredStorage>(new TieredStorage(std::move(world)));
}

Engine& TieredStorage::engine() const { return *world_->engine; }
Runtime& TieredStorage::runtime() const { return *world_->runtime; }

const TieredStorageConfig& TieredStorage::config() const {
  return engine().config();
}
const RecoveryReport& TieredStorage::recovery() const {
  return engine().recovery();
}

Result<TopicInfo> TieredStorage::CreateTopic(std::string_view name,
                                             uint32_t partitions,
                                             TopicSettings settings) {
  return WaitFor<Result<TopicInfo>>(runtime(), [&](auto done) {
    engine().CreateTopic(std::string(name), partitions, settings,
                         std::move(done));
  });
}

Status TieredStorage::DeleteTopic(std::string_view name) {
  return WaitForStatus(runtime(), [&](auto done) {
    engine().DeleteTopic(std::string(name), std::move(done));
  });
}

Result<std::vector<TopicInfo>> TieredStorage::ListTopics() {
  return engine().ListTopics();
}

Result<TopicInfo> TieredStorage::DescribeTopic(std::string_view name) {
  return engine().DescribeTopic(name);
}

Result<Partition> TieredStorage::GetPartition(const TopicPartition& partition) {
  STRATA_ASSIGN_OR_RETURN(PartitionPtr state,
                          engine().FindPartition(partition));
  return Partition(partition, std::move(state));
}

// A call that is refused leaves no topic behind: what it asks for is checked
// before one is made.
template <typename Check>
Result<Partition> TieredStorage::PartitionForAppend(
    const TopicPartition& partition, Check&& check) {
  Result<Partition> found = GetPartition(partition);
  if (found.status().code() != StatusCode::kNotFound ||
      !config().auto_create_topics || DescribeTopic(partition.topic).ok()) {
    return found;
  }
  STRATA_RETURN_IF_ERROR(check());
  const uint32_t partitions = config().default_partitions;
  if (partition.partition >= partitions) {
    return Status(
        StatusCode::kNotFound,
        fmt::format("no topic '{}'; it would be created with {} "
                    "partitions, without partition {}",
                    partition.topic, partitions, partition.partition));
  }
  const Status created = CreateTopic(partition.topic, partitions).status();
  // Somebody else may have been first.
  if (!created.ok() && created.code() != StatusCode::kAlreadyExists) {
    return created;
  }
  return GetPartition(partition);
}

Result<AppendResult> TieredStorage::Append(const TopicPartition& partition,
                                           const AppendRequest& request) {
  return Append(partition, std::span(&request, 1));
}

Result<AppendResult> TieredStorage::Append(const Partition& partition,
                                           const AppendRequest& request) {
  return Append(partition, std::span(&request, 1));
}

Result<AppendResult> TieredStorage::Append(
    const TopicPartition& partition, std::span<const AppendRequest> requests) {
  STRATA_ASSIGN_OR_RETURN(const Partition handle,
                          PartitionForAppend(partition, [&] {
                            return engine().CheckAppend(requests);
                          }));
  return Append(handle, requests);
}

Result<AppendResult> TieredStorage::Append(
    const Partition& partition, std::span<const AppendRequest> requests) {
  return AppendAndWait(engine(), [&] {
    return engine().TryAppend(*partition.state_, requests);
  });
}

void TieredStorage::AppendAsync(const Partition& partition,
                                const AppendRequest& request, AppendDone done) {
  AppendAsync(partition, std::span(&request, 1), std::move(done));
}

void TieredStorage::AppendAsync(const Partition& partition,
                                std::span<const AppendRequest> requests,
                                AppendDone done) {
  engine().AppendAsync(*partition.state_, requests, std::move(done));
}

void TieredStorage::WhenWritable(std::function<void(Status)> ready) {
  engine().WhenRoom(std::move(ready));
}

Result<AppendResult> TieredStorage::Write(const TopicPartition& partition,
                                          Offset base, Offset end,
                                          ByteSpan data,
                                          Durability durability) {
  STRATA_ASSIGN_OR_RETURN(const Partition handle,
                          PartitionForAppend(partition, [&] {
                            return engine().CheckWrite({base, end}, data);
                          }));
  return AppendAndWait(engine(), [&] {
    return engine().TryWrite(*handle.state_, {base, end}, data, durability);
  });
}

// For the calls that have nothing to do but to find a partition and wait.
template <typename Call>
Status TieredStorage::OnPartition(const TopicPartition& partition,
                                  Call&& call) {
  STRATA_ASSIGN_OR_RETURN(PartitionPtr state,
                          engine().FindPartition(partition));
  return WaitForStatus(
      runtime(), [&](auto done) { call(std::move(state), std::move(done)); });
}

Status TieredStorage::TruncateTail(const TopicPartition& partition,
                                   Offset offset, Epoch epoch) {
  return OnPartition(partition, [&](PartitionPtr p, auto done) {
    engine().TruncateTail(std::move(p), offset, epoch, std::move(done));
  });
}

Status TieredStorage::Trim(const TopicPartition& partition, Offset before) {
  return OnPartition(partition, [&](PartitionPtr p, auto done) {
    engine().Trim(std::move(p), before, std::move(done));
  });
}

Result<RepairReport> TieredStorage::Repair(const TopicPartition& partition) {
  STRATA_ASSIGN_OR_RETURN(PartitionPtr state,
                          engine().FindPartition(partition));
  return WaitFor<Result<RepairReport>>(runtime(), [&](auto done) {
    engine().Repair(std::move(state), std::move(done));
  });
}

Result<GarbageReport> TieredStorage::CollectGarbage(GarbageOptions options) {
  return WaitFor<Result<GarbageReport>>(runtime(), [&](auto done) {
    engine().CollectGarbage(options, std::move(done));
  });
}

Status TieredStorage::FlushHotTier(const TopicPartition& partition) {
  return OnPartition(partition, [&](PartitionPtr p, auto done) {
    engine().Flush({std::move(p)}, std::move(done));
  });
}

Status TieredStorage::FlushAll() {
  return WaitForStatus(runtime(),
                       [&](auto done) { engine().FlushAll(std::move(done)); });
}

Status TieredStorage::DemoteTo(const TopicPartition& partition,
                               StorageTier tier) {
  return OnPartition(partition, [&](PartitionPtr p, auto done) {
    engine().DemoteTo(std::move(p), tier, std::move(done));
  });
}

Status TieredStorage::PromoteTo(const TopicPartition& partition,
                                StorageTier tier) {
  return OnPartition(partition, [&](PartitionPtr p, auto done) {
    engine().PromoteTo(std::move(p), tier, std::move(done));
  });
}

Status TieredStorage::RunMigrations() {
  return WaitForStatus(
      runtime(), [&](auto done) { engine().RunMigrations(std::move(done)); });
}

Result<std::vector<BatchView>> TieredStorage::Read(
    const TopicPartition& partition, Offset start, ReadOptions options) {
  STRATA_ASSIGN_OR_RETURN(const Partition handle, GetPartition(partition));
  return Read(handle, start, options);
}

Result<std::vector<BatchView>> TieredStorage::Read(const Partition& partition,
                                                   Offset start,
                                                   ReadOptions options) {
  return WaitFor<Result<std::vector<BatchView>>>(runtime(), [&](auto done) {
    engine().Read(partition.state_, start, std::move(options), std::move(done));
  });
}

void TieredStorage::ReadAsync(const Partition& partition, Offset start,
                              ReadOptions options, ReadDone done) {
  engine().ReadAsync(partition.state_, start, std::move(options),
                     std::move(done));
}

Result<LogBounds> TieredStorage::Bounds(const TopicPartition& partition) {
  STRATA_ASSIGN_OR_RETURN(const Partition handle, GetPartition(partition));
  return Bounds(handle);
}

Result<LogBounds> TieredStorage::Bounds(const Partition& partition) {
  return engine().Bounds(*partition.state_);
}

Result<EpochEnd> TieredStorage::EpochEndOffset(const TopicPartition& partition,
                                               Epoch epoch) {
  STRATA_ASSIGN_OR_RETURN(const PartitionPtr state,
                          engine().FindPartition(partition));
  return engine().EpochEndOffset(*state, epoch);
}

Result<std::vector<SegmentMetadata>> TieredStorage::Segments(
    const TopicPartition& partition) {
  STRATA_ASSIGN_OR_RETURN(PartitionPtr state,
                          engine().FindPartition(partition));
  return WaitFor<Result<std::vector<SegmentMetadata>>>(
      runtime(),
      [&](auto done) { engine().Segments(std::move(state), std::move(done)); });
}

Result<SegmentMetadata> TieredStorage::GetSegmentMetadata(
    const TopicPartition& partition, Offset offset) {
  STRATA_ASSIGN_OR_RETURN(PartitionPtr state,
                          engine().FindPartition(partition));
  return WaitFor<Result<SegmentMetadata>>(runtime(), [&](auto done) {
    engine().SegmentAt(std::move(state), offset, std::move(done));
  });
}

TieredStorageStats TieredStorage::Stats() const { return engine().Stats(); }

Result<VerifyReport> TieredStorage::Verify(VerifyProgress progress) {
  return WaitFor<Result<VerifyReport>>(runtime(), [&](auto done) {
    engine().Verify(std::move(progress), std::move(done));
  });
}

Status TieredStorage::Shutdown() {
  return WaitForStatus(runtime(),
                       [&](auto done) { engine().Shutdown(std::move(done)); });
}

double SegmentMetadata::CompactionRatio() const {
  if (total_records == 0) return 0.0;
  return static_cast<double>(dead_records) / static_cast<double>(total_records);
}

std::string SegmentMetadata::SegmentKey() const {
  return fmt::format("{}/{}/{:020}", topic, partition, base_offset.value());
}

Status BatchView::CopyTo(std::span<std::byte> out) const {
  if (out.size() < bytes_.size()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("batch of {} bytes does not fit into {}",
                              bytes_.size(), out.size()));
  }
  std::copy(bytes_.begin(), bytes_.end(), out.begin());
  return status();
}

}  // namespace strata
