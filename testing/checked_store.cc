#include "testing/checked_store.h"

#include <algorithm>

namespace strata {
namespace {

using engine::Engine;
using engine::PartitionState;

std::string Text(const PartitionState& partition) {
  return partition.name.ToString();
}

}  // namespace

// --- Bookkeeping ---

CheckedStore::OpPtr CheckedStore::Begin(SimOp kind, std::string what) {
  std::erase_if(under_way_, [](const OpPtr& op) { return op->done; });
  auto op = std::make_shared<Op>();
  op->kind = kind;
  op->what = fmt::format("{} {}", Name(kind), what);
  op->bucket_faults = world_.bucket_faults();
  op->bucket_may_fail = world_.BucketMayFail();
  under_way_.push_back(op);
  world_.journal().Note(op->what);
  return op;
}

bool CheckedStore::MayAnswer(const Op& op, StatusCode code,
                             const PartitionState* partition) {
  switch (code) {
    case StatusCode::kClosed: return closing_;
    case StatusCode::kNotFound: {
      if (partition == nullptr) return false;
      const ReferenceModel::Topic* topic = model_.Find(partition->name.topic);
      return topic == nullptr || topic->id != partition->id.topic ||
             topic->deleting > 0;
    }
    case StatusCode::kUnavailable:
    case StatusCode::kUnknown:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kConflict:
    case StatusCode::kDataLoss:  // short and damaged answers of the bucket
      return BucketFailed(op);
    default: return false;
  }
}

void CheckedStore::End(const OpPtr& op, const Status& status,
                       const PartitionState* partition,
                       std::initializer_list<StatusCode> also) {
  if (op->done) {
    world_.journal().Fail(fmt::format("{}: answered twice", op->what));
  }
  op->done = true;
  op->status = status;
  world_.journal().Note(fmt::format("    {}: {}", op->what, status.ToString()));
  if (status.ok()) {
    ++succeeded_[static_cast<size_t>(op->kind)];
    return;
  }
  if (world_.frozen() || std::ranges::find(also, status.code()) != also.end() ||
      MayAnswer(*op, status.code(), partition)) {
    return;
  }
  world_.journal().Fail(fmt::format("{}: {}", op->what, status.ToString()));
}

void CheckedStore::Check(const Op& op, const Status& verdict) {
  if (verdict.ok()) return;
  world_.journal().Fail(fmt::format("{}: {}", op.what, verdict.message()));
}

Engine::StatusDone CheckedStore::DoneOf(
    const OpPtr& op, PartitionPtr partition,
    std::initializer_list<StatusCode> also) {
  return [this, op, partition = std::move(partition), life = life_,
          codes = std::vector<StatusCode>(also)](const Status& status) {
    if (life != life_) return;
    const bool listed = std::ranges::find(codes, status.code()) != codes.end();
    if (listed) {
      End(op, status, partition.get(), {status.code()});
    } else {
      End(op, status, partition.get());
    }
  };
}

// What a process that is about to die was told, nobody knows.
Outcome CheckedStore::OutcomeOf(const Status& status) const {
  if (status.ok()) return Outcome::kDone;
  if (world_.frozen() || status.code() == StatusCode::kUnknown ||
      status.code() == StatusCode::kClosed) {
    return Outcome::kUnknown;
  }
  return Outcome::kRefused;
}

bool CheckedStore::Wait(const OpPtr& op) {
  return world_.RunUntil(op->done, op->what);
}

bool CheckedStore::WaitForAll() {
  // Ends one by one: answers may be given while others are waited for.
  const std::vector<OpPtr> all = under_way_;
  return std::ranges::all_of(all, [&](const OpPtr& op) { return Wait(op); });
}

size_t CheckedStore::under_way() const {
  return static_cast<size_t>(std::ranges::count_if(
      under_way_, [](const OpPtr& op) { return !op->done; }));
}

std::array<uint64_t, kSimOps> CheckedStore::UnderWay() const {
  std::array<uint64_t, kSimOps> counts{};
  for (const OpPtr& op : under_way_) {
    if (!op->done) ++counts[static_cast<size_t>(op->kind)];
  }
  return counts;
}

void CheckedStore::Abandon() {
  ++life_;
  closing_ = false;
  under_way_.clear();
  held_.clear();
}

PartitionModel* CheckedStore::Model(const PartitionState& partition) {
  return model_.Find(partition.id.topic, partition.id.partition);
}

std::vector<CheckedStore::PartitionPtr> CheckedStore::Partitions() {
  std::vector<PartitionPtr> partitions;
  for (const auto& [name, topic] : model_.topics()) {
    for (uint32_t p = 0; p < topic.partitions.size(); ++p) {
      auto found = world_.engine->FindPartition({name, p});
      if (found.ok() && (*found)->id.topic == topic.id) {
        partitions.push_back(*std::move(found));
      } else if (topic.deleting == 0 && !world_.frozen()) {
        world_.journal().Fail(fmt::format(
            "find {}/{}: {}", name, p,
            found.ok() ? "another topic" : found.status().ToString()));
      }
    }
  }
  return partitions;
}

// --- Tiers ---

CheckedStore::OpPtr CheckedStore::Flush(const PartitionPtr& partition) {
  OpPtr op = Begin(SimOp::kFlush, Text(*partition));
  world_.engine->Flush({partition}, DoneOf(op, partition));
  return op;
}

CheckedStore::OpPtr CheckedStore::FlushAll() {
  OpPtr op = Begin(SimOp::kFlush, "all");
  world_.engine->FlushAll(DoneOf(op));
  return op;
}

CheckedStore::OpPtr CheckedStore::Demote(const PartitionPtr& partition,
                                         StorageTier tier) {
  const bool cold = tier == StorageTier::kCold;
  OpPtr op = Begin(cold ? SimOp::kDemoteToCold : SimOp::kDemoteToWarm,
                   Text(*partition));
  const bool unsupported = cold && world_.bucket == nullptr;
  world_.engine->DemoteTo(
      partition, tier,
      DoneOf(op, partition,
             {unsupported ? StatusCode::kUnsupported : StatusCode::kOk}));
  return op;
}

CheckedStore::OpPtr CheckedStore::Promote(const PartitionPtr& partition,
                                          StorageTier tier) {
  const bool warm = tier == StorageTier::kWarm;
  OpPtr op = Begin(warm ? SimOp::kPromoteToWarm : SimOp::kPromoteToHot,
                   Text(*partition));
  world_.engine->PromoteTo(
      partition, tier,
      DoneOf(op, partition, {StatusCode::kOverloaded, StatusCode::kNoSpace}));
  return op;
}

CheckedStore::OpPtr CheckedStore::RunMigrations() {
  OpPtr op = Begin(SimOp::kRunMigrations, "");
  world_.engine->RunMigrations(DoneOf(op));
  return op;
}

CheckedStore::OpPtr CheckedStore::Segments(const PartitionPtr& partition) {
  OpPtr op = Begin(SimOp::kSegments, Text(*partition));
  const PartitionModel* model = Model(*partition);
  const Offset end_before = model == nullptr ? Offset(0) : model->log_end();
  world_.engine->Segments(
      partition, [this, op, partition, end_before,
                  life = life_](Result<std::vector<SegmentMetadata>> segments) {
        if (life != life_) return;
        End(op, segments.status(), partition.get());
        if (segments.ok()) {
          FinishSegments(*op, *partition, end_before, *segments);
        }
      });
  return op;
}

void CheckedStore::FinishSegments(
    const Op& op, const PartitionState& partition, Offset end_before,
    const std::vector<SegmentMetadata>& segments) {
  const PartitionModel* model = Model(partition);
  if (model == nullptr || model->truncating()) return;
  const auto wrong = [&](std::string detail) {
    Check(op, Status(StatusCode::kDataLoss, std::move(detail)));
  };
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    if (segments[i].end_offset != segments[i + 1].base_offset) {
      wrong(fmt::format("segments [{}, {}) and [{}, {}) do not meet",
                        segments[i].base_offset.value(),
                        segments[i].end_offset.value(),
                        segments[i + 1].base_offset.value(),
                        segments[i + 1].end_offset.value()));
    }
  }
  const Offset start = model->log_start();
  const Offset end = model->log_end();
  // A gap at the end, left by a truncation, belongs to nobody yet.
  Offset must_reach = start;
  for (const ModelBatch& batch : model->log()) {
    if (batch.offsets.end <= end_before) must_reach = batch.offsets.end;
  }
  if (end < end_before || start >= must_reach) return;
  if (segments.empty() || segments.front().base_offset > start ||
      segments.back().end_offset < must_reach ||
      segments.back().end_offset > end) {
    wrong(fmt::format(
        "{} segments [{}, {}) for the log [{}, {})", segments.size(),
        segments.empty() ? 0 : segments.front().base_offset.value(),
        segments.empty() ? 0 : segments.back().end_offset.value(),
        start.value(), end.value()));
  }
}

