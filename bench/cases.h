// What is measured of Strata, each beside the raw limit of the same work.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bench/limits.h"
#include "strata/status.h"

namespace strata::bench {

// How much work a round does.
struct Scale {
  uint64_t bytes = 128ull << 20;  // appended, read, flushed, offloaded
  uint64_t synced_records = 500;  // appends that wait for a sync, per writer
  uint64_t segments = 300;        // that a store has which is reopened
  // About 0.1 s in all, for the tests.
  static Scale Quick() {
    return {.bytes = 2ull << 20, .synced_records = 8, .segments = 8};
  }
};

enum class Unit { kMiBPerSecond, kAppendsPerSecond, kMilliseconds };

// One comparison: `ours` and each of `limits` do `work` (bytes or appends).
struct Case {
  Unit unit = Unit::kMiBPerSecond;
  uint64_t work = 0;
  Timed ours;
  Ways limits;
};

// Makes a case in an empty directory of its own: what lies there, and what the
// case holds, lives until its rounds are done.
using MakeCase =
    std::function<Result<Case>(const std::filesystem::path&, const Scale&)>;

struct NamedCase {
  std::string name;
  MakeCase make;
};

// In the order of the report.
std::vector<NamedCase> AllCases();

}  // namespace strata::bench
