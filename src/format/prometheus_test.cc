// The text of the figures, line by line by the grammar of the exposition format
// 0.0.4.
#include "strata/prometheus.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace strata {
namespace {

using ::testing::HasSubstr;

// Every member is 8 bytes: a count or nanoseconds.
constexpr size_t kFigures = sizeof(TieredStorageStats) / 8;
using Figures = std::array<uint64_t, kFigures>;

TieredStorageStats AllDifferent() {
  Figures figures;
  for (size_t i = 0; i < kFigures; ++i) figures[i] = 1'000'000'007 + i;
  return std::bit_cast<TieredStorageStats>(figures);
}

// Of a family of samples.
struct Family {
  std::string type;
  std::map<std::string, std::string> samples;  // name and labels to value
};

// What the text says, family by family; every line is checked.
std::map<std::string, Family> Parse(const std::string& text) {
  static const std::regex kHelp("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
  static const std::regex kType(
      "# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|summary)");
  static const std::regex kSample(
      "([a-zA-Z_:][a-zA-Z0-9_:]*)"
      "(\\{[a-zA-Z_][a-zA-Z0-9_]*=\"[^\"\\\\]*\""
      "(?:,[a-zA-Z_][a-zA-Z0-9_]*=\"[^\"\\\\]*\")*\\})?"
      " ([0-9]+(?:\\.[0-9]+)?(?:e[+-][0-9]+)?|NaN)");
  std::map<std::string, Family> families;
  std::string current;
  bool helped = false;  // HELP was read, TYPE comes next
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::smatch match;
    if (std::regex_match(line, match, kHelp)) {
      current = match[1];
      EXPECT_FALSE(families.contains(current)) << "twice: " << line;
      helped = true;
    } else if (std::regex_match(line, match, kType)) {
      EXPECT_TRUE(helped && match[1] == current) << line;
      families[current].type = match[2];
      helped = false;
    } else if (std::regex_match(line, match, kSample)) {
      Family& family = families[current];
      std::string name = match[1];
      if (family.type == "summary") {
        name = std::regex_replace(name, std::regex("_(sum|count)$"), "");
      }
      EXPECT_EQ(name, current) << line;
      EXPECT_FALSE(helped) << line;
      const std::string key = match[1].str() + match[2].str();
      EXPECT_TRUE(family.samples.emplace(key, match[3]).second)
          << "twice: " << line;
    } else {
      ADD_FAILURE() << "not in the grammar: " << line;
    }
  }
  EXPECT_TRUE(text.ends_with('\n'));
  return families;
}

TEST(PrometheusTest, EveryLineFollowsTheGrammar) {
  EXPECT_FALSE(Parse(ToPrometheusText({})).empty());
  for (const auto& [name, family] : Parse(ToPrometheusText(AllDifferent()))) {
    EXPECT_TRUE(name.starts_with("strata_")) << name;
    EXPECT_FALSE(family.samples.empty()) << name;
  }
}

TEST(PrometheusTest, NamesFollowTheConventions) {
  for (const auto& [name, family] : Parse(ToPrometheusText({}))) {
    EXPECT_EQ(name.ends_with("_total"), family.type == "counter") << name;
    if (family.type == "summary") {
      EXPECT_TRUE(name.ends_with("_seconds")) << name;
    }
    EXPECT_EQ(name.find("_ms"), std::string::npos) << name;
  }
}

// A figure that is added has to be rendered, too.
TEST(PrometheusTest, EveryFigureIsThere) {
  const TieredStorageStats stats = AllDifferent();
  std::set<std::string> values;
  for (const auto& [name, family] : Parse(ToPrometheusText(stats))) {
    for (const auto& [sample, value] : family.samples) values.insert(value);
  }
  const Figures figures = std::bit_cast<Figures>(stats);
  for (size_t i = 0; i < kFigures; ++i) {
    // It is the sum of the tiers'.
    if (figures[i] == stats.total_bytes_read) continue;
    const std::string seconds =
        fmt::format("{}", static_cast<double>(figures[i]) / 1e9);
    EXPECT_TRUE(values.contains(std::to_string(figures[i])) ||
                values.contains(seconds))
        << "8-byte member " << i << " of TieredStorageStats";
  }
}

TEST(PrometheusTest, FiguresStandUnderTheirLabels) {
  TieredStorageStats stats;
  stats.warm.bytes = 18446744073709551615u;
  stats.cold_gets = 3;
  auto families = Parse(ToPrometheusText(stats));
  auto& bytes = families["strata_tier_bytes"].samples;
  EXPECT_EQ(bytes.size(), 3u);
  EXPECT_EQ(bytes["strata_tier_bytes{tier=\"warm\"}"], "18446744073709551615");
  EXPECT_EQ(bytes["strata_tier_bytes{tier=\"hot\"}"], "0");
  EXPECT_EQ(families["strata_cold_requests_total"]
                .samples["strata_cold_requests_total{request=\"get\"}"],
            "3");
}

TEST(PrometheusTest, LatenciesAreSummariesInSeconds) {
  TieredStorageStats stats;
  stats.append_disk_latency = {.count = 4,
                               .sum = std::chrono::milliseconds(1500),
                               .p50 = std::chrono::microseconds(250),
                               .p99 = std::chrono::milliseconds(500),
                               .p999 = std::chrono::seconds(1),
                               .max = std::chrono::nanoseconds(1000000001)};
  const std::string text = ToPrometheusText(stats);
  for (const char* line : {
           "strata_append_latency_seconds{durability=\"disk\",quantile=\"0.5\"}"
           " 0.00025\n",
           "strata_append_latency_seconds{durability=\"disk\","
           "quantile=\"0.99\"} 0.5\n",
           "strata_append_latency_seconds{durability=\"disk\","
           "quantile=\"0.999\"} 1\n",
           "strata_append_latency_seconds_sum{durability=\"disk\"} 1.5\n",
           "strata_append_latency_seconds_count{durability=\"disk\"} 4\n",
           "strata_append_latency_max_seconds{durability=\"disk\"} "
           "1.000000001\n",
           // Nothing was appended with it.
           "strata_append_latency_seconds{durability=\"memory\","
           "quantile=\"0.5\"} NaN\n",
           "strata_append_latency_seconds_count{durability=\"memory\"} 0\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace strata
