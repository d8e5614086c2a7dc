#include "strata/settings.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "base/setting_text.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;
using namespace std::chrono_literals;

// The members declared in `structure` of the public header.
std::vector<std::string> MembersOf(const std::string& structure) {
  std::ifstream file(STRATA_SOURCE_DIR "/include/strata/config.h");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  text = text.substr(text.find("struct " + structure + " {"));
  text = text.substr(0, text.find("\n};"));
  static const std::regex kMember(R"(\n  [A-Za-z][\w:<>]* (\w+)( = [^;]*)?;)");
  std::vector<std::string> names;
  for (std::sregex_iterator i(text.begin(), text.end(), kMember), end; i != end;
       ++i) {
    names.push_back((*i)[1]);
  }
  return names;
}

template <typename Settings>
std::vector<std::string> NamesOf(const Settings& settings) {
  std::vector<std::string> names;
  for (const auto& setting : settings) names.emplace_back(setting.name);
  return names;
}

TEST(SettingsTest, EveryFieldOfTheConfigurationIsInTheTable) {
  std::vector<std::string> names;
  for (const std::string& name : NamesOf(StoreSettings())) {
    if (!name.starts_with("cold_storage.")) names.push_back(name);
  }
  names.push_back("cold_storage");
  EXPECT_GT(names.size(), 30u);
  EXPECT_THAT(names,
              UnorderedElementsAreArray(MembersOf("TieredStorageConfig")));
}

TEST(SettingsTest, EveryTopicSettingIsInTheTable) {
  EXPECT_THAT(NamesOf(TopicSettingTable()),
              UnorderedElementsAreArray(MembersOf("TopicSettings")));
}

TEST(SettingsTest, ValuesPrintedAreReadBack) {
  TieredStorageConfig changed = TieredStorageConfig::Testing("/somewhere");
  changed.warm_read_mode = WarmReadMode::kPread;
  changed.warm_tier_path = "/warm";
  changed.hot_tier_max_age = 1500ms;
  changed.compaction_threshold = 0.1;
  changed.enable_promotion = false;
  changed.cold_storage = cold::S3{.endpoint = "e",
                                  .bucket = "b",
                                  .region = "r",
                                  .access_key = "k",
                                  .secret_key = "s",
                                  .use_path_style = true};
  TieredStorageConfig copy;
  for (const StoreSetting& setting : StoreSettings()) {
    const auto text = setting.Get(changed);
    if (text) {
      EXPECT_EQ(setting.Set(copy, *text), Status::Ok());
    }
  }
  for (const StoreSetting& setting : StoreSettings()) {
    EXPECT_EQ(setting.Get(copy), setting.Get(changed)) << setting.name;
  }
  EXPECT_EQ(copy.wal_file_bytes, 1 * kMiB);
  EXPECT_EQ(std::get<cold::S3>(copy.cold_storage).secret_key, "s");
}

TEST(SettingsTest, EachWritesTheFieldOfItsName) {
  TieredStorageConfig config;
  ASSERT_TRUE(FindStoreSetting("wal_file_bytes")->Set(config, "3MiB").ok());
  ASSERT_TRUE(FindStoreSetting("append_timeout")->Set(config, "2m").ok());
  EXPECT_EQ(config.wal_file_bytes, 3 * kMiB);
  EXPECT_EQ(config.append_timeout, 2min);
  // None of the others writes to a field that has a setting of its own.
  for (const StoreSetting& one : StoreSettings()) {
    if (one.name.starts_with("cold_storage.")) continue;
    TieredStorageConfig other;
    const char* value = one.kind == SettingKind::kDuration ? "77ms"
                        : one.kind == SettingKind::kRatio  ? "0.77"
                        : one.kind == SettingKind::kText   ? "x77"
                                                           : "77";
    if (one.kind == SettingKind::kBool) {
      value = *one.Get(other) == "true" ? "false" : "true";
    }
    if (one.kind == SettingKind::kChoice) value = "pread";
    ASSERT_EQ(one.Set(other, value), Status::Ok());
    for (const StoreSetting& each : StoreSettings()) {
      EXPECT_EQ(each.Get(other) == each.Get(TieredStorageConfig()),
                each.name != one.name)
          << one.name << " " << each.name;
    }
  }
}

