// PartitionState: one partition in memory. Bounds, epochs, the unflushed tail
// and the sealed segments of its local part; the cold part lies behind the
// ColdManifest.
//
// Invariants (P3, P4), under `mu`:
//   log_start <= log_end, flushed_end <= log_end, cold_end <= flushed_end
//   segments are disjoint and ascending; what lies in [log_start, flushed_end)
//   is owned by a segment, by the cold part (below cold_end) or by `damaged`
//   tail batches ascend without overlap within [flushed_end, log_end)
//   epochs ascend strictly, in epoch and in start (equal only for the last)
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/chunk.h"
#include "base/mutex.h"
#include "engine/gate.h"
#include "format/manifest_format.h"
#include "format/segment_entry.h"
#include "hot/hot_tier.h"
#include "strata/tiered_storage.h"

namespace strata::engine {

// How often and when a segment was read. Thread-safe; the counts are hints, so
// relaxed order is enough.
struct AccessStats {
  std::atomic<uint64_t> count{0};
  std::atomic<TimestampMs> last{0};
  // One promotion is queued for this many reads, not one for each further.
  std::atomic<bool> promotion_queued{false};
};

// A local sealed segment. The entry is immutable: a change makes a new Segment,
// so that identity tells a job whether its input is still what it was.
struct Segment {
  explicit Segment(SegmentEntry e) : entry(std::move(e)) {}

  const SegmentEntry entry;
  std::shared_ptr<AccessStats> access = std::make_shared<AccessStats>();
  // When it came back from cold, if it did.
  std::optional<TimestampMs> promoted_at;
  // Guarded by the partition's mu.
  std::shared_ptr<HotCopy> hot;
};
using SegmentPtr = std::shared_ptr<Segment>;

// A batch that is in the WAL only.
struct TailBatch {
  HotBatch batch;
  std::shared_ptr<Chunk> chunk;  // keeps memory and WAL space
  // Keeps the WAL space of the gap frame below this batch, if there is one: a
  // gap whose frame is gone looks like loss.
  std::shared_ptr<Chunk> gap_chunk;
  Offset log_end_before{};  // set by PushTail
  uint64_t wal_seq = 0;     // durable once the WAL's durable_seq reaches it
  bool wants_disk = false;
  TimestampMs appended_at = 0;

  OffsetRange offsets() const { return batch.facts.offsets; }
};

class AckQueue;

// A read that waits for more at the visible end. Thread-safe.
class ReadWaiter {
 public:
  virtual ~ReadWaiter() = default;
  // Has the read look again. Only posts: may be called under locks.
  virtual void Wake() = 0;
};

// Who may write to the partition's root in the bucket, as far as this session
// knows. See Claims.
struct PartitionClaim {
  // The claim of the root that this store's own may follow: once held, that.
  ColdClaim known{};
  bool held = false;
  // Of another store; number 0: nobody took the partition over.
  ColdClaim fenced_by{};
  // Appends do not wait for the claim: nobody else knows the topic yet, or the
  // bucket does not answer.
  bool appends_ahead = false;
  // An attempt is being made; who waits for its end.
  bool under_way = false;
  std::vector<UniqueFunction<void(Status)>> waiters{};
  // How the last attempt ended, and when the next may begin by itself.
  Status failed{};
  MonotonicTime again{};
};

// Owned by shared_ptr: what goes on with it holds it.
class PartitionState : public std::enable_shared_from_this<PartitionState> {
 public:
  PartitionState(PartitionId partition_id, TopicPartition partition_name,
                 TopicSettings topic_settings, Executor& executor)
      : id(partition_id),
        name(std::move(partition_name)),
        settings(std::move(topic_settings)),
        segment_gate(executor),
        tail_gate(executor) {}

  const PartitionId id;
  const TopicPartition name;
  const TopicSettings settings;

  // Held while sealed segments are swapped (offload's commit, merge, drop,
  // promotion, collection, truncation, repair): as long as the bucket takes,
  // where that is part of it.
  Gate segment_gate;
  // Held while the tail's lower end moves (flush, truncation, repair), never
  // while the bucket is waited for. Taken after segment_gate.
  Gate tail_gate;

  Mutex mu;
  bool deleted STRATA_GUARDED_BY(mu) = false;
  Offset log_start STRATA_GUARDED_BY(mu);
  Offset log_end STRATA_GUARDED_BY(mu);
  Offset flushed_end STRATA_GUARDED_BY(mu);
  Offset cold_end STRATA_GUARDED_BY(mu);
  uint64_t cold_generation STRATA_GUARDED_BY(mu) = 0;
  std::vector<EpochStart> epochs STRATA_GUARDED_BY(mu) = {{}};  // 0 from 0
  // Acknowledged bytes that are lost; appends are refused until repaired.
  std::vector<OffsetRange> damaged STRATA_GUARDED_BY(mu);
  // Batches may be missing behind log_end, nobody can tell how many.
  bool damaged_tail STRATA_GUARDED_BY(mu) = false;
  // A truncation is being made durable: appends wait for it.
  bool truncating STRATA_GUARDED_BY(mu) = false;
  PartitionClaim claim STRATA_GUARDED_BY(mu);
  // Cold root looked at since open: cold_end is what the bucket says.
  bool cold_adopted STRATA_GUARDED_BY(mu) = false;
  // The cold root, when last looked at, lacked part of what is cold: nothing is
  // offloaded, merged or dropped until it has it.
  bool cold_short STRATA_GUARDED_BY(mu) = false;
  // Why the last job could not move a segment on (kDataLoss), and when. What
  // cannot leave warm must not take the room of others.
  Status stuck STRATA_GUARDED_BY(mu);
  TimestampMs stuck_at STRATA_GUARDED_BY(mu) = 0;
  // Trimmed segments are being removed; one at a time is enough.
  bool collecting STRATA_GUARDED_BY(mu) = false;
  // The bucket does not know of log_start yet.
  bool cold_trim_pending STRATA_GUARDED_BY(mu) = false;
  // Jobs that upload or commit to the root; none begins once it is deleted.
  int cold_writes STRATA_GUARDED_BY(mu) = 0;
  std::deque<TailBatch> tail STRATA_GUARDED_BY(mu);
  uint64_t tail_bytes STRATA_GUARDED_BY(mu) = 0;
  std::map<Offset, SegmentPtr> segments STRATA_GUARDED_BY(mu);
  // Reads to be woken when more is visible, or anything else has changed that
  // could be their answer.
  std::vector<std::shared_ptr<ReadWaiter>> read_waiters STRATA_GUARDED_BY(mu);
  // Truncations so far: batches that a waiting read holds may be cut off.
  uint64_t cuts STRATA_GUARDED_BY(mu) = 0;
  // Made by the first asynchronous append.
  std::shared_ptr<AckQueue> acks STRATA_GUARDED_BY(mu);
  // Reads of cold segments by base offset; bounded, hints only.
  std::map<Offset, std::shared_ptr<AccessStats>> cold_access
      STRATA_GUARDED_BY(mu);

