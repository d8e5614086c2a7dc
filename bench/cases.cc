#include "bench/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "strata/tiered_storage.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

constexpr char kTopic[] = "bench";

// A store in a directory, and the batches that are written into it.
// Thread-compatible; Append may be called by several threads.
class Store {
 public:
  // Limits so large that nothing moves between the tiers unless told to.
  static Result<std::shared_ptr<Store>> Open(const fs::path& directory,
                                             uint64_t hot_bytes = 2 * kGiB) {
    TieredStorageConfig config;
    config.data_dir = directory / "store";
    config.hot_tier_max_bytes = hot_bytes;
    config.hot_unflushed_max_bytes = std::min(hot_bytes, 1 * kGiB);
    config.wal_max_bytes = 2 * kGiB;
    config.migration_interval = std::chrono::hours(1);
    config.enable_promotion = false;
    auto store = std::shared_ptr<Store>(new Store(std::move(config)));
    STRATA_RETURN_IF_ERROR(store->Open());
    return store;
  }

  TieredStorage& operator*() { return *storage_; }
  TieredStorage* operator->() { return storage_.get(); }
  const fs::path& directory() const { return config_.data_dir; }

  Status Open() {
    auto opened = TieredStorage::Open(config_);
    if (!opened.ok()) return opened.status();
    storage_ = *std::move(opened);
    return Status::Ok();
  }

  Status Close() {
    const Status status = storage_->Shutdown();
    storage_.reset();
    return status;
  }

  Status Reopen() {
    STRATA_RETURN_IF_ERROR(Close());
    return Open();
  }

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

// As Append, by `writers` threads, each to a partition of its own.
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

// Fills partition 0 and makes it durable: what is timed afterwards does not
// compete with the log's writes.
Status Fill(Store& store, Stream stream) {
  STRATA_RETURN_IF_ERROR(EnsureTopic(store));
  STRATA_RETURN_IF_ERROR(Append(store, {kTopic, 0}, stream));
  stream.bytes = stream.batch_bytes;
  stream.durability = Durability::kDisk;
  return Append(store, {kTopic, 0}, stream);
}

// Reads partition 0 from its first to its last batch, touching every byte;
// each batch has to come from `tier`.
Status ScanAndSum(Store& store, StorageTier tier) {
  STRATA_ASSIGN_OR_RETURN(const Partition partition,
                          store->GetPartition({kTopic, 0}));
  STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, store->Bounds(partition));
  Offset at = bounds.log_start;
  while (at < bounds.visible_end) {
    STRATA_ASSIGN_OR_RETURN(const std::vector<BatchView> batches,
                            store->Read(partition, at));
    for (const BatchView& batch : batches) {
      if (batch.tier() != tier) {
        return {StatusCode::kUnknown,
                fmt::format("batch at {}: read from {}, expected {}",
                            batch.base_offset().value(), Name(batch.tier()),
                            Name(tier))};
      }
      Use(Sum(batch.bytes()));
    }
    at = batches.back().end_offset();
  }
  return Status::Ok();
}

// ---- append ---------------------------------------------------------------

// Log files and hot memory are all used once before, and emptied of what is
// unflushed after every round: each round writes into recycled files and
// memory, as a store that has run for a while does.
Result<StorePtr> StoreForAppends(const fs::path& directory, uint32_t writers,
                                 const Stream& stream) {
  const uint64_t hot = stream.bytes * writers + 64 * kMiB;
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(directory, hot));
  auto created = (*store)->CreateTopic(kTopic, writers);
  if (!created.ok()) return created.status();
  for (int times = 0; times < 2; ++times) {
    STRATA_RETURN_IF_ERROR(AppendAtOnce(*store, writers, stream));
    STRATA_RETURN_IF_ERROR((*store)->FlushAll());
  }
  return store;
}

Timed TimedAppends(StorePtr store, uint32_t writers, const Stream& stream) {
  return [=]() -> Result<double> {
    STRATA_ASSIGN_OR_RETURN(const double seconds, TimeOf([&] {
                              return AppendAtOnce(*store, writers, stream);
                            }));
    STRATA_RETURN_IF_ERROR((*store)->FlushAll());
    return seconds;
  };
}

Result<Case> AppendBurst(const fs::path& directory, const Scale& scale) {
  const Stream stream{.bytes = scale.bytes, .batch_bytes = kKiB};
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          StoreForAppends(directory, 1, stream));
  return Case{.unit = Unit::kMiBPerSecond,
              .work = stream.bytes,
              .ours = TimedAppends(store, 1, stream),
              .limits = CopyAndChecksum(stream.bytes)};
}

