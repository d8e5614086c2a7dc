#include "engine/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/planted_fault.h"
#include "engine/cold_roots.h"
#include "engine/read_request.h"

namespace strata::engine {
namespace {

// Data may move under a reader; more often than this in one read is not moving
// but a bug or damage.
constexpr int kMaxRelocations = 16;

}  // namespace

void Reader::Read(PartitionPtr partition, Offset start, ReadOptions options,
                  Engine::Done<Batches> done) {
  auto request = std::make_shared<Request>(*this);
  request->partition = std::move(partition);
  request->started = context_.Ticks();
  request->start = start;
  request->next = start;
  request->options = std::move(options);
  request->done = std::move(done);
  if (request->options.timeout.count() > 0) {
    request->begin = context_.runtime.clock().Now();
  }
  if (request->options.cancel.stop_possible()) {
    request->on_stop.emplace(
        request->options.cancel,
        [&executor = context_.runtime.read_executor(), raw = request.get()] {
          executor.Post(raw->GiveUpLater(StatusCode::kCancelled));
        });
  }
  Run(std::move(request));
}

void Reader::Run(RequestPtr request) {
  while (!request->Full()) {
    Result<Source> located = Locate(*request);
    if (!located.ok()) {
      return Finish(std::move(request), std::move(located).status());
    }
    Source source = *std::move(located);
    if (source.kind == Source::Kind::kEnd) break;
    if (source.kind == Source::Kind::kParked) {
      if (source.awaited_seq) {
        WakeWhenDurable(request->partition, *source.awaited_seq, 2);
      }
      return;
    }
    std::optional<Result<Batches>> here = ReadHere(*request, source);
    if (!here) {
      // What is there is better than waiting for more.
      if (!request->batches.empty()) break;
      return ReadElsewhere(std::move(request), std::move(source));
    }
    if (!here->ok()) {
      return Recover(std::move(request), source.segment, here->status());
    }
    // What is asked of the tail is all of it, so nothing can lie behind.
    const OffsetRange owner = source.kind == Source::Kind::kTail
                                  ? OffsetRange{request->next, request->limit}
                                  : source.segment->entry.offsets;
    if (!Absorb(*request, owner, *std::move(*here))) break;
  }
  Finish(std::move(request), Status::Ok());
}

Result<Reader::Source> Reader::Locate(Request& request) {
  PartitionState& p = *request.partition;
  MutexLock lock(p.mu);
  if (p.deleted) {
    return Status(StatusCode::kNotFound,
                  fmt::format("topic '{}' was deleted", p.name.topic));
  }
  if (request.next < p.log_start) {
    return Status(StatusCode::kOutOfRange,
                  fmt::format("{}: offset {} was trimmed, the log starts at {}",
                              p.name.ToString(), request.next.value(),
                              p.log_start.value()));
  }
  if (request.next > p.log_end) {
    return Status(StatusCode::kOutOfRange,
                  fmt::format("{}: offset {} lies above the log end {}",
                              p.name.ToString(), request.next.value(),
                              p.log_end.value()));
  }
  if (p.damaged_tail && request.next == p.log_end) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{}: batches from offset {} on may be lost in a "
                              "damaged part of the WAL",
                              p.name.ToString(), request.next.value()));
  }
  request.limit = p.VisibleEnd(context_.wal.durable_seq());
  if (request.options.limit_offset) {
    request.limit = std::min(request.limit, *request.options.limit_offset);
  }
  if (request.next >= request.limit) return AtEnd(p, request);
  if (const auto damage = p.DamageAt(request.next)) {
    if (FaultPlanted(PlantedFault::kGapAnsweredOk)) {
      request.next = damage->end;
      return Source{};
    }
    return Status(
        StatusCode::kDataLoss,
        fmt::format("{}: offsets [{}, {}) are lost", p.name.ToString(),
                    damage->base.value(), damage->end.value()));
  }
  // What lies behind damage is not read in one go with what lies before it.
  for (const OffsetRange& damage : p.damaged) {
    if (damage.base > request.next) {
      request.limit = std::min(request.limit, damage.base);
    }
  }

  Source source;
  if (request.next >= p.flushed_end) {
    source.kind = Source::Kind::kTail;
    uint64_t room = request.Window().max_bytes;
    bool first = request.batches.empty();
    for (size_t i = p.TailIndex(request.next); i < p.tail.size(); ++i) {
      const TailBatch& batch = p.tail[i];
      if (batch.offsets().end > request.limit) break;
      const uint64_t bytes = batch.batch.payload.size();
      if (!first && bytes > room) break;
      first = false;
      room -= std::min(room, bytes);
      source.tail.push_back({batch.batch, batch.chunk});
    }
    return source;
  }
  source.segment = p.FindSegment(request.next);
  const bool in_cold = request.next < p.cold_end && context_.cold != nullptr;
  if (source.segment != nullptr && !(request.prefer_cold && in_cold)) {
    source.kind = Source::Kind::kSegment;
    source.hot = source.segment->hot;
    return source;
  }
  source.segment = nullptr;
  if (in_cold) {
    source.kind = Source::Kind::kCold;
    return source;
  }
  if (request.next < p.cold_end) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("offset {} of {} lies in cold storage, which is "
                              "disabled",
                              request.next.value(), p.name.ToString()));
  }
  return Status(StatusCode::kDataLoss,
                fmt::format("{}: no segment owns offset {}", p.name.ToString(),
                            request.next.value()));
}

