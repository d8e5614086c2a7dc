#include "engine/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace strata::engine {

void Replay::OnFrame(RecoveredFrame frame) {
  const PartitionId id{frame.header.topic, frame.header.partition};
  const PartitionPtr p = topics_.Find(id);
  if (p == nullptr) return;  // deleted
  seen_.insert(id);
  MutexLock lock(p->mu);
  OffsetRange& offsets = frame.header.offsets;
  if (frame.header.kind == FrameKind::kGap) {
    // A truncation may have cut within the gap.
    for (const EpochStart& next : p->epochs) {
      if (next.epoch > frame.header.epoch) {
        offsets.end = std::min(offsets.end, next.start);
      }
    }
    if (offsets.empty()) return;
  } else if (frame.header.kind != FrameKind::kBatch ||
             !EpochAdmits(p->epochs, frame.header.epoch, offsets.end)) {
    return;
  }
  if (offsets.end <= p->flushed_end) return;
  // The same frame again was copied forward: the intact one counts, and of two
  // the later one, which keeps the later file.
  RecoveredFrame& known = frames_[id][offsets.base];
  if (known.chunk == nullptr || !frame.payload_damaged) {
    known = std::move(frame);
  }
}

void Replay::FillTail(PartitionState& p, Frames& frames) {
  // The batch behind a gap owns it; where there is none the loss does.
  std::optional<OffsetRange> gap;
  std::shared_ptr<Chunk> gap_chunk;
  const auto lose = [&](OffsetRange range, std::string detail)
                        STRATA_REQUIRES(p.mu) {
                          if (gap) range.base = std::min(range.base, gap->base);
                          gap.reset();
                          gap_chunk.reset();
                          AddDamage(p, range, std::move(detail));
                        };
  for (auto& [base, frame] : frames) {
    const OffsetRange offsets = frame.header.offsets;
    if (offsets.end <= p.log_end) continue;
    // What was trimmed need not be there.
    const OffsetRange hole{std::max(p.log_end, p.log_start), base};
    if (!hole.empty()) {
      lose(hole,
           fmt::format("offsets [{}, {}) are missing from the WAL before "
                       "{}",
                       hole.base.value(), hole.end.value(), frame.where()));
    }
    if (frame.header.kind == FrameKind::kGap) {
      if (!gap) gap = OffsetRange{std::max(p.log_end, base), offsets.end};
      gap->end = offsets.end;
      p.log_end = offsets.end;
      gap_chunk = std::move(frame.chunk);
    } else if (base < p.log_end) {
      lose({p.log_end, offsets.end},
           fmt::format("{}: batch [{}, {}) overlaps the log end {}",
                       frame.where(), base.value(), offsets.end.value(),
                       p.log_end.value()));
    } else if (frame.payload_damaged) {
      lose(offsets,
           fmt::format("{}: payload of offsets [{}, {}) is damaged",
                       frame.where(), base.value(), offsets.end.value()));
    } else {
      PushBatch(p, std::move(frame), std::move(gap_chunk));
      gap.reset();
    }
  }
}

void Replay::PushBatch(PartitionState& p, RecoveredFrame frame,
                       std::shared_ptr<Chunk> gap_chunk) {
  const FrameHeader& h = frame.header;
  ++report_.replayed_batches;
  report_.replayed_bytes += frame.payload.size();
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
  std::erase_if(p.damaged, [&](OffsetRange r) {
    return range.base <= r.base && r.end <= range.end;
  });
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
  for (auto& [id, frames] : frames_) {
    const PartitionPtr p = topics_.Find(id);
    MutexLock lock(p->mu);
    FillTail(*p, frames);
  }
  frames_.clear();
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