Result<Case> AppendStream(const fs::path& directory, const Scale& scale,
                          uint32_t writers) {
  const Stream stream{.bytes = scale.bytes / writers / kMiB * kMiB,
                      .batch_bytes = kMiB,
                      .durability = Durability::kDisk};
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          StoreForAppends(directory, writers, stream));
  STRATA_ASSIGN_OR_RETURN(Ways limits,
                          WriteDurably(directory, stream.bytes * writers));
  return Case{.unit = Unit::kMiBPerSecond,
              .work = stream.bytes * writers,
              .ours = TimedAppends(store, writers, stream),
              .limits = std::move(limits)};
}

Result<Case> AppendSynced(const fs::path& directory, const Scale& scale,
                          uint32_t writers) {
  const Stream stream{.bytes = scale.synced_records * kKiB,
                      .batch_bytes = kKiB,
                      .durability = Durability::kDisk};
  const uint64_t records = stream.batches() * writers;
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          StoreForAppends(directory, writers, stream));
  // The best that one log can do for writers that wait: one sync for all.
  STRATA_ASSIGN_OR_RETURN(Ways limits,
                          SyncRecords(directory, {.records = records,
                                                  .record_bytes = kKiB,
                                                  .group = writers}));
  return Case{.unit = Unit::kAppendsPerSecond,
              .work = records,
              .ours = TimedAppends(store, writers, stream),
              .limits = std::move(limits)};
}

// ---- read -----------------------------------------------------------------

Result<StorePtr> FilledStore(const fs::path& directory, const Stream& stream,
                             StorageTier tier) {
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(directory));
  STRATA_RETURN_IF_ERROR(Fill(*store, stream));
  if (tier != StorageTier::kHot) {
    STRATA_RETURN_IF_ERROR((*store)->DemoteTo({kTopic, 0}, tier));
  }
  return store;
}

// What the store still knows from earlier reads when a scan is timed.
enum class Before { kScanned, kReopened };

struct Scan {
  StorageTier tier = StorageTier::kHot;
  Before before = Before::kScanned;
  uint64_t batch_bytes = 0;
};

Result<Case> ReadAll(const fs::path& directory, const Scale& scale,
                     const Scan& scan) {
  const Stream stream{.bytes = scale.bytes, .batch_bytes = scan.batch_bytes};
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          FilledStore(directory, stream, scan.tier));
  STRATA_RETURN_IF_ERROR(ScanAndSum(*store, scan.tier));
  const uint64_t bytes = stream.bytes + stream.batch_bytes;
  Ways limits = SumMemory(bytes);
  if (scan.tier != StorageTier::kHot) {
    STRATA_ASSIGN_OR_RETURN(limits, SumFile(directory, bytes));
  }
  return Case{.unit = Unit::kMiBPerSecond,
              .work = bytes,
              .ours = [store, scan]() -> Result<double> {
                if (scan.before == Before::kReopened) {
                  STRATA_RETURN_IF_ERROR(store->Reopen());
                }
                return TimeOf([&] { return ScanAndSum(*store, scan.tier); });
              },
              .limits = std::move(limits)};
}

// ---- flush, offload, reopen -----------------------------------------------

// Each round fills a topic of its own, and deletes it afterwards.
template <typename Move>
Timed TimedMove(StorePtr store, const Stream& stream, Status (*prepare)(Store&),
                Move move) {
  return [=]() -> Result<double> {
    STRATA_RETURN_IF_ERROR(Fill(*store, stream));
    STRATA_RETURN_IF_ERROR(prepare(*store));
    STRATA_ASSIGN_OR_RETURN(const double seconds,
                            TimeOf([&] { return move(*store); }));
    STRATA_RETURN_IF_ERROR((*store)->DeleteTopic(kTopic));
    return seconds;
  };
}

Result<Case> Flush(const fs::path& directory, const Scale& scale) {
  const Stream stream{.bytes = scale.bytes, .batch_bytes = 64 * kKiB};
  const uint64_t bytes = stream.bytes + stream.batch_bytes;
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(directory));
  STRATA_ASSIGN_OR_RETURN(Ways limits, CreateFile(directory, bytes));
  return Case{.unit = Unit::kMiBPerSecond,
              .work = bytes,
              .ours = TimedMove(
                  store, stream, [](Store&) { return Status::Ok(); },
                  [](Store& s) { return s->FlushAll(); }),
              .limits = std::move(limits)};
}

