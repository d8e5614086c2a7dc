// The part of the engine that decides when: requests for flushes, passes of
// the policy, forced demotion and promotion.
#include <algorithm>
#include <set>
#include <utility>

#include "engine/engine_impl.h"

namespace strata::engine {
namespace {

// Of forced moves: somebody waits for them, so they go before all that the
// policy asks for.
constexpr double kForcedPressure = 10;
// Forced demotion tries again after as many offloads in a row that changed
// nothing: a Put that was given up may have arrived and changed the root.
constexpr int kMaxFruitlessOffloads = 3;
// How long after a flush failed the next one is tried.
constexpr Duration kFlushRetry = std::chrono::milliseconds(500);

// How long the policy leaves a partition alone that could not be moved.
constexpr TimestampMs kStuckRetryMs = 10 * 60 * 1000;

// Calls `done` with the first error, or Ok, once all parts have reported and
// nobody holds it any more.
class Gather {
 public:
  explicit Gather(Engine::StatusDone done) : done_(std::move(done)) {}
  ~Gather() { done_(std::move(first_)); }

  void Report(Status status) {
    MutexLock lock(mu_);
    if (first_.ok()) first_ = std::move(status);
  }

 private:
  Mutex mu_;
  Status first_ STRATA_GUARDED_BY(mu_);
  Engine::StatusDone done_;
};

}  // namespace

// ---- room for appends -----------------------------------------------------

void Engine::Impl::NotifyWritable() {
  std::map<uint64_t, UniqueFunction<void()>> ready;
  {
    MutexLock lock(writable_mu_);
    ++room_events_;
    ready.swap(writable_);
  }
  for (auto& [id, r] : ready) runtime_.log_executor().Post(std::move(r));
}

void Engine::Impl::RestoreReserve() {
  manifest_->TryRestoreReserve([this] { NotifyWritable(); });
}

uint64_t Engine::Impl::WhenWritable(UniqueFunction<void()> ready) {
  uint64_t id;
  bool ask_wal;
  {
    MutexLock lock(writable_mu_);
    id = next_writable_++;
    const uint64_t room = room_events_.load();
    if (stopping() || refused_at_.exchange(room) != room) {
      runtime_.log_executor().Post(std::move(ready));
      return id;
    }
    writable_.emplace(id, std::move(ready));
    ask_wal = !std::exchange(waits_for_wal_, true);
  }
  if (ask_wal) {
    wal_->WhenWritable([this] {
      {
        MutexLock lock(writable_mu_);
        waits_for_wal_ = false;
      }
      NotifyWritable();
    });
  }
  return id;
}

void Engine::Impl::CancelWritable(uint64_t id) {
  UniqueFunction<void()> dropped;
  MutexLock lock(writable_mu_);
  if (auto found = writable_.extract(id)) dropped = std::move(found.mapped());
}

bool Engine::Impl::RoomIsAwaited() {
  MutexLock lock(writable_mu_);
  return !writable_.empty();
}

void Engine::Impl::RequestFlush() {
  if (!RefuseChange().ok() || flush_requested_.exchange(true)) return;
  // A full disk is not asked again in a circle.
  const Duration delay = flush_failed_.load() ? kFlushRetry : Duration::zero();
  runtime_.job_executor().PostAfter(delay, [this] { FlushDue(); });
}

void Engine::Impl::FlushDue() {
  flush_requested_.store(false);
  if (stopping()) return;
  const std::vector<PolicyTail> tails = Tails();
  std::vector<PartitionPtr> due;
  for (const PlannedJob& job : PlanTiers({.now = runtime_.clock().WallNow(),
                                          .limits = Limits(),
                                          .tails = tails,
                                          .segments = {}})) {
    if (PartitionPtr p = topics_.Find(job.partition)) {
      due.push_back(std::move(p));
    }
  }
  if (std::vector<PartitionPtr> idle = TakeIdle(tails, due); !idle.empty()) {
    mover_->Move(std::move(idle), [this](Status status) {
      if (status.ok()) flusher_->ReleaseWal();
    });
  }
  if (due.empty()) return;
  Flush(std::move(due), [this](Status status) {
    flush_failed_.store(!status.ok());
    // Who waits for room asks once.
    if (!status.ok() && RoomIsAwaited()) RequestFlush();
  });
}

// After an attempt to write a segment file.
void Engine::Impl::NoteRoomOnDisk(const Status& status) {
  if (status.ok()) {
    disk_full_.store(false);
  } else if (status.code() == StatusCode::kNoSpace &&
             !disk_full_.exchange(true)) {
    RequestMigrations();  // which make room
  }
}

// Copying them forward costs at most a quarter of the file that is won.
std::vector<PartitionPtr> Engine::Impl::TakeIdle(
    const std::vector<PolicyTail>& tails, std::vector<PartitionPtr>& due) {
  uint64_t bytes = 0;
  std::set<PartitionId> holders;
  for (const PolicyTail& tail : tails) {
    if (!tail.holds_oldest_wal) continue;
    holders.insert(tail.partition);
    bytes += tail.bytes;
  }
  std::vector<PartitionPtr> idle;
  if (bytes > config_.wal_file_bytes / 4) return idle;
  std::vector<PartitionPtr> busy;
  for (PartitionPtr& p : due) {
    (holders.contains(p->id) ? idle : busy).push_back(std::move(p));
  }
  due = std::move(busy);
  // Without others to flush the WAL would only be copied in a circle.
  if (due.empty()) std::swap(due, idle);
  return idle;
}

void Engine::Impl::Flush(std::vector<PartitionPtr> partitions,
                         StatusDone done) {
  flusher_->Flush(std::move(partitions),
                  [this, done = std::move(done)](Status status) mutable {
                    (status.ok() ? migrations_completed_ : migrations_failed_)
                        .fetch_add(1, std::memory_order_relaxed);
                    NoteRoomOnDisk(status);
                    done(std::move(status));
                  });
}

// ---- policy ---------------------------------------------------------------

void Engine::Impl::RequestMigrations() {
  if (!RefuseChange().ok() || migrations_requested_.exchange(true)) return;
  runtime_.job_executor().Post([this] {
    migrations_requested_.store(false);
    RunPolicy([](Status) {});
  });
}

void Engine::Impl::MigrationTick() {
  runtime_.job_executor().PostAfter(config_.migration_interval, [this] {
    if (stopping()) return;
    RunPolicy([](Status) {});
    MigrationTick();
  });
}

PolicyLimits Engine::Impl::Limits() {
  const HotStats hot = hot_->stats();
  const uint64_t held = hot.unflushed_bytes;
  return {.hot_max_age = config_.hot_tier_max_age,
          .unflushed_bytes = held,
          .unflushed_max_bytes = config_.EffectiveHotUnflushedMax(),
          .wal_bytes = wal_->Stats().bytes_in_use,
          .wal_max_bytes = config_.wal_max_bytes,
          .hot_cache_free_bytes = config_.hot_tier_max_bytes -
                                  std::min(config_.hot_tier_max_bytes, held),
          .warm_max_bytes = config_.warm_tier_max_bytes,
          .warm_high_watermark = config_.warm_high_watermark,
          .warm_low_watermark = config_.warm_low_watermark,
          .warm_max_age = config_.warm_tier_max_age,
          .target_segment_bytes = config_.target_segment_bytes,
          .enable_promotion = config_.enable_promotion,
          .promotion_threshold = config_.promotion_threshold,
          .cold_enabled = cold_ != nullptr,
          .disk_full = disk_full_.load()};
}

std::vector<PolicyTail> Engine::Impl::Tails() {
  const std::optional<uint64_t> oldest_seq = wal_->OldestFileLastSeq();
  std::vector<PolicyTail> tails;
  for (const PartitionPtr& p : topics_.Partitions()) {
    MutexLock lock(p->mu);
    if (p->tail.empty() || p->deleted) continue;
    const TailBatch& first = p->tail.front();
    tails.push_back(
        {.partition = p->id,
         .bytes = p->tail_bytes,
         .oldest_at = first.appended_at,
         .holds_oldest_wal = oldest_seq && first.wal_seq <= *oldest_seq,
         .hot_max_age = p->settings.hot_max_age});
  }
  return tails;
}

std::vector<PolicySegment> Engine::Impl::PolicySegments() {
  const TimestampMs now = runtime_.clock().WallNow();
  std::vector<PolicySegment> segments;
  const auto add = [&](const PartitionState& p, const SegmentEntry& entry,
                       const AccessStats& access) -> PolicySegment& {
    segments.push_back(
        {.partition = p.id,
         .id = entry.id,
         .offsets = entry.offsets,
         .bytes = entry.image_bytes,
         .sealed_at = entry.sealed_at,
         .promoted_at = {},
         .last_access = access.last.load(std::memory_order_relaxed),
         .access_count = access.count.load(std::memory_order_relaxed),
         .in_hot = false,
         .in_warm = false,
         .in_cold = false,
         .busy = runner_->IsBusy(p.id, entry.id),
         .warm_max_age = p.settings.warm_max_age,
         .target_segment_bytes = p.settings.target_segment_bytes,
         .enable_promotion = p.settings.enable_promotion});
    return segments.back();
  };
  for (const PartitionPtr& p : topics_.Partitions()) {
    const ColdPartitionPtr root =
        cold_manifest_ == nullptr ? nullptr : cold_manifest_->Cached(p->id);
    MutexLock lock(p->mu);
    const bool fenced = !p->Fenced().ok();
    for (const auto& [base, segment] : p->segments) {
      PolicySegment& s = add(*p, segment->entry, *segment->access);
      s.promoted_at = segment->promoted_at;
      s.in_hot = segment->hot != nullptr && hot_->Holds(*segment->hot);
      s.in_warm = true;
      // Any local copy may be the only one: all of them stay.
      s.stays = p->cold_short || fenced;
      // Once in a while it is tried again; else others would wait for it.
      s.stays =
          s.stays || (!p->stuck.ok() && now - p->stuck_at < kStuckRetryMs &&
                      segment->entry.offsets.end > p->cold_end);
      s.in_cold = !s.stays && segment->entry.offsets.end <= p->cold_end;
    }
    if (root == nullptr || p->cold_short) continue;
    // Of what is only cold, what was read lately.
    for (const auto& [base, access] : p->cold_access) {
      const ColdRunPtr run = cold_manifest_->CachedRun(root, base);
      if (run == nullptr || p->segments.contains(base)) continue;
      const auto entry = run->find(base);
      if (entry == run->end()) continue;
      add(*p, entry->second, *access).in_cold = true;
    }
  }
  return segments;
}

void Engine::Impl::RunPolicy(StatusDone done) {
  RestoreReserve();
  auto gather = std::make_shared<Gather>(std::move(done));
  const std::vector<PolicyTail> tails = Tails();
  const std::vector<PolicySegment> segments = PolicySegments();
  std::vector<PartitionPtr> due;
  for (PlannedJob& job : PlanTiers({.now = runtime_.clock().WallNow(),
                                    .limits = Limits(),
                                    .tails = tails,
                                    .segments = segments})) {
    if (job.kind == JobKind::kFlush) {
      if (PartitionPtr p = topics_.Find(job.partition)) {
        due.push_back(std::move(p));
      }
      continue;
    }
    const bool makes_room = job.kind == JobKind::kOffload;
    // What does not fit into the queue is planned again by the next pass.
    runner_->Submit(std::move(job), [this, gather, makes_room](Status status) {
      // The local copies of what went up may go.
      if (makes_room && disk_full_.load()) RequestMigrations();
      gather->Report(std::move(status));
    });
  }
  if (!due.empty()) {
    Flush(std::move(due), [gather](Status s) { gather->Report(std::move(s)); });
  }
  for (PlannedJob& job : purger_->Plan()) {
    runner_->Submit(std::move(job), [gather](Status status) {
      gather->Report(std::move(status));
    });
  }
  if (publisher_ != nullptr) {
    publisher_->PublishIfDue(
        [gather](Status status) { gather->Report(std::move(status)); });
    claims_->HoldAppended(
        [gather](Status status) { gather->Report(std::move(status)); });
  }
  LookForMissingCold(
      [gather](Status status) { gather->Report(std::move(status)); });
  Collect([gather](Status status) { gather->Report(std::move(status)); });
}

// Partitions whose cold part the bucket lacked: maybe it is back.
void Engine::Impl::LookForMissingCold(StatusDone done) {
  auto gather = std::make_shared<Gather>(std::move(done));
  for (const PartitionPtr& p : topics_.Partitions()) {
    {
      MutexLock lock(p->mu);
      if (!p->cold_short || p->deleted) continue;
    }
    cold_roots_->LoadWhole(p, [gather](Result<ColdPartitionPtr> root) {
      gather->Report(root.status());
    });
  }
}

void Engine::Impl::Collect(StatusDone done) {
  auto gather = std::make_shared<Gather>(std::move(done));
  reaper_->Retire({});
  for (const PartitionPtr& p : topics_.Partitions()) {
    bool due;
    {
      MutexLock lock(p->mu);
      const bool local =
          !p->segments.empty() &&
          p->segments.begin()->second->entry.offsets.end <= p->log_start;
      const bool cold = p->cold_trim_pending && cold_ != nullptr;
      due = !p->collecting && (local || cold);
      if (due) p->collecting = true;
    }
    if (!due) continue;
    migrator_->Collect(p, [gather, p](Status status) {
      {
        MutexLock lock(p->mu);
        p->collecting = false;
      }
      gather->Report(std::move(status));
    });
  }
}

void Engine::Impl::RunJob(const PlannedJob& job, StatusDone done) {
  auto finish = [this, kind = job.kind, partition = job.partition,
                 done = std::move(done)](Status status) mutable {
    NoteStuck(kind, partition, status);
    (status.ok() ? migrations_completed_ : migrations_failed_)
        .fetch_add(1, std::memory_order_relaxed);
    if (kind == JobKind::kMerge) NoteRoomOnDisk(status);
    if (!status.ok() && !stopping()) {
      log_.Warning("{} failed: {}", Name(kind), status.ToString());
    }
    done(std::move(status));
  };
  if (job.kind == JobKind::kPurge) {
    purger_->Pass(job.partition.topic, std::move(finish));
  } else {
    migrator_->Execute(job, std::move(finish));
  }
}

// A segment that cannot be read can neither go to the bucket nor leave warm
// otherwise, and what follows it waits for it.
void Engine::Impl::NoteStuck(JobKind kind, const PartitionId& partition,
                             const Status& status) {
  const bool moves = kind == JobKind::kMerge || kind == JobKind::kOffload ||
                     kind == JobKind::kDropWarm;
  const bool lost = status.code() == StatusCode::kDataLoss;
  if (!moves || (!status.ok() && !lost)) return;
  const PartitionPtr p = topics_.Find(partition);
  if (p == nullptr) return;
  MutexLock lock(p->mu);
  if (lost && !p->cold_short) {  // that is the bucket's fault, and passes
    p->stuck = status;
    p->stuck_at = runtime_.clock().WallNow();
  } else if (status.ok() && kind == JobKind::kOffload) {
    p->stuck = Status::Ok();
  }
}

// ---- forced moves ---------------------------------------------------------

void Engine::Impl::DemoteTo(PartitionPtr partition, StorageTier tier,
                            StatusDone done) {
  if (tier == StorageTier::kHot) {
    return done(Status(StatusCode::kInvalidArgument,
                       "cannot demote to hot, expected warm or cold"));
  }
  if (tier == StorageTier::kCold && cold_ == nullptr) {
    return done(Status(StatusCode::kUnsupported, "cold storage is disabled"));
  }
  Flush({partition}, [this, partition, tier,
                      done = std::move(done)](Status status) mutable {
    if (status.ok()) {
      return DemoteFlushed(std::move(partition), tier, std::move(done));
    }
    if (status.code() != StatusCode::kNoSpace || tier == StorageTier::kWarm) {
      return done(std::move(status));
    }
    // What was flushed before makes room when it goes.
    DemoteFlushed(
        partition, tier,
        [this, partition, tier, done = std::move(done)](Status freed) mutable {
          if (!freed.ok()) return done(std::move(freed));
          Flush({partition}, [this, partition, tier,
                              done = std::move(done)](Status again) mutable {
            if (!again.ok()) return done(std::move(again));
            DemoteFlushed(std::move(partition), tier, std::move(done));
          });
        });
  });
}

void Engine::Impl::DemoteFlushed(PartitionPtr partition, StorageTier tier,
                                 StatusDone done) {
  Demotion demotion;
  std::vector<std::shared_ptr<HotCopy>> hot;
  {
    MutexLock lock(partition->mu);
    demotion.end = partition->flushed_end;
    for (auto& [base, segment] : partition->segments) {
      if (segment->hot != nullptr) hot.push_back(std::move(segment->hot));
    }
  }
  for (const auto& copy : hot) hot_->Evict(*copy);
  counters_.demotions += hot.size();
  if (tier == StorageTier::kWarm) return done(Status::Ok());
  DemoteCold(std::move(partition), demotion, std::move(done));
}

void Engine::Impl::DemoteCold(PartitionPtr partition, Demotion demotion,
                              StatusDone done) {
  ForcedMove offload{.kind = JobKind::kOffload, .partition = partition->id};
  std::vector<SegmentPtr> sole;
  Status blocked;
  {
    MutexLock lock(partition->mu);
    const Offset start = std::max(partition->cold_end, partition->log_start);
    for (const auto& [base, segment] : partition->segments) {
      if (base >= demotion.end || segment->entry.offsets.end <= start) continue;
      sole.push_back(segment);
      offload.Add(segment->entry);
    }
    const std::optional<OffsetRange> lost = partition->DamageAt(start);
    if (!sole.empty() && lost) {
      blocked = Status(StatusCode::kDataLoss,
                       fmt::format("{}: offsets [{}, {}) are lost; until it is "
                                   "repaired nothing behind them can become "
                                   "cold",
                                   partition->name.ToString(),
                                   lost->base.value(), lost->end.value()));
    }
    const bool same = start == demotion.start && sole == demotion.sole;
    demotion.fruitless = same ? demotion.fruitless + 1 : 0;
    demotion.start = start;
    demotion.sole = sole;
  }
  if (!blocked.ok()) return done(std::move(blocked));
  if (sole.empty()) return DropLocal(std::move(partition), std::move(done));
  if (stopping()) {
    return done(Status(StatusCode::kClosed, "the store is shut down"));
  }
  if (demotion.fruitless == kMaxFruitlessOffloads) {
    return done(Status(
        StatusCode::kConflict,
        fmt::format("{}: somebody else writes its root in the bucket, the cold "
                    "part stays at {}",
                    partition->name.ToString(), demotion.start.value())));
  }
  RunForced(
      std::move(offload), [this, partition, demotion = std::move(demotion),
                           done = std::move(done)](Status status) mutable {
        if (!status.ok()) return done(std::move(status));
        DemoteCold(std::move(partition), std::move(demotion), std::move(done));
      });
}

void Engine::Impl::DropLocal(PartitionPtr partition, StatusDone done) {
  ForcedMove drop{.kind = JobKind::kDropWarm, .partition = partition->id};
  {
    MutexLock lock(partition->mu);
    for (const auto& [base, segment] : partition->segments) {
      if (segment->entry.offsets.end > partition->cold_end) break;
      drop.Add(segment->entry);
    }
  }
  RunForced(std::move(drop), std::move(done));
}

void Engine::Impl::ForcedMove::Add(const SegmentEntry& entry) {
  // A drop copies nothing.
  const uint64_t bytes = kind == JobKind::kDropWarm ? 0 : entry.image_bytes;
  segments.push_back({entry.id, entry.offsets.base, bytes});
}

void Engine::Impl::RunForced(ForcedMove move, StatusDone done) {
  if (move.next == move.segments.size()) return done(Status::Ok());
  PlannedJob job{.kind = move.kind,
                 .partition = move.partition,
                 .segments = {},
                 .bases = {},
                 .bytes = 0,
                 .pressure = kForcedPressure};
  while (move.next < move.segments.size() &&
         job.segments.size() < kMaxSegmentsPerJob) {
    const ForcedMove::Segment& segment = move.segments[move.next++];
    job.segments.push_back(segment.id);
    job.bases.push_back(segment.base);
    job.bytes += segment.bytes;
  }
  runner_->SubmitInTurn(std::move(job),
                        [this, move = std::move(move),
                         done = std::move(done)](Status status) mutable {
                          if (!status.ok()) return done(std::move(status));
                          RunForced(std::move(move), std::move(done));
                        });
}

void Engine::Impl::PromoteTo(PartitionPtr partition, StorageTier tier,
                             StatusDone done) {
  if (tier == StorageTier::kCold) {
    return done(Status(StatusCode::kInvalidArgument,
                       "cannot promote to cold, expected hot or warm"));
  }
  Flush({partition},
        [this, partition, tier, done = std::move(done)](Status status) mutable {
          if (!status.ok()) return done(std::move(status));
          PromoteFlushed(std::move(partition), tier, std::move(done));
        });
}

void Engine::Impl::PromoteFlushed(PartitionPtr partition, StorageTier tier,
                                  StatusDone done) {
  auto then = [this, partition, tier,
               done = std::move(done)](Status status) mutable {
    if (!status.ok() || tier == StorageTier::kWarm) {
      return done(std::move(status));
    }
    PromoteHot(std::move(partition), std::move(done));
  };
  if (cold_ == nullptr) return then(Status::Ok());
  // What is there is promoted in any case.
  auto all = [this, partition, then = std::move(then)](Status status) mutable {
    if (!status.ok()) return then(std::move(status));
    cold_roots_->LoadWhole(
        partition,
        [then = std::move(then)](Result<ColdPartitionPtr> root) mutable {
          then(root.status());
        });
  };
  cold_roots_->Load(partition, [this, partition, then = std::move(all)](
                                   Result<ColdPartitionPtr> root) mutable {
    if (!root.ok()) return then(root.status());
    auto move = std::make_shared<ForcedMove>();
    move->kind = JobKind::kPromoteWarm;
    move->partition = partition->id;
    const OffsetRange cold{(*root)->log_start, (*root)->cold_end()};
    cold_roots_->ForEach(
        partition, *root, cold,
        [partition, move](const std::vector<SegmentEntry>& run) {
          MutexLock lock(partition->mu);
          for (const SegmentEntry& entry : run) {
            if (entry.offsets.end > partition->log_start &&
                partition->FindSegment(entry.offsets.base) == nullptr) {
              move->Add(entry);
            }
          }
          return Status::Ok();
        },
        [this, move, then = std::move(then)](Status status) mutable {
          if (!status.ok()) return then(std::move(status));
          RunForced(std::move(*move), std::move(then));
        });
  });
}

void Engine::Impl::PromoteHot(PartitionPtr partition, StatusDone done) {
  ForcedMove move{.kind = JobKind::kPromoteHot, .partition = partition->id};
  {
    MutexLock lock(partition->mu);
    for (const auto& [base, segment] : partition->segments) {
      if (segment->hot == nullptr || !hot_->Holds(*segment->hot)) {
        move.Add(segment->entry);
      }
    }
  }
  RunForced(std::move(move), std::move(done));
}

void Engine::Impl::DeleteTopic(std::string name, StatusDone done) {
  admin_->DeleteTopic(std::move(name), [this, done = std::move(done)](
                                           Result<TopicPtr> topic) mutable {
    if (!topic.ok()) return done(topic.status());
    purger_->Add(**topic);
    RequestMigrations();
    done(Status::Ok());
  });
}

}  // namespace strata::engine