std::optional<Result<Reader::Batches>> Reader::ReadHere(Request& request,
                                                        const Source& source) {
  if (source.kind == Source::Kind::kTail) {
    Batches batches;
    batches.reserve(source.tail.size());
    for (const TailRef& ref : source.tail) {
      Result<BatchView> view = context_.hot.View(ref.batch, ref.chunk);
      if (!view.ok()) {
        // The views had so far are an answer, too.
        if (!batches.empty() || !request.batches.empty()) break;
        return Result<Batches>(std::move(view).status());
      }
      batches.push_back(*std::move(view));
    }
    return Result<Batches>(std::move(batches));
  }
  if (source.kind != Source::Kind::kSegment) return std::nullopt;
  if (source.hot != nullptr) {
    const ReadWindow w = request.Window();
    auto views =
        context_.hot.Read(*source.hot, {.start = w.start,
                                        .end = w.end,
                                        .max_bytes = w.max_bytes,
                                        .at_least_one = w.at_least_one});
    if (views && views->ok()) {
      CountAccess(*source.segment->access, *request.partition);
      return views;
    }
  }
  auto views = context_.warm.TryRead(source.segment->entry, request.Window());
  if (views) CountAccess(*source.segment->access, *request.partition);
  return views;
}

void Reader::ReadElsewhere(RequestPtr request, Source source) {
  if (source.kind == Source::Kind::kCold) return ReadCold(std::move(request));
  ReadWarm(std::move(request), std::move(source.segment));
}

void Reader::ReadWarm(RequestPtr request, SegmentPtr segment) {
  CountAccess(*segment->access, *request->partition);
  const ReadWindow window = request->Window();
  const SegmentEntry entry = segment->entry;
  if (!Leave(request)) return;
  context_.warm.Read(
      entry, window,
      [this, request = std::move(request),
       segment = std::move(segment)](Result<Batches> batches) mutable {
        if (!ComeBack(*request)) return;
        if (!batches.ok()) {
          return Recover(std::move(request), std::move(segment),
                         std::move(batches).status());
        }
        Absorb(*request, segment->entry.offsets, *std::move(batches));
        Run(std::move(request));
      });
}

void Reader::ReadCold(RequestPtr request) {
  const PartitionPtr partition = request->partition;
  if (!Leave(request)) return;
  auto with_root = [this, request = std::move(request)](
                       Result<ColdPartitionPtr> root) mutable {
    if (!ComeBack(*request)) return;
    if (!root.ok()) {
      return Finish(std::move(request), std::move(root).status());
    }
    if ((*root)->Covers(request->next)) {
      return FindCold(std::move(request), *std::move(root));
    }
    if ((*root)->log_start > request->next) {
      // By the store that has taken over: this one would know of it.
      Status trimmed(
          StatusCode::kOutOfRange,
          fmt::format("{}: offset {} was trimmed in the bucket, which starts "
                      "at {}",
                      request->partition->name.ToString(),
                      request->next.value(), (*root)->log_start.value()));
      return Finish(std::move(request), std::move(trimmed));
    }
    Status lost(
        StatusCode::kDataLoss,
        fmt::format("{}: no cold segment owns offset {}, the bucket's "
                    "root (generation {}) ends at {}",
                    request->partition->name.ToString(), request->next.value(),
                    (*root)->generation, (*root)->cold_end().value()));
    Recover(std::move(request), nullptr, std::move(lost));
  };
  cold_roots_->Load(partition, std::move(with_root));
}

void Reader::FindCold(RequestPtr request, ColdPartitionPtr root) {
  const PartitionId id = request->partition->id;
  const Offset next = request->next;
  if (!Leave(request)) return;
  context_.cold_manifest->LoadRun(
      id, std::move(root), next,
      [this, next,
       request = std::move(request)](Result<ColdRunPtr> run) mutable {
        if (!ComeBack(*request)) return;
        if (!run.ok()) {
          return Recover(std::move(request), nullptr, std::move(run).status());
        }
        ReadColdSegment(std::move(request), *FindEntry(**run, next));
      });
}

