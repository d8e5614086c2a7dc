#include "testing/simulation.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <set>

#include "cold/object_names.h"
#include "cold/topics_object.h"
#include "testing/sim_life.h"
#include "testing/sim_steps.h"

namespace strata {
namespace {

using engine::PartitionPtr;

constexpr int kMaxAppendAttempts = 5;
constexpr int kMaxPurgeRounds = 20;
constexpr std::string_view kTopicsPrefix = "topics/";

std::string HowToReplay(uint64_t seed, const SimulationOptions& options) {
  return fmt::format(
      "strata-sim --seed {}{}{}", seed,
      options.ignore_directory_sync ? " --ignore-directory-sync" : "",
      options.flip_bits ? " --flip-bits" : "");
}

// Names the seed when the process aborts (a failed check, a deadlock), which
// leaves no time for a report.
class AbortNote {
 public:
  explicit AbortNote(const std::string& text) {
    const size_t size = std::min(text.size(), sizeof(text_) - 1);
    std::memcpy(text_, text.data(), size);
    text_[size] = '\0';
    previous_ = std::signal(SIGABRT, [](int) {
      // Nothing is left to do about a failed write.
      if (::write(STDERR_FILENO, text_, std::strlen(text_)) < 0) return;
    });
  }
  ~AbortNote() { std::signal(SIGABRT, previous_); }

 private:
  static inline char text_[256];
  void (*previous_)(int);
};

class Simulation {
 public:
  Simulation(uint64_t seed, const SimulationOptions& options)
      : seed_(seed),
        options_(options),
        world_(seed, options.verbose),
        store_(world_),
        life_(world_, store_, counters_),
        steps_(world_, store_, life_, counters_) {}

  SimulationResult Run();

 private:
  bool failed() { return world_.journal().failed(); }
  void CheckAll();
  void Finish();
  bool Done(const CheckedStore::OpPtr& op) { return store_.Wait(op); }
  void AppendToAll();
  void CheckAccounts();
  void CheckBucket();
  void RestoreElsewhere();
  void TryOldMachine();
  std::vector<std::string> Objects();
  void DamageFiles();
  void FlipBits(SimFileSystem& files);

