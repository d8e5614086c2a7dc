// Opening a store: who holds it, what it knows, what its WAL adds to that.
#include <algorithm>
#include <array>
#include <utility>

#include "cold/cold_requirements.h"
#include "engine/engine_impl.h"
#include "engine/replay.h"
#include "engine/segment_output.h"
#include "engine/store_directory.h"
#include "segment/segment_writer.h"

namespace strata::engine {
namespace {

// Names which store the segment files of a directory belong to.
constexpr std::string_view kWarmOwnerPath = "STORE";
constexpr size_t kPartitionsPerEdit = 1000;

Status WriteWholeFile(FileSystem& files, std::string_view path,
                      std::string_view text) {
  STRATA_ASSIGN_OR_RETURN(auto file, files.Open(path, OpenMode::kCreate));
  STRATA_RETURN_IF_ERROR(file->Write(0, AsBytes(text)));
  STRATA_RETURN_IF_ERROR(file->Sync());
  return files.SyncDirectory("");
}

Result<std::string> ReadSmallFile(FileSystem& files, std::string_view path) {
  STRATA_ASSIGN_OR_RETURN(auto file, files.Open(path, OpenMode::kRead));
  std::string text(256, '\0');
  STRATA_ASSIGN_OR_RETURN(
      const size_t n, file->Read(0, std::as_writable_bytes(
                                        std::span(text.data(), text.size()))));
  text.resize(n);
  return text;
}

// A warm directory belongs to one store for ever: files of two would mix.
Status ClaimWarmDirectory(FileSystem& files, const TopicId& store) {
  Result<std::string> owner = ReadSmallFile(files, kWarmOwnerPath);
  if (owner.status().code() == StatusCode::kNotFound) {
    return WriteWholeFile(files, kWarmOwnerPath, store.ToString());
  }
  if (!owner.ok()) return owner.status();
  if (*owner == store.ToString()) return Status::Ok();
  // Cut short by a crash at the very first open.
  if (owner->size() < 32 && store.ToString().starts_with(*owner)) {
    STRATA_RETURN_IF_ERROR(files.Remove(kWarmOwnerPath));
    return WriteWholeFile(files, kWarmOwnerPath, store.ToString());
  }
  return Status(StatusCode::kInvalidArgument,
                fmt::format("{}: segment files of another store: expected {}, "
                            "found {}",
                            files.Describe(), store.ToString(), *owner));
}

// How segments were read, as it was saved. What moved since then, between the
// two tiers or into another segment, is counted anew.
void RestoreAccess(const ManifestPartition& known, PartitionState& p)
    STRATA_REQUIRES(p.mu) {
  for (const auto& [base, saved] : known.access) {
    const auto local = p.segments.find(base);
    const uint64_t id = local == p.segments.end() ? 0 : local->second->entry.id;
    if (id != saved.segment || (id == 0 && base >= p.cold_end)) continue;
    AccessStats& access =
        id == 0 ? *p.ColdAccess(base) : *local->second->access;
    access.count.store(saved.count, std::memory_order_relaxed);
    access.last.store(saved.last, std::memory_order_relaxed);
  }
}

}  // namespace

Engine::Impl::Impl(TieredStorageConfig config, EngineEnvironment environment)
    : config_(std::move(config)),
      environment_(std::move(environment)),
      runtime_(environment_.runtime),
      log_(environment_.log) {}

Engine::Impl::~Impl() {
  // The chunks that go with the WAL's writer would have it tell who waits for
  // room.
  if (hot_ != nullptr) hot_->OnRoom([] {});
  // Who was left waiting, as in a crash, and the partitions hold each other.
  for (const PartitionPtr& p : topics_.Partitions()) {
    std::vector<std::shared_ptr<ReadWaiter>> left;  // outside of the lock
    MutexLock lock(p->mu);
    left.swap(p->read_waiters);
  }
}

Status Engine::Impl::Open() {
  STRATA_RETURN_IF_ERROR(CheckColdStore({}));
  STRATA_RETURN_IF_ERROR(CheckHome());
  STRATA_ASSIGN_OR_RETURN(
      ManifestOpened opened,
      Manifest::Open(environment_.data_fs, runtime_,
                     {.reserve_bytes = config_.reserve_bytes,
                      .roll_bytes = ManifestOptions{}.roll_bytes,
                      .create_if_missing = config_.create_if_missing}));
  manifest_ = std::move(opened.manifest);
  STRATA_RETURN_IF_ERROR(
      ClaimWarmDirectory(environment_.warm_fs, opened.store_id));
  report_.clean = opened.created || opened.state.checkpoint().clean;
  report_.torn_bytes = opened.torn_bytes;
  identity_ = {.store = opened.store_id,
               .session = runtime_.random().Next() | 1,
               .sessions = opened.state.sessions(),
               .shared_bucket = environment_.shared_bucket};
  identity_.sessions.push_back(identity_.session);
  BuildTopics(opened.state);
  for (const TopicPtr& topic : topics_.List()) {
    STRATA_RETURN_IF_ERROR(CheckColdStore(topic->info.settings)
                               .WithContext("topic " + topic->info.name));
  }
  STRATA_RETURN_IF_ERROR(RemoveOrphans(opened.state));

  MakeLocalTiers();
  STRATA_RETURN_IF_ERROR(environment_.data_fs.CreateDirectory(kWalDirectory));
  STRATA_ASSIGN_OR_RETURN(ReplayedWal replayed,
                          ReplayWal(opened, WalAccess::kRecover));
  STRATA_RETURN_IF_ERROR(
      BeginEpochs(replayed.newly_damaged, replayed.log.last_seq));
  STRATA_ASSIGN_OR_RETURN(
      wal_, WalWriter::Open(environment_.data_fs, runtime_, log_, *hot_,
                            LogOptions(), std::move(replayed.log)));
  hot_->OnRoom([this] {
    wal_->NotifyRoom();
    NotifyWritable();
  });
  MakeColdParts();
  Wire();
  manifest_->BeforeSnapshots([this] { return AccessEdits(); });
  if (cold_ == nullptr) WarnOfOnlyCold();
  MigrationTick();
  if (claims_ != nullptr && identity_.shared_bucket) claims_->WatchNotes();
  if (purger_->pending() > 0) RequestMigrations();
  for (const RecoveryReport::Damage& damage : report_.damage) {
    log_.Error("recovery: {}{}{}", damage.partition,
               damage.partition.empty() ? "" : " ", damage.detail);
  }
  // Replayed data may be more than what should lie unflushed. Without any, a
  // look at the tails that comes late would meet the host's first appends.
  if (!Tails().empty()) RequestFlush();
  return Status::Ok();
}

Status Engine::Impl::CheckHome() {
  FileSystem& files = environment_.data_fs;
  STRATA_RETURN_IF_ERROR(CheckStoreDirectory(files, config_.create_if_missing));
  STRATA_ASSIGN_OR_RETURN(lock_, LockStore(files));
  return Status::Ok();
}

void Engine::Impl::BuildTopics(const ManifestState& state) {
  for (const auto& [id, topic] : state.topics()) {
    TopicPtr made = MakeTopic({.name = topic.name,
                               .id = id,
                               .partitions = topic.partitions,
                               .settings = topic.settings},
                              runtime_.job_executor());
    for (const PartitionPtr& p : made->partitions) {
      const ManifestPartition& known = state.partition(p->id);
      MutexLock lock(p->mu);
      p->log_start = known.log_start;
      p->flushed_end = known.flushed_end;
      p->cold_end = known.cold_end;
      p->cold_generation = known.cold_generation;
      p->claim.known = known.cold_claim;
      p->claim.fenced_by = known.fenced_by;
      if (!known.epochs.empty()) p->epochs = known.epochs;
      p->damaged = known.damaged;
      p->damaged_tail = known.damaged_tail;
      // Nobody noted whether the bucket was told of the last trim.
      p->cold_trim_pending =
          known.cold_end > Offset(0) && known.log_start > Offset(0);
      for (const auto& [base, entry] : known.segments) {
        p->segments.emplace(base, std::make_shared<Segment>(entry));
        warm_bytes_ += entry.image_bytes;
      }
      RestoreAccess(known, *p);
      p->log_end = p->flushed_end;
      TellKnownDamage(*p);
    }
    // The manifest admits one topic of a name.
    (void)topics_.Add(std::move(made)).ok();
  }
}

// What an earlier open found and nobody has repaired.
void Engine::Impl::TellKnownDamage(const PartitionState& p) {
  for (const OffsetRange& range : p.damaged) {
    report_.damage.push_back(
        {p.name.ToString(),
         fmt::format("offsets [{}, {}) were found lost by an earlier open",
                     range.base.value(), range.end.value())});
  }
  if (p.damaged_tail) {
    report_.damage.push_back(
        {p.name.ToString(),
         fmt::format("batches from offset {} on may be lost, an earlier open "
                     "found",
                     p.flushed_end.value())});
  }
}

// Files that no edit names: of interrupted jobs. Numbers are not used again.
Status Engine::Impl::RemoveOrphans(const ManifestState& state) {
  FileSystem& files = environment_.warm_fs;
  uint64_t next = state.next_file_number();
  STRATA_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(""));
  for (const std::string& name : names) {
    const std::optional<uint64_t> temporary =
        ParseTemporarySegmentFileName(name);
    const std::optional<uint64_t> number =
        temporary ? temporary : ParseSegmentFileName(name);
    if (!number) continue;
    next = std::max(next, *number + 1);
    if (!temporary && state.file_segments().contains(*number)) continue;
    STRATA_RETURN_IF_ERROR(files.Remove(name));
    ++report_.orphans_removed;
  }
  next_file_number_ = next;
  next_segment_id_ = state.next_segment_id();
  return Status::Ok();
}

