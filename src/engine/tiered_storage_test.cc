// What of the public API no other test calls, on real files. The rest is in
// tests/.
#include "strata/tiered_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string_view>

#include "object_store/memory/memory_object_store.h"
#include "runtime/thread_runtime.h"
#include "testing/late_object_store.h"
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
    OpenOptions options;
    options.cold_store = cold_store_;
    auto opened = TieredStorage::Open(config_, std::move(options));
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
  std::shared_ptr<ObjectStore> cold_store_;  // null: as config_ says
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

// What is touched too late shows with AddressSanitizer.
TEST_F(TieredStorageTest, StoreEndsWhileAnAppendIsRememberedThatFoundNoRoom) {
  config_.cold_storage = cold::Disabled{};
  config_.warm_tier_max_bytes = 64 * kKiB;
  config_.min_segment_bytes = 4 * kKiB;
  config_.target_segment_bytes = 16 * kKiB;
  config_.append_timeout = std::chrono::milliseconds(20);
  Open();
  const std::string batch(64 * kKiB, 'x');
  ASSERT_TRUE(AppendTo(kTopic, batch).ok());
  ASSERT_TRUE(storage_->FlushHotTier(kTopic).ok());
  // The first of them may be told to look again.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(AppendTo(kTopic, "x").code(), StatusCode::kNoSpace);
  }
  // With it goes the chunk of the log, whose memory is room.
  storage_.reset();
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

TEST_F(TieredStorageTest, EveryCallAfterShutdownIsClosed) {
  Open();
  Write(0, 10, "a");
  const Partition handle = *storage_->GetPartition(kTopic);
  ASSERT_TRUE(storage_->Shutdown().ok());

  TieredStorage& s = *storage_;
  AppendRequest request;
  request.bytes = AsBytes("b");
  const std::span<const AppendRequest> requests(&request, 1);
  const TopicPartition unknown{"unknown", 0};
  std::promise<Status> append;
  std::promise<Status> appends;
  std::promise<Status> writable;
  std::promise<Status> read;
  s.AppendAsync(handle, request,
                [&](const auto& ack) { append.set_value(ack.status()); });
  s.AppendAsync(handle, requests,
                [&](const auto& ack) { appends.set_value(ack.status()); });
  s.WhenWritable([&](Status status) { writable.set_value(std::move(status)); });
  s.ReadAsync(handle, Offset(0), {},
              [&](const auto& batches) { read.set_value(batches.status()); });
  const std::pair<std::string_view, Status> answers[] = {
      {"CreateTopic", s.CreateTopic("new", 1).status()},
      {"DeleteTopic", s.DeleteTopic("t")},
      {"ListTopics", s.ListTopics().status()},
      {"DescribeTopic", s.DescribeTopic("t").status()},
      {"GetPartition", s.GetPartition(kTopic).status()},
      {"Append", s.Append(kTopic, request).status()},
      {"Append, unknown topic", s.Append(unknown, request).status()},
      {"Append, handle", s.Append(handle, request).status()},
      {"Append, several", s.Append(kTopic, requests).status()},
      {"Append, several, handle", s.Append(handle, requests).status()},
      {"Write", s.Write(kTopic, Offset(10), Offset(11), AsBytes("b")).status()},
      {"AppendAsync", append.get_future().get()},
      {"AppendAsync, several", appends.get_future().get()},
      {"WhenWritable", writable.get_future().get()},
      {"TruncateTail", s.TruncateTail(kTopic, Offset(0), Epoch(9))},
      {"Trim", s.Trim(kTopic, Offset(10))},
      {"Read", s.Read(kTopic, Offset(0)).status()},
      {"Read, handle", s.Read(handle, Offset(0)).status()},
      {"ReadAsync", read.get_future().get()},
      {"Bounds", s.Bounds(kTopic).status()},
      {"Bounds, handle", s.Bounds(handle).status()},
      {"EpochEndOffset", s.EpochEndOffset(kTopic, Epoch(0)).status()},
      {"GetSegmentMetadata", s.GetSegmentMetadata(kTopic, Offset(0)).status()},
      {"Segments", s.Segments(kTopic).status()},
      {"FlushHotTier", s.FlushHotTier(kTopic)},
      {"FlushAll", s.FlushAll()},
      {"DemoteTo", s.DemoteTo(kTopic, StorageTier::kCold)},
      {"PromoteTo", s.PromoteTo(kTopic, StorageTier::kHot)},
      {"RunMigrations", s.RunMigrations()},
      {"Verify", s.Verify().status()},
      {"Repair", s.Repair(kTopic).status()}};
  for (const auto& [call, status] : answers) {
    EXPECT_EQ(status.code(), StatusCode::kClosed) << call << ": " << status;
  }

  // What asks nothing of the store goes on.
  EXPECT_TRUE(s.Shutdown().ok());
  EXPECT_EQ(s.config().data_dir, config_.data_dir);
  EXPECT_TRUE(s.recovery().damage.empty());
  EXPECT_EQ(s.Stats().hot_writes, 1u);
}

