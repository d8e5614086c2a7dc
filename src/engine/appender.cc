#include "engine/appender.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "format/record_batch.h"

namespace strata::engine {
namespace {

constexpr uint32_t kMemoryAppendsPerTimed = 16;

// The stored copy of a Kafka batch has base offset and epoch set, so it is
// patched before it is checksummed: one more copy, into memory that is reused.
ByteSpan PatchedKafkaBatch(ByteSpan bytes, Offset base, Epoch epoch,
                           std::vector<std::byte>& scratch) {
  const size_t at = scratch.size();
  scratch.insert(scratch.end(), bytes.begin(), bytes.end());
  const std::span<std::byte> copy = std::span(scratch).subspan(at);
  PatchBaseOffsetAndEpoch(copy, base, epoch);
  return copy;
}

Durability Strongest(std::span<const AppendRequest> requests) {
  Durability strongest = Durability::kMemory;
  for (const AppendRequest& r : requests) {
    strongest = std::max(strongest, r.durability);
  }
  return strongest;
}

}  // namespace

Status Appender::CheckBytes(uint64_t bytes) const {
  if (bytes == 0) {
    return Status(StatusCode::kInvalidArgument, "batch of 0 bytes");
  }
  if (bytes > context_.config.max_batch_bytes) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("batch of {} bytes, at most max_batch_bytes = {} "
                              "are taken",
                              bytes, context_.config.max_batch_bytes));
  }
  return Status::Ok();
}

Status Appender::CheckRequest(const AppendRequest& request) const {
  STRATA_RETURN_IF_ERROR(CheckBytes(request.bytes.size()));
  if (request.record_count == 0) {
    return Status(StatusCode::kInvalidArgument, "batch of 0 records");
  }
  if (request.format == BatchFormat::kKafkaV2) {
    return ValidateKafkaBatch(request.bytes, request.record_count);
  }
  return Status::Ok();
}

// What is unflushed must find room in warm: it can go nowhere else.
Status Appender::CheckRoom() const {
  // First of all: nobody is to wait for room any more.
  if (context_.stopping.load(std::memory_order_acquire)) {
    return Status(StatusCode::kClosed, "the store is shut down");
  }
  // Nothing could be flushed or offloaded any more.
  STRATA_RETURN_IF_ERROR(context_.manifest.status());
  if (!context_.manifest.reserve_intact()) {
    context_.attention.RestoreReserve();
    return Status(StatusCode::kNoSpace,
                  fmt::format("the disk is full: no room for the reserve of {} "
                              "bytes, which trim, delete and offload need",
                              context_.config.reserve_bytes));
  }
  const uint64_t warm = context_.warm_bytes.load(std::memory_order_relaxed);
  const uint64_t limit = context_.config.warm_tier_max_bytes;
  if (warm < limit) return Status::Ok();
  context_.attention.RequestMigrations();
  return Status(StatusCode::kNoSpace,
                fmt::format("warm tier holds {} bytes of at most {} and "
                            "nothing may be dropped from it yet",
                            warm, limit));
}

Status Appender::CheckWritable(PartitionState& partition) const {
  if (partition.deleted) {
    return Status(StatusCode::kNotFound,
                  fmt::format("topic '{}' was deleted", partition.name.topic));
  }
  if (!partition.damaged.empty() || partition.damaged_tail) {
    return Status(
        StatusCode::kReadOnly,
        fmt::format("{} lost acknowledged batches and takes no appends until "
                    "it is repaired",
                    partition.name.ToString()));
  }
  if (partition.truncating) {
    return Status(
        StatusCode::kOverloaded,
        fmt::format("{} is being truncated", partition.name.ToString()));
  }
  if (!partition.claim.held && claims_ != nullptr) {
    STRATA_RETURN_IF_ERROR(claims_->CheckAppend(partition));
  }
  if (!partition.stuck.ok()) return CheckRoomOfStuck(partition);
  return Status::Ok();
}

// What nothing can move on stays in warm: the rest of warm is for the others.
Status Appender::CheckRoomOfStuck(const PartitionState& partition) const {
  const double warm =
      static_cast<double>(context_.warm_bytes.load(std::memory_order_relaxed));
  const double limit =
      static_cast<double>(context_.config.warm_tier_max_bytes) *
      context_.config.warm_high_watermark;
  if (warm < limit) return Status::Ok();
  return Status(
      StatusCode::kNoSpace,
      fmt::format("{}: warm tier is full to its high watermark, and "
                  "nothing can leave it from here before it is "
                  "repaired: {}",
                  partition.name.ToString(), partition.stuck.message()));
}

