// Engine: the store without its blocking shell. Every method returns at once;
// what has to wait continues in `done`, on an executor of the runtime, exactly
// once (with kClosed at shutdown). TieredStorage waits for `done` outside of
// the core; the simulation drives this class directly, on one thread.
//
// Wiring only: what happens is in appender, reader, flusher, migrator,
// collector and recovery, each over the EngineContext.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/unique_function.h"
#include "engine/partition_state.h"
#include "io/file_system.h"
#include "runtime/log.h"
#include "runtime/runtime.h"
#include "strata/tiered_storage.h"

namespace strata::engine {

// The world as an engine sees it. Everything outlives the engine.
struct EngineEnvironment {
  Runtime& runtime;
  FileSystem& data_fs;                // lock, manifest/, wal/
  FileSystem& warm_fs;                // segment files
  std::shared_ptr<ObjectStore> cold;  // null: cold storage disabled
  std::shared_ptr<LogSink> log;       // null: the default sink
  // Runs the completions of the calls that end in Async, and of WhenRoom.
  std::shared_ptr<CompletionExecutor> executor;
  // Whether another machine can reach `cold`: see StoreIdentity.
  bool shared_bucket = true;
};

// An append that is in the log but may not have its durability yet.
struct PendingAppend {
  AppendResult result;
  MonotonicTime started{};  // for kDisk
  // WAL group that has to be synced; nothing to wait for when not `wait`.
  uint64_t wal_seq = 0;
  bool wait = false;
};

// Thread-safe. Destroy after the runtime has stopped running tasks.
class Engine {
 public:
  using StatusDone = UniqueFunction<void(Status)>;
  template <typename T>
  using Done = UniqueFunction<void(Result<T>)>;

  // Blocks on files: call it outside of the executors.
  static Result<std::unique_ptr<Engine>> Open(TieredStorageConfig config,
                                              EngineEnvironment environment);
  // See TieredStorage::OpenReadOnly.
  static Result<std::unique_ptr<Engine>> OpenReadOnly(
      TieredStorageConfig config, EngineEnvironment environment);
  ~Engine();

  const TieredStorageConfig& config() const;
  const RecoveryReport& recovery() const;
  Runtime& runtime() const;

  void CreateTopic(std::string name, uint32_t partitions,
                   TopicSettings settings, Done<TopicInfo> done);
  void DeleteTopic(std::string name, StatusDone done);
  Result<std::vector<TopicInfo>> ListTopics() const;
  Result<TopicInfo> DescribeTopic(std::string_view name) const;
  Result<PartitionPtr> FindPartition(const TopicPartition& partition) const;

  // kInvalidArgument for batches that no partition takes.
  Status CheckAppend(std::span<const AppendRequest> requests) const;
  Status CheckWrite(OffsetRange offsets, ByteSpan data) const;
  // Puts the batches into the log, all or none, without waiting. kOverloaded
  // and kNoSpace: try again after WhenWritable.
  Result<PendingAppend> TryAppend(PartitionState& partition,
                                  std::span<const AppendRequest> requests);
  Result<PendingAppend> TryWrite(PartitionState& partition, OffsetRange offsets,
                                 ByteSpan data, Durability durability);
  // Continues when `append` has its durability, kUnknown when the sync failed.
  void WhenDurable(const PendingAppend& append, StatusDone done);
  // See TieredStorage::AppendAsync, ReadAsync and WhenWritable.
  void AppendAsync(PartitionState& partition,
                   std::span<const AppendRequest> requests,
                   TieredStorage::AppendDone done);
  void ReadAsync(PartitionPtr partition, Offset start, ReadOptions options,
                 TieredStorage::ReadDone done);
  void WhenRoom(std::function<void(Status)> ready);
  // Continues when an append that was refused may be tried again. Who does not
  // want to wait any longer gives the answer to CancelWritable, else it is
  // kept.
  uint64_t WhenWritable(UniqueFunction<void()> ready);
  void CancelWritable(uint64_t id);

  void TruncateTail(PartitionPtr partition, Offset offset, Epoch epoch,
                    StatusDone done);
  void Trim(PartitionPtr partition, Offset before, StatusDone done);
  void Repair(PartitionPtr partition, Done<RepairReport> done);

  // May call `done` before it returns when no I/O is needed.
  void Read(PartitionPtr partition, Offset start, ReadOptions options,
            Done<std::vector<BatchView>> done);

  Result<LogBounds> Bounds(PartitionState& partition) const;
  Result<EpochEnd> EpochEndOffset(PartitionState& partition, Epoch epoch) const;
  void Segments(PartitionPtr partition,
                Done<std::vector<SegmentMetadata>> done);
  void SegmentAt(PartitionPtr partition, Offset offset,
                 Done<SegmentMetadata> done);

  // Flushes what the partitions hold now; done when it is in warm.
  void Flush(std::vector<PartitionPtr> partitions, StatusDone done);
  void FlushAll(StatusDone done);
  void DemoteTo(PartitionPtr partition, StorageTier tier, StatusDone done);
  void PromoteTo(PartitionPtr partition, StorageTier tier, StatusDone done);
  // One pass of policy and collection; done when its jobs are.
  void RunMigrations(StatusDone done);

  void CollectGarbage(GarbageOptions options, Done<GarbageReport> done);

  TieredStorageStats Stats() const;
  void Verify(VerifyProgress progress, Done<VerifyReport> done);

  // See TieredStorage::Shutdown. Calls made later answer kClosed.
  void Shutdown(StatusDone done);

 private:
  class Impl;
  explicit Engine(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace strata::engine
