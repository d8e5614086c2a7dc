// EngineContext: the parts that the engine is wired from, for the pieces of
// the engine to borrow. Everything in it outlives them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/latency_histogram.h"
#include "cold/cold_manifest.h"
#include "cold/cold_tier.h"
#include "engine/store_identity.h"
#include "engine/topics.h"
#include "hot/hot_tier.h"
#include "io/file_system.h"
#include "manifest/manifest.h"
#include "object_store/instrumented_object_store.h"
#include "runtime/log.h"
#include "runtime/runtime.h"
#include "strata/tiered_storage.h"
#include "wal/wal_writer.h"
#include "warm/warm_tier.h"

namespace strata::engine {

// What Stats counts. Thread-safe: independent counters, relaxed order.
struct Counters {
  std::atomic<uint64_t> hot_reads{0}, warm_reads{0}, cold_reads{0};
  std::atomic<uint64_t> hot_bytes_read{0}, warm_bytes_read{0},
      cold_bytes_read{0};
  std::atomic<uint64_t> hot_writes{0}, warm_writes{0}, cold_writes{0};
  std::atomic<uint64_t> bytes_written{0};
  std::atomic<uint64_t> wal_moves{0};
  std::atomic<uint64_t> flushes{0}, offloads{0}, promotions{0}, demotions{0};
  LatencyHistogram append_memory, append_disk;
  LatencyHistogram hot_read, warm_read, cold_read;
  LatencyHistogram flush, offload, promote;
};

inline void Add(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

// Who is told that something should be done soon. Thread-safe; calls return at
// once and may be made under locks: they only post.
class Attention {
 public:
  virtual ~Attention() = default;
  // Hot memory or WAL length calls for a flush.
  virtual void RequestFlush() = 0;
  // Something for the tier policy to look at.
  virtual void RequestMigrations() = 0;
  // Room may have come free for appends that were refused.
  virtual void NotifyWritable() = 0;
  // Disk space may have come free: refused appends go on once the reserve for
  // the manifest is there again.
  virtual void RestoreReserve() = 0;
};

struct EngineContext {
  const TieredStorageConfig& config;
  Runtime& runtime;
  Logger& log;
  FileSystem& warm_fs;
  Topics& topics;
  HotTier& hot;
  WalWriter& wal;
  WarmTier& warm;
  Manifest& manifest;
  ColdTier* cold;               // null: cold storage disabled
  ColdManifest* cold_manifest;  // null: cold storage disabled
  const StoreIdentity& identity;
  Counters& counters;
  // Numbers never used before; the manifest keeps the greatest.
  std::atomic<uint64_t>& next_segment_id;
  std::atomic<uint64_t>& next_file_number;
  // Bytes of local segments, sole and extra copies.
  std::atomic<uint64_t>& warm_bytes;
  // Set once at shutdown: jobs end at their next safe point.
  std::atomic<bool>& stopping;
  Attention& attention;

  TimestampMs Now() const { return runtime.clock().WallNow(); }
  // For latencies.
  MonotonicTime Ticks() const { return runtime.clock().Now(); }
  void RecordSince(MonotonicTime started, LatencyHistogram& latency) const {
    latency.Record(Ticks() - started);
  }
};

}  // namespace strata::engine
