// What must not become slower with the number of segments; and opening.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "bench/cases.h"
#include "bench/cold_metadata.h"
#include "bench/store.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

// At most 1.5 times as long with a hundred times as many segments.
constexpr double kManySegmentsMark = 1 / 1.5;
// The smallest segment that can be asked for: one batch fills it.
constexpr uint64_t kSegmentBytes = 4 * kKiB;

// A store whose partition 0 has so many segments in warm, cut by a few flushes
// into shared files, and one batch behind them in hot.
Result<StorePtr> StoreWithSegments(TieredStorageConfig config,
                                   uint64_t segments) {
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(std::move(config)));
  TopicSettings settings;
  settings.target_segment_bytes = kSegmentBytes;
  auto created = (*store)->CreateTopic(kTopic, 1, settings);
  if (!created.ok()) return created.status();
  // What a flush takes from memory that holds 1 GiB.
  constexpr uint64_t kAtOnce = 50'000;
  for (uint64_t done = 0; done < segments; done += kAtOnce) {
    const uint64_t batches = std::min(kAtOnce, segments - done);
    STRATA_RETURN_IF_ERROR(Append(
        *store, {kTopic, 0},
        {.bytes = batches * kSegmentBytes, .batch_bytes = kSegmentBytes}));
    STRATA_RETURN_IF_ERROR((*store)->FlushAll());
  }
  STRATA_RETURN_IF_ERROR((*store)->DemoteTo({kTopic, 0}, StorageTier::kWarm));
  STRATA_RETURN_IF_ERROR(
      Append(*store, {kTopic, 0},
             {.bytes = kSegmentBytes, .batch_bytes = kSegmentBytes}));
  return store;
}

// What is timed of a store with many segments and of one with few.
using TimeStore = std::function<Result<double>(Store&, const Scale&)>;

Result<double> TimeAppends(Store& store, const Scale& scale) {
  return TimeOf([&] {
    return Append(store, {kTopic, 0},
                  {.bytes = scale.lookups * kKiB, .batch_bytes = kKiB});
  });
}

// Reads the batch at `offset` again and again.
Result<double> TimeReads(Store& store, const Scale& scale, Offset offset) {
  STRATA_ASSIGN_OR_RETURN(const Partition partition,
                          store->GetPartition({kTopic, 0}));
  const auto read = [&](uint64_t times) -> Status {
    for (uint64_t i = 0; i < times; ++i) {
      STRATA_ASSIGN_OR_RETURN(const std::vector<BatchView> batches,
                              store->Read(partition, offset, {.max_bytes = 1}));
      Use(batches.front().bytes().size());
    }
    return Status::Ok();
  };
  STRATA_RETURN_IF_ERROR(read(1));  // maps and verifies
  return TimeOf([&] { return read(scale.lookups); });
}

Result<double> TimeTailReads(Store& store, const Scale& scale) {
  STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, store->Bounds({kTopic, 0}));
  return TimeReads(store, scale, Offset(bounds.log_end.value() - 1));
}

Result<double> TimeHeadReads(Store& store, const Scale& scale) {
  STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, store->Bounds({kTopic, 0}));
  return TimeReads(store, scale, bounds.log_start);
}

Result<Case> ManyBesideFew(const fs::path& directory, const Scale& scale,
                           Unit unit, const TimeStore& time) {
  STRATA_ASSIGN_OR_RETURN(
      StorePtr many, StoreWithSegments(Store::Config(directory / "many", scale),
                                       scale.many_segments));
  STRATA_ASSIGN_OR_RETURN(
      StorePtr few, StoreWithSegments(Store::Config(directory / "few", scale),
                                      scale.few_segments));
  return Case{.unit = unit,
              .work = scale.lookups,
              .ours = [=] { return time(*many, scale); },
              .limits = {{fmt::format("{} segments", scale.few_segments),
                          [=] { return time(*few, scale); }}},
              .mark = kManySegmentsMark};
}

// ---- open -----------------------------------------------------------------

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
  STRATA_ASSIGN_OR_RETURN(
      StorePtr store,
      StoreWithSegments(Store::Config(directory, scale), scale.segments));
  STRATA_RETURN_IF_ERROR((*store)->FlushAll());
  STRATA_RETURN_IF_ERROR(store->Reopen());
  STRATA_ASSIGN_OR_RETURN(Ways limits,
                          ReadStateAndMark(directory, StateBytes(*store)));
  constexpr double kMarkMs = 1000;
  return Case{.unit = Unit::kMilliseconds,
              .work = scale.segments,
              .ours = TimedOpen(store),
              .limits = std::move(limits),
              .mark_beyond_ms = kMarkMs};
}

Result<Case> OpenUnflushed(const fs::path& directory, const Scale& scale) {
  const Stream stream{.bytes = scale.bytes, .batch_bytes = kKiB};
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          Store::Open(Store::Config(directory, scale)));
  STRATA_RETURN_IF_ERROR(Fill(*store, stream));
  STRATA_ASSIGN_OR_RETURN(Ways limits,
                          ReadStateAndMark(directory, stream.bytes));
  return Case{.unit = Unit::kMilliseconds,
              .work = scale.bytes,
              .ours = TimedOpen(store),
              .limits = std::move(limits)};
}

}  // namespace

std::vector<NamedCase> ScaleCases() {
  using std::placeholders::_1;
  using std::placeholders::_2;
  const auto beside = [](Unit unit, TimeStore time) {
    return std::bind(ManyBesideFew, _1, _2, unit, std::move(time));
  };
  return {
      {"append, 100,000 segments",
       beside(Unit::kAppendsPerSecond, TimeAppends)},
      {"read at the tail, 100,000 segments",
       beside(Unit::kReadsPerSecond, TimeTailReads)},
      {"read at the head, 100,000 segments",
       beside(Unit::kReadsPerSecond, TimeHeadReads)},
      {"commit to a root, 1,000,000 segments", CommitColdSegment},
      {"open, 10,000 segments", OpenSegments},
      {"open, unflushed data", OpenUnflushed},
  };
}

}  // namespace strata::bench
