#include "bench/counts.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "bench/cold_metadata.h"
#include "bench/counted_calls.h"
#include "bench/store.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

double Double(uint64_t value) { return static_cast<double>(value); }

// Regular files below `directory`, and their bytes.
struct Files {
  uint64_t count = 0;
  uint64_t bytes = 0;
};

Files FilesIn(const fs::path& directory) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    ++files.count;
    files.bytes += entry.file_size();
  }
  return files;
}

// ---- many small partitions ------------------------------------------------

struct Written {
  uint64_t appended_bytes = 0;
  uint64_t wal_peak_bytes = 0;
  uint64_t syncs = 0;
};

// 100 B to each partition in turn, again and again. One more partition got one
// record before all that and stays idle.
Result<Written> AppendSmall(Store& store, const Scale& scale) {
  const auto partitions = static_cast<uint32_t>(scale.partitions);
  constexpr uint64_t kBatchBytes = 100;
  auto created = store->CreateTopic(kTopic, partitions + 1);
  if (!created.ok()) return created.status();
  STRATA_RETURN_IF_ERROR(
      Append(store, {kTopic, partitions},
             {.bytes = kBatchBytes, .batch_bytes = kBatchBytes}));
  const uint64_t syncs_before = FileSyncs();
  Written written;
  for (uint64_t turn = 0; turn < scale.turns; ++turn) {
    const Stream stream{.bytes = partitions * kBatchBytes,
                        .batch_bytes = kBatchBytes};
    STRATA_RETURN_IF_ERROR(AppendInTurn(store, partitions, stream));
    written.appended_bytes += stream.bytes;
    written.wal_peak_bytes =
        std::max(written.wal_peak_bytes, store->Stats().wal_bytes);
  }
  STRATA_RETURN_IF_ERROR(store->FlushAll());
  written.syncs = FileSyncs() - syncs_before;
  return written;
}

Result<std::vector<Count>> ManyPartitions(const fs::path& directory,
                                          const Scale& scale) {
  TieredStorageConfig config = Store::Config(directory, scale);
  // A WAL that the appends fill more than once.
  config.wal_file_bytes = 4 * kMiB;
  config.wal_max_bytes = 16 * kMiB;
  const uint64_t wal_max_bytes = config.wal_max_bytes;
  const fs::path warm_path = config.EffectiveWarmPath();
  STRATA_ASSIGN_OR_RETURN(StorePtr store, Store::Open(std::move(config)));
  STRATA_ASSIGN_OR_RETURN(const Written written, AppendSmall(*store, scale));
  const TieredStorageStats stats = (*store)->Stats();
  const Files warm = FilesIn(warm_path);
  const double appended = Double(written.appended_bytes);
  const double appended_mib = appended / Double(kMiB);
  return std::vector<Count>{
      {.name = "bytes appended", .value = appended},
      {.name = "WAL bytes written per byte",
       .value = Double(stats.wal_bytes_written) / appended},
      {.name = "warm bytes written per byte",
       .value = Double(warm.bytes) / appended},
      {.name = "syncs per MiB", .value = Double(written.syncs) / appended_mib},
      {.name = "warm files made per MiB",
       .value = Double(warm.count) / appended_mib},
      {.name = "flushes", .value = Double(stats.flushes)},
      {.name = "batches copied forward in the WAL",
       .value = Double(stats.wal_moves)},
      {.name = "WAL bytes in use at most",
       .value = Double(written.wal_peak_bytes),
       .limit = Double(wal_max_bytes)},
  };
}

// ---- reads ----------------------------------------------------------------

// Address ranges of this process under which files of a directory are mapped.
class MappedFiles {
 public:
  explicit MappedFiles(const fs::path& directory) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find(directory.native()) == std::string::npos) continue;
      char* rest = nullptr;
      const uint64_t begin = std::strtoull(line.c_str(), &rest, 16);
      const uint64_t end = std::strtoull(rest + 1, nullptr, 16);
      ranges_.push_back({begin, end});
    }
  }
  bool Hold(ByteSpan bytes) const {
    const auto begin = reinterpret_cast<uint64_t>(bytes.data());
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
      return range.begin <= begin && begin + bytes.size() <= range.end;
    });
  }

 private:
  struct Range {
    uint64_t begin;
    uint64_t end;
  };
  std::vector<Range> ranges_;
};

struct Seen {
  uint64_t batches = 0;
  uint64_t reads = 0;
  uint64_t allocations = 0;
  uint64_t in_maps = 0;  // batches whose bytes lie in a map of a file
};

// Reads partition 0 from end to end.
Result<Seen> ReadAll(Store& store) {
  STRATA_ASSIGN_OR_RETURN(const Partition partition,
                          store->GetPartition({kTopic, 0}));
  STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, store->Bounds(partition));
  Seen seen;
  for (Offset at = bounds.log_start; at < bounds.visible_end;) {
    const uint64_t before = Allocations();
    STRATA_ASSIGN_OR_RETURN(const std::vector<BatchView> batches,
                            store->Read(partition, at));
    seen.allocations += Allocations() - before;
    ++seen.reads;
    seen.batches += batches.size();
    const MappedFiles maps(store.directory());
    seen.in_maps += static_cast<uint64_t>(std::count_if(
        batches.begin(), batches.end(),
        [&](const BatchView& batch) { return maps.Hold(batch.bytes()); }));
    at = batches.back().end_offset();
  }
  return seen;
}

Result<std::vector<Count>> Reads(const fs::path& directory,
                                 const Scale& scale) {
  STRATA_ASSIGN_OR_RETURN(StorePtr store,
                          Store::Open(Store::Config(directory, scale)));
  // Behind it nothing else of the store is at work: what is allocated while a
  // read runs, it has allocated.
  STRATA_RETURN_IF_ERROR(
      Fill(*store,
           {.bytes = std::min(scale.bytes, 16 * kMiB), .batch_bytes = kKiB}));
  STRATA_RETURN_IF_ERROR(ReadAll(*store).status());
  STRATA_ASSIGN_OR_RETURN(const Seen hot, ReadAll(*store));
  STRATA_RETURN_IF_ERROR((*store)->DemoteTo({kTopic, 0}, StorageTier::kWarm));
  STRATA_RETURN_IF_ERROR(ReadAll(*store).status());
  STRATA_ASSIGN_OR_RETURN(const Seen warm, ReadAll(*store));
  return std::vector<Count>{
      {.name = "hot: batches of a read",
       .value = Double(hot.batches) / Double(hot.reads)},
      {.name = "hot: allocations of a read",
       .value = Double(hot.allocations) / Double(hot.reads)},
      {.name = "hot: allocations per batch",
       .value = Double(hot.allocations) / Double(hot.batches)},
      {.name = "warm: allocations per batch",
       .value = Double(warm.allocations) / Double(warm.batches)},
      {.name = "warm: batches that were copied",
       .value = Double(warm.batches - warm.in_maps),
       .limit = 0},
  };
}

}  // namespace

std::vector<NamedCounts> AllCounts() {
  return {{"100 B to 10,000 partitions in turn, one idle", ManyPartitions},
          {"reads of 1 KiB batches", Reads},
          {"metadata of cold segments", ColdMetadata}};
}

}  // namespace strata::bench
