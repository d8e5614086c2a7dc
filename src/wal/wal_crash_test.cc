// The log under everything that may befall it between two opens: loss of power
// at any change on disk, death of the process alone, disks that fail or are
// full, directories that cannot be synced, other options, released space. One
// failing seed: STRATA_WAL_SEED=<n> wal_tests --gtest_filter='WalCrash*'.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "format/wal_format.h"
#include "runtime/xoshiro.h"
#include "testing/wal_test_log.h"

namespace strata {
namespace {

constexpr uint64_t kSeeds = 400;
constexpr int kGenerations = 6;

struct Tally {
  uint64_t acknowledged = 0;
  uint64_t cut = 0;       // appended, and gone after a crash
  uint64_t released = 0;  // files
  uint64_t unknown = 0;   // answers
};

// One seed. Owned by one thread.
class Generations {
 public:
  Generations(uint64_t seed, Tally& tally)
      : log_(seed), chance_(seed ^ 0x9e3779b97f4a7c15), tally_(tally) {}

  void Run() {
    for (int i = 0; i < kGenerations && !testing::Test::HasFailure(); ++i) {
      DrawOptions();
      ASSERT_NO_FATAL_FAILURE(Open());
      Live();
      Die();
    }
  }

 private:
  // A frame as it was appended. Its append ends with the frame that says so.
  struct Appended {
    std::string payload;
    uint64_t seq = 0;
    bool ends_append = false;
    bool acknowledged = false;
  };

  uint64_t Below(uint64_t bound) { return chance_.Next() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  void DrawOptions() {
    WalOptions& options = log_.options;
    // Mostly the same, so that files are recycled.
    options.file_bytes = OneIn(6) ? 32 << 10 : 64 << 10;
    options.max_bytes = (3 + Below(6)) * options.file_bytes;
    options.chunk_bytes = kWalBlockBytes << Below(4);
    options.checkpoint_interval = std::chrono::milliseconds(1 + Below(500));
  }

  // Until an open gets through: it may be struck, too.
  void Open() {
    for (log_.writer.reset(); log_.writer == nullptr;) {
      if (OneIn(3)) log_.disk.CrashAfter(Below(15));
      Result<WalRecovered> recovered = log_.Recover();
      if (recovered.ok()) {
        ASSERT_NO_FATAL_FAILURE(CheckFound());
        auto opened =
            WalWriter::Open(log_.disk, log_.runtime, Logger(log_.sink),
                            log_.chunks, log_.options, *std::move(recovered));
        ASSERT_TRUE(opened.ok()) << opened.status();
        log_.writer = *std::move(opened);
      } else {
        ASSERT_TRUE(log_.disk.frozen()) << recovered.status();
      }
      if (log_.disk.frozen()) Die();
    }
  }

  // What is found was appended, byte for byte and in order, from where the log
  // is needed up to a point behind all that was acknowledged. From now on all
  // of it must stay.
  void CheckFound() {
    ASSERT_TRUE(log_.found.damage.empty()) << log_.found.damage[0].detail;
    std::vector<FoundFrames::Frame>& found = log_.found.frames;
    ASSERT_LE(found.size(), model_.size());
    held_.clear();
    for (size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].payload, model_[i].payload) << found[i].where;
      ASSERT_EQ(found[i].seq, model_[i].seq) << found[i].where;
      model_[i].acknowledged = true;
      held_.push_back(std::move(found[i].chunk));
    }
    for (size_t i = found.size(); i < model_.size(); ++i) {
      ASSERT_FALSE(model_[i].acknowledged)
          << "frame " << i << " of " << model_.size() << ", group "
          << model_[i].seq << ", is lost";
    }
    ASSERT_TRUE(found.empty() || model_[found.size() - 1].ends_append);
    tally_.cut += model_.size() - found.size();
    model_.resize(found.size());
    found.clear();
  }

  void Live() {
    if (OneIn(2)) log_.disk.CrashAfter(Below(80));
    for (uint64_t i = 20 + Below(100); i > 0 && !log_.disk.frozen(); --i) {
      Step();
      if (testing::Test::HasFatalFailure()) return;
    }
  }

  void Step() {
    const uint64_t dice = Below(16);
    if (dice < 7) return Append();
    if (dice < 9) return Wait();
    if (dice < 11) return RunTasks(Below(8));
    if (dice < 13) {
      return log_.runtime.RunFor(std::chrono::milliseconds(Below(800)));
    }
    if (dice < 15) return LetGo();
    if (OneIn(5)) SpoilTheDisk();
  }

