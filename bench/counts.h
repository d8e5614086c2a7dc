// What is counted rather than timed: the same on every machine.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/cases.h"
#include "strata/status.h"

namespace strata::bench {

struct Count {
  std::string name;
  double value = 0;
  std::optional<double> limit{};  // what it must not exceed; reported
};

// Each in an empty directory of its own.
struct NamedCounts {
  std::string name;
  Result<std::vector<Count>> (*run)(const std::filesystem::path&, const Scale&);
};

std::vector<NamedCounts> AllCounts();

}  // namespace strata::bench
