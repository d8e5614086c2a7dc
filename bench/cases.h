// What is measured of Strata, each beside the raw limit of the same work.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/limits.h"
#include "strata/config.h"
#include "strata/status.h"

namespace strata::bench {

// How much work a round does.
struct Scale {
  uint64_t bytes = 128 * kMiB;         // appended, read, flushed, offloaded
  uint64_t appends = 1u << 19;         // at most, where batches are small
  uint64_t sustained_hot = 64 * kMiB;  // ten times of it are appended
  uint64_t synced_records = 500;  // appends that wait for a sync, per writer
  uint64_t partitions = 10'000;   // where there are many
  uint64_t segments = 10'000;     // of a store that is reopened
  uint64_t few_segments = 1'000;  // beside
  uint64_t many_segments = 100'000;
  uint64_t cold_segments = 1'000'000;  // of which only metadata is made
  uint64_t lookups = 20'000;           // reads of one batch
  uint64_t turns = 30;                 // of small appends over all partitions
  uint64_t wal_file_bytes = 64 * kMiB;

  // A minute in all.
  static Scale Quick() {
    return {.bytes = 16 * kMiB,
            .appends = 1u << 15,
            .sustained_hot = 8 * kMiB,
            .synced_records = 20,
            .segments = 2'000,
            .few_segments = 100,
            .many_segments = 10'000,
            .cold_segments = 50'000,
            .lookups = 2'000,
            .turns = 10,
            .wal_file_bytes = 16 * kMiB};
  }
  // A few seconds, for the tests: every case runs, no figure means anything.
  static Scale Smoke() {
    return {.bytes = 2 * kMiB,
            .appends = 1u << 10,
            .sustained_hot = kMiB / 2,
            .synced_records = 2,
            .partitions = 100,
            .segments = 16,
            .few_segments = 4,
            .many_segments = 16,
            .cold_segments = 200,
            .lookups = 16,
            .turns = 3,
            .wal_file_bytes = 2 * kMiB};
  }
};

enum class Unit {
  kMiBPerSecond,
  kAppendsPerSecond,
  kReadsPerSecond,
  kCommitsPerSecond,
  kMilliseconds
};

// One comparison: `ours` and each of `limits` do `work` (bytes, appends or
// reads).
struct Case {
  Unit unit = Unit::kMiBPerSecond;
  uint64_t work = 0;
  Timed ours;
  Ways limits;
  // The ratio to reach: reported, not asserted.
  std::optional<double> mark{};
  // In its place: the milliseconds that ours may take beyond the limit.
  std::optional<double> mark_beyond_ms{};
};

// Makes a case in an empty directory of its own: what lies there, and what the
// case holds, lives until its rounds are done.
using MakeCase =
    std::function<Result<Case>(const std::filesystem::path&, const Scale&)>;

struct NamedCase {
  std::string name;
  MakeCase make;
};

// Each in the order of the report.
std::vector<NamedCase> AppendCases();
std::vector<NamedCase> ReadCases();   // and flush and offload
std::vector<NamedCase> ScaleCases();  // many segments, and opening

}  // namespace strata::bench