CheckedStore::OpPtr CheckedStore::Verify() {
  OpPtr op = Begin(SimOp::kVerify, "");
  world_.engine->Verify(
      {}, [this, op, life = life_](Result<VerifyReport> report) {
        if (life != life_) return;
        End(op, report.status());
        if (!report.ok() || report->findings.empty() || world_.frozen()) return;
        if (BucketFailed(*op)) return;
        const VerifyFinding& first = report->findings.front();
        world_.journal().Fail(
            fmt::format("verify has {} findings, the first: {}: "
                        "{}",
                        report->findings.size(), first.where, first.detail));
      });
  return op;
}

// --- Topics ---

CheckedStore::OpPtr CheckedStore::CreateTopic(const std::string& name,
                                              uint32_t partitions) {
  OpPtr op = Begin(SimOp::kCreateTopic,
                   fmt::format("{} with {} partitions", name, partitions));
  model_.BeginCreate(name, partitions);
  world_.engine->CreateTopic(
      name, partitions, {},
      [this, op, name, life = life_](Result<TopicInfo> info) {
        if (life != life_) return;
        const bool exists = model_.Find(name) != nullptr;
        const Outcome outcome = OutcomeOf(info.status());
        if (outcome == Outcome::kDone) {
          Check(*op, model_.EndCreate(name, &*info));
        } else if (outcome == Outcome::kRefused) {
          Check(*op, model_.EndCreate(name, nullptr));
        }
        End(op, info.status(), nullptr,
            {exists ? StatusCode::kAlreadyExists : StatusCode::kOk});
      });
  return op;
}

