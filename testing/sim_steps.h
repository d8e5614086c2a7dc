// SimSteps: draws what happens next and does it. The weights differ from seed
// to seed, so that some seeds do much of what is rare.
#pragma once

#include <array>
#include <set>
#include <string>

#include "testing/checked_store.h"
#include "testing/sim_life.h"
#include "testing/sim_world.h"

namespace strata {

// Owned by one thread.
class SimSteps {
 public:
  SimSteps(SimWorld& world, CheckedStore& store, SimLife& life,
           SimulationCounters& counters);

  // Begins one operation, or changes the world. What is begun may go on
  // beside the next steps.
  void Next();

  CheckedStore::OpPtr Append(const engine::PartitionPtr& partition,
                             std::optional<Durability> durability = {});

 private:
  enum class Step : uint8_t;
  static constexpr size_t kSteps = 20;
  using OpPtr = CheckedStore::OpPtr;

  Step Draw();
  OpPtr Do(Step step);
  OpPtr DoOnPartition(Step step, const engine::PartitionPtr& partition);
  OpPtr DoOnTopic(Step step);
  OpPtr DoOnWorld(Step step);
  PartitionModel::Payload DrawPayload();
  OpPtr Write(const engine::PartitionPtr& partition);
  OpPtr Read(const engine::PartitionPtr& partition);
  OpPtr ReadAgain(const engine::PartitionPtr& partition);
  OpPtr Trim(const engine::PartitionPtr& partition);
  OpPtr Truncate(const engine::PartitionPtr& partition);
  void ChangeBucket();
  void PassTime();

  SimWorld& world_;
  CheckedStore& store_;
  SimLife& life_;
  SimulationCounters& counters_;
  Dice& dice_;
  std::array<uint64_t, kSteps> weights_{};
  std::set<std::string> deleted_names_;
};

}  // namespace strata
