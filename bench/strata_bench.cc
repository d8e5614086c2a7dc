// strata_bench: Strata's speed as a share of what this machine can do at most.
//
//   strata_bench [--quick | --smoke] [--dir DIRECTORY] [--json FILE]
//                [--svg FILE] [--only TEXT]
//
// Absolute numbers of one machine, on one day, say little; so every round runs
// ours and each raw limit one after the other, and the figure to look at is
// the median of the rounds' ratios: 1.00 is as fast as possible. Google
// Benchmark repeats one function until its time is steady; rounds that
// alternate between competitors do not fit it, and plain code is shorter.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "bench/cases.h"
#include "bench/counts.h"
#include "bench/report.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

struct Options {
  Scale scale;
  int rounds = 5;
  fs::path directory = STRATA_BENCH_DIRECTORY;
  fs::path json;     // empty: none is written
  fs::path svg;      // empty: none is written
  std::string only;  // cases whose name holds this
};

// Leaves out the ways that the file system does not offer.
Status RunRound(const Case& work, Outcome& outcome) {
  for (size_t i = 0; i < work.limits.size(); ++i) {
    auto seconds = work.limits[i].run();
    if (seconds.ok()) {
      outcome.limits[i].seconds.push_back(*seconds);
    } else if (seconds.status().code() != StatusCode::kUnsupported) {
      return seconds.status().WithContext(work.limits[i].name);
    }
  }
  STRATA_ASSIGN_OR_RETURN(const double seconds, work.ours());
  outcome.ours.seconds.push_back(seconds);
  return Status::Ok();
}

Result<Outcome> Run(const Case& work, int rounds) {
  Outcome outcome{.unit = work.unit,
                  .work = work.work,
                  .ours = {.name = "ours"},
                  .mark = work.mark,
                  .mark_beyond_ms = work.mark_beyond_ms};
  for (const Way& way : work.limits) {
    outcome.limits.push_back({.name = way.name});
  }
  for (int round = 0; round < rounds; ++round) {
    STRATA_RETURN_IF_ERROR(RunRound(work, outcome));
  }
  std::erase_if(outcome.limits,
                [](const Series& s) { return s.seconds.empty(); });
  std::sort(outcome.limits.begin(), outcome.limits.end(),
            [](const Series& a, const Series& b) {
              return Median(a.seconds) < Median(b.seconds);
            });
  return outcome;
}

// An empty directory that goes with its content. Owned by one thread.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(const fs::path& parent)
      : path_(parent / fmt::format("strata-bench-{}", ::getpid())) {
    fs::remove_all(path_, error_);
    if (!error_) fs::create_directories(path_, error_);
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const fs::path& path() const { return path_; }
  Status status() const {
    if (!error_) return Status::Ok();
    return {StatusCode::kIoError,
            fmt::format("{}: {}", path_.native(), error_.message())};
  }

 private:
  fs::path path_;
  std::error_code error_;
};

// One case in a directory that is gone afterwards.
Result<Outcome> RunCase(const MakeCase& make, const Options& options) {
  const ScratchDirectory scratch(options.directory);
  STRATA_RETURN_IF_ERROR(scratch.status());
  STRATA_ASSIGN_OR_RETURN(const Case made, make(scratch.path(), options.scale));
  return Run(made, options.rounds);
}

Status RunCases(const std::vector<NamedCase>& cases, const Options& options,
                Report& report) {
  for (const NamedCase& named : cases) {
    if (named.name.find(options.only) == std::string::npos) continue;
    auto outcome = RunCase(named.make, options);
    if (!outcome.ok()) return outcome.status().WithContext(named.name);
    outcome->name = named.name;
    Print(*outcome);
    report.outcomes.push_back(*std::move(outcome));
  }
  return Status::Ok();
}

Status RunCounts(const Options& options, Report& report) {
  for (const NamedCounts& named : AllCounts()) {
    if (named.name.find(options.only) == std::string::npos) continue;
    const ScratchDirectory scratch(options.directory);
    STRATA_RETURN_IF_ERROR(scratch.status());
    auto counts = named.run(scratch.path(), options.scale);
    if (!counts.ok()) return counts.status().WithContext(named.name);
    report.counts.push_back({.name = named.name, .counts = *std::move(counts)});
    Print(report.counts.back());
  }
  return Status::Ok();
}

Status RunAll(const Options& options) {
  Report report{.rounds = options.rounds};
  PrintHead(report, options.directory);
  STRATA_RETURN_IF_ERROR(RunCases(AppendCases(), options, report));
  STRATA_RETURN_IF_ERROR(RunCases(ReadCases(), options, report));
  STRATA_RETURN_IF_ERROR(RunCases(ScaleCases(), options, report));
  STRATA_RETURN_IF_ERROR(RunCounts(options, report));
  if (!options.json.empty()) {
    STRATA_RETURN_IF_ERROR(WriteFile(options.json, Json(report)));
  }
  if (options.svg.empty()) return Status::Ok();
  return WriteFile(options.svg, Svg(report));
}

Result<Options> Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--quick") {
      options.scale = Scale::Quick();
      options.rounds = 1;
    } else if (name == "--smoke") {
      options.scale = Scale::Smoke();
      options.rounds = 1;
    } else if (i + 1 == argc) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{}: unknown, or its value is missing", name));
    } else if (name == "--dir") {
      options.directory = argv[++i];
    } else if (name == "--json") {
      options.json = argv[++i];
    } else if (name == "--svg") {
      options.svg = argv[++i];
    } else if (name == "--only") {
      options.only = argv[++i];
    } else {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{}: unknown option", name));
    }
  }
  return options;
}

int Main(int argc, char** argv) {
  const Result<Options> options = Parse(argc, argv);
  const Status status = options.ok() ? RunAll(*options) : options.status();
  if (status.ok()) return 0;
  fmt::print(stderr, "strata_bench: {}\n", status.ToString());
  return options.ok() ? 1 : 2;
}

}  // namespace
}  // namespace strata::bench

int main(int argc, char** argv) { return strata::bench::Main(argc, argv); }
