// A store to measure, and how it is filled.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

#include "bench/cases.h"
#include "strata/tiered_storage.h"

namespace strata::bench {

inline constexpr char kTopic[] = "bench";

// A store in a directory. Thread-compatible; what it points to is thread-safe.
class Store {
 public:
  // Limits so large that nothing moves between the tiers unless told to.
  static TieredStorageConfig Config(const std::filesystem::path& directory,
                                    const Scale& scale);
  static Result<std::shared_ptr<Store>> Open(TieredStorageConfig config);

  TieredStorage& operator*() { return *storage_; }
  TieredStorage* operator->() { return storage_.get(); }
  const std::filesystem::path& directory() const { return config_.data_dir; }

  Status Open();
  Status Close();
  Status Reopen();

 private:
  explicit Store(TieredStorageConfig config) : config_(std::move(config)) {}
  TieredStorageConfig config_;
  std::unique_ptr<TieredStorage> storage_;
};
using StorePtr = std::shared_ptr<Store>;

// `bytes` in batches of `batch_bytes`.
struct Stream {
  uint64_t bytes = 0;
  uint64_t batch_bytes = 0;
  Durability durability = Durability::kMemory;

  uint64_t batches() const { return bytes / batch_bytes; }
};

// Appends `stream` to a partition, waiting for each batch.
Status Append(Store& store, const TopicPartition& name, const Stream& stream);

// As Append, the batches to partitions 0 to `partitions` - 1 in turn.
Status AppendInTurn(Store& store, uint32_t partitions, const Stream& stream);

// As AppendInTurn, without waiting for each: at most 16 MiB are under way.
Status AppendAsyncInTurn(Store& store, uint32_t partitions,
                         const Stream& stream);

// As Append, by `writers` threads, each to a partition of its own.
Status AppendAtOnce(Store& store, uint32_t writers, const Stream& stream);

// Creates kTopic with one partition unless it is there.
Status EnsureTopic(Store& store);

// Fills partition 0 and makes it durable: what is timed afterwards does not
// compete with the log's writes.
Status Fill(Store& store, Stream stream);

}  // namespace strata::bench
