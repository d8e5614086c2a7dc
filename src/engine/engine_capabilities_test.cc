// What an object store has to be able to do, asked before it is used.
#include <gmock/gmock.h>

#include "format/frame.h"
#include "segment/segment_writer.h"
#include "testing/engine_fixture.h"

namespace strata::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EngineCapabilitiesTest : public EngineTest {
 protected:
  EngineCapabilitiesTest() {
    store_ = std::make_shared<FaultyObjectStore>(cold_, runtime_, 1);
    cold_ = store_;
  }

  // What a segment may come to with this target.
  uint64_t Largest(uint64_t target) const {
    return MaxSegmentImageBytes(target + FrameBytes(config_.max_batch_bytes),
                                config_.index_interval_bytes);
  }
  void SetMaxObjectBytes(uint64_t bytes) {
    capabilities_.max_object_bytes = bytes;
    store_->SetCapabilities(capabilities_);
  }
  Result<TopicInfo> Create(uint64_t target) {
    return Await<Result<TopicInfo>>(runtime_, [&](auto done) {
      TopicSettings settings;
      settings.target_segment_bytes = target;
      engine_->CreateTopic("own", 1, settings, std::move(done));
    });
  }

  std::shared_ptr<FaultyObjectStore> store_;
  ObjectStoreCapabilities capabilities_ = cold_->Capabilities();
};

TEST_F(EngineCapabilitiesTest, StoreThatCannotFenceIsRefused) {
  for (const auto& [absent, version, lacks] :
       {std::tuple{false, true, "lacks put_if_absent, "},
        {true, false, "lacks put_if_version, "},
        {false, false, "lacks put_if_absent and put_if_version, "}}) {
    capabilities_.put_if_absent = absent;
    capabilities_.put_if_version = version;
    store_->SetCapabilities(capabilities_);
    const Status refused = TryOpen().status();
    EXPECT_EQ(refused.code(), StatusCode::kUnsupported);
    EXPECT_THAT(refused.message(),
                AllOf(HasSubstr("object store memory:"), HasSubstr(lacks)));
  }
  EXPECT_THAT(disk_.Files(), IsEmpty());
}

TEST_F(EngineCapabilitiesTest,
       StoreWhoseObjectsAreSmallerThanSegmentsIsRefused) {
  const uint64_t largest = Largest(config_.target_segment_bytes);
  SetMaxObjectBytes(largest - 1);
  const Status refused = TryOpen().status();
  EXPECT_EQ(refused.code(), StatusCode::kUnsupported);
  EXPECT_THAT(
      refused.message(),
      AllOf(HasSubstr("object store memory:"),
            HasSubstr("max_object_bytes = " + std::to_string(largest - 1)),
            HasSubstr(std::to_string(largest)),
            HasSubstr("target_segment_bytes = " +
                      std::to_string(config_.target_segment_bytes))));
  EXPECT_THAT(disk_.Files(), IsEmpty());
  SetMaxObjectBytes(largest);
  Open();
}

TEST_F(EngineCapabilitiesTest, TopicWithSegmentsTooLargeForTheStoreIsRefused) {
  SetMaxObjectBytes(Largest(config_.target_segment_bytes));
  Open();
  for (const uint64_t target :
       {config_.target_segment_bytes + 1, uint64_t{UINT64_MAX}}) {
    EXPECT_EQ(Create(target).status().code(), StatusCode::kUnsupported);
  }
  EXPECT_TRUE(Create(config_.target_segment_bytes).ok());
}

TEST_F(EngineCapabilitiesTest, StoreTooSmallForATopicThatExistsIsRefused) {
  Open();
  ASSERT_TRUE(Create(2 * config_.target_segment_bytes).ok());
  Close();
  SetMaxObjectBytes(Largest(config_.target_segment_bytes));
  const Status refused = TryOpen().status();
  EXPECT_EQ(refused.code(), StatusCode::kUnsupported);
  EXPECT_THAT(refused.message(), HasSubstr("topic own: object store memory:"));
}

// Else many small batches make an image many times the target.
TEST_F(EngineCapabilitiesTest, TailIsCutByWhatItsFramesTake) {
  config_.min_segment_bytes = 0;
  config_.target_segment_bytes = 4 * kKiB;
  Open();
  const PartitionPtr p = Topic("t");
  const uint64_t batches = 2 * config_.target_segment_bytes / FrameBytes(1);
  for (uint64_t i = 0; i < batches; ++i) {
    ASSERT_TRUE(Append(*p, "x", Durability::kMemory).ok());
  }
  ASSERT_TRUE(Demote(p, StorageTier::kWarm).ok());
  MutexLock lock(p->mu);
  EXPECT_EQ(p->segments.size(), 2u);
}

}  // namespace
}  // namespace strata::engine
