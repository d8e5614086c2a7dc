#include "strata/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace strata {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

TEST(ConfigTest, PresetsAreValid) {
  EXPECT_EQ(TieredStorageConfig().Validate(), Status::Ok());
  EXPECT_EQ(TieredStorageConfig::HighPerformance().Validate(), Status::Ok());
  EXPECT_EQ(TieredStorageConfig::CostOptimized().Validate(), Status::Ok());
  EXPECT_EQ(TieredStorageConfig::Testing("x").Validate(), Status::Ok());
}

TEST(ConfigTest, DefaultsAreTheSeeds) {
  const TieredStorageConfig c;
  EXPECT_EQ(c.hot_tier_max_bytes, 1073741824u);
  EXPECT_EQ(c.hot_tier_max_age, 3600s);
  EXPECT_EQ(c.warm_tier_max_bytes, 107374182400u);
  EXPECT_EQ(c.warm_tier_max_age, 7 * 86400s);
  EXPECT_EQ(c.migration_interval, 60s);
  EXPECT_EQ(c.migration_concurrency, 4u);
  EXPECT_TRUE(c.enable_promotion);
  EXPECT_EQ(c.promotion_threshold, 100u);
  EXPECT_EQ(c.compaction_threshold, 0.5);
}

TEST(ConfigTest, HighPerformanceIsTheSeeds) {
  const auto c = TieredStorageConfig::HighPerformance();
  EXPECT_EQ(c.hot_tier_max_bytes, 8589934592u);
  EXPECT_EQ(c.hot_tier_max_age, 7200s);
  EXPECT_EQ(c.warm_tier_max_bytes, 536870912000u);
  EXPECT_EQ(c.warm_tier_max_age, 7 * 86400s);
  EXPECT_EQ(c.migration_interval, 30s);
  EXPECT_TRUE(c.enable_promotion);
}

TEST(ConfigTest, CostOptimizedIsTheSeeds) {
  const auto c = TieredStorageConfig::CostOptimized();
  EXPECT_EQ(c.hot_tier_max_bytes, 268435456u);
  EXPECT_EQ(c.hot_tier_max_age, 300s);
  EXPECT_EQ(c.warm_tier_max_bytes, 10737418240u);
  EXPECT_EQ(c.warm_tier_max_age, 86400s);
  EXPECT_EQ(c.migration_interval, 120s);
  EXPECT_FALSE(c.enable_promotion);
}

TEST(ConfigTest, ComputedValuesStandInForZeroAndEmpty) {
  TieredStorageConfig c;
  c.data_dir = "/d";
  c.hot_tier_max_bytes = 80 * kMiB;
  EXPECT_EQ(c.EffectiveWarmPath(), "/d/warm");
  EXPECT_EQ(c.EffectiveHotUnflushedMax(), 40 * kMiB);
  EXPECT_EQ(c.EffectiveHotPinnedMax(), 20 * kMiB);
  c.warm_tier_path = "/w";
  c.hot_unflushed_max_bytes = 7 * kMiB;
  c.hot_pinned_max_bytes = 5;
  EXPECT_EQ(c.EffectiveWarmPath(), "/w");
  EXPECT_EQ(c.EffectiveHotUnflushedMax(), 7 * kMiB);
  EXPECT_EQ(c.EffectiveHotPinnedMax(), 5u);
}

using Change = std::function<void(TieredStorageConfig&)>;

// What an impossible value is, and what the message says of it.
struct Impossible {
  std::string field;
  Change change;
  std::string value;
  std::string range;
};

// Keeps the body of the table readable: `c` is the configuration.
#define SET(expression) [](TieredStorageConfig& c) { expression; }

const double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr uint64_t kHuge = (uint64_t{1} << 60) + 1;

