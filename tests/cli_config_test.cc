// How the program `strata` is configured.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

#include "testing/cli_fixture.h"

namespace strata {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class CliConfigTest : public CliTest {
 protected:
  ~CliConfigTest() override {
    for (const std::string& name : variables_) ::unsetenv(name.c_str());
  }

  void SetVariable(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }

  std::string ConfigFile(std::string_view text) {
    WriteAll(Path("f.toml"), text);
    return Path("f.toml");
  }

 private:
  std::vector<std::string> variables_;
};

TEST_F(CliConfigTest, ColdUrlReplacesThePlaceThatOthersGave) {
  const std::string file = Path("c.toml");
  WriteAll(file, "[cold_storage]\ntype = \"local\"\npath = \"/nowhere\"\n");
  const std::string shown = Good({"config", "--config", file, "--cold",
                                  "s3://b/p?endpoint=http://127.0.0.1:1"});
  EXPECT_THAT(shown, ContainsRegex("cold_storage.url +s3://b/p.* +--cold\n"));
  EXPECT_THAT(shown, ContainsRegex("cold_storage.bucket +b +--cold\n"));
  EXPECT_THAT(shown, Not(HasSubstr("/nowhere")));
  // A part of what the URL names can be given beside it.
  EXPECT_THAT(Good({"config", "--cold", "s3://b", "--set",
                    "cold_storage.region=eu-west-1"}),
              ContainsRegex("cold_storage.url +s3://b.region=eu-west-1 "));
}

TEST_F(CliConfigTest, ColdUrlThatIsWrongIsToldWithItsSource) {
  const Ran wrong = Run({"stats", "--cold", "s4://bucket"});
  EXPECT_NE(wrong.exit, 0);
  EXPECT_THAT(wrong.err, HasSubstr("--cold"));
  EXPECT_THAT(wrong.err, HasSubstr("unknown scheme 's4'"));
  const Ran secret = Run({"stats", "--cold", "s3://key:hunter2@bucket"});
  EXPECT_NE(secret.exit, 0);
  EXPECT_THAT(secret.err, Not(HasSubstr("hunter2")));
}

TEST_F(CliConfigTest, FlagGoesBeforeEnvironmentBeforeFileBeforeDefault) {
  const std::string file = ConfigFile(
      "wal_max_bytes = \"2GiB\"\nmax_batch_bytes = \"1MiB\"\n"
      "cold_chunk_bytes = \"2MiB\"\n");
  SetVariable("STRATA_MAX_BATCH_BYTES", "2MiB");
  SetVariable("STRATA_COLD_CHUNK_BYTES", "3MiB");
  const std::string out =
      Good({"config", "--config", file, "--set", "cold_chunk_bytes=4MiB"});
  EXPECT_THAT(
      out,
      AllOf(ContainsRegex("\nwal_max_bytes +2GiB +[^ ]*f.toml:1:1\n"),
            ContainsRegex("\nmax_batch_bytes +2MiB +STRATA_MAX_BATCH_BYTES\n"),
            ContainsRegex("\ncold_chunk_bytes +4MiB +--set\n"),
            ContainsRegex("\nwal_file_bytes +16MiB +default\n"),
            ContainsRegex("\ndata_dir +.*data +--data-dir\n")));
}

TEST_F(CliConfigTest, JsonHasValuesOfTheirTypes) {
  const auto document = nlohmann::json::parse(
      Good({"config", "-o", "json", "--set", "hot_tier_max_age=90s"}));
  std::map<std::string, nlohmann::json> settings;
  for (const auto& setting : document.at("settings")) {
    settings[setting.at("name")] = setting;
  }
  EXPECT_EQ(settings["wal_file_bytes"]["value"], 16 * 1024 * 1024);
  EXPECT_EQ(settings["wal_file_bytes"]["source"], "default");
  EXPECT_EQ(settings["hot_tier_max_age"]["value"], "90s");
  EXPECT_EQ(settings["hot_tier_max_age"]["source"], "--set");
  EXPECT_EQ(settings["enable_promotion"]["value"], true);
  EXPECT_EQ(settings["warm_high_watermark"]["value"], 0.9);
}

TEST_F(CliConfigTest, DefaultsAreAFileThatChangesNothing) {
  const std::string file =
      ConfigFile(RunCommand({kProgram, "config", "--defaults"}).out);
  const auto values = [&](const Ran& ran) {
    EXPECT_EQ(ran.exit, 0) << ran.err;
    std::string all;
    const auto parsed = nlohmann::json::parse(ran.out);
    for (const auto& setting : parsed.at("settings")) {
      all += setting.at("name").dump() + setting.at("value").dump() + "\n";
    }
    return all;
  };
  EXPECT_EQ(
      values(RunCommand({kProgram, "config", "-o", "json", "--config", file})),
      values(RunCommand({kProgram, "config", "-o", "json"})));
}

TEST_F(CliConfigTest, CommandsUseIt) {
  const std::string file =
      ConfigFile("warm_tier_path = \"" + Path("w").native() +
                 "\"\n[cold_storage]\ntype = \"disabled\"\n");
  Good({"produce", "t", "--config", file}, "x\n");
  Good({"flush", "--config", file});
  EXPECT_TRUE(std::filesystem::exists(Path("w")));
  const Ran ran = Run({"demote", "t", "--to", "cold", "--config", file});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_FALSE(std::filesystem::exists(Data() / "cold"));
}

TEST_F(CliConfigTest, ProduceCreatesTopicsAsConfigured) {
  Good({"produce", "t", "--set", "default_partitions=3"}, "x\n");
  EXPECT_THAT(Good({"topics", "list"}), ContainsRegex("t +3 +1 "));
  const Ran ran =
      Run({"produce", "other", "--set", "auto_create_topics=false"}, "x\n");
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("'other'"));
}

