#include "engine/partition_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "engine/coverage.h"

namespace strata::engine {
namespace {

// Cold access counts kept per partition; all are dropped when it is reached,
// which only delays promotions.
constexpr size_t kMaxColdAccess = 4096;

}  // namespace

Offset PartitionState::VisibleEnd(uint64_t durable_seq) {
  while (visible_batches_ < tail.size()) {
    const TailBatch& next = tail[visible_batches_];
    if (next.wants_disk && next.wal_seq > durable_seq) break;
    ++visible_batches_;
  }
  if (visible_batches_ == tail.size()) return log_end;
  return std::max(log_start, tail[visible_batches_].log_end_before);
}

std::optional<uint64_t> PartitionState::AwaitedSeq(uint64_t durable_seq) {
  VisibleEnd(durable_seq);
  if (visible_batches_ == tail.size()) return std::nullopt;
  return tail[visible_batches_].wal_seq;
}

void PartitionState::WakeReaders() {
  for (const auto& waiter : read_waiters) waiter->Wake();
  read_waiters.clear();
}

Offset PartitionState::DurableEnd(uint64_t durable_seq) const {
  const auto pending = std::partition_point(
      tail.begin(), tail.end(),
      [&](const TailBatch& b) { return b.wal_seq <= durable_seq; });
  if (pending == tail.end()) return log_end;
  return std::max(log_start, pending->log_end_before);
}

void PartitionState::PushTail(TailBatch&& batch) {
  STRATA_CHECK(batch.offsets().base >= log_end);
  batch.log_end_before = log_end;
  log_end = batch.offsets().end;
  tail_bytes += batch.batch.payload.size();
  tail.push_back(std::move(batch));
}

std::vector<TailBatch> PartitionState::PopTail(Offset end) {
  std::vector<TailBatch> popped;
  while (!tail.empty() && tail.front().offsets().end <= end) {
    tail_bytes -= tail.front().batch.payload.size();
    popped.push_back(std::move(tail.front()));
    tail.pop_front();
    if (visible_batches_ > 0) --visible_batches_;
  }
  return popped;
}

std::vector<TailBatch> PartitionState::CutTail(Offset offset) {
  std::vector<TailBatch> cut;
  while (!tail.empty() && tail.back().offsets().end > offset) {
    tail_bytes -= tail.back().batch.payload.size();
    cut.push_back(std::move(tail.back()));
    tail.pop_back();
  }
  visible_batches_ = std::min(visible_batches_, tail.size());
  return cut;
}

size_t PartitionState::TailIndex(Offset offset) const {
  const auto it = std::partition_point(
      tail.begin(), tail.end(),
      [&](const TailBatch& b) { return b.offsets().end <= offset; });
  return static_cast<size_t>(it - tail.begin());
}

SegmentPtr PartitionState::FindSegment(Offset offset) const {
  auto it = segments.upper_bound(offset);
  if (it == segments.begin()) return nullptr;
  --it;
  return it->second->entry.offsets.Contains(offset) ? it->second : nullptr;
}

bool PartitionState::IsLive(const SegmentPtr& segment) const {
  const auto it = segments.find(segment->entry.offsets.base);
  return !deleted && it != segments.end() && it->second == segment;
}

std::vector<OffsetRange> PartitionState::OnlyCold() const {
  std::vector<OffsetRange> local;
  for (const auto& [base, segment] : segments) {
    if (base >= cold_end) break;
    local.push_back(segment->entry.offsets);
  }
  return Uncovered({log_start, cold_end}, std::move(local));
}

std::optional<OffsetRange> PartitionState::DamageAt(Offset offset) const {
  for (const OffsetRange& range : damaged) {
    if (range.Contains(offset)) return range;
  }
  return std::nullopt;
}

Status PartitionState::Fenced() const {
  if (claim.fenced_by.number == 0) return Status::Ok();
  return {StatusCode::kReadOnly,
          fmt::format("{}: store {}, which was restored from the bucket, has "
                      "taken the partition over (claim {}); this store takes "
                      "no more appends for it, what it has can still be read",
                      name.ToString(), claim.fenced_by.owner.ToString(),
                      claim.fenced_by.number)};
}

std::optional<EpochEnd> PartitionState::EndOfEpoch(Epoch epoch) const {
  const auto above = std::upper_bound(
      epochs.begin(), epochs.end(), epoch,
      [](Epoch e, const EpochStart& s) { return e < s.epoch; });
  if (above == epochs.begin()) return std::nullopt;
  return EpochEnd{std::prev(above)->epoch,
                  above == epochs.end() ? log_end : above->start};
}

std::shared_ptr<AccessStats> PartitionState::ColdAccess(Offset base) {
  if (cold_access.size() >= kMaxColdAccess) cold_access.clear();
  std::shared_ptr<AccessStats>& stats = cold_access[base];
  if (stats == nullptr) stats = std::make_shared<AccessStats>();
  return stats;
}

void StartEpoch(std::vector<EpochStart>& epochs, Epoch epoch, Offset start) {
  while (!epochs.empty() && epochs.back().start >= start) epochs.pop_back();
  epochs.push_back({epoch, start});
}

bool EpochAdmits(const std::vector<EpochStart>& epochs, Epoch epoch,
                 Offset end) {
  for (const EpochStart& next : epochs) {
    if (next.epoch > epoch) return end <= next.start;
  }
  return true;
}

std::unique_ptr<ColdWrite> ColdWrite::Begin(PartitionPtr partition) {
  {
    MutexLock lock(partition->mu);
    if (partition->deleted) return nullptr;
    ++partition->cold_writes;
  }
  return std::unique_ptr<ColdWrite>(new ColdWrite(std::move(partition)));
}

ColdWrite::~ColdWrite() {
  MutexLock lock(partition_->mu);
  --partition_->cold_writes;
}

}  // namespace strata::engine
