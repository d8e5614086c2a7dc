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
struct Figure {
  std::string_view name;
  uint64_t Stats::* value;

  bool is_bytes() const { return name.find("bytes") != std::string_view::npos; }
};

#define STRATA_FIGURE(field) {#field, &Stats::field}
constexpr Figure kFigures[] = {
    STRATA_FIGURE(total_bytes_read),
    STRATA_FIGURE(total_bytes_written),
    STRATA_FIGURE(hot_unflushed_bytes),
    STRATA_FIGURE(hot_cached_bytes),
    STRATA_FIGURE(hot_pinned_bytes),
    STRATA_FIGURE(wal_files),
    STRATA_FIGURE(wal_bytes),
    STRATA_FIGURE(wal_syncs),
    STRATA_FIGURE(wal_bytes_written),
    STRATA_FIGURE(wal_moves),
    STRATA_FIGURE(migrations_completed),
    STRATA_FIGURE(migrations_failed),
    STRATA_FIGURE(flushes),
    STRATA_FIGURE(offloads),
    STRATA_FIGURE(promotions),
    STRATA_FIGURE(demotions),
    STRATA_FIGURE(jobs_queued),
    STRATA_FIGURE(jobs_running),
    STRATA_FIGURE(cold_puts),
    STRATA_FIGURE(cold_gets),
    STRATA_FIGURE(cold_deletes),
    STRATA_FIGURE(cold_lists),
    STRATA_FIGURE(cold_cache_bytes),
    STRATA_FIGURE(cold_cache_hits),
    STRATA_FIGURE(upload_lag_bytes),
    STRATA_FIGURE(topics_to_purge),
};
#undef STRATA_FIGURE

std::string TierTable(const Stats& stats) {
  Table table({{"TIER", Table::Align::kLeft},
               {"SEGMENTS"},
               {"BATCHES"},
               {"BYTES"},
               {"LIMIT"},
               {"READS"},
               {"BYTES READ"},
               {"WRITES"}});
  for (const TierFigures& tier : kTiers) {
    const TierStats& now = stats.*tier.now;
    table.AddRow({std::string(Name(tier.tier)), FormatCount(now.segments),
                  FormatCount(now.batches), FormatBytes(now.bytes),
                  now.max_bytes == 0 ? "-" : FormatBytes(now.max_bytes),
                  FormatCount(stats.*tier.reads),
                  FormatBytes(stats.*tier.bytes_read),
                  FormatCount(stats.*tier.writes)});
  }
  return table.Render();
}

std::string FigureTable(const Stats& stats) {
  Table table({{"FIGURE", Table::Align::kLeft}, {"VALUE"}});
  for (const Figure& figure : kFigures) {
    const uint64_t value = stats.*figure.value;
    table.AddRow({std::string(figure.name),
                  figure.is_bytes() ? FormatBytes(value) : FormatCount(value)});
  }
  return table.Render();
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
  for (const Figure& figure : kFigures) {
    document[std::string(figure.name)] = stats.*figure.value;
  }
  return document;
}

// A partition's cold segments are known once it was asked for them.
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
               : Print(TierTable(stats) + "\n" + FigureTable(stats));
  });
}

}  // namespace

void AddStats(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "stats", "What each tier holds, and all figures",
      "  strata stats\n  strata stats -o json\n"
      "  strata stats --prometheus > /var/lib/node_exporter/strata.prom\n\n"
      "Counters (reads, writes, migrations) count from the opening of the "
      "store, here\nby this command.");
  StatsOptions& options = OnRun(command, invocation, Show);
  AddOutput(command, options.output);
  command.add_flag("--prometheus", options.prometheus,
                   "Print them in Prometheus' text format");
}

}  // namespace strata::cli