  Epoch CurrentEpoch() const STRATA_REQUIRES(mu) { return epochs.back().epoch; }

  // kReadOnly, naming the new owner, once another store has taken over.
  Status Fenced() const STRATA_REQUIRES(mu);
  // Whether it took appends, perhaps, that no claim stands behind.
  bool AppendsUnclaimed() const STRATA_REQUIRES(mu) {
    return claim.appends_ahead && !claim.held && log_end > Offset(0);
  }

  // One past the last offset below which every batch has the level it asked
  // for, the WAL being durable through `durable_seq`. Amortised O(1).
  Offset VisibleEnd(uint64_t durable_seq) STRATA_REQUIRES(mu);
  // The WAL group that has to be durable before VisibleEnd can move; nullopt
  // when it is the log end.
  std::optional<uint64_t> AwaitedSeq(uint64_t durable_seq) STRATA_REQUIRES(mu);
  void WakeReaders() STRATA_REQUIRES(mu);
  // One past the last offset below which everything survives loss of power.
  Offset DurableEnd(uint64_t durable_seq) const STRATA_REQUIRES(mu);

  // One past the last offset that a batch, a segment or the cold part owns:
  // below log_end only after a truncation into a gap.
  Offset OwnedEnd() const STRATA_REQUIRES(mu) {
    return tail.empty() ? flushed_end : tail.back().offsets().end;
  }

  // Adds a batch at log_end or above; a gap below it is allowed.
  void PushTail(TailBatch&& batch) STRATA_REQUIRES(mu);
  // Removes tail batches that end at or below `end`; answers them so that the
  // caller can let them go outside the lock.
  std::vector<TailBatch> PopTail(Offset end) STRATA_REQUIRES(mu);
  // Removes tail batches at and above `offset`.
  std::vector<TailBatch> CutTail(Offset offset) STRATA_REQUIRES(mu);
  // Position in `tail` of the first batch that ends above `offset`.
  size_t TailIndex(Offset offset) const STRATA_REQUIRES(mu);

  // The local segment that holds `offset`, or null.
  SegmentPtr FindSegment(Offset offset) const STRATA_REQUIRES(mu);
  // Whether `segment` is still part of the log, as it is.
  bool IsLive(const SegmentPtr& segment) const STRATA_REQUIRES(mu);
  // The parts of [log_start, cold_end) that no local segment owns.
  std::vector<OffsetRange> OnlyCold() const STRATA_REQUIRES(mu);
  // The damaged range that holds `offset`.
  std::optional<OffsetRange> DamageAt(Offset offset) const STRATA_REQUIRES(mu);

  // Where `epoch`, or the greatest one below it, ends.
  std::optional<EpochEnd> EndOfEpoch(Epoch epoch) const STRATA_REQUIRES(mu);

  // The access counts of the cold segment at `base`; makes them.
  std::shared_ptr<AccessStats> ColdAccess(Offset base) STRATA_REQUIRES(mu);

 private:
  // Batches of `tail` known to be visible.
  size_t visible_batches_ STRATA_GUARDED_BY(mu) = 0;
};
using PartitionPtr = std::shared_ptr<PartitionState>;

// Counts as one of the partition's cold_writes while it lives. Owned by one
// thread at a time.
class ColdWrite {
 public:
  // Null when the partition is deleted.
  static std::unique_ptr<ColdWrite> Begin(PartitionPtr partition);
  ~ColdWrite();
  ColdWrite(const ColdWrite&) = delete;
  ColdWrite& operator=(const ColdWrite&) = delete;

 private:
  explicit ColdWrite(PartitionPtr partition)
      : partition_(std::move(partition)) {}
  const PartitionPtr partition_;
};

// Adds `epoch`, which begins at `start`: epochs that would be empty go.
void StartEpoch(std::vector<EpochStart>& epochs, Epoch epoch, Offset start);

// Whether a WAL frame of `epoch` that ends at `end` is still part of a log with
// this epoch table: a truncation, which began a higher epoch at or below its
// end, cut it otherwise.
bool EpochAdmits(const std::vector<EpochStart>& epochs, Epoch epoch,
                 Offset end);

}  // namespace strata::engine
