#include "cli/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/config_text.h"
#include "cli/effective_config.h"
#include "strata/settings.h"

namespace strata::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ConfigFileTest, SettingsComeWithTheirPlaces) {
  const auto given = ParseConfig(
      "data_dir = '/d'\n\nhot_tier_max_bytes = 1024\nwarm_high_watermark = 1\n"
      "enable_promotion = false\n[cold_storage]\n  type = \"disabled\"\n",
      "f.toml");
  ASSERT_TRUE(given.ok()) << given.status();
  std::string all;
  for (const GivenSetting& setting : *given) {
    all += setting.source + " " + setting.name + "=" + setting.text + ";";
  }
  for (const char* one :
       {"f.toml:1:1 data_dir=/d;", "f.toml:3:1 hot_tier_max_bytes=1024;",
        "f.toml:4:1 warm_high_watermark=1;",
        "f.toml:5:1 enable_promotion=false;",
        "f.toml:7:3 cold_storage.type=disabled;"}) {
    EXPECT_THAT(all, HasSubstr(one));
  }
}

TEST(ConfigFileTest, WrongInputIsRefusedNamingThePlace) {
  struct Wrong {
    const char* text;
    const char* place;
    const char* what;
  };
  for (const Wrong& wrong : std::vector<Wrong>{
           {"a = 1", "1:1", "no setting 'a'"},
           {"\n  Data_Dir = ''", "2:3", "no setting 'Data_Dir'"},
           {"[cold_storage]\nwhere = ''", "2:1", "'cold_storage.where'"},
           {"[warm]\na = 1", "1:2", "no setting 'warm'"},
           {"cold_storage = 'local'", "1:1",
            "expected a table, found the text"},
           {"data_dir = 5", "1:12", "expected text, found the integer 5"},
           {"data_dir = [1]", "1:12", "expected text, found an array"},
           {"[data_dir]\n", "1:1", "expected text, found a table"},
           {"hot_tier_max_age = 5", "1:20", "30s or 2h, found the integer 5"},
           {"hot_tier_max_bytes = 1.5", "1:22", "64MiB, found the number 1.5"},
           {"hot_tier_max_bytes = true", "1:22", "64MiB, found true"},
           {"migration_concurrency = '4'", "1:25", "found the text '4'"},
           {"enable_promotion = 1", "1:20", "true or false, found the integer"},
           {"warm_tier_max_age = 1979-05-27", "1:21", "found a date"},
           {"data_dir = ", "1:12", ""},
           {"data_dir = 'a'\ndata_dir = 'b'", "2:", "data_dir"},
           {"\xff\xfe", "1:1", ""},
       }) {
    const Status status = ParseConfig(wrong.text, "f").status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << wrong.text;
    EXPECT_THAT(status.message(), StartsWith(std::string("f:") + wrong.place))
        << wrong.text;
    EXPECT_THAT(status.message(), HasSubstr(wrong.what));
  }
}

TEST(ConfigFileTest, AbsentFileIsNamed) {
  const Status status = ReadConfigFile("/no/such.toml").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("/no/such.toml"));
  EXPECT_EQ(ReadConfigFile("/").status().code(), StatusCode::kIoError);
}

// What ToToml prints of `config` comes back as the same values.
void ExpectRoundTrip(const TieredStorageConfig& config) {
  const auto given = ParseConfig(ToToml(config), "f");
  ASSERT_TRUE(given.ok()) << given.status() << ToToml(config);
  TieredStorageConfig copy = TieredStorageConfig::Testing("other");
  for (const StoreSetting& setting : StoreSettings()) {
    for (const GivenSetting& one : *given) {
      if (one.name == setting.name) {
        EXPECT_EQ(setting.Set(copy, one.text), Status::Ok());
      }
    }
    EXPECT_EQ(setting.Get(copy), setting.Get(config)) << setting.name;
  }
}

TEST(ConfigTextTest, TomlOfTheDefaultsIsReadBackAsTheDefaults) {
  ExpectRoundTrip(ProgramDefaults());
  ExpectRoundTrip(TieredStorageConfig());
}

TEST(ConfigTextTest, AnyTextIsReadBack) {
  TieredStorageConfig config;
  config.data_dir = "a \"b\" \\ \n\t\x01 \x7f # \xc3\xa4";
  ExpectRoundTrip(config);
}

TEST(ConfigTextTest, SecretsAreNotPrinted) {
  TieredStorageConfig config;
  config.cold_storage = cold::Gcs{"b", "the-key", "the-secret"};
  EXPECT_THAT(ToToml(config), Not(HasSubstr("the-")));
}

TEST(EffectiveConfigTest, VariablesAreTheNamesInCapitals) {
  EXPECT_EQ(EnvironmentName("wal_file_bytes"), "STRATA_WAL_FILE_BYTES");
  EXPECT_EQ(EnvironmentName("cold_storage.path"), "STRATA_COLD_STORAGE_PATH");
}

}  // namespace
}  // namespace strata::cli
