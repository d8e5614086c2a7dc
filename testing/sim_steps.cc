#include "testing/sim_steps.h"

#include <algorithm>
#include <chrono>
#include <stop_token>

namespace strata {
namespace {

using engine::PartitionPtr;
using std::chrono::milliseconds;

constexpr const char* kTopics[] = {"orders", "payments", "audit"};

}  // namespace

enum class SimSteps::Step : uint8_t {
  kAppend,
  kWrite,
  kRead,
  kReadAgain,
  kTrim,
  kTruncate,
  kFlush,
  kDemote,
  kPromote,
  kSegments,
  kEpochEnd,
  kCreateTopic,
  kDeleteTopic,
  kRunMigrations,
  kVerify,
  kBucket,
  kTime,
  kRestart,
  kCrash,
  kCrashLater,
};

SimSteps::SimSteps(SimWorld& world, CheckedStore& store, SimLife& life,
                   SimulationCounters& counters)
    : world_(world),
      store_(store),
      life_(life),
      counters_(counters),
      dice_(world.dice) {
  constexpr uint64_t kWeights[kSteps] = {40, 5, 25, 3, 3, 3, 6, 8, 5, 4,
                                         3,  2, 1,  6, 1, 4, 6, 2, 2, 3};
  for (size_t i = 0; i < kSteps; ++i) {
    weights_[i] = kWeights[i] * dice_.Between(1, 4) * (dice_.OneIn(6) ? 0 : 1);
  }
  weights_[0] = std::max(weights_[0], kWeights[0]);
}

SimSteps::Step SimSteps::Draw() {
  uint64_t sum = 0;
  for (const uint64_t weight : weights_) sum += weight;
  uint64_t drawn = dice_.Below(sum);
  size_t step = 0;
  while (drawn >= weights_[step]) drawn -= weights_[step++];
  return static_cast<Step>(step);
}

void SimSteps::Next() {
  const OpPtr op = Do(Draw());
  if (op == nullptr) return;
  // In the middle of it, however few changes it takes.
  if (dice_.OneIn(50)) world_.disk.CrashAfter(dice_.Below(4));
  // Short and rare, these are hardly ever met by a crash drawn on its own.
  const bool rare = op->kind == SimOp::kCreateTopic ||
                    op->kind == SimOp::kDeleteTopic || op->kind == SimOp::kTrim;
  if (rare && dice_.OneIn(op->kind == SimOp::kDeleteTopic ? 3 : 8)) {
    world_.RunSome(dice_.Below(5));
    return life_.Crash();
  }
  if (dice_.OneIn(60)) {
    world_.RunSome(dice_.Below(30));
    return life_.Crash();
  }
  if (dice_.OneIn(2)) {
    store_.Wait(op);
  } else {
    world_.RunSome(dice_.Below(40));
  }
  if (store_.under_way() > 8) store_.WaitForAll();
}

SimSteps::OpPtr SimSteps::Do(Step step) {
  if (step >= Step::kRunMigrations) return DoOnWorld(step);
  if (step >= Step::kCreateTopic) return DoOnTopic(step);
  const std::vector<PartitionPtr> partitions = store_.Partitions();
  if (partitions.empty()) return DoOnTopic(Step::kCreateTopic);
  return DoOnPartition(step, partitions[dice_.Below(partitions.size())]);
}

SimSteps::OpPtr SimSteps::DoOnPartition(Step step,
                                        const PartitionPtr& partition) {
  switch (step) {
    case Step::kAppend: return Append(partition);
    case Step::kWrite: return Write(partition);
    case Step::kRead: return Read(partition);
    case Step::kReadAgain: return ReadAgain(partition);
    case Step::kTrim: return Trim(partition);
    case Step::kTruncate: return Truncate(partition);
    case Step::kFlush:
      return dice_.OneIn(3) ? store_.FlushAll() : store_.Flush(partition);
    case Step::kDemote:
      return store_.Demote(
          partition, dice_.OneIn(3) ? StorageTier::kWarm : StorageTier::kCold);
    case Step::kPromote:
      return store_.Promote(
          partition, dice_.OneIn(2) ? StorageTier::kWarm : StorageTier::kHot);
    case Step::kSegments: return store_.Segments(partition);
    case Step::kEpochEnd: {
      const uint32_t last = store_.Model(*partition)->epoch().value();
      store_.CheckEpochEnd(partition,
                           Epoch(static_cast<uint32_t>(dice_.Below(last + 3))));
      return nullptr;
    }
    default: return nullptr;
  }
}

SimSteps::OpPtr SimSteps::DoOnTopic(Step step) {
  const std::string name = dice_.Pick(kTopics);
  const bool present = store_.model().Find(name) != nullptr;
  if (step == Step::kDeleteTopic) {
    if (!present && !dice_.OneIn(8)) return nullptr;
    deleted_names_.insert(name);
    return store_.DeleteTopic(name);
  }
  // One creation at a time, so that the model knows which one it was.
  if (store_.UnderWay()[static_cast<size_t>(SimOp::kCreateTopic)] > 0) {
    return nullptr;
  }
  if (!present && deleted_names_.contains(name)) ++counters_.recreations;
  return store_.CreateTopic(name, static_cast<uint32_t>(dice_.Between(1, 3)));
}

SimSteps::OpPtr SimSteps::DoOnWorld(Step step) {
  switch (step) {
    case Step::kRunMigrations: return store_.RunMigrations();
    case Step::kVerify: return store_.Verify();
    case Step::kBucket: ChangeBucket(); return nullptr;
    case Step::kTime: PassTime(); return nullptr;
    case Step::kRestart: life_.Restart(); return nullptr;
    case Step::kCrash: life_.Crash(); return nullptr;
    case Step::kCrashLater: {
      const uint64_t changes = dice_.Below(dice_.OneIn(2) ? 10 : 80);
      world_.journal().Note(fmt::format("crash after {} changes", changes));
      world_.disk.CrashAfter(changes);
      return nullptr;
    }
    default: return nullptr;
  }
}

// --- Partitions ---

PartitionModel::Payload SimSteps::DrawPayload() {
  uint64_t size = dice_.Between(1, 200);
  if (dice_.OneIn(3)) size = dice_.Between(200, 4000);
  if (dice_.OneIn(12)) size = dice_.Between(4000, 30'000);
  if (dice_.OneIn(150)) size = dice_.Between(100'000, 180'000);
  auto bytes = std::make_shared<std::string>();
  while (bytes->size() < size) {
    const uint64_t word = dice_.Next();
    bytes->append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  bytes->resize(size);
  return {std::move(bytes), dice_.OneIn(2) ? 1 : dice_.Between(2, 20)};
}

SimSteps::OpPtr SimSteps::Append(const PartitionPtr& partition,
                                 std::optional<Durability> durability) {
  CheckedStore::AppendOptions options;
  const uint64_t batches = dice_.OneIn(3) ? dice_.Between(2, 4) : 1;
  for (uint64_t i = 0; i < batches; ++i) {
    options.payloads.push_back(DrawPayload());
  }
  options.durability = durability.value_or(dice_.OneIn(2) ? Durability::kMemory
                                                          : Durability::kDisk);
  if (!durability && dice_.OneIn(8)) {
    options.expected_offset = store_.Model(*partition)->log_end() +
                              (dice_.OneIn(3) ? dice_.Below(3) : 0);
  }
  return store_.Append(partition, options);
}

SimSteps::OpPtr SimSteps::Write(const PartitionPtr& partition) {
  uint64_t base = store_.Model(*partition)->log_end().value();
  if (dice_.OneIn(2)) base += dice_.Between(1, 50);
  if (dice_.OneIn(12)) base -= std::min<uint64_t>(base, 60);
  return store_.Write(partition, Offset(base), DrawPayload(),
                      dice_.OneIn(2) ? Durability::kMemory : Durability::kDisk);
}

SimSteps::OpPtr SimSteps::Read(const PartitionPtr& partition) {
  const PartitionModel& model = *store_.Model(*partition);
  const uint64_t end = model.log_end().value();
  uint64_t start = dice_.Below(end + 1);
  if (dice_.OneIn(2)) {
    start = dice_.Between(std::min(model.log_start().value(), end), end);
  }
  if (dice_.OneIn(20)) start = end + dice_.Below(3);
  ReadOptions options;
  options.max_bytes = dice_.Pick({uint64_t{1}, 2 * kKiB, 64 * kKiB, kMiB});
  if (dice_.OneIn(6)) options.limit_offset = Offset(dice_.Below(end + 2));
  if (dice_.OneIn(4)) {
    options.min_bytes = dice_.Pick({uint64_t{1}, 2 * kKiB, 64 * kKiB});
  }
  // A wait for more has an end.
  if (options.min_bytes > 0 || dice_.OneIn(8)) {
    options.timeout = milliseconds(dice_.Between(1, 2000));
  }
  if (dice_.OneIn(8)) {
    std::stop_source stop;
    options.cancel = stop.get_token();
    world_.runtime.read_executor().PostAfter(
        milliseconds(dice_.Below(1000)),
        [stop]() mutable { stop.request_stop(); });
  }
  return store_.Read(partition, Offset(start), options);
}

// Often enough that the segment is promoted.
SimSteps::OpPtr SimSteps::ReadAgain(const PartitionPtr& partition) {
  const PartitionModel& model = *store_.Model(*partition);
  const uint64_t start = model.log_start().value();
  const uint64_t end = std::max(model.log_end().value(), start);
  const Offset at(dice_.Between(start, end));
  OpPtr op;
  for (uint64_t i = 0; i <= world_.config().promotion_threshold; ++i) {
    op = store_.Read(partition, at, {});
    if (!store_.Wait(op)) break;
  }
  return op;
}

SimSteps::OpPtr SimSteps::Trim(const PartitionPtr& partition) {
  const PartitionModel& model = *store_.Model(*partition);
  const uint64_t start = model.log_start().value();
  const uint64_t end = std::max(model.log_end().value(), start);
  uint64_t before = dice_.Between(start, end);
  // Mostly a little, so that something is left for the others.
  if (!dice_.OneIn(4)) before = start + (before - start) / 4;
  if (dice_.OneIn(20)) before = end + 5;
  return store_.Trim(partition, Offset(before));
}

SimSteps::OpPtr SimSteps::Truncate(const PartitionPtr& partition) {
  const PartitionModel& model = *store_.Model(*partition);
  if (model.truncating()) return nullptr;
  // Mostly near the end, where it is allowed, and mostly at a batch.
  Offset offset = model.log_end();
  if (const auto& log = model.log(); !log.empty()) {
    const uint64_t most = dice_.OneIn(3) ? 40 : 6;
    const uint64_t back = dice_.Below(std::min<uint64_t>(log.size(), most));
    offset = log[log.size() - 1 - back].offsets.base;
  }
  if (dice_.OneIn(8)) offset = offset + dice_.Below(4);
  const uint64_t above = dice_.OneIn(10) ? 0 : dice_.Between(1, 3);
  const auto epoch = static_cast<uint32_t>(model.epoch().value() + above);
  return store_.Truncate(partition, offset, Epoch(epoch));
}

// --- The world ---

void SimSteps::ChangeBucket() {
  world_.journal().Note("the bucket changes");
  if (dice_.OneIn(2)) {
    world_.HealBucket();
  } else {
    world_.SpoilBucket();
  }
}

void SimSteps::PassTime() {
  const uint64_t unit =
      dice_.Pick({uint64_t{1}, uint64_t{100}, uint64_t{5000}});
  const milliseconds time(unit * dice_.Between(1, 4));
  world_.journal().Note(fmt::format("{} ms pass", time.count()));
  if (dice_.OneIn(6)) {
    const auto step = static_cast<int64_t>(dice_.Below(7200)) - 3600;
    world_.runtime.StepWallClock(std::chrono::seconds(step));
  }
  world_.runtime.RunFor(time);
}

}  // namespace strata
