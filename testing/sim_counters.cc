#include "testing/sim_counters.h"

#include <fmt/format.h>

#include <utility>

namespace strata {
namespace {

struct NamedCounter {
  std::string_view name;
  uint64_t SimulationCounters::* counter;
};

constexpr NamedCounter kCounters[] = {
    {"crashes", &SimulationCounters::crashes},
    {"crashes while opening", &SimulationCounters::crashes_in_open},
    {"clean restarts", &SimulationCounters::clean_restarts},
    {"recreated topics", &SimulationCounters::recreations},
    {"bucket faults", &SimulationCounters::bucket_faults},
    {"purges cut", &SimulationCounters::purges_cut},
    {"flush rounds", &SimulationCounters::flushes},
    {"wal batches moved", &SimulationCounters::wal_moves},
    {"segments offloaded", &SimulationCounters::offloads},
    {"segments promoted", &SimulationCounters::promotions},
    {"copies dropped", &SimulationCounters::drops},
    {"batches replayed", &SimulationCounters::replayed_batches},
    {"bytes torn", &SimulationCounters::torn_bytes},
    {"damaged reads", &SimulationCounters::damaged_reads},
};

}  // namespace

std::string_view Name(SimOp op) {
  static constexpr std::string_view kNames[kSimOps] = {
      "append",          "write",          "read",           "trim",
      "truncate",        "flush",          "demote to warm", "demote to cold",
      "promote to warm", "promote to hot", "run migrations", "segments",
      "verify",          "create topic",   "delete topic",   "shutdown"};
  return kNames[static_cast<size_t>(op)];
}

SimulationCounters& SimulationCounters::operator+=(
    const SimulationCounters& other) {
  for (size_t i = 0; i < kSimOps; ++i) {
    succeeded[i] += other.succeeded[i];
    cut_by_crash[i] += other.cut_by_crash[i];
  }
  for (const NamedCounter& c : kCounters) {
    this->*c.counter += other.*c.counter;
  }
  return *this;
}

std::string SimulationCounters::ToString() const {
  std::string text;
  for (size_t i = 0; i < kSimOps; ++i) {
    text +=
        fmt::format("{:>22}: {} ok, {} cut by a crash\n",
                    Name(static_cast<SimOp>(i)), succeeded[i], cut_by_crash[i]);
  }
  for (const NamedCounter& c : kCounters) {
    text += fmt::format("{:>22}: {}\n", c.name, this->*c.counter);
  }
  return text;
}

}  // namespace strata
