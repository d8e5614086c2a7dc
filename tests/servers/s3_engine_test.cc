// The whole store with its cold tier on Ceph.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "net/curl_http_client.h"
#include "object_store/conditional_put_probe.h"
#include "runtime/thread_runtime.h"
#include "strata/tiered_storage.h"
#include "testing/await.h"
#include "testing/s3_test_server.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

class S3EngineTest : public ::testing::Test {
 protected:
  std::shared_ptr<ObjectStore> MakeStore() {
    auto store = MakeS3ObjectStore(
        S3OptionsOf(settings_["TLS_URL"], settings_), S3KeysOf(settings_),
        MakeCurlHttpClient({.ca_bundle = settings_["CA"]}));
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  std::unique_ptr<TieredStorage> Open() {
    auto config = TieredStorageConfig::Testing(dir_.path() / "store");
    config.enable_promotion = false;
    auto opened = TieredStorage::Open(
        config, {.cold_store = MakeStore(), .log = {}, .executor = {}});
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

  S3TestSettings settings_ = S3OfFixture();
  TempDir dir_;
  const TopicPartition log_{"orders", 0};
};

TEST_F(S3EngineTest, LogGoesToTheBucketAndComesBack) {
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

TEST_F(S3EngineTest, CephHonoursConditions) {
  const auto runtime = MakeThreadRuntime();
  const auto found = Await<Result<ConditionalPuts>>(*runtime, [&](auto done) {
    ProbeConditionalPuts(MakeStore(), "probe", {}, std::move(done));
  });
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->if_absent);
  EXPECT_TRUE(found->if_version);
}

}  // namespace
}  // namespace strata
