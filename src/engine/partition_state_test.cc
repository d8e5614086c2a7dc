#include "engine/partition_state.h"

#include <gtest/gtest.h>

#include "testing/sim_runtime.h"

namespace strata::engine {
namespace {

class PartitionStateTest : public testing::Test {
 protected:
  void Add(uint64_t id, uint64_t base, uint64_t end) {
    SegmentEntry entry;
    entry.id = id;
    entry.offsets = {Offset(base), Offset(end)};
    MutexLock lock(partition_.mu);
    partition_.segments.emplace(Offset(base),
                                std::make_shared<Segment>(std::move(entry)));
  }

  // The id of the segment that holds `offset`; 0 for none.
  uint64_t Holder(uint64_t offset) {
    MutexLock lock(partition_.mu);
    const SegmentPtr found = partition_.FindSegment(Offset(offset));
    return found == nullptr ? 0 : found->entry.id;
  }

  SimRuntime runtime_{1};
  PartitionState partition_{
      PartitionId{}, {"t", 0}, TopicSettings{}, runtime_.log_executor()};
};

TEST_F(PartitionStateTest, SegmentIsFoundByEveryOffsetItHolds) {
  Add(7, 10, 20);
  Add(8, 20, 21);
  Add(9, 30, 40);
  EXPECT_EQ(Holder(9), 0u);
  EXPECT_EQ(Holder(10), 7u);
  EXPECT_EQ(Holder(19), 7u);
  EXPECT_EQ(Holder(20), 8u);
  EXPECT_EQ(Holder(21), 0u);
  EXPECT_EQ(Holder(29), 0u);
  EXPECT_EQ(Holder(30), 9u);
  EXPECT_EQ(Holder(40), 0u);
}

}  // namespace
}  // namespace strata::engine