void Reader::ReadColdSegment(RequestPtr request, const SegmentEntry& entry) {
  const OffsetRange owner = entry.offsets;
  {
    MutexLock lock(request->partition->mu);
    CountAccess(*request->partition->ColdAccess(owner.base),
                *request->partition);
  }
  const ReadWindow window = request->Window();
  if (!Leave(request)) return;
  context_.cold->Read(entry, window,
                      [this, owner, request = std::move(request)](
                          Result<Batches> batches) mutable {
                        if (!ComeBack(*request)) return;
                        if (!batches.ok()) {
                          return Recover(std::move(request), nullptr,
                                         std::move(batches).status());
                        }
                        request->prefer_cold = false;
                        Absorb(*request, owner, *std::move(batches));
                        Run(std::move(request));
                      });
}

bool Reader::Absorb(Request& request, OffsetRange owner, Batches batches) {
  // A window gives batches that hold an offset of it; the limit wants them
  // whole below it.
  while (!batches.empty() && batches.back().end_offset() > request.limit) {
    batches.pop_back();
  }
  if (batches.empty()) {
    // Either the next one does not fit any more, or there is nothing but a gap
    // up to the owner's end.
    if (!request.batches.empty()) return false;
    request.next = std::max(request.next, owner.end);
    return true;
  }
  Counters& c = context_.counters;
  for (BatchView& batch : batches) {
    const uint64_t bytes = batch.bytes().size();
    request.bytes += bytes;
    request.coldest = std::max(request.coldest, batch.tier());
    switch (batch.tier()) {
      case StorageTier::kHot:
        Add(c.hot_reads, 1);
        Add(c.hot_bytes_read, bytes);
        break;
      case StorageTier::kWarm:
        Add(c.warm_reads, 1);
        Add(c.warm_bytes_read, bytes);
        break;
      case StorageTier::kCold:
        Add(c.cold_reads, 1);
        Add(c.cold_bytes_read, bytes);
        break;
    }
    request.next = batch.end_offset();
    request.batches.push_back(std::move(batch));
  }
  return true;
}

void Reader::Recover(RequestPtr request, SegmentPtr segment, Status status) {
  if (!request->batches.empty()) {
    return Finish(std::move(request), Status::Ok());
  }
  if (++request->relocations > kMaxRelocations ||
      status.code() != StatusCode::kDataLoss) {
    return Finish(std::move(request), std::move(status));
  }
  PartitionState& p = *request->partition;
  bool moved = false;
  bool in_cold = false;
  {
    MutexLock lock(p.mu);
    moved = segment != nullptr && p.FindSegment(request->next) != segment;
    in_cold = request->next < p.cold_end && context_.cold != nullptr;
  }
  if (moved) return Run(std::move(request));
  if (segment != nullptr && in_cold) {
    context_.log.Warning("{}: warm copy unreadable, reading the cold one: {}",
                         p.name.ToString(), status.message());
    request->prefer_cold = true;
    return Run(std::move(request));
  }
  if (segment == nullptr && in_cold && !request->root_reloaded) {
    // The object may be gone because the root moved on.
    request->root_reloaded = true;
    const PartitionPtr partition = request->partition;
    if (!Leave(request)) return;
    return cold_roots_->Reload(
        partition, [this, status, request = std::move(request)](
                       Result<ColdPartitionPtr> root) mutable {
          if (!ComeBack(*request)) return;
          if (!root.ok()) return Finish(std::move(request), std::move(status));
          Run(std::move(request));
        });
  }
  if (FaultPlanted(PlantedFault::kGapAnsweredOk) && segment != nullptr) {
    request->next = segment->entry.offsets.end;
    return Run(std::move(request));
  }
  Finish(std::move(request), std::move(status));
}

LatencyHistogram& Reader::ReadLatency(StorageTier tier) const {
  Counters& c = context_.counters;
  if (tier == StorageTier::kHot) return c.hot_read;
  return tier == StorageTier::kWarm ? c.warm_read : c.cold_read;
}

void Reader::CountAccess(AccessStats& access, const PartitionState& partition) {
  access.last.store(context_.Now(), std::memory_order_relaxed);
  const uint64_t count =
      access.count.fetch_add(1, std::memory_order_relaxed) + 1;
  const TieredStorageConfig& config = context_.config;
  if (count >= config.promotion_threshold &&
      partition.settings.enable_promotion.value_or(config.enable_promotion) &&
      !access.promotion_queued.exchange(true, std::memory_order_relaxed)) {
    context_.attention.RequestMigrations();
  }
}

}  // namespace strata::engine
