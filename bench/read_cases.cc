// Reads from each tier, flush and offload.
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "bench/cases.h"
#include "bench/store.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

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

Result<StorePtr> FilledStore(TieredStorageConfig config, const Stream& stream,
                             StorageTier tier) {
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(std::move(config)));
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
  std::optional<double> mark{};
};

Result<Case> ReadAll(const fs::path& directory, const Scale& scale,
                     const Scan& scan) {
  const Stream stream{.bytes = scale.bytes, .batch_bytes = scan.batch_bytes};
  STRATA_ASSIGN_OR_RETURN(
      StorePtr store,
      FilledStore(Store::Config(directory, scale), stream, scan.tier));
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
              .limits = std::move(limits),
              .mark = scan.mark};
}

// ---- flush, offload -------------------------------------------------------

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
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          Store::Open(Store::Config(directory, scale)));
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
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          Store::Open(Store::Config(directory, scale)));
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

}  // namespace

std::vector<NamedCase> ReadCases() {
  using std::placeholders::_1;
  using std::placeholders::_2;
  std::vector<NamedCase> cases;
  for (const uint64_t batch : {kKiB, 64 * kKiB}) {
    const auto add = [&](const char* name, StorageTier tier, Before before,
                         std::optional<double> mark = {}) {
      const Scan scan{
          .tier = tier, .before = before, .batch_bytes = batch, .mark = mark};
      cases.push_back({fmt::format("read {} KiB {}", batch / kKiB, name),
                       std::bind(ReadAll, _1, _2, scan)});
    };
    add("hot", StorageTier::kHot, Before::kScanned);
    add("warm, again", StorageTier::kWarm, Before::kScanned, 0.85);
    add("warm, after open", StorageTier::kWarm, Before::kReopened);
    add("cold, after open", StorageTier::kCold, Before::kReopened);
  }
  cases.push_back({"flush hot to warm", Flush});
  cases.push_back({"offload warm to cold (a directory)", Offload});
  return cases;
}

}  // namespace strata::bench