  const uint64_t seed_;
  const SimulationOptions options_;
  SimulationCounters counters_;
  SimWorld world_;
  CheckedStore store_;
  SimLife life_;
  SimSteps steps_;
};

SimulationResult Simulation::Run() {
  const AbortNote note("while running " + HowToReplay(seed_, options_) + "\n");
  world_.disk.IgnoreDirectorySync(options_.ignore_directory_sync);
  life_.Open();
  for (uint64_t n = world_.dice.Between(100, 300); n > 0 && !failed(); --n) {
    steps_.Next();
    life_.DieIfFrozen();
    if (!failed()) CheckAll();
  }
  if (!failed()) Finish();
  if (!failed() && options_.flip_bits) DamageFiles();

  SimulationResult result;
  result.ok = !failed();
  if (!result.ok) {
    result.failure = fmt::format(
        "seed {}: {}\nlast steps:\n{}run again with: {} --verbose\n", seed_,
        world_.journal().failure(), world_.journal().Lines(),
        HowToReplay(seed_, options_));
  }
  counters_.succeeded = store_.succeeded();
  counters_.bucket_faults = world_.bucket_faults();
  result.counters = counters_;
  result.trace_hash = world_.runtime.TraceHash() ^ world_.journal().Hash();
  return result;
}

void Simulation::CheckAll() {
  for (const PartitionPtr& partition : store_.Partitions()) {
    store_.CheckBounds(partition);
  }
  store_.CheckHeldViews();
  store_.CheckLimits();
  if (world_.dice.OneIn(10)) store_.ReleaseViews();
}

// With everything in working order again the store gets rid of its work, takes
// appends, has all that it should, and shuts down and opens without loss.
void Simulation::Finish() {
  world_.journal().Note("--- finish");
  world_.disk.CrashAfter(SimFileSystem::kUnlimited);
  world_.HealBucket();
  store_.ReleaseViews();
  if (!store_.WaitForAll()) return;
  world_.runtime.RunFor(std::chrono::seconds(20));
  if (!Done(store_.FlushAll()) || !Done(store_.RunMigrations())) return;
  life_.ReadAll();
  if (!failed()) CheckAccounts();
  if (!failed() && world_.bucket != nullptr) CheckBucket();
  if (!failed()) AppendToAll();
  if (!failed()) Done(store_.Verify());
  if (!failed()) life_.Restart();
  if (!failed()) Done(store_.Verify());
  for (const PartitionPtr& partition : store_.Partitions()) {
    if (!failed()) Done(store_.Segments(partition));
  }
  // Damage is done to files here.
  const bool elsewhere = world_.bucket != nullptr && !options_.flip_bits;
  if (!failed() && elsewhere) RestoreElsewhere();
  if (!failed()) life_.Close();
}

// All goes into the bucket, and the machine is lost, or goes on without knowing
// that another one has taken over: the bucket alone has the whole log.
void Simulation::RestoreElsewhere() {
  world_.disk.CrashAfter(SimFileSystem::kUnlimited);
  world_.HealBucket();
  for (const PartitionPtr& partition : store_.Partitions()) {
    const CheckedStore::OpPtr op = store_.Demote(partition, StorageTier::kCold);
    if (!Done(op)) return;
    if (!op->status.ok()) {
      return world_.journal().Fail(op->what + ": " + op->status.ToString());
    }
  }
  if (!Done(store_.RunMigrations())) return;
  const bool goes_on = world_.dice.OneIn(2);
  goes_on ? life_.LeaveBehind() : life_.Close();
  if (failed()) return;
  world_.journal().Note("--- restore elsewhere");
  const Status restored = world_.RestoreElsewhere();
  if (!restored.ok()) {
    return world_.journal().Fail("restore: " + restored.ToString());
  }
  life_.Open();
  if (!failed()) Done(store_.Verify());
  // Whether the old machine finds the notes that it was taken over.
  const bool notes = world_.dice.OneIn(2);
  if (!notes) {
    world_.bucket->FailNext(StoreOp::kList, StoreFault::kUnavailable, 1000);
  }
  if (!failed()) AppendToAll();
  if (goes_on && !failed()) TryOldMachine();
  world_.bucket->ClearScript();
  if (!goes_on || failed()) return;
  for (const PartitionPtr& partition : store_.Partitions()) {
    if (!failed()) Done(store_.Demote(partition, StorageTier::kCold));
  }
  if (!failed()) life_.Restart();
  if (!failed()) Done(store_.Verify());
}

// Of what it acknowledges nothing reaches the bucket, and it finds out.
void Simulation::TryOldMachine() {
  engine::Engine& old = *world_.old_engine;
  for (const PartitionPtr& partition : store_.Partitions()) {
    const auto found = old.FindPartition(partition->name);
    if (!found.ok()) {
      return world_.journal().Fail("old machine: " + found.status().ToString());
    }
    AppendRequest request;
    request.bytes = AsBytes("of the old machine");
    const auto before = old.TryAppend(**found, {&request, 1});
    bool done = false;
    Status moved;
    old.DemoteTo(*found, StorageTier::kCold, [&](Status status) {
      done = true;
      moved = std::move(status);
    });
    if (!world_.RunUntil(done, "the old machine demotes")) return;
    const Status after = old.TryAppend(**found, {&request, 1}).status();
    const std::string name =
        "old machine, " + partition->name.ToString() + ": ";
    world_.journal().Note(name + before.status().ToString() + "; " +
                          moved.ToString() + "; " + after.ToString());
    if (before.ok() && moved.ok()) {
      return world_.journal().Fail(name + "offloads what it appended");
    }
    if (before.ok() && after.code() != StatusCode::kReadOnly) {
      return world_.journal().Fail(name + "goes on: " + after.ToString());
    }
  }
}

// At rest the warm tier counts what there is, no more and no less.
void Simulation::CheckAccounts() {
  struct Sum {
    uint64_t bytes = 0;
    uint64_t segments = 0;
    bool done = false;
  };
  Sum total;
  for (const PartitionPtr& partition : store_.Partitions()) {
    const auto sum = std::make_shared<Sum>();
    world_.engine->Segments(
        partition, [sum](const Result<std::vector<SegmentMetadata>>& all) {
          sum->done = all.ok();
          if (!all.ok()) return;
          for (const SegmentMetadata& segment : *all) {
            if (!segment.in_warm) continue;
            sum->bytes += segment.size_bytes;
            ++sum->segments;
          }
        });
    if (!world_.RunUntil(sum->done, "segments")) return;
    total.bytes += sum->bytes;
    total.segments += sum->segments;
  }
  const TierStats warm = world_.engine->Stats().warm;
  // What was trimmed may wait for its collection.
  if (warm.segments != total.segments || warm.bytes == total.bytes) return;
  world_.journal().Fail(
      fmt::format("the warm tier counts {} bytes, its {} segments have {}",
                  warm.bytes, total.segments, total.bytes));
}

// Deleted topics leave nothing in the bucket, whatever was cut or failed.
void Simulation::CheckBucket() {
  for (int i = 0; world_.engine->Stats().topics_to_purge > 0; ++i) {
    if (i == kMaxPurgeRounds) {
      return world_.journal().Fail("deleted topics are not purged");
    }
    world_.runtime.RunFor(std::chrono::minutes(1));
    if (!Done(store_.RunMigrations())) return;
  }
  std::set<std::string> live;
  const auto topics = world_.engine->ListTopics();
  for (const TopicInfo& topic : *topics) {
    live.insert(topic.id.ToString());
  }
  for (const std::string& key : Objects()) {
    if (key == TopicsKey()) continue;
    const std::string topic = key.substr(kTopicsPrefix.size(), 32);
    if (key.starts_with(kTopicsPrefix) && live.contains(topic)) continue;
    world_.journal().Fail("left in the bucket by a deleted topic: " + key);
  }
  struct Named {
    bool done = false;
    Result<ColdTopics> topics = ColdTopics{};
  };
  const auto named = std::make_shared<Named>();
  LoadTopics(world_.bucket, {}, [named](Result<ColdTopics> found) {
    named->done = true;
    named->topics = std::move(found);
  });
  if (!world_.RunUntil(named->done, "topics")) return;
  if (!named->topics.ok()) {
    return world_.journal().Fail(named->topics.status().ToString());
  }
  std::set<std::string> there;
  for (const TopicCreated& topic : named->topics->topics) {
    there.insert(topic.id.ToString());
  }
  if (there == live) return;
  world_.journal().Fail(fmt::format("the bucket names {} topics, there are {}",
                                    there.size(), live.size()));
}

std::vector<std::string> Simulation::Objects() {
  std::vector<std::string> keys;
  for (bool more = true; more;) {
    bool done = false;
    world_.bucket->List(
        "", keys.empty() ? "" : keys.back(), 1000, {},
        [&](const Result<ListPage>& page) {
          done = true;
          more = page.ok() && page->more;
          if (!page.ok()) {
            return world_.journal().Fail("list: " + page.status().ToString());
          }
          for (const ObjectInfo& object : page->objects) {
            keys.push_back(object.key);
          }
        });
    if (!world_.RunUntil(done, "list")) break;
  }
  return keys;
}

void Simulation::AppendToAll() {
  for (const PartitionPtr& partition : store_.Partitions()) {
    CheckedStore::OpPtr op;
    for (int i = 0; i < kMaxAppendAttempts; ++i) {
      op = steps_.Append(partition, Durability::kDisk);
      if (!Done(op) || op->status.ok()) break;
      // Drawn too large for a WAL file.
      if (op->status.code() == StatusCode::kInvalidArgument) continue;
      // Full: jobs make room.
      world_.runtime.RunFor(std::chrono::seconds(5));
    }
    if (!failed() && !op->status.ok()) {
      world_.journal().Fail(op->what + ": " + op->status.ToString());
    }
  }
}

void Simulation::DamageFiles() {
  FlipBits(*world_.data);
  FlipBits(*world_.warm);
  life_.ExpectDamage();
  life_.Open();
  if (!failed()) life_.ReadAllDamaged();
}

// In WAL and segment files; the manifest's own damage is told at open.
void Simulation::FlipBits(SimFileSystem& files) {
  for (const std::string& path : files.Files()) {
    if (!path.starts_with("wal/") && !path.ends_with(".seg")) continue;
    const uint64_t size = files.ReadFile(path)->size();
    if (size == 0 || world_.dice.OneIn(2)) continue;
    for (uint64_t n = world_.dice.Between(1, 4); n > 0; --n) {
      // Most of a WAL file is not in use: half of the flips are near its head.
      const uint64_t within =
          world_.dice.OneIn(2) ? size : std::min<uint64_t>(size, 16 * kKiB);
      const uint64_t position = world_.dice.Below(within);
      world_.journal().Note(fmt::format("bit flips in {}{} at {}",
                                        files.Describe(), path, position));
      files.FlipBit(path, position, static_cast<int>(world_.dice.Below(8)));
    }
  }
}

}  // namespace

SimulationResult RunSimulation(uint64_t seed,
                               const SimulationOptions& options) {
  return Simulation(seed, options).Run();
}

}  // namespace strata