Status Appender::CheckAppend(std::span<const AppendRequest> requests) const {
  if (requests.empty()) {
    return Status(StatusCode::kInvalidArgument, "append of no batches");
  }
  for (const AppendRequest& request : requests) {
    STRATA_RETURN_IF_ERROR(CheckRequest(request));
  }
  return Status::Ok();
}

Result<PendingAppend> Appender::TryAppend(
    PartitionState& partition, std::span<const AppendRequest> requests) {
  STRATA_RETURN_IF_ERROR(CheckAppend(requests));
  STRATA_RETURN_IF_ERROR(CheckRoom());
  MutexLock lock(partition.mu);
  return AppendHere(partition, requests);
}

Result<PendingAppend> Appender::AppendHere(
    PartitionState& partition, std::span<const AppendRequest> requests) {
  const Durability durability = Strongest(requests);
  const auto started = Start(durability);
  STRATA_RETURN_IF_ERROR(CheckWritable(partition));
  const std::optional<Offset> expected = requests.front().expected_offset;
  if (expected && *expected != partition.log_end) {
    return Status(StatusCode::kConflict,
                  fmt::format("{}: expected offset {}, the log ends at {}",
                              partition.name.ToString(), expected->value(),
                              partition.log_end.value()));
  }
  uint64_t records = 0;
  for (const AppendRequest& request : requests) records += request.record_count;
  if (records > kMaxLogEnd - partition.log_end) {
    return Status(StatusCode::kReadOnly,
                  fmt::format("{}: {} records behind offset {} pass the last "
                              "offset, {}",
                              partition.name.ToString(), records,
                              partition.log_end.value(), kMaxLogEnd.value()));
  }
  return Timed(started,
               Put(partition, partition.log_end, requests, durability));
}

Status Appender::AppendAsync(PartitionState& partition,
                             std::span<const AppendRequest> requests,
                             AckQueue::Done& done) {
  STRATA_RETURN_IF_ERROR(CheckAppend(requests));
  STRATA_RETURN_IF_ERROR(CheckRoom());
  PendingAppend pending;
  std::shared_ptr<AckQueue> acks;
  uint64_t ticket = 0;
  {
    MutexLock lock(partition.mu);
    STRATA_ASSIGN_OR_RETURN(pending, AppendHere(partition, requests));
    if (partition.acks == nullptr) {
      partition.acks = std::make_shared<AckQueue>(executor_);
    }
    acks = partition.acks;
    // Under the lock: in the order of the offsets.
    ticket = acks->Add(pending.result, std::move(done));
  }
  if (!pending.wait) {
    acks->Settle(ticket, Status::Ok());
  } else {
    WhenDurable(pending, [acks = std::move(acks), ticket](Status status) {
      acks->Settle(ticket, std::move(status));
    });
  }
  return Status::Ok();
}

Status Appender::CheckWrite(OffsetRange offsets, ByteSpan data) const {
  STRATA_RETURN_IF_ERROR(CheckBytes(data.size()));
  if (offsets.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("empty offset range [{}, {})",
                              offsets.base.value(), offsets.end.value()));
  }
  if (offsets.end > kMaxLogEnd) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("batch [{}, {}) passes the last offset, {}",
                              offsets.base.value(), offsets.end.value(),
                              kMaxLogEnd.value()));
  }
  if (offsets.size() > UINT32_MAX) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("batch of {} offsets, at most {} are taken",
                              offsets.size(), UINT32_MAX));
  }
  return Status::Ok();
}

Result<PendingAppend> Appender::TryWrite(PartitionState& partition,
                                         OffsetRange offsets, ByteSpan data,
                                         Durability durability) {
  STRATA_RETURN_IF_ERROR(CheckWrite(offsets, data));
  const auto started = Start(durability);
  STRATA_RETURN_IF_ERROR(CheckRoom());
  MutexLock lock(partition.mu);
  STRATA_RETURN_IF_ERROR(CheckWritable(partition));
  if (offsets.base < partition.log_end) {
    return Status(StatusCode::kConflict,
                  fmt::format("{}: batch [{}, {}) overlaps the log, which ends "
                              "at {}",
                              partition.name.ToString(), offsets.base.value(),
                              offsets.end.value(), partition.log_end.value()));
  }
  const AppendRequest request{
      .bytes = data,
      .record_count = static_cast<uint32_t>(offsets.size()),
      .max_timestamp = kNoTimestamp,
      .format = BatchFormat::kOpaque,
      .durability = durability,
      .expected_offset = std::nullopt};
  return Timed(started,
               Put(partition, offsets.base, {&request, 1}, durability));
}

