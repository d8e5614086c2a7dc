#include "testing/sim_life.h"

#include <algorithm>
#include <deque>

namespace strata {
namespace {

using engine::PartitionPtr;

constexpr int kMaxOpenAttempts = 6;
constexpr int kMaxReadAttempts = 4;

}  // namespace

// --- Open and end ---

void SimLife::Open(uint64_t crash_in) {
  for (int attempt = 1; !failed(); ++attempt) {
    if (crash_in > 0 && attempt < kMaxOpenAttempts &&
        world_.dice.OneIn(crash_in)) {
      world_.disk.CrashAfter(world_.dice.Below(60));
    }
    if (world_.dice.OneIn(2)) world_.HealBucket();
    const Status opened = world_.Open();
    if (!opened.ok() && !world_.frozen()) {
      return Fail("open: " + opened.ToString());
    }
    if (opened.ok() && Resynchronise()) return;
    if (failed()) return;
    world_.journal().Note("--- crash while opening");
    ++counters_.crashes_in_open;
    must_be_clean_ = false;
    End();
  }
}

// The process is gone, and the power with it.
void SimLife::End() {
  if (world_.engine != nullptr) {
    const TieredStorageStats stats = world_.engine->Stats();
    counters_.flushes += stats.flushes;
    counters_.wal_moves += stats.wal_moves;
    counters_.offloads += stats.offloads;
    counters_.promotions += stats.promotions;
    counters_.drops += stats.demotions;
    counters_.purges_cut += stats.topics_to_purge;
  }
  store_.Abandon();
  world_.Kill();
}

void SimLife::Crash() {
  CountUnderWay();
  Die();
}

void SimLife::Die() {
  if (failed()) return;
  world_.journal().Note("--- crash");
  ++counters_.crashes;
  must_be_clean_ = false;
  End();
  Open(4);
}

void SimLife::CountUnderWay() {
  const auto under_way = store_.UnderWay();
  for (size_t i = 0; i < kSimOps; ++i) {
    counters_.cut_by_crash[i] += under_way[i];
  }
}

void SimLife::DieIfFrozen() {
  if (!world_.frozen() || failed()) return;
  CountUnderWay();
  // The process does not notice at once. What it promises now is a lie that
  // the next open would show.
  for (uint64_t i = world_.dice.Below(30); i > 0; --i) world_.runtime.Step();
  Die();
}

void SimLife::LeaveBehind() {
  world_.journal().Note("--- left behind");
  may_be_clean_ = true;
  must_be_clean_ = true;
  store_.Abandon();
  world_.LeaveBehind();
}

void SimLife::Close() {
  world_.journal().Note("--- close");
  const CheckedStore::OpPtr op = store_.Shutdown();
  // It may end before the shutdown does.
  may_be_clean_ = true;
  if (!store_.Wait(op)) return;
  if (!op->status.ok()) {
    if (!world_.frozen()) Fail(op->what + ": " + op->status.ToString());
    return;
  }
  if (!store_.WaitForAll()) return;
  // Views outlive the store.
  store_.CheckHeldViews();
  ++counters_.clean_restarts;
  must_be_clean_ = true;
  End();
}

void SimLife::Restart() {
  Close();
  if (world_.engine == nullptr) Open(10);
}

// --- What is there after an open ---

// Reads all of the store and takes it, where the model allows it, for the
// truth. False when the process died before the end.
bool SimLife::Resynchronise() {
  world_.HealBucket();
  const RecoveryReport& report = world_.engine->recovery();
  counters_.replayed_batches += report.replayed_batches;
  counters_.torn_bytes += report.torn_bytes;
  world_.journal().Note(
      fmt::format("opened: clean {}, {} batches replayed, {} bytes torn",
                  report.clean, report.replayed_batches, report.torn_bytes));
  const bool clean = report.clean;
  if (clean && !may_be_clean_) Fail("a crash is taken for a clean shutdown");
  if (!clean && must_be_clean_) Fail("a clean shutdown is taken for a crash");
  may_be_clean_ = false;
  must_be_clean_ = false;
  if (expect_damage_) return true;
  for (const RecoveryReport::Damage& damage : report.damage) {
    Fail(fmt::format("damage: {}: {}", damage.partition, damage.detail));
  }
  const Status topics = store_.model().Restart(*world_.engine->ListTopics());
  if (!topics.ok()) Fail("after open: " + topics.message());
  for (const PartitionPtr& partition : store_.Partitions()) {
    if (failed() || !Resynchronise(partition, clean)) return false;
  }
  return !failed();
}

bool SimLife::Resynchronise(const PartitionPtr& partition, bool clean) {
  const std::string name = partition->name.ToString();
  const auto bounds = world_.engine->Bounds(*partition);
  if (!bounds.ok()) {
    Fail(fmt::format("bounds of {}: {}", name, bounds.status().ToString()));
    return false;
  }
  ObservedLog observed{*bounds, {}};
  // Copies of our own: views of everything would pin the hot tier.
  std::deque<std::string> bytes;
  for (Offset next = bounds->log_start; next < bounds->log_end;) {
    const ReadResult views = ReadPatiently(partition, next);
    if (world_.frozen()) return false;
    if (!views.ok()) {
      Fail(fmt::format("read of {} from {} after open: {}", name, next.value(),
                       views.status().ToString()));
      return false;
    }
    if (views->empty()) break;
    for (const BatchView& view : *views) {
      bytes.emplace_back(AsText(view.bytes()));
      observed.batches.push_back(
          {view.offsets(), view.epoch(), AsBytes(bytes.back())});
    }
    next = views->back().end_offset();
  }
  const Status verdict = store_.Model(*partition)->Restart(observed, clean);
  if (verdict.ok()) return true;
  Fail(fmt::format("{} after open: {}", name, verdict.message()));
  return false;
}

SimLife::ReadResult SimLife::ReadOnce(const PartitionPtr& partition,
                                      Offset start) {
  struct Answer {
    bool done = false;
    std::optional<ReadResult> views;
  };
  auto answer = std::make_shared<Answer>();
  ReadOptions options;
  options.max_bytes = 64 * kKiB;
  world_.engine->Read(partition, start, options, [answer](ReadResult views) {
    answer->views = std::move(views);
    answer->done = true;
  });
  if (!world_.RunUntil(answer->done, "read")) {
    return Status(StatusCode::kClosed, "the process died");
  }
  return *std::move(answer->views);
}

SimLife::ReadResult SimLife::ReadPatiently(const PartitionPtr& partition,
                                           Offset start) {
  ReadResult views = ReadOnce(partition, start);
  for (int i = 1; i < kMaxReadAttempts && !views.ok(); ++i) {
    if (world_.frozen() || failed() || world_.bucket_faults() == 0) break;
    world_.runtime.RunFor(std::chrono::seconds(5));
    views = ReadOnce(partition, start);
  }
  return views;
}

void SimLife::ReadAll() {
  for (const PartitionPtr& partition : store_.Partitions()) ReadAll(partition);
}

void SimLife::ReadAll(const PartitionPtr& partition) {
  PartitionModel& model = *store_.Model(*partition);
  for (Offset next = model.log_start(); next < model.log_end() && !failed();) {
    const auto ticket = model.BeginRead(next, {});
    const ReadResult views = ReadPatiently(partition, next);
    const Status verdict =
        views.ok() ? model.CheckRead(ticket, Observe(*views)) : views.status();
    if (!verdict.ok()) {
      return Fail(fmt::format("read of {} from {}: {}",
                              partition->name.ToString(), next.value(),
                              verdict.ToString()));
    }
    if (views->empty()) return;
    next = views->back().end_offset();
  }
}

// --- After damage ---

void SimLife::ReadAllDamaged() {
  for (const PartitionPtr& partition : store_.Partitions()) {
    if (!failed()) ReadAllDamaged(partition);
  }
}

void SimLife::ReadAllDamaged(const PartitionPtr& partition) {
  PartitionModel& model = *store_.Model(*partition);
  const auto bounds = world_.engine->Bounds(*partition);
  if (!bounds.ok()) return Fail("bounds: " + bounds.status().ToString());
  for (Offset next = model.log_start(); next < bounds->visible_end;) {
    auto ticket = model.BeginRead(next, {});
    // Nobody can tell a flipped bit behind the last sync from a torn tail.
    ticket.must_reach = std::min(ticket.must_reach, bounds->visible_end);
    const ReadResult views = ReadPatiently(partition, next);
    if (views.ok()) {
      const Status verdict = model.CheckRead(ticket, Observe(*views));
      if (!verdict.ok()) {
        return Fail(fmt::format("damaged {} from {}: {}",
                                partition->name.ToString(), next.value(),
                                verdict.message()));
      }
      if (views->empty()) return;
      next = views->back().end_offset();
      continue;
    }
    if (views.status().code() != StatusCode::kDataLoss) {
      return Fail(fmt::format("damaged {} from {}: {}",
                              partition->name.ToString(), next.value(),
                              views.status().ToString()));
    }
    ++counters_.damaged_reads;
    const auto batch = std::ranges::find_if(
        model.log(),
        [next](const ModelBatch& b) { return b.offsets.end > next; });
    if (batch == model.log().end()) return;
    next = batch->offsets.end;
  }
}

}  // namespace strata
