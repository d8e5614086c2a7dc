#include "engine/engine.h"

#include <utility>

#include "engine/completion.h"
#include "engine/engine_impl.h"

namespace strata::engine {
namespace {

// A writer that changes its store faster than it can be read is not expected;
// each attempt reads all of its WAL.
constexpr int kViewAttempts = 20;

Status Closed() {
  return Status(StatusCode::kClosed, "the store is shut down");
}

}  // namespace

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Open(TieredStorageConfig config,
                                             EngineEnvironment environment) {
  STRATA_RETURN_IF_ERROR(config.Validate());
  auto impl = std::make_unique<Impl>(std::move(config), std::move(environment));
  STRATA_RETURN_IF_ERROR(impl->Open());
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<std::unique_ptr<Engine>> Engine::OpenReadOnly(
    TieredStorageConfig config, EngineEnvironment environment) {
  STRATA_RETURN_IF_ERROR(config.Validate());
  for (int attempt = 0; attempt < kViewAttempts; ++attempt) {
    auto impl = std::make_unique<Impl>(config, environment);
    STRATA_ASSIGN_OR_RETURN(const bool whole, impl->OpenView());
    if (whole) return std::unique_ptr<Engine>(new Engine(std::move(impl)));
  }
  return Status(StatusCode::kUnavailable,
                fmt::format("{}: another process changes the store while it is "
                            "read, {} times in a row",
                            environment.data_fs.Describe(), kViewAttempts));
}

const TieredStorageConfig& Engine::config() const { return impl_->config_; }
const RecoveryReport& Engine::recovery() const { return impl_->report_; }
Runtime& Engine::runtime() const { return impl_->runtime_; }

void Engine::CreateTopic(std::string name, uint32_t partitions,
                         TopicSettings settings, Done<TopicInfo> done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  if (Status no = impl_->CheckColdStore(settings); !no.ok()) return done(no);
  impl_->admin_->CreateTopic(std::move(name), partitions, settings,
                             std::move(done));
}

void Engine::DeleteTopic(std::string name, StatusDone done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->DeleteTopic(std::move(name), std::move(done));
}

Result<std::vector<TopicInfo>> Engine::ListTopics() const {
  if (impl_->stopping()) return Closed();
  std::vector<TopicInfo> infos;
  for (const TopicPtr& topic : impl_->topics_.List()) {
    infos.push_back(topic->info);
  }
  return infos;
}

Result<TopicInfo> Engine::DescribeTopic(std::string_view name) const {
  if (impl_->stopping()) return Closed();
  const TopicPtr topic = impl_->topics_.Find(name);
  if (topic == nullptr) {
    return Status(StatusCode::kNotFound, fmt::format("no topic '{}'", name));
  }
  return topic->info;
}

Result<PartitionPtr> Engine::FindPartition(
    const TopicPartition& partition) const {
  if (impl_->stopping()) return Closed();
  return impl_->topics_.Resolve(partition);
}

Status Engine::CheckAppend(std::span<const AppendRequest> requests) const {
  return impl_->appender_->CheckAppend(requests);
}

Status Engine::CheckWrite(OffsetRange offsets, ByteSpan data) const {
  return impl_->appender_->CheckWrite(offsets, data);
}

Result<PendingAppend> Engine::TryAppend(
    PartitionState& partition, std::span<const AppendRequest> requests) {
  const uint64_t room = impl_->room_events_.load();
  Result<PendingAppend> appended =
      impl_->appender_->TryAppend(partition, requests);
  if (!appended.ok()) impl_->NoteRefusal(room);
  return appended;
}

void Engine::AppendAsync(PartitionState& partition,
                         std::span<const AppendRequest> requests,
                         TieredStorage::AppendDone done) {
  const uint64_t room = impl_->room_events_.load();
  Status refused = impl_->appender_->AppendAsync(partition, requests, done);
  if (refused.ok()) return;
  impl_->NoteRefusal(room);
  Completion<Result<AppendResult>>(impl_->environment_.executor,
                                   std::move(done))
      .Answer(std::move(refused));
}

Result<PendingAppend> Engine::TryWrite(PartitionState& partition,
                                       OffsetRange offsets, ByteSpan data,
                                       Durability durability) {
  return impl_->appender_->TryWrite(partition, offsets, data, durability);
}

void Engine::WhenDurable(const PendingAppend& append, StatusDone done) {
  impl_->appender_->WhenDurable(append, std::move(done));
}

uint64_t Engine::WhenWritable(UniqueFunction<void()> ready) {
  return impl_->WhenWritable(std::move(ready));
}
void Engine::WhenRoom(std::function<void(Status)> ready) {
  Completion<Status> completion(impl_->environment_.executor, std::move(ready));
  impl_->WhenWritable(
      [impl = impl_.get(), completion = std::move(completion)]() mutable {
        completion.Answer(impl->stopping() ? Closed() : Status::Ok());
      });
}
void Engine::CancelWritable(uint64_t id) { impl_->CancelWritable(id); }

void Engine::TruncateTail(PartitionPtr partition, Offset offset, Epoch epoch,
                          StatusDone done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->admin_->TruncateTail(std::move(partition), offset, epoch,
                              std::move(done));
}

void Engine::Trim(PartitionPtr partition, Offset before, StatusDone done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->admin_->Trim(std::move(partition), before, std::move(done));
}

void Engine::Repair(PartitionPtr partition, Done<RepairReport> done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->repairer_->Repair(std::move(partition), std::move(done));
}

void Engine::Read(PartitionPtr partition, Offset start, ReadOptions options,
                  Done<std::vector<BatchView>> done) {
  if (impl_->stopping()) return done(Closed());
  impl_->reader_->Read(std::move(partition), start, std::move(options),
                       std::move(done));
}

void Engine::ReadAsync(PartitionPtr partition, Offset start,
                       ReadOptions options, TieredStorage::ReadDone done) {
  Completion<Result<std::vector<BatchView>>> completion(
      impl_->environment_.executor, std::move(done));
  Read(std::move(partition), start, std::move(options),
       [completion = std::move(completion)](
           Result<std::vector<BatchView>> batches) mutable {
         completion.Answer(std::move(batches));
       });
}

Result<LogBounds> Engine::Bounds(PartitionState& p) const {
  if (impl_->stopping()) return Closed();
  const uint64_t durable = impl_->wal_->durable_seq();
  MutexLock lock(p.mu);
  if (p.deleted) {
    return Status(StatusCode::kNotFound,
                  fmt::format("topic '{}' was deleted", p.name.topic));
  }
  return LogBounds{.log_start = p.log_start,
                   .cold_end = p.cold_end,
                   .durable_end = p.DurableEnd(durable),
                   .visible_end = p.VisibleEnd(durable),
                   .log_end = p.log_end,
                   .epoch = p.CurrentEpoch()};
}

Result<EpochEnd> Engine::EpochEndOffset(PartitionState& p, Epoch epoch) const {
  if (impl_->stopping()) return Closed();
  MutexLock lock(p.mu);
  const std::optional<EpochEnd> end = p.EndOfEpoch(epoch);
  if (!end) {
    return Status(StatusCode::kNotFound,
                  fmt::format("{}: no epoch at or below {}", p.name.ToString(),
                              epoch.value()));
  }
  return *end;
}

void Engine::Segments(PartitionPtr partition,
                      Done<std::vector<SegmentMetadata>> done) {
  if (impl_->stopping()) return done(Closed());
  impl_->Segments(std::move(partition), std::move(done));
}

void Engine::SegmentAt(PartitionPtr partition, Offset offset,
                       Done<SegmentMetadata> done) {
  if (impl_->stopping()) return done(Closed());
  impl_->SegmentAt(std::move(partition), offset, std::move(done));
}

void Engine::Flush(std::vector<PartitionPtr> partitions, StatusDone done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->Flush(std::move(partitions), std::move(done));
}

void Engine::FlushAll(StatusDone done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->Flush(impl_->topics_.Partitions(), std::move(done));
}

void Engine::DemoteTo(PartitionPtr partition, StorageTier tier,
                      StatusDone done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->DemoteTo(std::move(partition), tier, std::move(done));
}

void Engine::PromoteTo(PartitionPtr partition, StorageTier tier,
                       StatusDone done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->PromoteTo(std::move(partition), tier, std::move(done));
}

void Engine::RunMigrations(StatusDone done) {
  if (Status no = impl_->RefuseChange(); !no.ok()) return done(no);
  impl_->RunPolicy(std::move(done));
}

void Engine::CollectGarbage(GarbageOptions options, Done<GarbageReport> done) {
  if (impl_->stopping()) return done(Closed());
  if (Status no = impl_->RefuseChange(); !no.ok() && !options.dry_run) {
    return done(no);
  }
  if (impl_->collector_ == nullptr) {
    return done(Status(StatusCode::kUnsupported, "cold storage is disabled"));
  }
  impl_->collector_->Collect(options, std::move(done));
}

TieredStorageStats Engine::Stats() const { return impl_->Stats(); }

void Engine::Verify(VerifyProgress progress, Done<VerifyReport> done) {
  if (impl_->stopping()) return done(Closed());
  impl_->Verify(std::move(progress), std::move(done));
}

void Engine::Shutdown(StatusDone done) { impl_->Shutdown(std::move(done)); }

}  // namespace strata::engine