void Engine::Impl::MakeLocalTiers() {
  hot_ = std::make_unique<HotTier>(
      HotLimits{.total_bytes = config_.hot_tier_max_bytes,
                .unflushed_bytes = config_.EffectiveHotUnflushedMax(),
                .pinned_bytes = config_.EffectiveHotPinnedMax(),
                .chunk_bytes = config_.wal_chunk_bytes});
  warm_ = std::make_unique<WarmTier>(
      environment_.warm_fs, runtime_,
      WarmOptions{.mode = config_.warm_read_mode,
                  .max_open_files = config_.warm_max_open_files});
}

WalOptions Engine::Impl::LogOptions() const {
  return {.file_bytes = config_.wal_file_bytes,
          .max_bytes = config_.wal_max_bytes,
          .chunk_bytes = config_.wal_chunk_bytes,
          .checkpoint_interval = config_.checkpoint_interval,
          // The reserve, once used, is the first to be filled again.
          .may_grow = [this] { return manifest_->reserve_intact(); }};
}

Result<Engine::Impl::ReplayedWal> Engine::Impl::ReplayWal(
    const ManifestOpened& opened, WalAccess access) {
  Replay replay(topics_, report_);
  ReplayedWal replayed;
  STRATA_ASSIGN_OR_RETURN(
      replayed.log,
      RecoverWal(environment_.data_fs, *hot_, LogOptions(),
                 {.needed_from_seq = opened.state.wal_needed(),
                  .synced_seq = opened.state.checkpoint().wal_synced_seq,
                  .log_id = opened.store_id,
                  .access = access},
                 replay));
  report_.torn_bytes += replayed.log.torn_bytes;
  replayed.newly_damaged = replay.Finish();
  const TimestampMs now = runtime_.clock().WallNow();
  for (const PartitionPtr& p : topics_.Partitions()) {
    MutexLock lock(p->mu);
    for (TailBatch& batch : p->tail) batch.appended_at = now;
    // Where nothing is in the WAL, the manifest knows the end.
    p->log_end = std::max(p->log_end, p->epochs.back().start);
    // What was trimmed need not have been durable.
    p->log_end = std::max(p->log_end, p->log_start);
    if (!p->damaged.empty()) {
      p->log_end = std::max(p->log_end, p->damaged.back().end);
    }
  }
  return replayed;
}

