// Appends: bursts into memory, streams to disk, more than memory holds, and
// writers that wait for each.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "bench/cases.h"
#include "bench/raw_file.h"
#include "bench/store.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kBatchSizes[] = {64, kKiB, 64 * kKiB, kMiB};
// Of a batch in memory beside its bytes, rounded up: the frame header.
constexpr uint64_t kOverheadBytes = 128;

// As much of scale.bytes as scale.appends of that size are.
Stream StreamOf(const Scale& scale, uint64_t batch_bytes,
                Durability durability) {
  return {.bytes = std::min(scale.bytes, scale.appends * batch_bytes),
          .batch_bytes = batch_bytes,
          .durability = durability};
}

// What the partitions of a topic get.
using Appends = std::function<Status(Store&)>;

// A store whose hot tier holds `stream` without having to flush. Log files and
// hot memory are all used before, and emptied of what is unflushed after every
// round: each round writes into recycled files and memory, as a store that has
// run for a while does.
Result<StorePtr> StoreForAppends(TieredStorageConfig config,
                                 uint32_t partitions, const Stream& stream,
                                 const Appends& appends) {
  const uint64_t room =
      stream.bytes + stream.batches() * kOverheadBytes + 4 * kMiB;
  // A flush for want of room begins at half.
  config.hot_tier_max_bytes = 2 * room;
  config.hot_unflushed_max_bytes = 2 * room;
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(std::move(config)));
  auto created = (*store)->CreateTopic(kTopic, partitions);
  if (!created.ok()) return created.status();
  constexpr int kTimesThatFillHot = 3;
  for (int times = 0; times < kTimesThatFillHot; ++times) {
    STRATA_RETURN_IF_ERROR(appends(*store));
    STRATA_RETURN_IF_ERROR((*store)->FlushAll());
  }
  return store;
}

Timed TimedAppends(StorePtr store, Appends appends) {
  return [=]() -> Result<double> {
    STRATA_ASSIGN_OR_RETURN(const double seconds,
                            TimeOf([&] { return appends(*store); }));
    STRATA_RETURN_IF_ERROR((*store)->FlushAll());
    return seconds;
  };
}

struct Shape {
  uint64_t batch_bytes = 0;
  uint32_t partitions = 1;
  std::optional<double> mark{};
};

Result<Case> Burst(const fs::path& directory, const Scale& scale,
                   const Shape& shape) {
  const Stream stream = StreamOf(scale, shape.batch_bytes, Durability::kMemory);
  const Appends appends = [=](Store& store) {
    return AppendInTurn(store, shape.partitions, stream);
  };
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          StoreForAppends(Store::Config(directory, scale),
                                          shape.partitions, stream, appends));
  return Case{.unit = Unit::kMiBPerSecond,
              .work = stream.bytes,
              .ours = TimedAppends(store, appends),
              .limits = CopyAndChecksum(stream.bytes, shape.batch_bytes),
              .mark = shape.mark};
}

Result<Case> ToDisk(const fs::path& directory, const Scale& scale,
                    const Shape& shape) {
  const Stream stream = StreamOf(scale, shape.batch_bytes, Durability::kDisk);
  const Appends appends = [=](Store& store) {
    return AppendAsyncInTurn(store, shape.partitions, stream);
  };
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          StoreForAppends(Store::Config(directory, scale),
                                          shape.partitions, stream, appends));
  STRATA_ASSIGN_OR_RETURN(Ways limits, WriteDurably(directory, stream.bytes));
  return Case{.unit = Unit::kMiBPerSecond,
              .work = stream.bytes,
              .ours = TimedAppends(store, appends),
              .limits = std::move(limits),
              .mark = shape.mark};
}

// 10,000 partitions, or what stands for them in a small size.
template <Result<Case> (*kMake)(const fs::path&, const Scale&, const Shape&)>
Result<Case> OverMany(const fs::path& directory, const Scale& scale,
                      uint64_t batch_bytes) {
  return kMake(directory, scale,
               {.batch_bytes = batch_bytes,
                .partitions = static_cast<uint32_t>(scale.partitions)});
}

Result<Case> Sustained(const fs::path& directory, const Scale& scale) {
  const Stream stream{.bytes = 10 * scale.sustained_hot, .batch_bytes = kKiB};
  TieredStorageConfig config = Store::Config(directory, scale);
  config.hot_tier_max_bytes = scale.sustained_hot;
  config.wal_chunk_bytes = std::min(kMiB, scale.sustained_hot / 8);
  config.hot_unflushed_max_bytes = 0;
  config.max_batch_bytes = 64 * kKiB;
  config.wal_max_bytes = 4 * config.wal_file_bytes;
  const uint64_t flushed_bytes = config.EffectiveHotUnflushedMax();
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(std::move(config)));
  STRATA_RETURN_IF_ERROR(EnsureTopic(*store));
  const auto fill = [=]() -> Status {
    STRATA_RETURN_IF_ERROR(Append(*store, {kTopic, 0}, stream));
    return (*store)->FlushAll();
  };
  STRATA_RETURN_IF_ERROR(fill());
  STRATA_ASSIGN_OR_RETURN(Ways limits,
                          WriteTwice(directory, stream.bytes, flushed_bytes));
  return Case{.unit = Unit::kMiBPerSecond,
              .work = stream.bytes,
              .ours = [=]() -> Result<double> {
                STRATA_RETURN_IF_ERROR((*store)->DeleteTopic(kTopic));
                STRATA_RETURN_IF_ERROR(EnsureTopic(*store));
                return TimeOf(fill);
              },
              .limits = std::move(limits)};
}