std::vector<Impossible> AllImpossible() {
  return {
      {"data_dir", SET(c.data_dir = ""), "", "must not be empty"},
      {"data_dir", SET(c.data_dir = std::string("a\0b", 3)), "a", "NUL"},
      {"warm_tier_path", SET(c.warm_tier_path = std::string("w\0", 2)), "w",
       "NUL"},
      {"warm_tier_path", SET(c.warm_tier_path = c.data_dir / "x/.."), "x/..",
       "must differ from data_dir"},
      {"cold_storage.path",
       SET(c.cold_storage = cold::LocalFs{std::string("c\0", 2)}), "c", "NUL"},
      {"cold_storage.path", SET(c.cold_storage = cold::LocalFs{c.data_dir}),
       "/store", "must differ from data_dir"},
      {"cold_storage.path", SET(c.cold_storage = cold::LocalFs{"/store/warm/"}),
       "/store/warm/", "must differ from warm_tier_path"},
      {"cold_storage.bucket", SET(c.cold_storage = cold::S3{}), "",
       "must not be empty"},
      {"cold_storage.bucket", SET(c.cold_storage = cold::Gcs{}), "",
       "must not be empty"},
      {"cold_storage.account", SET(c.cold_storage = cold::AzureBlob{}), "",
       "must not be empty"},
      {"cold_storage.container",
       SET(c.cold_storage = cold::AzureBlob{};
           std::get<cold::AzureBlob>(c.cold_storage).account = "a"),
       "", "must not be empty"},

      {"hot_tier_max_bytes", SET(c.hot_tier_max_bytes = 0), "0", "[2097152, "},
      {"hot_tier_max_bytes", SET(c.wal_chunk_bytes = kGiB), "1073741824",
       "[2147483648, "},
      {"hot_tier_max_bytes", SET(c.hot_tier_max_bytes = kHuge),
       "1152921504606846977", "1152921504606846976]"},
      {"hot_tier_max_age", SET(c.hot_tier_max_age = 0ms), "0",
       "[1, 3153600000000] ms"},
      {"hot_tier_max_age",
       SET(c.hot_tier_max_age = std::chrono::milliseconds::max()),
       "9223372036854775807", "[1, "},
      {"hot_unflushed_max_bytes", SET(c.hot_unflushed_max_bytes = 1), "1",
       "[1048576, 1073741824]"},
      {"hot_unflushed_max_bytes", SET(c.hot_unflushed_max_bytes = 2 * kGiB),
       "2147483648", "1073741824]"},
      {"hot_pinned_max_bytes", SET(c.hot_pinned_max_bytes = kHuge),
       "1152921504606846977", "[0, "},

      {"wal_chunk_bytes", SET(c.wal_chunk_bytes = 0), "0",
       "[4096, 1073741824]"},
      {"wal_chunk_bytes", SET(c.wal_chunk_bytes = 4097), "4097",
       "multiple of 4096"},
      {"wal_file_bytes", SET(c.wal_file_bytes = 4096), "4096", "[131072, "},
      {"wal_file_bytes", SET(c.wal_file_bytes = 5 * kGiB), "5368709120",
       "4294967296]"},
      {"wal_file_bytes", SET(c.wal_file_bytes = kMiB + 1), "1048577",
       "multiple of 4096"},
      {"wal_max_bytes", SET(c.wal_max_bytes = 255 * kMiB), "267386880",
       "[268435456, "},
      {"checkpoint_interval", SET(c.checkpoint_interval = 0ms), "0", "[1, "},
      {"append_timeout", SET(c.append_timeout = -1ms), "-1", "[0, "},
      {"max_batch_bytes", SET(c.max_batch_bytes = 0), "0", "[1, "},
      {"max_batch_bytes", SET(c.max_batch_bytes = 64 * kMiB - 64 * kKiB + 1),
       "67043329", "67043328]"},
      {"max_batch_bytes", SET(c.hot_tier_max_bytes = 8 * kMiB), "16777216",
       "4128768]"},

      {"warm_tier_max_bytes", SET(c.warm_tier_max_bytes = 0), "0", "[65536, "},
      {"warm_tier_max_age", SET(c.warm_tier_max_age = -5ms), "-5", "[1, "},
      {"target_segment_bytes", SET(c.target_segment_bytes = 1), "1",
       "[4096, 2147483648]"},
      {"target_segment_bytes", SET(c.warm_tier_max_bytes = 63 * kMiB),
       "67108864", "66060288]"},
      {"min_segment_bytes", SET(c.min_segment_bytes = 65 * kMiB), "68157440",
       "[0, 67108864]"},
      {"index_interval_bytes", SET(c.index_interval_bytes = 63), "63", "[64, "},
      {"warm_high_watermark", SET(c.warm_high_watermark = 1.1), "1.1",
       "(0, 1]"},
      {"warm_high_watermark", SET(c.warm_high_watermark = kNan), "nan",
       "(0, 1]"},
      {"warm_low_watermark", SET(c.warm_low_watermark = 0.95), "0.95",
       "(0, 0.9]"},
      {"warm_low_watermark", SET(c.warm_low_watermark = 0), "0", "(0, 0.9]"},
      {"compaction_threshold", SET(c.compaction_threshold = 0), "0", "(0, 1]"},
      {"compaction_threshold", SET(c.compaction_threshold = 1.5), "1.5",
       "(0, 1]"},
      {"warm_read_mode", SET(c.warm_read_mode = static_cast<WarmReadMode>(2)),
       "2", "[0, 1]"},
      {"warm_max_open_files", SET(c.warm_max_open_files = 0), "0", "[1, "},

      {"cold_chunk_bytes", SET(c.cold_chunk_bytes = 0), "0", "[4096, "},
      {"cold_cache_max_bytes", SET(c.cold_cache_max_bytes = kMiB - 1),
       "1048575", "[1048576, "},
      {"cold_request_timeout", SET(c.cold_request_timeout = 0ms), "0", "[1, "},
      {"cold_max_requests", SET(c.cold_max_requests = 0), "0", "[1, 65536]"},

      {"migration_interval", SET(c.migration_interval = 0ms), "0", "[1, "},
      {"migration_concurrency", SET(c.migration_concurrency = 0), "0",
       "[1, 256]"},
      {"migration_concurrency", SET(c.migration_concurrency = 257), "257",
       "[1, 256]"},
      {"migration_bytes_per_second", SET(c.migration_bytes_per_second = kHuge),
       "1152921504606846977", "[0, "},
      {"migration_queue_max", SET(c.migration_queue_max = 0), "0",
       "[1, 1048576]"},
      {"promotion_threshold", SET(c.promotion_threshold = 0), "0", "[1, "},
      {"default_partitions", SET(c.default_partitions = 0), "0", "[1, 100000]"},
      {"reserve_bytes", SET(c.reserve_bytes = kHuge), "1152921504606846977",
       "[0, "},
      {"shutdown_timeout", SET(c.shutdown_timeout = -1ms), "-1", "[0, "},
  };
}
#undef SET

