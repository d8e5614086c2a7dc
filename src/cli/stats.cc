// stats: gauges and counters.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/view.h"
#include "strata/prometheus.h"

namespace strata::cli {
namespace {

struct StatsOptions {
  bool prometheus = false;
  OutputFormat output = OutputFormat::kTable;
};

using Stats = TieredStorageStats;

// What is told of each tier; also how the figures are called in JSON.
struct TierFigures {
  StorageTier tier;
  TierStats Stats::* now;
  uint64_t Stats::* reads;
  uint64_t Stats::* bytes_read;
  uint64_t Stats::* writes;
};

constexpr TierFigures kTiers[] = {
    {StorageTier::kHot, &Stats::hot, &Stats::hot_reads, &Stats::hot_bytes_read,
     &Stats::hot_writes},
    {StorageTier::kWarm, &Stats::warm, &Stats::warm_reads,
     &Stats::warm_bytes_read, &Stats::warm_writes},
    {StorageTier::kCold, &Stats::cold, &Stats::cold_reads,
     &Stats::cold_bytes_read, &Stats::cold_writes},
};

// Those of the whole store, by the name of their field.
template <typename Value>
struct Figure {
  std::string_view name;
  Value Stats::* value;
};

#define STRATA_FIGURE(field) {#field, &Stats::field}
// What anybody can tell who looks at the store.
constexpr Figure<uint64_t> kOfTheStore[] = {
    STRATA_FIGURE(hot_unflushed_bytes), STRATA_FIGURE(wal_files),
    STRATA_FIGURE(wal_bytes),           STRATA_FIGURE(upload_lag_bytes),
    STRATA_FIGURE(topics_to_purge),     STRATA_FIGURE(fenced_partitions),
};
// What a process tells of itself.
constexpr Figure<uint64_t> kOfTheProcess[] = {
    STRATA_FIGURE(total_bytes_read),  STRATA_FIGURE(total_bytes_written),
    STRATA_FIGURE(hot_cached_bytes),  STRATA_FIGURE(hot_pinned_bytes),
    STRATA_FIGURE(wal_syncs),         STRATA_FIGURE(wal_bytes_written),
    STRATA_FIGURE(wal_moves),         STRATA_FIGURE(migrations_completed),
    STRATA_FIGURE(migrations_failed), STRATA_FIGURE(flushes),
    STRATA_FIGURE(offloads),          STRATA_FIGURE(promotions),
    STRATA_FIGURE(demotions),         STRATA_FIGURE(jobs_queued),
    STRATA_FIGURE(jobs_running),      STRATA_FIGURE(cold_puts),
    STRATA_FIGURE(cold_gets),         STRATA_FIGURE(cold_deletes),
    STRATA_FIGURE(cold_lists),        STRATA_FIGURE(unclaimed_partitions),
    STRATA_FIGURE(cold_cache_bytes),  STRATA_FIGURE(cold_cache_hits),
};
constexpr Figure<LatencySummary> kLatencies[] = {
    STRATA_FIGURE(append_memory_latency), STRATA_FIGURE(append_disk_latency),
    STRATA_FIGURE(hot_read_latency),      STRATA_FIGURE(warm_read_latency),
    STRATA_FIGURE(cold_read_latency),     STRATA_FIGURE(flush_latency),
    STRATA_FIGURE(offload_latency),       STRATA_FIGURE(promote_latency),
    STRATA_FIGURE(wal_sync_latency),      STRATA_FIGURE(cold_get_latency),
    STRATA_FIGURE(cold_put_latency),
};
#undef STRATA_FIGURE

std::string TierTable(const Stats& stats) {
  Table table({{"TIER", Table::Align::kLeft},
               {"SEGMENTS"},
               {"BATCHES"},
               {"BYTES"},
               {"LIMIT"}});
  for (const TierFigures& tier : kTiers) {
    const TierStats& now = stats.*tier.now;
    table.AddRow({std::string(Name(tier.tier)), FormatCount(now.segments),
                  FormatCount(now.batches), FormatBytes(now.bytes),
                  now.max_bytes == 0 ? "-" : FormatBytes(now.max_bytes)});
  }
  return table.Render();
}

std::string FigureTable(const Stats& stats) {
  Table table({{"FIGURE", Table::Align::kLeft}, {"VALUE"}});
  for (const auto& figure : kOfTheStore) {
    const uint64_t value = stats.*figure.value;
    table.AddRow({std::string(figure.name), figure.name.ends_with("_bytes")
                                                ? FormatBytes(value)
                                                : FormatCount(value)});
  }
  return table.Render();
}

// Of what has happened at all; "" when nothing has.
std::string LatencyTable(const Stats& stats) {
  Table table({{"LATENCY", Table::Align::kLeft},
               {"COUNT"},
               {"P50"},
               {"P99"},
               {"P99.9"},
               {"MAX"}});
  bool any = false;
  for (const auto& figure : kLatencies) {
    const LatencySummary& latency = stats.*figure.value;
    if (latency.count == 0) continue;
    any = true;
    const auto cell = [](std::chrono::nanoseconds time) {
      return FormatMicros(static_cast<double>(time.count()) / 1000);
    };
    table.AddRow({std::string(figure.name.substr(0, figure.name.rfind('_'))),
                  FormatCount(latency.count), cell(latency.p50),
                  cell(latency.p99), cell(latency.p999), cell(latency.max)});
  }
  return any ? "\n" + table.Render() : "";
}

Json ToJson(const Stats& stats) {
  Json document;
  for (const TierFigures& tier : kTiers) {
    const TierStats& now = stats.*tier.now;
    document[std::string(Name(tier.tier))] = {
        {"segments", now.segments},    {"batches", now.batches},
        {"bytes", now.bytes},          {"max_bytes", now.max_bytes},
        {"reads", stats.*tier.reads},  {"bytes_read", stats.*tier.bytes_read},
        {"writes", stats.*tier.writes}};
  }
  for (const auto& figure : kOfTheStore) {
    document[std::string(figure.name)] = stats.*figure.value;
  }
  for (const auto& figure : kOfTheProcess) {
    document[std::string(figure.name)] = stats.*figure.value;
  }
  for (const auto& figure : kLatencies) {
    const LatencySummary& latency = stats.*figure.value;
    document[std::string(figure.name)] = {
        {"count", latency.count},          {"sum_ns", latency.sum.count()},
        {"p50_ns", latency.p50.count()},   {"p99_ns", latency.p99.count()},
        {"p999_ns", latency.p999.count()}, {"max_ns", latency.max.count()}};
  }
  return document;
}

// A partition's cold part is counted once it was asked for any of it.
Status LearnCold(TieredStorage& store) {
  STRATA_ASSIGN_OR_RETURN(const std::vector<TopicPartition> partitions,
                          AllPartitions(store));
  for (const TopicPartition& partition : partitions) {
    STRATA_RETURN_IF_ERROR(store.Segments(partition).status());
  }
  return Status::Ok();
}

Status Show(const Invocation& invocation, const StatsOptions& options) {
  return WithView(invocation, [&](TieredStorage& store) -> Status {
    STRATA_RETURN_IF_ERROR(LearnCold(store));
    const Stats stats = store.Stats();
    if (options.prometheus) return Print(ToPrometheusText(stats));
    return options.output == OutputFormat::kJson
               ? PrintJson(ToJson(stats))
               : Print(TierTable(stats) + "\n" + FigureTable(stats) +
                       LatencyTable(stats));
  });
}

}  // namespace

void AddStats(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "stats", "What each tier holds",
      "  strata stats\n  strata stats -o json\n"
      "  strata stats --prometheus > /var/lib/node_exporter/strata.prom\n\n"
      "Shown is what lies in the store. Counters, latencies and caches belong "
      "to "
      "a\nprocess: those of the one that writes are in its own stats; here, "
      "and "
      "in JSON\nand Prometheus' format, they are those of this command.");
  StatsOptions& options = OnRun(command, invocation, Show);
  AddOutput(command, options.output);
  command.add_flag_callback(
      "--json", [&options] { options.output = OutputFormat::kJson; },
      "The same as -o json");
  command.add_flag("--prometheus", options.prometheus,
                   "Print them in Prometheus' text format");
}

}  // namespace strata::cli