TEST_F(CliConfigTest, ConfigurationMayForbidToCreateAStore) {
  const Ran ran =
      Run({"produce", "t", "--set", "create_if_missing=false"}, "x\n");
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr(Data().native()));
  EXPECT_FALSE(std::filesystem::exists(Data()));
}

TEST_F(CliConfigTest, WrongValuesAreToldWithWhoSetThem) {
  const std::string file = ConfigFile("\nwal_file_bytes = 5\n");
  const Ran from_file = Run({"produce", "t", "--config", file}, "x\n");
  EXPECT_EQ(from_file.exit, 1);
  EXPECT_THAT(from_file.err,
              AllOf(HasSubstr("f.toml:2:1: wal_file_bytes = 5: must be in")));
  SetVariable("STRATA_WAL_FILE_BYTES", "64MB");
  const Ran from_environment = Run({"topics", "list"});
  EXPECT_EQ(from_environment.exit, 1);
  EXPECT_THAT(from_environment.err,
              HasSubstr("STRATA_WAL_FILE_BYTES: wal_file_bytes: expected a "
                        "size such as 67108864 or 64MiB, found '64MB'"));
  EXPECT_FALSE(std::filesystem::exists(Data()));
}

TEST_F(CliConfigTest, WrongFlagsAreWrongUsage) {
  const Ran unknown = Run({"config", "--set", "no_such=1"});
  EXPECT_EQ(unknown.exit, 2);
  EXPECT_THAT(unknown.err, HasSubstr("'no_such'"));
  const Ran shape = Run({"config", "--set", "wal_file_bytes"});
  EXPECT_EQ(shape.exit, 2);
  EXPECT_THAT(shape.err, HasSubstr("expected NAME=VALUE"));
}

TEST_F(CliConfigTest, SecretsAreNotShown) {
  SetVariable("STRATA_COLD_STORAGE_SECRET_KEY", "hush");
  const Arguments s3 = {"config", "--set", "cold_storage.type=s3", "--set",
                        "cold_storage.bucket=b"};
  const std::string out = Good(s3);
  EXPECT_THAT(out, AllOf(HasSubstr("(secret)"), Not(HasSubstr("hush"))));
}

TEST_F(CliConfigTest, CommittedReferenceIsWhatTheProgramPrints) {
  const Ran ran = RunCommand({kProgram, "config", "--markdown"});
  EXPECT_EQ(ran.out, ReadAll(STRATA_SOURCE_DIR "/docs/operating/config.md"))
      << "strata config --markdown >docs/operating/config.md";
}

}  // namespace
}  // namespace strata
