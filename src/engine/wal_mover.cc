#include "engine/wal_mover.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace strata::engine {

// Where one batch of a tail lies once more.
struct WalMover::Copy {
  PartitionPtr partition;
  OffsetRange offsets;
  Epoch epoch;
  WalPlace place;
  std::shared_ptr<Chunk> gap_chunk;  // null without a gap before it
};

void WalMover::Move(std::vector<PartitionPtr> partitions,
                    Engine::StatusDone done) {
  auto copies = std::make_shared<std::vector<Copy>>();
  for (const PartitionPtr& partition : partitions) {
    Status copied = CopyTail(partition, *copies);
    // What was copied is a duplicate, which does no harm.
    if (!copied.ok()) return done(std::move(copied));
  }
  if (copies->empty()) return done(Status::Ok());
  const uint64_t seq = copies->back().place.end_seq;
  context_.wal.WhenDurable(
      seq, [this, copies, done = std::move(done)](Status status) mutable {
        if (status.ok()) Swap(*copies);
        done(std::move(status));
      });
}

Status WalMover::CopyTail(const PartitionPtr& partition,
                          std::vector<Copy>& copies) {
  PartitionState& p = *partition;
  std::vector<WalFrame> frames;
  std::vector<bool> gap_before;
  MutexLock lock(p.mu);
  // A hole that is damage must not be made a gap.
  if (p.deleted || p.truncating || !p.damaged.empty()) return Status::Ok();
  Offset next = p.flushed_end;
  for (const TailBatch& tail : p.tail) {
    const BatchView::Facts& facts = tail.batch.facts;
    FrameHeader header;
    header.topic = p.id.topic;
    header.partition = p.id.partition;
    header.epoch = facts.epoch;
    header.flags = tail.wants_disk ? kFrameDurable : uint16_t{0};
    if (next < facts.offsets.base) {
      header.kind = FrameKind::kGap;
      header.offsets = {next, facts.offsets.base};
      frames.push_back({header, {}});
      gap_before.push_back(true);
    }
    header.kind = FrameKind::kBatch;
    header.format = facts.format;
    header.offsets = facts.offsets;
    header.max_timestamp = facts.max_timestamp;
    header.record_count = facts.record_count;
    frames.push_back({header, tail.batch.payload});
    gap_before.push_back(false);
    next = facts.offsets.end;
  }
  std::vector<WalPlace> places(frames.size());
  if (frames.empty()) return Status::Ok();
  STRATA_RETURN_IF_ERROR(context_.wal.Append(frames, places));
  std::shared_ptr<Chunk> gap_chunk;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (gap_before[i]) {
      gap_chunk = std::move(places[i].chunk);
      continue;
    }
    copies.push_back({partition, frames[i].header.offsets,
                      frames[i].header.epoch, std::move(places[i]),
                      std::move(gap_chunk)});
  }
  return Status::Ok();
}

void WalMover::Swap(const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) {
    PartitionState& p = *copy.partition;
    TailBatch old;  // let go outside of the lock
    MutexLock lock(p.mu);
    const size_t at = p.TailIndex(copy.offsets.base);
    // Flushed, truncated or replaced meanwhile.
    if (at >= p.tail.size() || p.tail[at].offsets() != copy.offsets ||
        p.tail[at].batch.facts.epoch != copy.epoch) {
      continue;
    }
    old = p.tail[at];
    p.tail[at].batch.payload = copy.place.payload;
    p.tail[at].chunk = copy.place.chunk;
    p.tail[at].gap_chunk = copy.gap_chunk;
    p.tail[at].wal_seq = copy.place.end_seq;
    Add(context_.counters.wal_moves, 1);
  }
}

}  // namespace strata::engine
