// What a run has found: as a table, as JSON and as a picture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/cases.h"
#include "bench/counts.h"
#include "strata/status.h"

namespace strata::bench {

// What the rounds of one competitor took, in the order of the rounds.
struct Series {
  std::string name;
  std::vector<double> seconds{};
};

double Median(std::vector<double> values);

struct Outcome {
  std::string name{};  // of the case
  Unit unit = Unit::kMiBPerSecond;
  uint64_t work = 0;
  Series ours;
  std::vector<Series> limits{};  // fastest first
  std::optional<double> mark{};
  std::optional<double> mark_beyond_ms{};

  // The median of the rounds' ratios: the limit's time by ours.
  double Ratio() const;
  std::vector<double> Ratios() const;
  // The median of what ours took longer than the limit.
  double BeyondMs() const;
  double InUnit(const Series& series) const;
  // "0.30 missed", "0.85 met", "1000 ms more met"; empty without a mark.
  std::string Mark() const;
};

// Counts that belong together.
struct Counts {
  std::string name;
  std::vector<Count> counts{};
};

struct Report {
  int rounds = 0;
  std::vector<Outcome> outcomes{};
  std::vector<Counts> counts{};
};

void PrintHead(const Report& report, const std::filesystem::path& directory);
// A line for ours beside the fastest limit, one for each slower way.
void Print(const Outcome& outcome);
void Print(const Counts& counts);

std::string Json(const Report& report);

// One bar for each case: ours as a share of the limit.
std::string Svg(const Report& report);

Status WriteFile(const std::filesystem::path& path, const std::string& content);

}  // namespace strata::bench
