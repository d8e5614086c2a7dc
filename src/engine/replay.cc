#include "engine/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace strata::engine {

void Replay::OnFrame(RecoveredFrame frame) {
  const PartitionId id{frame.header.topic, frame.header.partition};
  const PartitionPtr p = topics_.Find(id);
  if (p == nullptr) return;  // deleted
  seen_.insert(id);
  MutexLock lock(p->mu);
  if (frame.header.kind == FrameKind::kGap) return OnGap(*p, frame);
  if (frame.header.kind == FrameKind::kBatch) OnBatch(*p, std::move(frame));
}

void Replay::OnGap(PartitionState& p, const RecoveredFrame& frame) {
  OffsetRange gap = frame.header.offsets;
  // A truncation may have cut within the gap.
  for (const EpochStart& next : p.epochs) {
    if (next.epoch > frame.header.epoch)
      gap.end = std::min(gap.end, next.start);
  }
  if (gap.base > p.log_end || gap.end <= p.log_end) return;
  p.log_end = gap.end;
  gap_chunks_[p.id] = frame.chunk;
}

void Replay::OnBatch(PartitionState& p, RecoveredFrame frame) {
  const FrameHeader& h = frame.header;
  if (!EpochAdmits(p.epochs, h.epoch, h.offsets.end)) return;
  // Flushed, or copied forward in the log and seen already.
  if (h.offsets.end <= p.log_end) return;
  if (h.offsets.base < p.log_end) {
    return AddDamage(p, {p.log_end, h.offsets.end},
                     fmt::format("{}: batch [{}, {}) overlaps the log end {}",
                                 frame.where(), h.offsets.base.value(),
                                 h.offsets.end.value(), p.log_end.value()));
  }
  if (h.offsets.base > p.log_end) {
    AddDamage(
        p, {p.log_end, h.offsets.base},
        fmt::format("offsets [{}, {}) are missing from the WAL before {}",
                    p.log_end.value(), h.offsets.base.value(), frame.where()));
  }
  if (frame.payload_damaged) {
    return AddDamage(
        p, h.offsets,
        fmt::format("{}: payload of offsets [{}, {}) is damaged", frame.where(),
                    h.offsets.base.value(), h.offsets.end.value()));
  }
  ++report_.replayed_batches;
  report_.replayed_bytes += frame.payload.size();
  std::shared_ptr<Chunk> gap_chunk;
  if (const auto it = gap_chunks_.find(p.id); it != gap_chunks_.end()) {
    gap_chunk = std::move(it->second);
    gap_chunks_.erase(it);
  }
  p.PushTail({.batch = {.facts = {.offsets = h.offsets,
                                  .epoch = h.epoch,
                                  .tier = StorageTier::kHot,
                                  .format = h.format,
                                  .record_count = h.record_count,
                                  .max_timestamp = h.max_timestamp},
                        .payload = frame.payload,
                        .payload_crc32c = h.payload_crc32c},
              .chunk = std::move(frame.chunk),
              .gap_chunk = std::move(gap_chunk),
              .wal_seq = frame.seq,
              .wants_disk = (h.flags & kFrameDurable) != 0,
              .appended_at = 0});
}

void Replay::AddDamage(PartitionState& p, OffsetRange range,
                       std::string detail) {
  p.log_end = std::max(p.log_end, range.end);
  const bool known = std::ranges::any_of(p.damaged, [&](OffsetRange r) {
    return r.base <= range.base && range.end <= r.end;
  });
  if (known) return;
  p.damaged.push_back(range);
  std::ranges::sort(p.damaged, {}, [](OffsetRange r) { return r.base; });
  newly_damaged_.insert(p.id);
  report_.damage.push_back({p.name.ToString(), std::move(detail)});
}

void Replay::OnDamage(const WalDamage& damage) {
  report_.damage.push_back({"", damage.detail});
  if (!damage.unidentified) return;
  unidentified_ = true;
  seen_.clear();
}

std::set<PartitionId> Replay::Finish() {
  if (!unidentified_) return std::move(newly_damaged_);
  for (const PartitionPtr& p : topics_.Partitions()) {
    // A later frame of the partition tells by its offset what is missing;
    // without one, nobody can.
    if (seen_.contains(p->id)) continue;
    MutexLock lock(p->mu);
    if (p->damaged_tail) continue;
    p->damaged_tail = true;
    newly_damaged_.insert(p->id);
    report_.damage.push_back(
        {p->name.ToString(),
         fmt::format("batches from offset {} on may be lost",
                     p->log_end.value())});
  }
  return std::move(newly_damaged_);
}

}  // namespace strata::engine
