// Many seeds of the simulation. STRATA_SIM_SEEDS sets how many (1000); the
// failure of one says how to run it alone.
#include "testing/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace strata {
namespace {

constexpr uint64_t kShards = 10;

uint64_t Seeds() {
  const char* text = std::getenv("STRATA_SIM_SEEDS");
  return text == nullptr ? 1000 : std::strtoull(text, nullptr, 10);
}

SimulationCounters RunSeeds(uint64_t first, uint64_t count,
                            const SimulationOptions& options = {}) {
  SimulationCounters counters;
  int failed = 0;
  for (uint64_t seed = first; seed < first + count && failed < 3; ++seed) {
    const SimulationResult result = RunSimulation(seed, options);
    EXPECT_TRUE(result.ok) << result.failure;
    failed += !result.ok;
    counters += result.counters;
  }
  return counters;
}

class SimulationTest : public testing::TestWithParam<uint64_t> {};

TEST_P(SimulationTest, EveryPromiseHolds) {
  const uint64_t count = (Seeds() + kShards - 1) / kShards;
  RunSeeds(1 + GetParam() * count, count);
}

INSTANTIATE_TEST_SUITE_P(Shards, SimulationTest,
                         testing::Range(uint64_t{0}, kShards));

TEST(SimulationRunTest, SameSeedGoesTheSameWay) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_EQ(RunSimulation(seed).trace_hash, RunSimulation(seed).trace_hash);
  }
  EXPECT_NE(RunSimulation(1).trace_hash, RunSimulation(2).trace_hash);
}

TEST(SimulationRunTest, EverythingThatCanHappenHappens) {
  const SimulationCounters c = RunSeeds(5001, 100);
  for (size_t i = 0; i < kSimOps; ++i) {
    EXPECT_GT(c.succeeded[i], 0u) << Name(static_cast<SimOp>(i));
  }
  for (const SimOp op :
       {SimOp::kAppend, SimOp::kTrim, SimOp::kTruncate, SimOp::kFlush,
        SimOp::kDemoteToWarm, SimOp::kDemoteToCold, SimOp::kPromoteToWarm,
        SimOp::kRunMigrations, SimOp::kCreateTopic, SimOp::kDeleteTopic}) {
    EXPECT_GT(c.CutByCrash(op), 0u) << Name(op);
  }
  EXPECT_GT(c.crashes, 0u);
  EXPECT_GT(c.crashes_in_open, 0u);
  EXPECT_GT(c.clean_restarts, 0u);
  EXPECT_GT(c.recreations, 0u);
  EXPECT_GT(c.bucket_faults, 0u);
  EXPECT_GT(c.purges_cut, 0u);
  EXPECT_GT(c.flushes, 0u);
  EXPECT_GT(c.wal_moves, 0u);
  EXPECT_GT(c.offloads, 0u);
  EXPECT_GT(c.promotions, 0u);
  EXPECT_GT(c.drops, 0u);
  EXPECT_GT(c.replayed_batches, 0u);
  EXPECT_GT(c.torn_bytes, 0u);
}

TEST(SimulationRunTest, DamagedFilesAreReportedAndNothingWrongIsRead) {
  SimulationOptions options;
  options.flip_bits = true;
  const SimulationCounters c = RunSeeds(7001, 60, options);
  EXPECT_GT(c.damaged_reads, 0u);
}

}  // namespace
}  // namespace strata