void Appender::WhenDurable(const PendingAppend& append,
                           Engine::StatusDone done) {
  if (!append.wait) return done(Status::Ok());
  auto timed = [this, started = append.started,
                done = std::move(done)](Status status) mutable {
    if (status.ok()) {
      context_.RecordSince(started, context_.counters.append_disk);
    }
    done(std::move(status));
  };
  context_.wal.WhenDurable(append.wal_seq, std::move(timed));
}

// Two looks at the clock are a twentieth of an append into memory: one of many
// is enough for percentiles. Beside a sync they are nothing.
std::optional<MonotonicTime> Appender::Start(Durability durability) {
  if (durability == Durability::kMemory) {
    // Increments that get lost between threads change only which are taken.
    const uint32_t n = memory_appends_.load(std::memory_order_relaxed);
    memory_appends_.store(n + 1, std::memory_order_relaxed);
    if (n % kMemoryAppendsPerTimed != 0) return std::nullopt;
  }
  return context_.Ticks();
}

Result<PendingAppend> Appender::Timed(std::optional<MonotonicTime> started,
                                      Result<PendingAppend> pending) const {
  if (!pending.ok() || !started) return pending;
  pending->started = *started;
  if (!pending->wait) {
    context_.RecordSince(*started, context_.counters.append_memory);
  }
  return pending;
}

Result<PendingAppend> Appender::Put(PartitionState& partition, Offset base,
                                    std::span<const AppendRequest> requests,
                                    Durability durability) {
  // Reused from call to call, so that an append costs no allocation.
  thread_local std::vector<WalFrame> frames;
  thread_local std::vector<WalPlace> places;
  thread_local std::vector<std::byte> scratch;
  frames.clear();
  scratch.clear();
  size_t kafka_bytes = 0;
  for (const AppendRequest& r : requests) {
    if (r.format == BatchFormat::kKafkaV2) kafka_bytes += r.bytes.size();
  }
  scratch.reserve(kafka_bytes);  // spans into it must stay valid

  const Epoch epoch = partition.CurrentEpoch();
  const auto add = [&](FrameKind kind, OffsetRange offsets) -> WalFrame& {
    WalFrame& frame = frames.emplace_back();
    FrameHeader& header = frame.header;
    header.topic = partition.id.topic;
    header.partition = partition.id.partition;
    header.epoch = epoch;
    header.kind = kind;
    header.offsets = offsets;
    if (durability == Durability::kDisk) header.flags = kFrameDurable;
    return frame;
  };
  const bool gap = base > partition.OwnedEnd();
  if (gap) add(FrameKind::kGap, {partition.OwnedEnd(), base});
  Offset next = base;
  for (const AppendRequest& r : requests) {
    WalFrame& frame = add(FrameKind::kBatch, {next, next + r.record_count});
    frame.header.format = r.format;
    frame.header.max_timestamp = r.max_timestamp;
    frame.header.record_count = r.record_count;
    frame.payload = r.bytes;
    if (r.format == BatchFormat::kKafkaV2) {
      frame.payload = PatchedKafkaBatch(r.bytes, next, epoch, scratch);
    }
    next = frame.header.offsets.end;
  }

  places.assign(frames.size(), WalPlace{});
  const Status put = context_.wal.Append(frames, places);
  if (!put.ok()) {
    if (put.code() == StatusCode::kOverloaded)
      context_.attention.RequestFlush();
    return put;
  }
  const TimestampMs now = context_.Now();
  uint64_t bytes = 0;
  for (size_t i = gap ? 1 : 0; i < frames.size(); ++i) {
    const FrameHeader& h = frames[i].header;
    bytes += places[i].payload.size();
    partition.PushTail(
        {.batch = {.facts = {.offsets = h.offsets,
                             .epoch = epoch,
                             .tier = StorageTier::kHot,
                             .format = h.format,
                             .record_count = h.record_count,
                             .max_timestamp = h.max_timestamp},
                   .payload = places[i].payload,
                   .payload_crc32c = h.payload_crc32c},
         .chunk = std::move(places[i].chunk),
         .gap_chunk = gap && i == 1 ? std::move(places[0].chunk) : nullptr,
         .wal_seq = places[i].end_seq,
         .wants_disk = durability == Durability::kDisk,
         .appended_at = now});
  }
  partition.WakeReaders();
  Add(context_.counters.hot_writes, requests.size());
  Add(context_.counters.bytes_written, bytes);
  PendingAppend pending;
  pending.result = {.base_offset = base,
                    .end_offset = next,
                    .epoch = epoch,
                    .durability = durability};
  pending.wal_seq = places.back().end_seq;
  pending.wait = durability == Durability::kDisk;
  // Chunks must not outlive the call in thread-local memory: they hold WAL
  // space.
  places.clear();
  return pending;
}

}  // namespace strata::engine