  void RunTasks(uint64_t n) {
    while (n-- > 0) log_.runtime.Step();
  }

  void Append() {
    std::vector<std::string> payloads;
    for (uint64_t n = 1 + Below(4); n > 0; --n) {
      const uint64_t length = OneIn(8) ? Below(6000) : Below(400);
      payloads.push_back(std::to_string(next_id_++) + ":");
      while (payloads.back().size() < length) {
        payloads.back().push_back(static_cast<char>(chance_.Next()));
      }
    }
    const Status status = log_.Append(payloads);
    if (!status.ok()) {
      ASSERT_TRUE(status.code() == StatusCode::kOverloaded ||
                  status.code() == StatusCode::kNoSpace ||
                  status.code() == StatusCode::kReadOnly)
          << status;
      return;
    }
    for (size_t i = 0; i < payloads.size(); ++i) {
      ASSERT_EQ(AsText(log_.places[i].payload), payloads[i]);
      held_.push_back(std::move(log_.places[i].chunk));
      model_.push_back({.payload = std::move(payloads[i]),
                        .seq = log_.places[i].end_seq,
                        .ends_append = i + 1 == payloads.size()});
    }
    log_.places.clear();
  }

  void Wait() {
    if (model_.empty()) return;
    const uint64_t seq = model_.back().seq;
    log_.writer->WhenDurable(seq, [this, seq](Status status) {
      if (!status.ok()) {
        EXPECT_EQ(status.code(), StatusCode::kUnknown) << status;
        ++tally_.unknown;
        return;
      }
      for (Appended& frame : model_) {
        if (frame.seq > seq || frame.acknowledged) continue;
        frame.acknowledged = true;
        ++tally_.acknowledged;
      }
    });
  }

  // The oldest frames are stored elsewhere. The log is told, unless a crash
  // comes between; that it is not needed is known before.
  void LetGo() {
    for (uint64_t n = Below(2 + held_.size()); n > 0 && !held_.empty(); --n) {
      held_.pop_front();
    }
    const std::optional<WalReleasable> releasable = log_.writer->Releasable();
    if (!releasable) return;
    ASSERT_GE(releasable->needed_from_seq, log_.needed_from);
    log_.needed_from = releasable->needed_from_seq;
    if (!OneIn(10)) log_.writer->Release(releasable->file);
    ++tally_.released;
    std::erase_if(model_, [this](const Appended& frame) {
      return frame.seq < log_.needed_from;
    });
  }

  void SpoilTheDisk() {
    switch (Below(5)) {
      case 0: return log_.disk.FailNext(FileOp::kSync, "wal/", 1 + Below(2));
      case 1: return log_.disk.FailNext(FileOp::kWrite, "wal/", 1 + Below(2));
      case 2:
        return log_.disk.FailNext(FileOp::kSyncDirectory, "wal", 1 + Below(3));
      case 3:
        return log_.disk.SetCapacity(log_.disk.used_bytes() + Below(70000));
      default: return log_.disk.SetCapacity(SimFileSystem::kUnlimited);
    }
  }

  void Die() {
    log_.disk.ClearFaults();
    log_.disk.SetCapacity(SimFileSystem::kUnlimited);
    // What the manifest notes now and then.
    if (log_.writer != nullptr && OneIn(4)) {
      log_.synced_seq = std::max(log_.synced_seq, log_.writer->durable_seq());
    }
    held_.clear();
    // The process alone: what it wrote stays in the cache.
    if (!log_.disk.frozen() && OneIn(3)) return log_.Kill();
    log_.Crash();
  }

  TestLog log_;
  Xoshiro256 chance_;
  Tally& tally_;
  std::vector<Appended> model_;  // that the log is needed for
  std::deque<std::shared_ptr<Chunk>> held_;
  uint64_t next_id_ = 0;
};

TEST(WalCrashTest, AcknowledgedAppendsSurviveAllGenerations) {
  Tally tally;
  const auto run = [&tally](uint64_t seed) {
    SCOPED_TRACE("STRATA_WAL_SEED=" + std::to_string(seed));
    Generations(seed, tally).Run();
  };
  if (const char* given = std::getenv("STRATA_WAL_SEED")) {
    return run(std::strtoull(given, nullptr, 10));
  }
  for (uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) run(seed);
  // It all happened.
  EXPECT_GT(tally.acknowledged, 10 * kSeeds);
  EXPECT_GT(tally.cut, kSeeds);
  EXPECT_GT(tally.released, kSeeds);
  EXPECT_GT(tally.unknown, kSeeds / 10);
}

}  // namespace
}  // namespace strata
