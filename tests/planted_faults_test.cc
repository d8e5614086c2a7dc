// Planted faults: six known mistakes, one at a time. Each has to be found by
// the simulation within a few seeds, or the simulation proves nothing.
#include <gtest/gtest.h>

#include "base/planted_fault.h"
#include "testing/simulation.h"

namespace strata {
namespace {

constexpr uint64_t kSeeds = 200;

class PlantedFaultTest : public testing::Test {
 protected:
  ~PlantedFaultTest() override { PlantFault(PlantedFault::kNone); }

  // The seed that found it; 0 when none did.
  static uint64_t FindingSeed(const SimulationOptions& options) {
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const SimulationResult result = RunSimulation(seed, options);
      if (!result.ok) return seed;
    }
    return 0;
  }

  // With `options`, nothing is found before `fault` is planted.
  static void ExpectFound(PlantedFault fault,
                          const SimulationOptions& options = {}) {
    PlantFault(fault);
    const uint64_t seed = FindingSeed(options);
    ASSERT_NE(seed, 0u) << "not found in " << kSeeds << " seeds";
    PlantFault(PlantedFault::kNone);
    const SimulationResult sound = RunSimulation(seed, options);
    EXPECT_TRUE(sound.ok) << sound.failure;
  }
};

TEST_F(PlantedFaultTest, DirectorySyncLeftOutIsFound) {
  ExpectFound(PlantedFault::kDirectorySyncLeftOut);
}

// The same of the disk, for every directory.
TEST_F(PlantedFaultTest, DiskThatForgetsNamesIsFound) {
  SimulationOptions options;
  options.ignore_directory_sync = true;
  const uint64_t seed = FindingSeed(options);
  ASSERT_NE(seed, 0u) << "not found in " << kSeeds << " seeds";
  const SimulationResult sound = RunSimulation(seed);
  EXPECT_TRUE(sound.ok) << sound.failure;
}

TEST_F(PlantedFaultTest, WalReleasedBeforeTheManifestEditIsFound) {
  ExpectFound(PlantedFault::kWalReleasedEarly);
}

TEST_F(PlantedFaultTest, SourceRemovedBeforeItsEditIsFound) {
  ExpectFound(PlantedFault::kSourceRemovedEarly);
}

TEST_F(PlantedFaultTest, ClaimIgnoredIsFound) {
  ExpectFound(PlantedFault::kClaimIgnored);
}

TEST_F(PlantedFaultTest, ChecksumIgnoredIsFound) {
  SimulationOptions options;
  options.flip_bits = true;
  ExpectFound(PlantedFault::kCrcIgnored, options);
}

TEST_F(PlantedFaultTest, GapAnsweredWithOkIsFound) {
  SimulationOptions options;
  options.flip_bits = true;
  ExpectFound(PlantedFault::kGapAnsweredOk, options);
}

}  // namespace
}  // namespace strata