CheckedStore::OpPtr CheckedStore::DeleteTopic(const std::string& name) {
  OpPtr op = Begin(SimOp::kDeleteTopic, name);
  const ReferenceModel::Topic* topic = model_.Find(name);
  const TopicId id = topic == nullptr ? TopicId() : topic->id;
  auto partition = world_.engine->FindPartition({name, 0});
  const bool may_be_unknown = topic == nullptr || topic->deleting > 0;
  model_.BeginDelete(name);
  world_.engine->DeleteTopic(
      name, [this, op, name, id, may_be_unknown, partition,
             life = life_](const Status& status) {
        if (life != life_) return;
        model_.EndDelete(name, id, OutcomeOf(status));
        End(op, status, nullptr,
            {may_be_unknown ? StatusCode::kNotFound : StatusCode::kOk});
        if (!status.ok() || !partition.ok()) return;
        AppendRequest request;
        request.bytes = AsBytes("late");
        if (world_.engine->TryAppend(**partition, {&request, 1}).ok()) {
          world_.journal().Fail(op->what + ": takes appends after it");
        }
      });
  return op;
}

CheckedStore::OpPtr CheckedStore::Shutdown() {
  OpPtr op = Begin(SimOp::kShutdown, "");
  closing_ = true;
  world_.engine->Shutdown([this, op, life = life_](const Status& status) {
    if (life != life_) return;
    End(op, status);
    // From here on, what is in the log is on disk.
    if (!status.ok()) return;
    for (auto& [name, topic] : model_.topics()) {
      for (PartitionModel& partition : topic.partitions) {
        partition.Durable(partition.log_end());
      }
    }
  });
  return op;
}

}  // namespace strata