TEST(ConfigTest, EveryImpossibleValueIsRefusedNamingFieldValueAndRange) {
  for (const Impossible& impossible : AllImpossible()) {
    TieredStorageConfig c;
    c.data_dir = "/store";
    impossible.change(c);
    const Status status = c.Validate();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument)
        << impossible.field << " = " << impossible.value;
    EXPECT_THAT(status.message(), AllOf(StartsWith(impossible.field + " = "),
                                        HasSubstr(impossible.value),
                                        HasSubstr(impossible.range)));
  }
}

TEST(ConfigTest, ImpossibleTopicSettingsAreRefusedNamingField) {
  TopicSettings settings;
  EXPECT_EQ(settings.Validate(), Status::Ok());
  settings.target_segment_bytes = 0;
  EXPECT_THAT(settings.Validate().message(),
              StartsWith("target_segment_bytes = 0: must be in [4096, "));
  settings.target_segment_bytes = 4 * kGiB;
  EXPECT_EQ(settings.Validate().code(), StatusCode::kInvalidArgument);
  settings = {};
  settings.hot_max_age = 0ms;
  EXPECT_THAT(settings.Validate().message(), StartsWith("hot_max_age = 0"));
  settings = {};
  settings.warm_max_age = -1ms;
  EXPECT_THAT(settings.Validate().message(), StartsWith("warm_max_age = -1"));
}

TEST(ConfigTest, EveryColdStorageWithItsNamesIsPossible) {
  TieredStorageConfig c;
  for (const ColdStorageConfig& cold : std::vector<ColdStorageConfig>{
           cold::LocalFs{"/elsewhere"},
           cold::S3{.endpoint = "",
                    .bucket = "b",
                    .region = "",
                    .access_key = std::nullopt,
                    .secret_key = std::nullopt},
           cold::AzureBlob{"account", "container", std::nullopt},
           cold::AzureBlob{.account = {},
                           .container = "container",
                           .access_key = std::nullopt,
                           .connection_string = "names the account"},
           cold::Gcs{"b", std::nullopt, std::nullopt}, cold::Disabled{}}) {
    c.cold_storage = cold;
    EXPECT_EQ(c.Validate(), Status::Ok()) << cold.index();
  }
}

}  // namespace
}  // namespace strata