// ---- writers that wait ----------------------------------------------------

using MakeLimits = Result<Ways> (*)(const fs::path& directory, uint32_t writers,
                                    uint64_t records);

// The best that one log can do for writers that wait: one sync for all.
Result<Ways> OneSyncForAll(const fs::path& directory, uint32_t writers,
                           uint64_t records) {
  return SyncRecords(
      directory,
      {.records = records * writers, .record_bytes = kKiB, .group = writers});
}

Result<Ways> OneWriter(const fs::path& directory, uint32_t writers,
                       uint64_t records) {
  return SyncRecords(
      directory,
      {.records = records * writers, .record_bytes = kKiB, .group = 1});
}

Result<Ways> FilesOfTheirOwn(const fs::path& directory, uint32_t writers,
                             uint64_t records) {
  return SyncOwnFiles(directory, writers,
                      {.records = records, .record_bytes = kKiB, .group = 1});
}

struct Waiting {
  uint32_t writers = 1;
  MakeLimits limits = OneSyncForAll;
  std::optional<double> mark{};
};

Result<Case> WaitingWriters(const fs::path& directory, const Scale& scale,
                            const Waiting& waiting) {
  // With many writers less of each: the limits that sync each record take long.
  const uint64_t records = std::max<uint64_t>(
      2, std::min(scale.synced_records,
                  4 * scale.synced_records / waiting.writers));
  const Stream stream{.bytes = records * kKiB,
                      .batch_bytes = kKiB,
                      .durability = Durability::kDisk};
  const Stream all{.bytes = stream.bytes * waiting.writers,
                   .batch_bytes = kKiB,
                   .durability = Durability::kDisk};
  const Appends appends = [=](Store& store) {
    return AppendAtOnce(store, waiting.writers, stream);
  };
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          StoreForAppends(Store::Config(directory, scale),
                                          waiting.writers, all, appends));
  STRATA_ASSIGN_OR_RETURN(Ways limits,
                          waiting.limits(directory, waiting.writers, records));
  return Case{.unit = Unit::kAppendsPerSecond,
              .work = all.batches(),
              .ours = TimedAppends(store, appends),
              .limits = std::move(limits),
              .mark = waiting.mark};
}

}  // namespace

std::vector<NamedCase> AppendCases() {
  using std::placeholders::_1;
  using std::placeholders::_2;
  std::vector<NamedCase> cases;
  const auto add = [&](const char* kind, Shape shape, auto make) {
    cases.push_back(
        {fmt::format("append {} {}, {} partition{}",
                     SizeName(shape.batch_bytes), kind, shape.partitions,
                     shape.partitions == 1 ? "" : "s"),
         std::bind(make, _1, _2, shape)});
  };
  for (const uint64_t size : kBatchSizes) {
    Shape shape{.batch_bytes = size};
    if (size == kKiB) shape.mark = 0.30;
    add("kMemory", shape, Burst);
    add("kMemory", {.batch_bytes = size, .partitions = 64}, Burst);
    cases.push_back(
        {fmt::format("append {} kMemory, 10,000 partitions", SizeName(size)),
         std::bind(OverMany<Burst>, _1, _2, size)});
  }
  for (const uint64_t size : kBatchSizes) {
    Shape shape{.batch_bytes = size};
    if (size == kMiB) shape.mark = 0.70;
    add("kDisk", shape, ToDisk);
    add("kDisk", {.batch_bytes = size, .partitions = 64}, ToDisk);
    cases.push_back(
        {fmt::format("append {} kDisk, 10,000 partitions", SizeName(size)),
         std::bind(OverMany<ToDisk>, _1, _2, size)});
  }
  cases.push_back({"append 1 KiB kMemory, sustained", Sustained});
  const auto wait = [&](const char* name, const Waiting& waiting) {
    cases.push_back({fmt::format("append 1 KiB kDisk, {}", name),
                     std::bind(WaitingWriters, _1, _2, waiting)});
  };
  wait("1 waiting", {.writers = 1});
  wait("16 waiting", {.writers = 16});
  wait("64 waiting", {.writers = 64});
  wait("64 waiting : 1 writer",
       {.writers = 64, .limits = OneWriter, .mark = 10});
  wait("64 waiting : 64 files",
       {.writers = 64, .limits = FilesOfTheirOwn, .mark = 3});
  return cases;
}

}  // namespace strata::bench
