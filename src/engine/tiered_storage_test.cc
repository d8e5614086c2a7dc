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

  Status AppendTo(const TopicPartition& partition, std::string_view text,
                  BatchFormat format = BatchFormat::kOpaque) {
    AppendRequest request;
    request.bytes = AsBytes(text);
    request.format = format;
    return storage_->Append(partition, request).status();
  }

  // Names and partition counts of all topics.
  std::string Topics() {
    std::string all;
    const auto topics = storage_->ListTopics();
    if (!topics.ok()) return topics.status().ToString();
    for (const TopicInfo& topic : *topics) {
      all += topic.name + ":" + std::to_string(topic.partitions) + " ";
    }
    return all;
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

TEST_F(TieredStorageTest, AppendToAnUnknownTopicCreatesItWithTheDefault) {
  config_.default_partitions = 3;
  Open();
  EXPECT_TRUE(AppendTo({"new", 2}, "a").ok());
  EXPECT_EQ(Topics(), "new:3 ");
}

TEST_F(TieredStorageTest, AppendBeyondTheDefaultPartitionsCreatesNothing) {
  config_.default_partitions = 3;
  Open();
  for (const uint32_t partition : {3u, 99'999u, UINT32_MAX}) {
    const Status status = AppendTo({"typo", partition}, "a");
    EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
    EXPECT_THAT(status.message(),
                HasSubstr("'typo'; it would be created with 3 partitions, "
                          "without partition " +
                          std::to_string(partition)));
  }
  EXPECT_EQ(Topics(), "");
}

TEST_F(TieredStorageTest, RefusedAppendLeavesNoTopicBehind) {
  Open();
  EXPECT_EQ(AppendTo(kTopic, "").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(AppendTo(kTopic, "no batch", BatchFormat::kKafkaV2).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(storage_->Append(kTopic, std::span<const AppendRequest>())
                .status()
                .code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(storage_->Write(kTopic, Offset(5), Offset(5), AsBytes("a"))
                .status()
                .code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(storage_->Write(kTopic, Offset(5), Offset(6), {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Topics(), "");
}

TEST_F(TieredStorageTest, WithoutAutoCreationAnUnknownTopicIsNotFound) {
  config_.auto_create_topics = false;
  Open();
  const Status status = AppendTo(kTopic, "a");
  EXPECT_EQ(status.code(), StatusCode::kNotFound) << status;
  EXPECT_THAT(status.message(), HasSubstr("no topic 't'"));
  EXPECT_EQ(storage_->Write(kTopic, Offset(0), Offset(1), AsBytes("a"))
                .status()
                .code(),
            StatusCode::kNotFound);
  EXPECT_EQ(Topics(), "");
  ASSERT_TRUE(storage_->CreateTopic("t", 1).ok());
  EXPECT_TRUE(AppendTo(kTopic, "a").ok());
}

}  // namespace
}  // namespace strata
