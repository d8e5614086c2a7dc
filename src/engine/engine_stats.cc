// What the engine tells of itself: segments and stats.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/engine_impl.h"

namespace strata::engine {
namespace {

uint64_t Seconds(TimestampMs ms) {
  return ms > 0 ? static_cast<uint64_t>(ms) / 1000 : 0;
}

SegmentMetadata Describe(const PartitionState& p, const SegmentEntry& entry,
                         const AccessStats& access) {
  SegmentMetadata m;
  m.topic = p.name.topic;
  m.partition = p.name.partition;
  m.base_offset = entry.offsets.base;
  m.end_offset = entry.offsets.end;
  m.size_bytes = entry.image_bytes;
  m.sealed = true;
  m.created_at = Seconds(entry.sealed_at);
  m.last_accessed = std::max(
      m.created_at, Seconds(access.last.load(std::memory_order_relaxed)));
  m.access_count = access.count.load(std::memory_order_relaxed);
  m.dead_records = entry.dead_records;
  m.total_records = entry.record_count;
  m.batch_count = entry.batch_count;
  m.max_timestamp = entry.max_timestamp;
  return m;
}

SegmentMetadata DescribeTail(const PartitionState& p) STRATA_REQUIRES(p.mu) {
  SegmentMetadata m;
  m.topic = p.name.topic;
  m.partition = p.name.partition;
  m.base_offset = p.flushed_end;
  m.end_offset = p.log_end;
  m.size_bytes = p.tail_bytes;
  m.tier = StorageTier::kHot;
  m.in_hot = true;
  m.created_at = Seconds(p.tail.front().appended_at);
  m.last_accessed = m.created_at;
  m.batch_count = p.tail.size();
  for (const TailBatch& batch : p.tail) {
    m.total_records += batch.batch.facts.record_count;
    m.max_timestamp =
        std::max(m.max_timestamp, batch.batch.facts.max_timestamp);
  }
  return m;
}

}  // namespace

void Engine::Impl::Segments(PartitionPtr partition,
                            Done<std::vector<SegmentMetadata>> done) {
  OffsetRange cold;
  {
    MutexLock lock(partition->mu);
    if (cold_ != nullptr) cold = {partition->log_start, partition->cold_end};
  }
  if (cold.empty()) return done(DescribeAll(*partition, nullptr, {}));
  cold_roots_->Load(partition, [this, partition, done = std::move(done)](
                                   Result<ColdPartitionPtr> root) mutable {
    if (!root.ok()) return done(root.status());
    ListCold(std::move(partition), *std::move(root), std::move(done));
  });
}

void Engine::Impl::ListCold(PartitionPtr partition, ColdPartitionPtr root,
                            Done<std::vector<SegmentMetadata>> done) {
  OffsetRange all{root->log_start, root->cold_end()};
  {
    // What another store has put behind it is not of this log.
    MutexLock lock(partition->mu);
    if (!partition->Fenced().ok()) {
      all.end = std::min(all.end, partition->cold_end);
    }
  }
  auto found = std::make_shared<ColdEntries>();
  cold_roots_->ForEach(
      partition, root, all,
      [found](std::vector<SegmentEntry> run) {
        for (SegmentEntry& entry : run) {
          const Offset base = entry.offsets.base;
          found->emplace(base, std::move(entry));
        }
        return Status::Ok();
      },
      [this, partition, root, found,
       done = std::move(done)](Status status) mutable {
        if (!status.ok()) return done(std::move(status));
        // What was offloaded meanwhile has left the local part.
        const ColdPartitionPtr now = cold_manifest_->Cached(partition->id);
        if (now != nullptr && now != root) {
          return ListCold(std::move(partition), now, std::move(done));
        }
        done(DescribeAll(*partition, root.get(), *found));
      });
}

// From memory where it can be told without the bucket.
void Engine::Impl::SegmentAt(PartitionPtr partition, Offset offset,
                             Done<SegmentMetadata> done) {
  const ColdPartitionPtr known = cold_manifest_ == nullptr
                                     ? nullptr
                                     : cold_manifest_->Cached(partition->id);
  std::optional<SegmentMetadata> found;
  bool may_be_cold = false;
  {
    PartitionState& p = *partition;
    MutexLock lock(p.mu);
    const SegmentPtr local = p.FindSegment(offset);
    if (local != nullptr && local->entry.offsets.end > p.log_start) {
      found = DescribeLocal(p, *local, known.get());
    } else if (!p.tail.empty() && p.flushed_end <= offset &&
               offset < p.log_end) {
      found = DescribeTail(p);
    }
    may_be_cold = cold_ != nullptr && offset < p.cold_end;
  }
  if (found) return done(*std::move(found));
  Status none(StatusCode::kNotFound,
              fmt::format("{}: no segment holds offset {}",
                          partition->name.ToString(), offset.value()));
  if (!may_be_cold) return done(std::move(none));
  auto describe = [this, partition, offset, none = std::move(none),
                   done = std::move(done)](Result<ColdEntries> cold) mutable {
    if (!cold.ok()) return done(cold.status());
    const SegmentEntry* entry = FindEntry(*cold, offset);
    {
      MutexLock lock(partition->mu);
      if (entry != nullptr && offset >= partition->log_start) {
        return done(DescribeCold(*partition, *entry));
      }
    }
    done(std::move(none));
  };
  cold_roots_->Load(
      partition, [this, partition, offset, describe = std::move(describe)](
                     Result<ColdPartitionPtr> root) mutable {
        if (!root.ok()) return describe(root.status());
        cold_roots_->LoadEntries(std::move(partition), *std::move(root),
                                 {offset}, std::move(describe));
      });
}

SegmentMetadata Engine::Impl::DescribeCold(const PartitionState& p,
                                           const SegmentEntry& entry) const {
  const auto access = p.cold_access.find(entry.offsets.base);
  const AccessStats never;
  SegmentMetadata m = Describe(
      p, entry, access == p.cold_access.end() ? never : *access->second);
  m.tier = StorageTier::kCold;
  m.in_cold = true;
  return m;
}

SegmentMetadata Engine::Impl::DescribeLocal(const PartitionState& p,
                                            const Segment& segment,
                                            const ColdPartition* root) const {
  SegmentMetadata m = Describe(p, segment.entry, *segment.access);
  m.in_hot = segment.hot != nullptr && hot_->Holds(*segment.hot);
  m.in_warm = true;
  m.in_cold = segment.entry.offsets.end <= p.cold_end &&
              (root == nullptr || root->Covers(segment.entry.offsets.base));
  m.tier = m.in_hot ? StorageTier::kHot : StorageTier::kWarm;
  return m;
}

std::vector<SegmentMetadata> Engine::Impl::DescribeAll(
    PartitionState& p, const ColdPartition* root,
    const ColdEntries& cold) const {
  std::map<Offset, SegmentMetadata> found;
  MutexLock lock(p.mu);
  for (const auto& [base, entry] : cold) {
    if (entry.offsets.end <= p.log_start) continue;
    found[base] = DescribeCold(p, entry);
  }
  for (const auto& [base, segment] : p.segments) {
    if (segment->entry.offsets.end <= p.log_start) continue;
    found[base] = DescribeLocal(p, *segment, root);
  }
  std::vector<SegmentMetadata> all;
  for (auto& [base, m] : found) all.push_back(std::move(m));
  if (!p.tail.empty()) all.push_back(DescribeTail(p));
  return all;
}

std::vector<ManifestEdit> Engine::Impl::AccessEdits() {
  std::vector<ManifestEdit> edits;
  for (const PartitionPtr& p : topics_.Partitions()) {
    std::map<Offset, SegmentAccess> now;
    const auto add = [&](Offset base, uint64_t id, const AccessStats& access) {
      const TimestampMs last = access.last.load(std::memory_order_relaxed);
      if (last == 0) return;  // never read
      now[base] = {.segment = id,
                   .count = access.count.load(std::memory_order_relaxed),
                   .last = last};
    };
    {
      MutexLock lock(p->mu);
      if (p->deleted) continue;
      for (const auto& [base, access] : p->cold_access) {
        if (base >= p->log_start) add(base, 0, *access);
      }
      for (const auto& [base, segment] : p->segments) {
        add(base, segment->entry.id, *segment->access);
      }
    }
    const bool same = manifest_->WithState([&](const ManifestState& state) {
      return state.partition(p->id).access == now;
    });
    if (same) continue;
    PartitionChanged change;
    change.partition = p->id;
    change.access = std::move(now);
    edits.push_back({.ops = {std::move(change)}});
  }
  return edits;
}

TieredStorageStats Engine::Impl::Stats() const {
  TieredStorageStats s;
  const auto get = [](const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  s.hot_reads = get(counters_.hot_reads);
  s.warm_reads = get(counters_.warm_reads);
  s.cold_reads = get(counters_.cold_reads);
  s.hot_writes = get(counters_.hot_writes);
  s.warm_writes = get(counters_.warm_writes);
  s.cold_writes = get(counters_.cold_writes);
  s.hot_bytes_read = get(counters_.hot_bytes_read);
  s.warm_bytes_read = get(counters_.warm_bytes_read);
  s.cold_bytes_read = get(counters_.cold_bytes_read);
  s.total_bytes_read = s.hot_bytes_read + s.warm_bytes_read + s.cold_bytes_read;
  s.total_bytes_written = get(counters_.bytes_written);
  s.migrations_completed = get(migrations_completed_);
  s.migrations_failed = get(migrations_failed_);
  s.flushes = get(counters_.flushes);
  s.offloads = get(counters_.offloads);
  s.promotions = get(counters_.promotions);
  s.demotions = get(counters_.demotions);

  const HotStats hot = hot_->stats();
  s.hot_unflushed_bytes = hot.unflushed_bytes;
  s.hot_cached_bytes = hot.cached_bytes;
  s.hot_pinned_bytes = hot.pinned_bytes;
  s.hot.bytes = hot.unflushed_bytes + hot.cached_bytes;
  s.hot.max_bytes = config_.hot_tier_max_bytes;
  s.warm.bytes = get(warm_bytes_);
  s.warm.max_bytes = config_.warm_tier_max_bytes;
  for (const PartitionPtr& p : topics_.Partitions()) {
    const ColdPartitionPtr root =
        cold_manifest_ == nullptr ? nullptr : cold_manifest_->Cached(p->id);
    MutexLock lock(p->mu);
    s.fenced_partitions += p->Fenced().ok() ? 0 : 1;
    s.unclaimed_partitions += p->AppendsUnclaimed() ? 1 : 0;
    s.hot.batches += p->tail.size();
    s.hot.segments += p->tail.empty() ? 0 : 1;
    for (const auto& [base, segment] : p->segments) {
      ++s.warm.segments;
      s.warm.batches += segment->entry.batch_count;
      if (segment->entry.offsets.end > p->cold_end && cold_ != nullptr) {
        s.upload_lag_bytes += segment->entry.image_bytes;
      }
      if (segment->hot != nullptr && hot_->Holds(*segment->hot)) {
        ++s.hot.segments;
        s.hot.batches += segment->entry.batch_count;
      }
    }
    if (root == nullptr) continue;
    const ColdTotals cold = root->totals();
    s.cold.segments += cold.segments;
    s.cold.batches += cold.batches;
    s.cold.bytes += cold.image_bytes;
  }
  const WalStats wal = wal_->Stats();
  s.wal_files = wal.files;
  s.wal_bytes = wal.bytes_in_use;
  s.wal_syncs = wal.syncs;
  s.wal_bytes_written = wal.bytes_written;
  s.topics_to_purge = purger_->pending();
  s.append_memory_latency = counters_.append_memory.Summary();
  s.append_disk_latency = counters_.append_disk.Summary();
  s.hot_read_latency = counters_.hot_read.Summary();
  s.warm_read_latency = counters_.warm_read.Summary();
  s.cold_read_latency = counters_.cold_read.Summary();
  s.flush_latency = counters_.flush.Summary();
  s.offload_latency = counters_.offload.Summary();
  s.promote_latency = counters_.promote.Summary();
  s.wal_sync_latency = wal_->sync_latency().Summary();
  s.wal_moves = get(counters_.wal_moves);
  const JobRunnerStats jobs = runner_->Stats();
  s.jobs_queued = jobs.queued;
  s.jobs_running = jobs.running;
  if (cold_ != nullptr) {
    const ColdTier::Stats cold = cold_->stats();
    s.cold_cache_bytes = cold.cache_bytes;
    s.cold_cache_hits = cold.cache_hits;
    const ObjectStoreCounters& requests = cold_store_->counters();
    s.cold_puts = get(requests.puts);
    s.cold_gets = get(requests.gets);
    s.cold_deletes = get(requests.deletes);
    s.cold_lists = get(requests.lists);
    s.cold_get_latency = requests.get_latency.Summary();
    s.cold_put_latency = requests.put_latency.Summary();
  }
  return s;
}

}  // namespace strata::engine