TEST_F(TieredStorageTest, VerifyTellsHowFarItIs) {
  Open();
  ASSERT_TRUE(storage_->CreateTopic(kTopic.topic, 1).ok());
  const std::string batch(1000, 'b');
  const AppendRequest request{.bytes = AsBytes(batch)};
  for (const StorageTier tier : {StorageTier::kCold, StorageTier::kWarm}) {
    ASSERT_TRUE(storage_->Append(kTopic, request).ok());
    ASSERT_EQ(storage_->DemoteTo(kTopic, tier), Status::Ok());
  }
  ASSERT_TRUE(storage_->Append(kTopic, request).ok());
  std::vector<uint64_t> told;
  const auto report =
      storage_->Verify([&](uint64_t bytes) { told.push_back(bytes); });
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(told.size(), 3u) << "one each in hot, warm and cold";
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_GE(told.front(), batch.size());
  EXPECT_EQ(told.back(), report->bytes);
}

// A request at which the host's object store hangs until the storage is gone.
struct Hang {
  enum During { kOffload, kRead, kPurge };
  std::string_view name;
  During during;
  StoreOp op;
  std::string_view key_part;
};

class HostObjectStoreHangs : public TieredStorageTest,
                             public ::testing::WithParamInterface<Hang> {
 protected:
  HostObjectStoreHangs() {
    cold_store_ = late_;
    config_.migration_interval = std::chrono::milliseconds(1);
    config_.warm_tier_max_age = std::chrono::milliseconds(1);
    config_.shutdown_timeout = std::chrono::milliseconds(0);
  }
  // Before the host's runtime, which its requests use.
  ~HostObjectStoreHangs() override { storage_.reset(); }

  void WriteAndFlush() {
    Write(0, 10, kText);
    ASSERT_TRUE(storage_->FlushHotTier(kTopic).ok());
  }

  void Start(Hang::During during) {
    Open();
    if (during != Hang::kOffload) {
      WriteAndFlush();
      ASSERT_TRUE(storage_->DemoteTo(kTopic, StorageTier::kCold).ok());
      storage_.reset();
    }
    late_->Hold(GetParam().op, std::string(GetParam().key_part));
    // Knows neither root nor chunk, so that it has to ask.
    if (during != Hang::kOffload) Open();
    switch (during) {
      case Hang::kOffload: WriteAndFlush(); return;
      case Hang::kRead:
        return storage_->ReadAsync(
            storage_->GetPartition(kTopic).value(), Offset(0), {},
            [](const Result<std::vector<BatchView>>& read) {
              EXPECT_EQ(read.status().code(), StatusCode::kClosed);
            });
      case Hang::kPurge: ASSERT_TRUE(storage_->DeleteTopic("t").ok());
    }
  }

  static constexpr std::string_view kText = "all of it";
  const std::unique_ptr<Runtime> host_runtime_ = MakeThreadRuntime();
  const std::shared_ptr<LateObjectStore> late_ =
      std::make_shared<LateObjectStore>(MakeMemoryObjectStore(*host_runtime_));
};

// What is touched too late shows with AddressSanitizer.
TEST_P(HostObjectStoreHangs, AnswerAfterTheEndTouchesNothing) {
  Start(GetParam().during);
  late_->WaitForHeld();
  storage_.reset();
  EXPECT_EQ(late_.use_count(), 2);  // late_ and cold_store_
  late_->Release();

  if (GetParam().during == Hang::kPurge) return;
  Open();
  const auto batches = storage_->Read(kTopic, Offset(0));
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 1u);
  EXPECT_EQ(AsText(batches->front().bytes()), kText);
}

INSTANTIATE_TEST_SUITE_P(
    , HostObjectStoreHangs,
    ::testing::Values(
        Hang{"PutOfASegment", Hang::kOffload, StoreOp::kPut, ".seg"},
        Hang{"HeadOfASegment", Hang::kOffload, StoreOp::kHead, ".seg"},
        Hang{"GetToReadBack", Hang::kOffload, StoreOp::kGet, ".seg"},
        Hang{"PutOfARoot", Hang::kOffload, StoreOp::kPut, "/root"},
        Hang{"HeadOfARoot", Hang::kRead, StoreOp::kHead, "/root"},
        Hang{"GetOfARoot", Hang::kRead, StoreOp::kGet, "/root"},
        Hang{"GetOfAChunk", Hang::kRead, StoreOp::kGet, ".seg"},
        Hang{"ListOfATopic", Hang::kPurge, StoreOp::kList, "topics/"},
        Hang{"Delete", Hang::kPurge, StoreOp::kDelete, "topics/"}),
    [](const auto& hang) { return std::string(hang.param.name); });

}  // namespace
}  // namespace strata
