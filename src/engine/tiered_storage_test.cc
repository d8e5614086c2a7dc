// What of the public API no other test calls, on real files. The rest is in
// tests/.
#include "strata/tiered_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "testing/temp_dir.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

class TieredStorageTest : public ::testing::Test {
 protected:
  TieredStorageTest() {
    config_ = TieredStorageConfig::Testing(dir_.path() / "store");
    config_.reserve_bytes = 64 * kKiB;
  }

  void Open() {
    auto opened = TieredStorage::Open(config_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    storage_ = *std::move(opened);
  }

  void Write(uint64_t base, uint64_t end, std::string_view text) {
    const auto result =
        storage_->Write(kTopic, Offset(base), Offset(end), AsBytes(text));
    ASSERT_TRUE(result.ok()) << result.status();
  }

  // "[base, end)" of the segment that holds `offset`, or the error.
  std::string Holder(uint64_t offset) {
    const auto found = storage_->GetSegmentMetadata(kTopic, Offset(offset));
    if (!found.ok()) return found.status().ToString();
    return "[" + std::to_string(found->base_offset.value()) + ", " +
           std::to_string(found->end_offset.value()) + ")";
  }

  const TopicPartition kTopic{"t", 0};
  const TempDir dir_;
  TieredStorageConfig config_;
  std::unique_ptr<TieredStorage> storage_;
};

TEST_F(TieredStorageTest, ConfigIsWhatWasGiven) {
  config_.promotion_threshold = 17;
  config_.migration_interval = std::chrono::minutes(11);
  config_.warm_tier_path = dir_.path() / "elsewhere";
  config_.cold_storage = cold::LocalFs{dir_.path() / "bucket"};
  Open();
  const TieredStorageConfig& told = storage_->config();
  EXPECT_EQ(told.data_dir, config_.data_dir);
  EXPECT_EQ(told.promotion_threshold, 17u);
  EXPECT_EQ(told.migration_interval, std::chrono::minutes(11));
  EXPECT_EQ(told.warm_tier_path, dir_.path() / "elsewhere");
  ASSERT_TRUE(std::holds_alternative<cold::LocalFs>(told.cold_storage));
  EXPECT_EQ(std::get<cold::LocalFs>(told.cold_storage).path,
            dir_.path() / "bucket");
}

TEST_F(TieredStorageTest, SegmentMetadataIsThatOfTheSegmentAroundTheOffset) {
  Open();
  Write(0, 10, "cold");
  ASSERT_TRUE(storage_->DemoteTo(kTopic, StorageTier::kCold).ok());
  Write(10, 20, "warm");
  Write(30, 40, "warm, behind a gap");
  ASSERT_TRUE(storage_->FlushHotTier(kTopic).ok());
  Write(40, 50, "tail");
  for (const auto& [offset, holder] : {std::pair{0, "[0, 10)"},
                                       {9, "[0, 10)"},
                                       {10, "[10, 40)"},
                                       {25, "[10, 40)"},
                                       {39, "[10, 40)"},
                                       {40, "[40, 50)"},
                                       {49, "[40, 50)"}}) {
    EXPECT_EQ(Holder(offset), holder) << offset;
  }
  const auto cold = storage_->GetSegmentMetadata(kTopic, Offset(5));
  ASSERT_TRUE(cold.ok()) << cold.status();
  EXPECT_EQ(cold->tier, StorageTier::kCold);
  EXPECT_EQ(cold->SegmentKey(), "t/0/00000000000000000000");
  const auto tail = storage_->GetSegmentMetadata(kTopic, Offset(45));
  ASSERT_TRUE(tail.ok()) << tail.status();
  EXPECT_FALSE(tail->sealed);
}

TEST_F(TieredStorageTest, SegmentMetadataOfAnOffsetThatIsNotThereIsNotFound) {
  Open();
  Write(0, 10, "a");
  ASSERT_TRUE(storage_->FlushHotTier(kTopic).ok());
  Write(10, 20, "b");
  ASSERT_TRUE(storage_->Trim(kTopic, Offset(10)).ok());
  for (const uint64_t offset : {9, 20}) {
    const Status status =
        storage_->GetSegmentMetadata(kTopic, Offset(offset)).status();
    EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
    EXPECT_THAT(status.message(), HasSubstr("t/0: no segment holds offset " +
                                            std::to_string(offset)));
  }
  EXPECT_EQ(
      storage_->GetSegmentMetadata({"other", 0}, Offset(0)).status().code(),
      StatusCode::kNotFound);
}

}  // namespace
}  // namespace strata