// Notes that the store is open, in which session, and after an unclean end a
// new epoch for every partition: offsets beyond the recovered end may have been
// seen before.
Status Engine::Impl::BeginEpochs(const std::set<PartitionId>& newly_damaged,
                                 uint64_t synced_seq) {
  const bool clean = report_.clean;
  ManifestEdit edit;
  const auto commit = [&] {
    Status status = CommitAndWait(std::move(edit));
    edit = {};
    return status;
  };
  for (const PartitionPtr& p : topics_.Partitions()) {
    if (clean && !newly_damaged.contains(p->id)) continue;
    PartitionChanged change;
    change.partition = p->id;
    {
      MutexLock lock(p->mu);
      if (!clean) {
        StartEpoch(p->epochs, Epoch(p->CurrentEpoch().value() + 1), p->log_end);
        change.epochs = p->epochs;
      }
      if (newly_damaged.contains(p->id)) {
        change.damaged = p->damaged;
        change.damaged_tail = p->damaged_tail;
      }
    }
    edit.ops.push_back(std::move(change));
    if (edit.ops.size() == kPartitionsPerEdit) {
      STRATA_RETURN_IF_ERROR(commit());
    }
  }
  Checkpoint checkpoint;
  checkpoint.clean = false;
  // Recovery made durable what it delivered. Readers have seen it, perhaps: if
  // it is damaged later, that is no torn tail.
  checkpoint.wal_synced_seq = synced_seq;
  checkpoint.at = runtime_.clock().WallNow();
  edit.ops.push_back(std::move(checkpoint));
  edit.ops.push_back(SessionBegun{identity_.session});
  return commit();
}

