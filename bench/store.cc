#include "bench/store.h"

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace strata::bench {

TieredStorageConfig Store::Config(const std::filesystem::path& directory,
                                  const Scale& scale) {
  TieredStorageConfig config;
  config.data_dir = directory / "store";
  config.hot_tier_max_bytes = 2 * kGiB;
  config.hot_unflushed_max_bytes = 1 * kGiB;
  config.wal_file_bytes = scale.wal_file_bytes;
  config.wal_max_bytes = 2 * kGiB;
  config.max_batch_bytes = 1 * kMiB;
  config.migration_interval = std::chrono::hours(1);
  config.enable_promotion = false;
  return config;
}

Result<StorePtr> Store::Open(TieredStorageConfig config) {
  auto store = StorePtr(new Store(std::move(config)));
  STRATA_RETURN_IF_ERROR(store->Open());
  return store;
}

Status Store::Open() {
  auto opened = TieredStorage::Open(config_);
  if (!opened.ok()) return opened.status();
  storage_ = *std::move(opened);
  return Status::Ok();
}

Status Store::Close() {
  const Status status = storage_->Shutdown();
  storage_.reset();
  return status;
}

Status Store::Reopen() {
  STRATA_RETURN_IF_ERROR(Close());
  return Open();
}

Status Append(Store& store, const TopicPartition& name, const Stream& stream) {
  STRATA_ASSIGN_OR_RETURN(const Partition partition, store->GetPartition(name));
  const std::string batch(stream.batch_bytes, 'b');
  const AppendRequest request{.bytes = AsBytes(batch),
                              .durability = stream.durability};
  for (uint64_t i = 0; i < stream.batches(); ++i) {
    auto appended = store->Append(partition, request);
    if (!appended.ok()) return appended.status();
  }
  return Status::Ok();
}

namespace {

Result<std::vector<Partition>> PartitionsOf(Store& store, uint32_t count) {
  std::vector<Partition> partitions;
  for (uint32_t i = 0; i < count; ++i) {
    STRATA_ASSIGN_OR_RETURN(Partition found, store->GetPartition({kTopic, i}));
    partitions.push_back(std::move(found));
  }
  return partitions;
}

// How many bytes have been handed over and not been answered. Thread-safe.
class UnderWay {
 public:
  // Waits until there is room for `bytes`.
  void Begin(uint64_t bytes) {
    std::unique_lock lock(mutex_);
    if (bytes_ + bytes > kMost) {
      // Until half of it is free: not a switch of threads per answer.
      wake_at_ = kMost / 2;
      changed_.wait(lock, [&] { return bytes_ <= wake_at_; });
    }
    bytes_ += bytes;
  }
  void End(uint64_t bytes, const Status& status) {
    const std::lock_guard lock(mutex_);
    bytes_ -= bytes;
    if (status.code() == StatusCode::kOverloaded) {
      ++refused_;
    } else if (first_error_.ok() && !status.ok()) {
      first_error_ = status;
    }
    if (bytes_ <= wake_at_) changed_.notify_one();
  }
  // The first failure of all so far that is not a refusal.
  Status WaitForAll() {
    std::unique_lock lock(mutex_);
    wake_at_ = 0;
    changed_.wait(lock, [&] { return bytes_ == 0; });
    return first_error_;
  }
  bool refused() {
    const std::lock_guard lock(mutex_);
    return refused_ > 0;
  }
  // How many were refused for want of room since the last call.
  uint64_t TakeRefused() {
    const std::lock_guard lock(mutex_);
    return std::exchange(refused_, 0);
  }

 private:
  static constexpr uint64_t kMost = 16 * kMiB;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t bytes_ = 0;
  uint64_t wake_at_ = 0;
  uint64_t refused_ = 0;
  Status first_error_;
};

Status WaitUntilWritable(Store& store) {
  std::promise<Status> ready;
  store->WhenWritable([&](Status status) { ready.set_value(status); });
  return ready.get_future().get();
}

}  // namespace

Status AppendInTurn(Store& store, uint32_t partitions, const Stream& stream) {
  STRATA_ASSIGN_OR_RETURN(const std::vector<Partition> all,
                          PartitionsOf(store, partitions));
  const std::string batch(stream.batch_bytes, 'b');
  const AppendRequest request{.bytes = AsBytes(batch),
                              .durability = stream.durability};
  for (uint64_t i = 0; i < stream.batches(); ++i) {
    auto appended = store->Append(all[i % partitions], request);
    if (!appended.ok()) return appended.status();
  }
  return Status::Ok();
}

Status AppendAsyncInTurn(Store& store, uint32_t partitions,
                         const Stream& stream) {
  STRATA_ASSIGN_OR_RETURN(const std::vector<Partition> all,
                          PartitionsOf(store, partitions));
  const std::string batch(stream.batch_bytes, 'b');
  const AppendRequest request{.bytes = AsBytes(batch),
                              .durability = stream.durability};
  UnderWay under_way;
  uint64_t sent = 0;
  uint64_t left = stream.batches();
  // What was refused is sent again, as a host would.
  while (left > 0) {
    for (; left > 0 && !under_way.refused(); --left) {
      under_way.Begin(batch.size());
      store->AppendAsync(all[sent++ % partitions], request,
                         [&](const Result<AppendResult>& appended) {
                           under_way.End(batch.size(), appended.status());
                         });
    }
    STRATA_RETURN_IF_ERROR(under_way.WaitForAll());
    left += under_way.TakeRefused();
    if (left > 0) STRATA_RETURN_IF_ERROR(WaitUntilWritable(store));
  }
  return Status::Ok();
}

Status AppendAtOnce(Store& store, uint32_t writers, const Stream& stream) {
  std::vector<Status> results(writers);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < writers; ++i) {
    threads.emplace_back([&store, &stream, &result = results[i], i] {
      result = Append(store, {kTopic, i}, stream);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status& result : results) STRATA_RETURN_IF_ERROR(result);
  return Status::Ok();
}

Status EnsureTopic(Store& store) {
  const Status status = store->CreateTopic(kTopic, 1).status();
  return status.code() == StatusCode::kAlreadyExists ? Status::Ok() : status;
}

Status Fill(Store& store, Stream stream) {
  STRATA_RETURN_IF_ERROR(EnsureTopic(store));
  STRATA_RETURN_IF_ERROR(Append(store, {kTopic, 0}, stream));
  stream.bytes = stream.batch_bytes;
  stream.durability = Durability::kDisk;
  return Append(store, {kTopic, 0}, stream);
}

}  // namespace strata::bench
