// strata_bench: Strata's speed as a share of what this machine can do at most.
//
//   strata_bench [--quick] [--dir DIRECTORY] [--json FILE] [--only TEXT]
//
// Absolute numbers of one machine, on one day, say little; so every round runs
// ours and each raw limit one after the other, and the figure to look at is
// the median of the rounds' ratios: 1.00 is as fast as possible. Google
// Benchmark repeats one function until its time is steady; rounds that
// alternate between competitors do not fit it, and plain code is shorter.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "bench/cases.h"
#include "strata/config.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

struct Options {
  Scale scale;
  int rounds = 5;
  fs::path directory = STRATA_BENCH_DIRECTORY;
  fs::path json;     // empty: none is written
  std::string only;  // cases whose name holds this
};

// What the rounds of one competitor took, in the order of the rounds.
struct Series {
  std::string name;
  std::vector<double> seconds;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

struct Outcome {
  std::string name;  // of the case
  Unit unit = Unit::kMiBPerSecond;
  uint64_t work = 0;
  Series ours;
  std::vector<Series> limits;  // fastest first

  // Of the limit's speed, round by round.
  std::vector<double> Ratios() const {
    std::vector<double> ratios;
    for (size_t i = 0; i < ours.seconds.size(); ++i) {
      ratios.push_back(limits.front().seconds[i] / ours.seconds[i]);
    }
    return ratios;
  }

  double InUnit(const Series& series) const {
    const double seconds = Median(series.seconds);
    switch (unit) {
      case Unit::kMiBPerSecond:
        return static_cast<double>(work) / static_cast<double>(kMiB) / seconds;
      case Unit::kAppendsPerSecond: return static_cast<double>(work) / seconds;
      case Unit::kMilliseconds: return seconds * 1000;
    }
    return 0;
  }
};

std::string_view Name(Unit unit) {
  switch (unit) {
    case Unit::kMiBPerSecond: return "MiB/s";
    case Unit::kAppendsPerSecond: return "appends/s";
    case Unit::kMilliseconds: return "ms";
  }
  return "";
}

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
  Outcome outcome{.name = {},
                  .unit = work.unit,
                  .work = work.work,
                  .ours = {.name = "ours", .seconds = {}},
                  .limits = {}};
  for (const Way& way : work.limits) {
    outcome.limits.push_back({.name = way.name, .seconds = {}});
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

void PrintHead(const Options& options) {
  fmt::print("{} rounds in {}, {} processors\n", options.rounds,
             options.directory.native(), std::thread::hardware_concurrency());
  fmt::print("{:<36}{:>10}{:>12}{:>12}{:>7}{:>12}  {}\n", "", "unit", "ours",
             "limit", "ratio", "of rounds", "limit by");
}

void Print(const Outcome& outcome) {
  const std::vector<double> ratios = outcome.Ratios();
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  fmt::print("{:<36}{:>10}{:>12.1f}{:>12.1f}{:>7.2f}{:>12}  {}\n", outcome.name,
             Name(outcome.unit), outcome.InUnit(outcome.ours),
             outcome.InUnit(outcome.limits.front()), Median(ratios),
             fmt::format("{:.2f}-{:.2f}", *least, *most),
             outcome.limits.front().name);
  for (size_t i = 1; i < outcome.limits.size(); ++i) {
    fmt::print("{:58}{:>12.1f}{:21}  {}\n", "",
               outcome.InUnit(outcome.limits[i]), "", outcome.limits[i].name);
  }
  std::fflush(stdout);
}

// Names are ours and hold nothing to escape.
std::string Json(const Outcome& outcome, const Series& series) {
  return fmt::format(
      R"({{"name": "{}", "median": {:.6g}, "seconds": [{:.6g}]}})", series.name,
      outcome.InUnit(series), fmt::join(series.seconds, ", "));
}

std::string Json(const Outcome& outcome) {
  std::vector<std::string> limits;
  for (const Series& limit : outcome.limits) {
    limits.push_back(Json(outcome, limit));
  }
  return fmt::format(
      R"({{"name": "{}", "unit": "{}", "work": {}, "ratio": {:.4f},
    "ours": {},
    "limits": [
      {}]}})",
      outcome.name, Name(outcome.unit), outcome.work, Median(outcome.Ratios()),
      Json(outcome, outcome.ours), fmt::join(limits, ",\n      "));
}

Status WriteJson(const Options& options, const std::vector<Outcome>& outcomes) {
  std::vector<std::string> cases;
  for (const Outcome& outcome : outcomes) cases.push_back(Json(outcome));
  std::ofstream out(options.json);
  out << fmt::format("{{\"rounds\": {}, \"cases\": [\n  {}]}}\n",
                     options.rounds, fmt::join(cases, ",\n  "));
  out.close();
  if (out.good()) return Status::Ok();
  return {StatusCode::kIoError,
          fmt::format("{}: cannot write", options.json.native())};
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

Status RunAll(const Options& options) {
  PrintHead(options);
  std::vector<Outcome> outcomes;
  for (const NamedCase& named : AllCases()) {
    if (named.name.find(options.only) == std::string::npos) continue;
    auto outcome = RunCase(named.make, options);
    if (!outcome.ok()) return outcome.status().WithContext(named.name);
    outcome->name = named.name;
    outcomes.push_back(*std::move(outcome));
    Print(outcomes.back());
  }
  return options.json.empty() ? Status::Ok() : WriteJson(options, outcomes);
}

Result<Options> Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--quick") {
      options.scale = Scale::Quick();
      options.rounds = 1;
    } else if (i + 1 == argc) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{}: unknown, or its value is missing", name));
    } else if (name == "--dir") {
      options.directory = argv[++i];
    } else if (name == "--json") {
      options.json = argv[++i];
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