Status Engine::Impl::CommitAndWait(ManifestEdit edit) {
  const std::shared_ptr<Event> event = runtime_.NewEvent();
  auto result = std::make_shared<Status>();
  manifest_->Commit(std::move(edit), [event, result](Status status) {
    *result = std::move(status);
    event->Set();
  });
  event->WaitUntil(std::nullopt);
  return *result;
}

// It was enabled once: what is only there cannot be read for now.
void Engine::Impl::WarnOfOnlyCold() {
  for (const PartitionPtr& p : topics_.Partitions()) {
    std::vector<OffsetRange> ranges;
    {
      MutexLock lock(p->mu);
      ranges = p->OnlyCold();
    }
    if (ranges.empty()) continue;
    log_.Warning(
        "{}: offsets from {} to {} lie in cold storage, which is disabled: "
        "they cannot be read",
        p->name.ToString(), ranges.front().base.value(),
        ranges.back().end.value());
  }
}

Status Engine::Impl::CheckColdStore(const TopicSettings& settings) const {
  if (environment_.cold == nullptr) return Status::Ok();
  // A topic's may be anything: what is above all limits must not overflow.
  const uint64_t target = std::min(
      settings.target_segment_bytes.value_or(config_.target_segment_bytes),
      uint64_t{1} << 60);
  // A segment is closed by the batch that takes it to the target.
  return CheckColdRequirements(
      *environment_.cold, {.target_segment_bytes = target,
                           .largest_image_bytes = MaxSegmentImageBytes(
                               target + FrameBytes(config_.max_batch_bytes),
                               config_.index_interval_bytes)});
}

void Engine::Impl::MakeColdParts() {
  if (environment_.cold == nullptr) return;
  cold_store_ = std::make_shared<InstrumentedObjectStore>(environment_.cold,
                                                          runtime_.clock());
  cold_ = std::make_unique<ColdTier>(
      cold_store_, runtime_,
      ColdOptions{.chunk_bytes = config_.cold_chunk_bytes,
                  .cache_max_bytes = config_.cold_cache_max_bytes,
                  .request_timeout = config_.cold_request_timeout,
                  .max_requests = config_.cold_max_requests});
  cold_manifest_ = MakeColdManifest(
      cold_store_, runtime_, {.request_timeout = config_.cold_request_timeout});
}

void Engine::Impl::Wire() {
  context_ = std::make_unique<EngineContext>(
      EngineContext{.config = config_,
                    .runtime = runtime_,
                    .log = log_,
                    .warm_fs = environment_.warm_fs,
                    .topics = topics_,
                    .hot = *hot_,
                    .wal = *wal_,
                    .warm = *warm_,
                    .manifest = *manifest_,
                    .cold = cold_.get(),
                    .cold_manifest = cold_manifest_.get(),
                    .identity = identity_,
                    .counters = counters_,
                    .next_segment_id = next_segment_id_,
                    .next_file_number = next_file_number_,
                    .warm_bytes = warm_bytes_,
                    .stopping = stopping_,
                    .attention = *this});
  EngineContext& context = *context_;
  if (cold_ != nullptr) {
    cold_roots_ = std::make_unique<ColdRoots>(context);
    publisher_ = std::make_unique<TopicPublisher>(context, cold_store_);
    claims_ = std::make_unique<Claims>(context, *cold_roots_, *publisher_,
                                       cold_store_);
    collector_ = std::make_unique<GarbageCollector>(context, *cold_roots_,
                                                    *claims_, cold_store_);
  }
  reaper_ = std::make_unique<FileReaper>(context);
  flusher_ = std::make_unique<Flusher>(context, *reaper_);
  mover_ = std::make_unique<WalMover>(context);
  migrator_ = std::make_unique<Migrator>(context, cold_roots_.get(),
                                         claims_.get(), *reaper_);
  purger_ = std::make_unique<Purger>(context, publisher_.get());
  admin_ = std::make_unique<LogAdmin>(context, cold_roots_.get(), *reaper_);
  repairer_ = std::make_unique<Repairer>(context, cold_roots_.get(), *flusher_,
                                         *migrator_, *reaper_);
  appender_ =
      std::make_unique<Appender>(context, claims_.get(), environment_.executor);
  reader_ = std::make_unique<Reader>(context, cold_roots_.get());
  runner_ = std::make_unique<JobRunner>(
      runtime_,
      JobRunnerOptions{.concurrency = config_.migration_concurrency,
                       .bytes_per_second = config_.migration_bytes_per_second,
                       .queue_max = config_.migration_queue_max},
      [this](PlannedJob job, StatusDone done) {
        RunJob(job, std::move(done));
      });
}

}  // namespace strata::engine