TEST(SettingsTest, WrongValuesAreRefusedNamingSettingExpectedAndFound) {
  struct Wrong {
    const char* name;
    const char* text;
    const char* expected;
  };
  for (const Wrong& wrong : std::vector<Wrong>{
           {"wal_file_bytes", "64MB", "64MiB"},
           {"wal_file_bytes", "-1", "64MiB"},
           {"wal_file_bytes", "", "64MiB"},
           {"wal_file_bytes", "99999999999999999999", "64MiB"},
           {"wal_file_bytes", "99999999TiB", "64MiB"},
           {"hot_tier_max_age", "30", "30s"},
           {"hot_tier_max_age", "1h30m", "30s"},
           {"hot_tier_max_age", "99999999999999999d", "30s"},
           {"migration_concurrency", "4.5", "whole number"},
           {"migration_concurrency", "4294967296", "whole number"},
           {"warm_high_watermark", "high", "0.5"},
           {"enable_promotion", "yes", "true or false"},
           {"warm_read_mode", "mmap", "map or pread"},
           {"cold_storage.type", "tape", "local, disabled"},
       }) {
    TieredStorageConfig config;
    const Status status = FindStoreSetting(wrong.name)->Set(config, wrong.text);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << wrong.text;
    EXPECT_THAT(status.message(), StartsWith(wrong.name + std::string(": ")));
    EXPECT_THAT(status.message(), HasSubstr(wrong.expected));
    EXPECT_THAT(status.message(), HasSubstr(fmt::format("'{}'", wrong.text)));
  }
}

TEST(SettingsTest, SettingsOfAnotherColdStorageAreRefused) {
  TieredStorageConfig config;
  const Status status =
      FindStoreSetting("cold_storage.bucket")->Set(config, "b");
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("type local"));
  EXPECT_FALSE(FindStoreSetting("cold_storage.bucket")->Get(config));
}

TEST(SettingsTest, TopicSettingsAreUnsetUntilSet) {
  TopicSettings settings;
  EXPECT_FALSE(FindTopicSetting("hot_max_age")->Get(settings));
  ASSERT_TRUE(FindTopicSetting("hot_max_age")->Set(settings, "5m").ok());
  EXPECT_EQ(settings.hot_max_age, 5min);
  EXPECT_EQ(FindTopicSetting("hot_max_age")->Get(settings), "5m");
  EXPECT_EQ(FindTopicSetting("retention"), nullptr);
}

TEST(SettingTextTest, SizesAreExact) {
  EXPECT_EQ(ParseBytes("4096"), 4096u);
  EXPECT_EQ(ParseBytes("7B"), 7u);
  EXPECT_EQ(ParseBytes("64 MiB"), 64 * kMiB);
  EXPECT_EQ(ParseBytes("2TiB"), 2048 * kGiB);
  EXPECT_EQ(ParseBytes("16777216TiB"), std::nullopt);  // 2^64
  EXPECT_EQ(PrintBytes(0), "0");
  EXPECT_EQ(PrintBytes(1000), "1000");
  EXPECT_EQ(PrintBytes(1536 * kKiB), "1536KiB");
  EXPECT_EQ(PrintBytes(1 * kGiB), "1GiB");
}

TEST(SettingTextTest, DurationsAreExact) {
  EXPECT_EQ(ParseDuration("0s"), 0ms);
  EXPECT_EQ(ParseDuration("7d"), 168h);
  EXPECT_EQ(ParseDuration("s"), std::nullopt);
  EXPECT_EQ(PrintDuration(0ms), "0ms");
  EXPECT_EQ(PrintDuration(1500ms), "1500ms");
  EXPECT_EQ(PrintDuration(90s), "90s");
  EXPECT_EQ(PrintDuration(168h), "7d");
}

}  // namespace
}  // namespace strata
