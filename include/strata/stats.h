// TieredStorageStats: what a store tells of itself, in one value.
//
//   const strata::TieredStorageStats stats = storage->Stats();
//   if (stats.append_disk_latency.p99 > std::chrono::milliseconds(20)) Warn();
//
// strata/prometheus.h renders it as text.
#pragma once

#include <chrono>
#include <cstdint>

namespace strata {

struct TierStats {
  uint64_t segments = 0;
  uint64_t batches = 0;
  uint64_t bytes = 0;      // held now
  uint64_t max_bytes = 0;  // the limit; 0 where there is none
};

// How long something took, over all times that it succeeded since Open.
struct LatencySummary {
  uint64_t count = 0;
  std::chrono::nanoseconds sum{0};
  // Of the `count`, the smallest value that at least half (99 %, 99.9 %) do not
  // exceed, at most 3.2 % too high.
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds p999{0};
  std::chrono::nanoseconds max{0};  // exact

  friend bool operator==(const LatencySummary&,
                         const LatencySummary&) = default;
};

// A snapshot of counters (since Open) and gauges (now).
struct TieredStorageStats {
  TierStats hot;   // unflushed tails and cached copies
  TierStats warm;  // local segments
  TierStats cold;  // segments known to lie in the object store

  // Since the store was opened. Reads and writes count batches.
  uint64_t hot_reads = 0;
  uint64_t warm_reads = 0;
  uint64_t cold_reads = 0;
  uint64_t hot_writes = 0;
  uint64_t warm_writes = 0;  // flushed or hydrated into warm
  uint64_t cold_writes = 0;  // uploaded
  uint64_t total_bytes_read = 0;
  uint64_t total_bytes_written = 0;
  uint64_t migrations_completed = 0;
  uint64_t migrations_failed = 0;

  uint64_t hot_bytes_read = 0;
  uint64_t warm_bytes_read = 0;
  uint64_t cold_bytes_read = 0;

  // Hot memory by account, in bytes of whole chunks.
  uint64_t hot_unflushed_bytes = 0;
  uint64_t hot_cached_bytes = 0;
  uint64_t hot_pinned_bytes = 0;

  uint64_t wal_files = 0;
  uint64_t wal_bytes = 0;  // in files that hold unflushed data
  uint64_t wal_syncs = 0;
  uint64_t wal_bytes_written = 0;
  uint64_t wal_moves = 0;  // unflushed batches copied forward in the WAL

  uint64_t jobs_queued = 0;
  uint64_t jobs_running = 0;
  uint64_t flushes = 0;
  uint64_t offloads = 0;
  uint64_t promotions = 0;
  uint64_t demotions = 0;  // hotter copies dropped

  // Requests to the object store.
  uint64_t cold_puts = 0;
  uint64_t cold_gets = 0;
  uint64_t cold_deletes = 0;
  uint64_t cold_lists = 0;
  uint64_t cold_cache_bytes = 0;
  uint64_t cold_cache_hits = 0;
  // Warm bytes that no cold copy exists of yet (0 with cold disabled).
  uint64_t upload_lag_bytes = 0;
  // Deleted topics of which the object store may still have something.
  uint64_t topics_to_purge = 0;
  // Partitions that another store, restored from the bucket, has taken over:
  // they take no appends here, and what the bucket lacks is only here.
  uint64_t fenced_partitions = 0;
  // Partitions that took appends in this session and are not claimed in the
  // bucket yet: another store may have taken them over.
  uint64_t unclaimed_partitions = 0;

  // Appends by the durability asked for: from the attempt that found room until
  // they have it. What waits for room counts from then on. Of those into memory
  // one of 16 is timed and counted.
  LatencySummary append_memory_latency;
  LatencySummary append_disk_latency;
  // Reads that returned batches, by the coldest tier that they came from.
  LatencySummary hot_read_latency;
  LatencySummary warm_read_latency;
  LatencySummary cold_read_latency;
  LatencySummary flush_latency;     // of one round, once it has its turn
  LatencySummary offload_latency;   // of one segment
  LatencySummary promote_latency;   // of one segment
  LatencySummary wal_sync_latency;  // of the WAL's file
  LatencySummary cold_get_latency;  // of one request, also a failed one
  LatencySummary cold_put_latency;
};

}  // namespace strata
