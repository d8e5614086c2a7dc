#include "testing/reference_model.h"

#include <fmt/format.h>

#include <algorithm>

namespace strata {
namespace {

template <typename... Args>
Status Wrong(fmt::format_string<Args...> format, Args&&... args) {
  return Status(StatusCode::kDataLoss,
                fmt::format(format, std::forward<Args>(args)...));
}

std::string Text(OffsetRange range) {
  return fmt::format("[{}, {})", range.base.value(), range.end.value());
}

std::string Text(OffsetRange range, Epoch epoch, size_t bytes) {
  return fmt::format("{} epoch {} of {} bytes", Text(range), epoch.value(),
                     bytes);
}

std::string BoundsText(const LogBounds& b) {
  return fmt::format("start {} cold {} durable {} visible {} end {} epoch {}",
                     b.log_start.value(), b.cold_end.value(),
                     b.durable_end.value(), b.visible_end.value(),
                     b.log_end.value(), b.epoch.value());
}

bool Same(const ModelBatch& expected, const ObservedBatch& found) {
  return expected.offsets == found.offsets && expected.epoch == found.epoch &&
         *expected.bytes == AsText(found.bytes);
}

// The first byte that differs, for the message.
size_t FirstDifference(std::string_view a, std::string_view b) {
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

Status Differs(const ModelBatch& expected, const ObservedBatch& found) {
  std::string detail;
  if (expected.offsets == found.offsets) {
    detail = fmt::format(", first other byte at {}",
                         FirstDifference(*expected.bytes, AsText(found.bytes)));
  }
  return Wrong("expected batch {}, found {}{}",
               Text(expected.offsets, expected.epoch, expected.bytes->size()),
               Text(found.offsets, found.epoch, found.bytes.size()), detail);
}

}  // namespace

std::vector<ObservedBatch> Observe(std::span<const BatchView> views) {
  std::vector<ObservedBatch> observed;
  for (const BatchView& view : views) {
    observed.push_back({view.offsets(), view.epoch(), view.bytes()});
  }
  return observed;
}

Status PartitionModel::Remember(Epoch epoch, Offset offset, ByteSpan bytes) {
  const auto [it, added] =
      ever_.try_emplace({epoch, offset}, std::string(AsText(bytes)));
  if (added || it->second == AsText(bytes)) return Status::Ok();
  return Wrong(
      "offset {} of epoch {} shows {} bytes that differ from the {} "
      "it once had",
      offset.value(), epoch.value(), bytes.size(), it->second.size());
}

Status PartitionModel::Issued(const AppendResult& result,
                              std::span<const Payload> payloads,
                              Durability durability,
                              std::optional<Offset> base) {
  // Appends wait for a truncation: that one got through tells that it is done.
  if (truncation_ && truncation_->second > epoch_ &&
      result.epoch >= truncation_->second) {
    Truncated();
  }
  const Offset expected = base.value_or(log_end_);
  Offset end = expected;
  for (const Payload& payload : payloads) end = end + payload.records;
  if (result.base_offset != expected || result.end_offset != end) {
    return Wrong("append at {} answered {}", Text({expected, end}),
                 Text({result.base_offset, result.end_offset}));
  }
  if (result.epoch < epoch_) {
    return Wrong("append of epoch {} after epoch {}", result.epoch.value(),
                 epoch_.value());
  }
  epoch_ = result.epoch;
  Offset at = expected;
  for (const Payload& payload : payloads) {
    STRATA_RETURN_IF_ERROR(Remember(epoch_, at, AsBytes(*payload.bytes)));
    versions_.back().push_back({.offsets = {at, at + payload.records},
                                .epoch = epoch_,
                                .bytes = payload.bytes,
                                .wants_disk = durability == Durability::kDisk,
                                .last = &payload == &payloads.back()});
    at = at + payload.records;
  }
  log_end_ = end;
  return Status::Ok();
}

void PartitionModel::Durable(Offset end) {
  durable_end_ = std::max(durable_end_, end);
}

void PartitionModel::BeginTrim(Offset before) { trims_.insert(before); }

void PartitionModel::EndTrim(Offset before, Outcome outcome) {
  if (outcome == Outcome::kRefused) trims_.extract(before);
  if (outcome != Outcome::kDone) return;
  log_start_ = std::max(log_start_, before);
  Durable(log_start_);
  trims_.erase(trims_.begin(), trims_.upper_bound(log_start_));
}

void PartitionModel::BeginTruncate(Offset offset, Epoch epoch) {
  truncation_ = {offset, epoch};
}

void PartitionModel::EndTruncate(Outcome outcome) {
  if (outcome == Outcome::kDone && truncation_) Truncated();
  if (outcome == Outcome::kRefused) truncation_.reset();
}

void PartitionModel::Truncated() {
  const auto [offset, epoch] = *truncation_;
  truncation_.reset();
  Log log = versions_.back();
  std::erase_if(log, [cut = offset](const ModelBatch& batch) {
    return batch.offsets.base >= cut;
  });
  if (!log.empty()) log.back().last = true;
  versions_.push_back(std::move(log));
  log_end_ = settled_end_ = offset;
  durable_end_ = std::min(durable_end_, offset);
  epoch_ = std::max(epoch_, epoch);
}

Offset PartitionModel::MustReach() const {
  Offset reach = log_start_;
  for (const ModelBatch& batch : log()) {
    if (batch.wants_disk && batch.offsets.end > durable_end_) break;
    reach = std::max(reach, batch.offsets.end);
  }
  return reach;
}

Status PartitionModel::CheckBounds(const LogBounds& bounds) {
  // A truncation may show before it is acknowledged.
  const bool cut = truncation_ && bounds.log_end == truncation_->first;
  if (bounds.log_end != log_end_ && !cut) {
    return Wrong("bounds are {}: expected log end {}", BoundsText(bounds),
                 log_end_.value());
  }
  if (bounds.log_start != log_start_ && !trims_.contains(bounds.log_start)) {
    return Wrong("bounds are {}: expected log start {}", BoundsText(bounds),
                 log_start_.value());
  }
  if (bounds.log_start > bounds.visible_end ||
      bounds.visible_end > bounds.log_end ||
      bounds.durable_end > bounds.log_end || bounds.cold_end > bounds.log_end) {
    return Wrong("bounds are {}: not in order", BoundsText(bounds));
  }
  if (bounds.epoch < epoch_) {
    return Wrong("bounds are {}: epoch {} was there", BoundsText(bounds),
                 epoch_.value());
  }
  if (truncation_) return Status::Ok();
  if (bounds.visible_end < MustReach() || bounds.durable_end < durable_end_) {
    return Wrong("bounds are {}: expected visible from {}, durable from {}",
                 BoundsText(bounds), MustReach().value(), durable_end_.value());
  }
  Durable(bounds.durable_end);
  return Status::Ok();
}

PartitionModel::ReadTicket PartitionModel::BeginRead(
    Offset start, const ReadOptions& options) const {
  return {start, options, MustReach(), log_end_, versions_.size() - 1};
}

Status PartitionModel::Matches(const Log& log, const ReadTicket& ticket,
                               std::span<const ObservedBatch> batches) const {
  auto expected =
      std::find_if(log.begin(), log.end(), [&](const ModelBatch& batch) {
        return batch.offsets.end > ticket.start;
      });
  for (const ObservedBatch& found : batches) {
    if (expected == log.end()) {
      return Wrong("batch {} was never appended",
                   Text(found.offsets, found.epoch, found.bytes.size()));
    }
    if (!Same(*expected, found)) return Differs(*expected, found);
    ++expected;
  }
  return Status::Ok();
}

Status PartitionModel::CheckRead(const ReadTicket& ticket,
                                 std::span<const ObservedBatch> batches) {
  Status verdict;
  for (size_t v = ticket.version; v < versions_.size(); ++v) {
    verdict = Matches(versions_[v], ticket, batches);
    if (verdict.ok()) break;
  }
  STRATA_RETURN_IF_ERROR(verdict);

  const ReadOptions& options = ticket.options;
  uint64_t bytes = 0;
  for (const ObservedBatch& batch : batches) {
    STRATA_RETURN_IF_ERROR(
        Remember(batch.epoch, batch.offsets.base, batch.bytes));
    bytes += batch.bytes.size();
    if (options.limit_offset && batch.offsets.end > *options.limit_offset) {
      return Wrong("batch {} lies above the limit {}", Text(batch.offsets),
                   options.limit_offset->value());
    }
  }
  if (batches.size() > 1 && bytes > options.max_bytes) {
    return Wrong("{} bytes read, at most {} were asked for", bytes,
                 options.max_bytes);
  }
  const bool cut = truncation_ || ticket.version + 1 != versions_.size();
  if (cut) return Status::Ok();
  // Who saw a batch that asked for kDisk may count on it.
  for (size_t i = 0; const ModelBatch& batch : log()) {
    if (i == batches.size()) break;
    if (batch.offsets.end <= ticket.start) continue;
    if (batch.wants_disk) Durable(batch.offsets.end);
    ++i;
  }
  if (!batches.empty()) return Status::Ok();
  const auto missed =
      std::find_if(log().begin(), log().end(), [&](const ModelBatch& batch) {
        return batch.offsets.end > ticket.start;
      });
  if (missed == log().end()) return Status::Ok();
  const Offset reach =
      std::min(ticket.must_reach, options.limit_offset.value_or(log_end_));
  if (missed->offsets.end > reach) return Status::Ok();
  return Wrong("nothing read from {} on, expected batch {}",
               ticket.start.value(),
               Text(missed->offsets, missed->epoch, missed->bytes->size()));
}

Status PartitionModel::CheckOutOfRange(const ReadTicket& ticket) const {
  const Offset trimmed =
      trims_.empty() ? log_start_ : std::max(log_start_, *trims_.rbegin());
  const bool cut = truncation_ || ticket.version + 1 != versions_.size();
  if (ticket.start < trimmed || ticket.start > ticket.log_end || cut) {
    return Status::Ok();
  }
  return Wrong("offset {} answered out of range, the log is {}",
               ticket.start.value(), Text({log_start_, log_end_}));
}

bool PartitionModel::MayTruncate(Offset offset, Epoch epoch) const {
  return offset >= log_start_ && offset <= log_end_ && epoch > epoch_ &&
         std::none_of(log().begin(), log().end(), [&](const ModelBatch& b) {
           return b.offsets.base < offset && offset < b.offsets.end;
         });
}

Status PartitionModel::CheckEpochEnd(Epoch asked, const EpochEnd& end) const {
  if (end.epoch > asked) {
    return Wrong("epoch {} asked for, {} answered", asked.value(),
                 end.epoch.value());
  }
  for (const ModelBatch& batch : log()) {
    if (batch.offsets.end <= log_start_) continue;
    const bool before = batch.epoch <= asked;
    if (before ? batch.offsets.end > end.end : batch.offsets.base < end.end) {
      return Wrong("epoch {} ends at {} they say, but there is batch {}",
                   asked.value(), end.end.value(),
                   Text(batch.offsets, batch.epoch, batch.bytes->size()));
    }
  }
  return Status::Ok();
}

// A crash may leave the log's end at the end of an atomic append, or at that
// of a gap, whose Write did not survive.
bool PartitionModel::CanEndAt(Offset end) const {
  if (end == log_end_ || end == settled_end_) return true;
  Offset reached;
  for (const ModelBatch& batch : log()) {
    if (batch.last && batch.offsets.end == end) return true;
    if (batch.offsets.base == end && reached < end) return true;
    reached = batch.offsets.end;
  }
  return false;
}

Status PartitionModel::CheckRestartBounds(const LogBounds& bounds,
                                          bool clean) const {
  if (bounds.log_start != log_start_ && !trims_.contains(bounds.log_start)) {
    return Wrong("log start is {}, expected {}", bounds.log_start.value(),
                 log_start_.value());
  }
  const Offset end = bounds.log_end;
  const Offset must = clean ? log_end_ : durable_end_;
  const bool kept = end >= must && end <= log_end_ &&
                    (CanEndAt(end) || end == bounds.log_start);
  const bool cut =
      truncation_ && end <= truncation_->first &&
      end >= std::min(must, truncation_->first) &&
      (CanEndAt(end) || end == truncation_->first || end == bounds.log_start);
  if (!kept && !cut) {
    return Wrong("log end is {}, expected from {} to {}{}", end.value(),
                 must.value(), log_end_.value(),
                 truncation_
                     ? fmt::format(", or cut at {}", truncation_->first.value())
                     : "");
  }
  if (clean ? bounds.epoch < epoch_ : bounds.epoch <= epoch_) {
    return Wrong("epoch is {} after {}", bounds.epoch.value(), epoch_.value());
  }
  if (bounds.visible_end != end || bounds.durable_end != end) {
    return Wrong("bounds are {}: not all durable and visible after an open",
                 BoundsText(bounds));
  }
  return Status::Ok();
}

Status PartitionModel::Restart(const ObservedLog& observed, bool clean) {
  const LogBounds& bounds = observed.bounds;
  STRATA_RETURN_IF_ERROR(CheckRestartBounds(bounds, clean));
  Log log = versions_.back();
  std::erase_if(log, [&](const ModelBatch& batch) {
    return batch.offsets.end > bounds.log_end;
  });
  if (!log.empty()) log.back().last = true;
  const ReadTicket all{bounds.log_start, {}, bounds.log_end, bounds.log_end, 0};
  STRATA_RETURN_IF_ERROR(Matches(log, all, observed.batches));
  const Offset reached = observed.batches.empty()
                             ? bounds.log_start
                             : observed.batches.back().offsets.end;
  if (!log.empty() && log.back().offsets.end > reached) {
    return Wrong("the log ends at {}, expected batch {} too", reached.value(),
                 Text(log.back().offsets));
  }
  versions_ = {std::move(log)};
  log_start_ = bounds.log_start;
  log_end_ = durable_end_ = settled_end_ = bounds.log_end;
  epoch_ = bounds.epoch;
  trims_.clear();
  truncation_.reset();
  return Status::Ok();
}

void ReferenceModel::BeginCreate(const std::string& name, uint32_t partitions) {
  creating_[name] = partitions;
}

Status ReferenceModel::EndCreate(const std::string& name,
                                 const TopicInfo* info) {
  if (info != nullptr) STRATA_RETURN_IF_ERROR(Add(*info));
  creating_.erase(name);
  return Status::Ok();
}

Status ReferenceModel::Add(const TopicInfo& info) {
  const auto asked = creating_.find(info.name);
  if (asked == creating_.end() || asked->second != info.partitions) {
    return Wrong("topic {} with {} partitions was never created", info.name,
                 info.partitions);
  }
  const Topic* present = Find(info.name);
  if (present != nullptr && !present->deleting) {
    return Wrong("topic {} was created twice", info.name);
  }
  if (!ids_.insert(info.id).second) {
    return Wrong("topic {} has the id {} of an earlier one", info.name,
                 info.id.ToString());
  }
  topics_[info.name] = {info.name, info.id, 0,
                        std::vector<PartitionModel>(info.partitions)};
  return Status::Ok();
}

void ReferenceModel::BeginDelete(const std::string& name) {
  if (Topic* topic = Find(name)) ++topic->deleting;
}

void ReferenceModel::EndDelete(const std::string& name, const TopicId& id,
                               Outcome outcome) {
  Topic* topic = Find(name);
  // Created again in the meantime: another one.
  if (topic == nullptr || topic->id != id) return;
  if (outcome == Outcome::kDone) topics_.erase(name);
  if (outcome == Outcome::kRefused) --topic->deleting;
}

Status ReferenceModel::Restart(std::span<const TopicInfo> listed) {
  std::set<TopicId> seen;
  for (const TopicInfo& info : listed) seen.insert(info.id);
  for (auto it = topics_.begin(); it != topics_.end();) {
    const Topic& topic = it->second;
    const bool there = seen.contains(topic.id);
    if (!there && !topic.deleting) {
      return Wrong("topic {} {} is gone", topic.name, topic.id.ToString());
    }
    it->second.deleting = 0;
    it = there ? std::next(it) : topics_.erase(it);
  }
  for (const TopicInfo& info : listed) {
    const Topic* topic = Find(info.name);
    if (topic == nullptr) {
      STRATA_RETURN_IF_ERROR(Add(info));
    } else if (topic->id != info.id ||
               topic->partitions.size() != info.partitions) {
      return Wrong("topic {} is another one: {} with {} partitions", info.name,
                   info.id.ToString(), info.partitions);
    }
  }
  creating_.clear();
  return Status::Ok();
}

ReferenceModel::Topic* ReferenceModel::Find(const std::string& name) {
  const auto it = topics_.find(name);
  return it == topics_.end() ? nullptr : &it->second;
}

PartitionModel* ReferenceModel::Find(const TopicId& id, uint32_t partition) {
  for (auto& [name, topic] : topics_) {
    if (topic.id == id && partition < topic.partitions.size()) {
      return &topic.partitions[partition];
    }
  }
  return nullptr;
}

}  // namespace strata
