#include "testing/sim_world.h"

#include <algorithm>

#include "engine/restore.h"
#include "object_store/memory/memory_object_store.h"

namespace strata {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// More than any operation needs; reached only by one that hangs.
constexpr uint64_t kMaxTasks = 3'000'000;
constexpr Duration kMaxWait = minutes(30);

SimRuntimeOptions DrawRuntimeOptions(Dice& dice) {
  return {.max_step_time = dice.Pick<Duration>(
              {Duration::zero(), microseconds(10), milliseconds(1)})};
}

}  // namespace

SimWorld::SimWorld(uint64_t seed, bool verbose)
    : dice(seed),
      runtime(seed, DrawRuntimeOptions(dice)),
      disk(seed),
      data(disk.Mount("data")),
      warm(disk.Mount("warm")),
      journal_(std::make_shared<Journal>(verbose)),
      config_(DrawConfig(dice)) {
  if (!std::holds_alternative<cold::Disabled>(config_.cold_storage)) {
    bucket = std::make_shared<FaultyObjectStore>(MakeMemoryObjectStore(runtime),
                                                 runtime, seed);
  }
}

SimWorld::~SimWorld() {
  if (engine != nullptr) Kill();
}

// Everything small, so that a few hundred KiB pass every limit.
TieredStorageConfig SimWorld::DrawConfig(Dice& dice) {
  TieredStorageConfig c = TieredStorageConfig::Testing("/simulated");
  c.wal_chunk_bytes = dice.Pick({64 * kKiB, 256 * kKiB, 1 * kMiB});
  c.hot_tier_max_bytes =
      dice.Between(1, 3) * std::max(2 * c.wal_chunk_bytes, 512 * kKiB);
  c.hot_tier_max_age =
      dice.Pick<milliseconds>({milliseconds(200), seconds(10), hours(1)});
  c.warm_tier_max_bytes = dice.Pick({256 * kKiB, 1 * kMiB, 8 * kMiB});
  c.warm_tier_max_age =
      dice.Pick<milliseconds>({seconds(1), seconds(30), hours(1)});
  c.migration_interval =
      dice.Pick<milliseconds>({milliseconds(200), seconds(5), hours(1)});
  c.migration_concurrency = static_cast<uint32_t>(dice.Between(1, 4));
  c.promotion_threshold = dice.Between(2, 8);
  c.wal_file_bytes = dice.Pick({256 * kKiB, 512 * kKiB, 1 * kMiB});
  c.wal_max_bytes = dice.Between(4, 8) * c.wal_file_bytes;
  c.checkpoint_interval =
      dice.Pick<milliseconds>({milliseconds(20), seconds(1)});
  c.max_batch_bytes =
      std::min(c.wal_file_bytes, c.EffectiveHotUnflushedMax()) - 64 * kKiB;
  c.append_timeout = seconds(5);
  c.min_segment_bytes = dice.Pick({1 * kKiB, 8 * kKiB, 64 * kKiB});
  c.target_segment_bytes = dice.Pick({64 * kKiB, 128 * kKiB, 256 * kKiB});
  c.index_interval_bytes = dice.Pick({512 * uint64_t{1}, 4 * kKiB});
  c.warm_read_mode = dice.OneIn(3) ? WarmReadMode::kPread : WarmReadMode::kMap;
  c.warm_max_open_files = static_cast<uint32_t>(dice.Between(1, 8));
  c.cold_chunk_bytes = dice.Pick({4 * kKiB, 16 * kKiB, 64 * kKiB});
  c.cold_cache_max_bytes = dice.Pick({64 * kKiB, 512 * kKiB});
  c.cold_request_timeout = dice.Pick<milliseconds>({seconds(1), seconds(10)});
  c.cold_max_requests = static_cast<uint32_t>(dice.Between(1, 8));
  c.reserve_bytes = 64 * kKiB;
  if (dice.OneIn(5)) {
    c.cold_storage = cold::Disabled{};
    c.warm_tier_max_bytes = kGiB;  // nothing ever leaves it
  }
  return c;
}

engine::EngineEnvironment SimWorld::Environment() {
  return {.runtime = runtime,
          .data_fs = *data,
          .warm_fs = *warm,
          .cold = bucket,
          .log = journal_,
          .executor = executor_};
}

Status SimWorld::Open() {
  STRATA_ASSIGN_OR_RETURN(engine, engine::Engine::Open(config_, Environment()));
  return Status::Ok();
}

Status SimWorld::RestoreElsewhere() {
  data = disk.Mount("elsewhere/data");
  warm = disk.Mount("elsewhere/warm");
  return engine::Restore(config_, Environment()).status();
}

void SimWorld::LeaveBehind() {
  old_engine = std::move(engine);
  old_data_ = std::move(data);
  old_warm_ = std::move(warm);
}

void SimWorld::Kill() {
  disk.CrashAfter(0);  // nothing reaches the disk from destructors
  runtime.DropAllTasks();
  engine.reset();
  old_engine.reset();
  runtime.DropAllTasks();
  disk.Crash();
}

bool SimWorld::RunUntil(const bool& done, std::string_view what) {
  const uint64_t first_task = runtime.steps();
  const MonotonicTime begin = runtime.clock().Now();
  Duration pause = milliseconds(1);
  while (!done && !frozen() && !journal_->failed()) {
    if (runtime.Step()) {
      if (runtime.steps() - first_task > kMaxTasks) {
        journal_->Fail(
            fmt::format("{}: no end after {} tasks", what, kMaxTasks));
      }
      continue;
    }
    if (runtime.clock().Now() - begin > kMaxWait) {
      journal_->Fail(fmt::format("{}: no end after {} simulated minutes", what,
                                 minutes(30).count()));
    }
    runtime.RunFor(pause);
    pause = std::min<Duration>(pause * 2, seconds(1));
  }
  return done && !journal_->failed();
}

void SimWorld::RunSome(uint64_t tasks) {
  for (uint64_t i = 0; i < tasks && !frozen(); ++i) {
    if (!runtime.Step()) return;
  }
}

void SimWorld::HealBucket() {
  if (bucket == nullptr || !spoiled_) return;
  spoiled_ = false;
  healed_at_ = runtime.clock().Now();
  bucket->SetAway(false);
  bucket->SetChances({});
}

void SimWorld::SpoilBucket() {
  if (bucket == nullptr) return;
  spoiled_ = true;
  bucket->SetAway(dice.OneIn(3));
  StoreChances chances;
  chances.unavailable = static_cast<uint32_t>(dice.Below(200));
  chances.unknown_done = static_cast<uint32_t>(dice.Below(150));
  chances.unknown_undone = static_cast<uint32_t>(dice.Below(150));
  chances.unknown_late = static_cast<uint32_t>(dice.Below(100));
  chances.short_answer = static_cast<uint32_t>(dice.Below(50));
  chances.corrupt = static_cast<uint32_t>(dice.Below(50));
  chances.max_delay =
      dice.Pick<Duration>({Duration::zero(), milliseconds(50), seconds(3)});
  bucket->SetChances(chances);
}

}  // namespace strata
