// The part of CheckedStore that concerns one partition's log: appends, reads,
// bounds, trim and truncation.
#include <algorithm>

#include "testing/checked_store.h"

namespace strata {
namespace {

using engine::PartitionState;

constexpr size_t kMaxHeldViews = 3;

std::string Text(const PartitionState& partition) {
  return partition.name.ToString();
}

}  // namespace

// --- Appends ---

CheckedStore::OpPtr CheckedStore::Append(const PartitionPtr& partition,
                                         const AppendOptions& options) {
  uint64_t bytes = 0;
  std::vector<AppendRequest> requests;
  for (const auto& payload : options.payloads) {
    AppendRequest request;
    request.bytes = AsBytes(*payload.bytes);
    request.record_count = static_cast<uint32_t>(payload.records);
    request.durability = options.durability;
    request.expected_offset = options.expected_offset;
    requests.push_back(request);
    bytes += payload.bytes->size();
  }
  OpPtr op = Begin(
      SimOp::kAppend,
      fmt::format(
          "{} to {}: {} batches, {} bytes{}", Name(options.durability),
          Text(*partition), requests.size(), bytes,
          options.expected_offset
              ? fmt::format(", expecting {}", options.expected_offset->value())
              : ""));
  const PartitionModel* model = Model(*partition);
  const bool unexpected = model != nullptr && options.expected_offset &&
                          *options.expected_offset != model->log_end() &&
                          !model->truncating();
  auto pending = world_.engine->TryAppend(*partition, requests);
  if (pending.ok() && unexpected) {
    world_.journal().Fail(op->what + ": accepted at another offset");
  }
  if (!pending.ok() && pending.status().code() == StatusCode::kConflict) {
    End(op, pending.status(), partition.get(), {StatusCode::kConflict});
    if (!unexpected && model != nullptr && !model->truncating()) {
      Check(*op, pending.status());
    }
    return op;
  }
  return FinishAppend(std::move(op), partition, std::move(pending),
                      options.payloads, options.durability, std::nullopt);
}

CheckedStore::OpPtr CheckedStore::Write(const PartitionPtr& partition,
                                        Offset base,
                                        PartitionModel::Payload payload,
                                        Durability durability) {
  const OffsetRange offsets{base, base + payload.records};
  OpPtr op =
      Begin(SimOp::kWrite,
            fmt::format("{} to {} at [{}, {}): {} bytes", Name(durability),
                        Text(*partition), offsets.base.value(),
                        offsets.end.value(), payload.bytes->size()));
  const PartitionModel* model = Model(*partition);
  const bool overlaps = model != nullptr && base < model->log_end();
  auto pending = world_.engine->TryWrite(*partition, offsets,
                                         AsBytes(*payload.bytes), durability);
  if (!pending.ok() && overlaps &&
      pending.status().code() == StatusCode::kConflict) {
    End(op, pending.status(), partition.get(), {StatusCode::kConflict});
    return op;
  }
  return FinishAppend(std::move(op), partition, std::move(pending),
                      {&payload, 1}, durability, base);
}

CheckedStore::OpPtr CheckedStore::FinishAppend(
    OpPtr op, const PartitionPtr& partition,
    Result<engine::PendingAppend> pending,
    std::span<const PartitionModel::Payload> payloads, Durability durability,
    std::optional<Offset> base) {
  if (!pending.ok()) {
    uint64_t bytes = 0;
    for (const auto& payload : payloads) bytes += payload.bytes->size();
    const bool too_large = bytes > world_.config().max_batch_bytes;
    End(op, pending.status(), partition.get(),
        {StatusCode::kOverloaded, StatusCode::kNoSpace,
         too_large ? StatusCode::kInvalidArgument : StatusCode::kNoSpace});
    return op;
  }
  if (PartitionModel* model = Model(*partition)) {
    Check(*op, model->Issued(pending->result, payloads, durability, base));
  }
  const Offset end = pending->result.end_offset;
  const Epoch epoch = pending->result.epoch;
  world_.engine->WhenDurable(
      *pending, [this, op, partition, durability, end, epoch,
                 life = life_](const Status& status) {
        if (life != life_) return;
        PartitionModel* model = Model(*partition);
        if (status.ok() && durability == Durability::kDisk && model) {
          // What a truncation cut before it was acknowledged is durable, but
          // gone.
          if (model->epoch() == epoch) model->Durable(end);
        }
        End(op, status, partition.get());
      });
  return op;
}

// --- Reads ---

CheckedStore::OpPtr CheckedStore::Read(const PartitionPtr& partition,
                                       Offset start, ReadOptions options) {
  OpPtr op =
      Begin(SimOp::kRead, fmt::format("{} from {}, {} bytes", Text(*partition),
                                      start.value(), options.max_bytes));
  PartitionModel::ReadTicket ticket;
  if (PartitionModel* model = Model(*partition)) {
    ticket = model->BeginRead(start, options);
  }
  world_.engine->Read(partition, start, options,
                      [this, op, partition, ticket,
                       life = life_](Result<std::vector<BatchView>> views) {
                        if (life == life_)
                          FinishRead(op, *partition, ticket, std::move(views));
                      });
  return op;
}

void CheckedStore::FinishRead(const OpPtr& op, const PartitionState& partition,
                              const PartitionModel::ReadTicket& ticket,
                              Result<std::vector<BatchView>> views) {
  PartitionModel* model = Model(partition);
  // Pinned memory is full: give back what we hold. Reads that wait for more
  // hold what they have.
  const bool held =
      !held_.empty() || UnderWay()[static_cast<size_t>(SimOp::kRead)] > 1;
  const bool overloaded =
      !views.ok() && held && views.status().code() == StatusCode::kOverloaded;
  if (overloaded) held_.clear();
  const bool out_of_range =
      !views.ok() && views.status().code() == StatusCode::kOutOfRange;
  End(op, views.status(), &partition,
      {out_of_range ? StatusCode::kOutOfRange : StatusCode::kOk,
       overloaded ? StatusCode::kOverloaded : StatusCode::kOk,
       ticket.options.timeout.count() > 0 ? StatusCode::kDeadlineExceeded
                                          : StatusCode::kOk,
       ticket.options.cancel.stop_requested() ? StatusCode::kCancelled
                                              : StatusCode::kOk});
  if (model == nullptr) return;
  if (out_of_range && !world_.frozen()) {
    Check(*op, model->CheckOutOfRange(ticket));
  }
  if (!views.ok()) return;
  for (const BatchView& view : *views) Check(*op, view.status());
  Check(*op, model->CheckRead(ticket, Observe(*views)));
  HoldOne(*views);
}

void CheckedStore::HoldOne(std::span<const BatchView> views) {
  if (views.empty() || !world_.dice.OneIn(4)) return;
  if (held_.size() == kMaxHeldViews) {
    held_.erase(held_.begin() +
                static_cast<ptrdiff_t>(world_.dice.Below(kMaxHeldViews)));
  }
  const BatchView& view = views[world_.dice.Below(views.size())];
  held_.push_back({view, std::string(AsText(view.bytes()))});
}

void CheckedStore::CheckHeldViews() {
  for (const HeldView& held : held_) {
    if (AsText(held.view.bytes()) == held.bytes && held.view.status().ok()) {
      continue;
    }
    world_.journal().Fail(
        fmt::format("the view of [{}, {}) from {} changed while it was held",
                    held.view.base_offset().value(),
                    held.view.end_offset().value(), Name(held.view.tier())));
  }
}

void CheckedStore::CheckBounds(const PartitionPtr& partition) {
  PartitionModel* model = Model(*partition);
  if (model == nullptr) return;
  const auto bounds = world_.engine->Bounds(*partition);
  const Status verdict =
      bounds.ok() ? model->CheckBounds(*bounds) : bounds.status();
  const ReferenceModel::Topic* topic = model_.Find(partition->name.topic);
  if (verdict.ok() || topic->deleting > 0) return;
  world_.journal().Fail(
      fmt::format("bounds of {}: {}", Text(*partition), verdict.ToString()));
}

void CheckedStore::CheckEpochEnd(const PartitionPtr& partition, Epoch epoch) {
  PartitionModel* model = Model(*partition);
  if (model == nullptr || model->truncating()) return;
  const auto end = world_.engine->EpochEndOffset(*partition, epoch);
  if (!end.ok() && (end.status().code() == StatusCode::kNotFound)) return;
  const Status verdict =
      end.ok() ? model->CheckEpochEnd(epoch, *end) : end.status();
  if (verdict.ok()) return;
  world_.journal().Fail(fmt::format("end of epoch {} of {}: {}", epoch.value(),
                                    Text(*partition), verdict.ToString()));
}

void CheckedStore::CheckLimits() {
  const TieredStorageStats stats = world_.engine->Stats();
  const TieredStorageConfig& config = world_.config();
  const uint64_t unflushed_max =
      std::max(config.EffectiveHotUnflushedMax(), stats.hot_unflushed_bytes);
  const uint64_t hot = stats.hot_unflushed_bytes + stats.hot_cached_bytes;
  if (hot <= std::max(config.hot_tier_max_bytes, unflushed_max)) return;
  world_.journal().Fail(
      fmt::format("hot tier holds {} unflushed and {} cached bytes of at most "
                  "{}",
                  stats.hot_unflushed_bytes, stats.hot_cached_bytes,
                  config.hot_tier_max_bytes));
}

// --- Bounds of the log ---

CheckedStore::OpPtr CheckedStore::Trim(const PartitionPtr& partition,
                                       Offset before) {
  OpPtr op = Begin(SimOp::kTrim, fmt::format("{} before {}", Text(*partition),
                                             before.value()));
  if (PartitionModel* model = Model(*partition)) model->BeginTrim(before);
  world_.engine->Trim(
      partition, before,
      [this, op, partition, before, life = life_](const Status& status) {
        if (life != life_) return;
        PartitionModel* model = Model(*partition);
        if (model != nullptr) model->EndTrim(before, OutcomeOf(status));
        End(op, status, partition.get(), {StatusCode::kOutOfRange});
        if (!status.ok() && status.code() == StatusCode::kOutOfRange && model) {
          const bool inside = before <= model->MustReach();
          if (inside && !model->truncating()) Check(*op, status);
        }
      });
  return op;
}

CheckedStore::OpPtr CheckedStore::Truncate(const PartitionPtr& partition,
                                           Offset offset, Epoch epoch) {
  OpPtr op = Begin(SimOp::kTruncate,
                   fmt::format("{} at {} to epoch {}", Text(*partition),
                               offset.value(), epoch.value()));
  if (PartitionModel* model = Model(*partition)) {
    model->BeginTruncate(offset, epoch);
  }
  world_.engine->TruncateTail(
      partition, offset, epoch,
      [this, op, partition, offset, epoch, life = life_](const Status& status) {
        if (life != life_) return;
        PartitionModel* model = Model(*partition);
        // Appends may have gone on until it began, so it is judged now.
        const bool may = model == nullptr || !model->truncating() ||
                         model->MayTruncate(offset, epoch);
        if (model != nullptr) model->EndTruncate(OutcomeOf(status));
        End(op, status, partition.get(),
            {StatusCode::kOutOfRange, StatusCode::kInvalidArgument});
        if (status.ok() && !may) {
          world_.journal().Fail(op->what + ": should have been refused");
        }
        if (status.code() == StatusCode::kInvalidArgument && may) {
          Check(*op, status);
        }
      });
  return op;
}

}  // namespace strata
