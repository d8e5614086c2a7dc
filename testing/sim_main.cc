// strata-sim: runs simulations of the store, each from one seed.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "testing/simulation.h"

namespace {

constexpr const char* kUsage =
    "usage: strata-sim --seeds N [--first-seed M] [--counters]\n"
    "       strata-sim --seed N [--verbose]\n"
    "also:  --ignore-directory-sync  the disk forgets names at a crash\n"
    "       --flip-bits              files are damaged at the end\n";

struct Arguments {
  uint64_t first_seed = 1;
  uint64_t seeds = 0;
  bool counters = false;
  strata::SimulationOptions options;
};

bool Number(const char* text, uint64_t& value) {
  char* end = nullptr;
  value = text == nullptr ? 0 : std::strtoull(text, &end, 10);
  return text != nullptr && end != text && *end == '\0';
}

bool Parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (name == "--seeds") {
      if (!Number(value, arguments.seeds)) return false;
      ++i;
    } else if (name == "--first-seed") {
      if (!Number(value, arguments.first_seed)) return false;
      ++i;
    } else if (name == "--seed") {
      if (!Number(value, arguments.first_seed)) return false;
      arguments.seeds = 1;
      ++i;
    } else if (name == "--counters") {
      arguments.counters = true;
    } else if (name == "--verbose") {
      arguments.options.verbose = true;
    } else if (name == "--ignore-directory-sync") {
      arguments.options.ignore_directory_sync = true;
    } else if (name == "--flip-bits") {
      arguments.options.flip_bits = true;
    } else {
      return false;
    }
  }
  return arguments.seeds > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  uint64_t failed = 0;
  strata::SimulationCounters counters;
  for (uint64_t i = 0; i < arguments.seeds; ++i) {
    const auto result =
        strata::RunSimulation(arguments.first_seed + i, arguments.options);
    counters += result.counters;
    if (!result.ok) {
      ++failed;
      std::fprintf(stderr, "%s\n", result.failure.c_str());
    }
    if ((i + 1) % 100 == 0) {
      std::printf("%llu seeds, %llu failed\n",
                  static_cast<unsigned long long>(i + 1),
                  static_cast<unsigned long long>(failed));
      std::fflush(stdout);
    }
  }
  if (arguments.counters) std::fputs(counters.ToString().c_str(), stdout);
  std::printf("%llu passed, %llu failed\n",
              static_cast<unsigned long long>(arguments.seeds - failed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
