// The whole store with its cold tier on a server.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "object_store/conditional_put_probe.h"
#include "strata/tiered_storage.h"
#include "testing/await.h"
#include "testing/bucket_server.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

class BucketEngineTest : public ::testing::TestWithParam<BucketServer> {
 protected:
  std::unique_ptr<TieredStorage> Open() {
    auto config = TieredStorageConfig::Testing(dir_.path() / "store");
    config.enable_promotion = false;
    auto opened = TieredStorage::Open(
        config, {.cold_store = bucket_.store(), .log = {}, .executor = {}});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  // All batches of the log, the same bytes as were appended, from `tier`.
  void ExpectAll(TieredStorage& storage, StorageTier tier) {
    int64_t batches = 0;
    for (Offset at{0}; at < Offset{kBatches};) {
      const auto read = storage.Read(log_, at);
      ASSERT_TRUE(read.ok()) << read.status();
      ASSERT_FALSE(read->empty());
      for (const BatchView& batch : *read) {
        EXPECT_TRUE(AsText(batch.bytes()) == Batch(batches)) << batches;
        EXPECT_EQ(batch.tier(), tier);
        ++batches;
        at = batch.end_offset();
      }
    }
    EXPECT_EQ(batches, kBatches);
  }
  static std::string Batch(int64_t i) {
    return std::to_string(i) +
           std::string(60'000, static_cast<char>('a' + i % 26));
  }

  static constexpr int64_t kBatches = 100;

  BucketPart bucket_{GetParam()};
  TempDir dir_;
  const TopicPartition log_{"orders", 0};
};

TEST_P(BucketEngineTest, LogGoesToTheBucketAndComesBack) {
  {
    const auto storage = Open();
    for (int64_t i = 0; i < kBatches; ++i) {
      const auto appended = storage->Append(log_, {.bytes = AsBytes(Batch(i))});
      ASSERT_TRUE(appended.ok()) << appended.status();
    }
    ASSERT_EQ(storage->DemoteTo(log_, StorageTier::kCold), Status::Ok());
    ExpectAll(*storage, StorageTier::kCold);
  }
  const auto storage = Open();
  ExpectAll(*storage, StorageTier::kCold);
  EXPECT_EQ(storage->DeleteTopic(log_.topic), Status::Ok());
}

TEST_P(BucketEngineTest, ConditionsAreHonoured) {
  const auto found =
      Await<Result<ConditionalPuts>>(*bucket_.runtime(), [&](auto done) {
        ProbeConditionalPuts(bucket_.store(), "probe", {}, std::move(done));
      });
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->if_absent);
  EXPECT_TRUE(found->if_version);
}

INSTANTIATE_TEST_SUITE_P(Servers, BucketEngineTest,
                         testing::ValuesIn(BucketServers()),
                         [](const auto& param_info) {
                           return param_info.param.name;
                         });

}  // namespace
}  // namespace strata