Result<Case> Offload(const fs::path& directory, const Scale& scale) {
  const Stream stream{.bytes = scale.bytes, .batch_bytes = 64 * kKiB};
  const uint64_t bytes = stream.bytes + stream.batch_bytes;
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(directory));
  STRATA_ASSIGN_OR_RETURN(Ways limits, CopyFile(directory, bytes));
  return Case{.unit = Unit::kMiBPerSecond,
              .work = bytes,
              .ours = TimedMove(
                  store, stream, [](Store& s) { return s->FlushAll(); },
                  [](Store& s) {
                    return s->DemoteTo({kTopic, 0}, StorageTier::kCold);
                  }),
              .limits = std::move(limits)};
}

Timed TimedOpen(StorePtr store) {
  return [store]() -> Result<double> {
    STRATA_RETURN_IF_ERROR(store->Close());
    return TimeOf([&] { return store->Open(); });
  };
}

// Bytes that lie directly in the store's directory: manifest and lock.
uint64_t StateBytes(const Store& store) {
  uint64_t bytes = 0;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(store.directory())) {
    const std::string path =
        entry.path().lexically_relative(store.directory()).native();
    const bool data = path.starts_with("wal") || path.starts_with("warm") ||
                      path.starts_with("cold");
    if (!data && entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

Result<Case> OpenSegments(const fs::path& directory, const Scale& scale) {
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(directory));
  STRATA_RETURN_IF_ERROR(EnsureTopic(*store));
  for (uint64_t i = 0; i < scale.segments; ++i) {
    STRATA_RETURN_IF_ERROR(
        Append(*store, {kTopic, 0}, {.bytes = kKiB, .batch_bytes = kKiB}));
    STRATA_RETURN_IF_ERROR((*store)->FlushAll());
  }
  STRATA_RETURN_IF_ERROR(store->Reopen());
  STRATA_ASSIGN_OR_RETURN(Ways limits,
                          ReadStateAndMark(directory, StateBytes(*store)));
  return Case{.unit = Unit::kMilliseconds,
              .work = scale.segments,
              .ours = TimedOpen(store),
              .limits = std::move(limits)};
}

Result<Case> OpenUnflushed(const fs::path& directory, const Scale& scale) {
  const Stream stream{.bytes = scale.bytes, .batch_bytes = kKiB};
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(directory));
  STRATA_RETURN_IF_ERROR(Fill(*store, stream));
  STRATA_ASSIGN_OR_RETURN(Ways limits,
                          ReadStateAndMark(directory, stream.bytes));
  return Case{.unit = Unit::kMilliseconds,
              .work = scale.bytes,
              .ours = TimedOpen(store),
              .limits = std::move(limits)};
}

}  // namespace

std::vector<NamedCase> AllCases() {
  using std::placeholders::_1;
  using std::placeholders::_2;
  std::vector<NamedCase> cases = {
      {"append 1 KiB kMemory, burst", AppendBurst},
      {"append 1 MiB kDisk, 1 waiting", std::bind(AppendStream, _1, _2, 1)},
      {"append 1 MiB kDisk, 2 waiting", std::bind(AppendStream, _1, _2, 2)},
      {"append 1 KiB kDisk, 1 waiting", std::bind(AppendSynced, _1, _2, 1)},
      {"append 1 KiB kDisk, 16 waiting", std::bind(AppendSynced, _1, _2, 16)},
  };
  for (const uint64_t batch : {kKiB, 64 * kKiB}) {
    const auto add = [&](const char* name, StorageTier tier, Before before) {
      const Scan scan{.tier = tier, .before = before, .batch_bytes = batch};
      cases.push_back({fmt::format("read {} KiB {}", batch / kKiB, name),
                       std::bind(ReadAll, _1, _2, scan)});
    };
    add("hot", StorageTier::kHot, Before::kScanned);
    add("warm, again", StorageTier::kWarm, Before::kScanned);
    add("warm, after open", StorageTier::kWarm, Before::kReopened);
    add("cold, after open", StorageTier::kCold, Before::kReopened);
  }
  cases.push_back({"flush hot to warm", Flush});
  cases.push_back({"offload warm to cold (a directory)", Offload});
  cases.push_back({"open with many segments", OpenSegments});
  cases.push_back({"open with unflushed data", OpenUnflushed});
  return cases;
}

}  // namespace strata::bench
