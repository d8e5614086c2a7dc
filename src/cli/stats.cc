// stats: gauges and counters.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/table.h"
#include "strata/prometheus.h"

namespace strata::cli {
namespace {

struct StatsOptions {
  bool prometheus = false;
};

std::string TierTable(const TieredStorageStats& s) {
  Table table({{"TIER", Table::Align::kLeft},
               {"SEGMENTS"},
               {"BATCHES"},
               {"BYTES"},
               {"LIMIT"},
               {"READS"},
               {"BYTES READ"},
               {"WRITES"}});
  const auto add = [&](StorageTier tier, const TierStats& t, uint64_t reads,
                       uint64_t bytes_read, uint64_t writes) {
    table.AddRow({std::string(Name(tier)), FormatCount(t.segments),
                  FormatCount(t.batches), FormatBytes(t.bytes),
                  t.max_bytes == 0 ? "-" : FormatBytes(t.max_bytes),
                  FormatCount(reads), FormatBytes(bytes_read),
                  FormatCount(writes)});
  };
  add(StorageTier::kHot, s.hot, s.hot_reads, s.hot_bytes_read, s.hot_writes);
  add(StorageTier::kWarm, s.warm, s.warm_reads, s.warm_bytes_read,
      s.warm_writes);
  add(StorageTier::kCold, s.cold, s.cold_reads, s.cold_bytes_read,
      s.cold_writes);
  return table.Render();
}

std::string FigureTable(const TieredStorageStats& s) {
  Table table({{"FIGURE", Table::Align::kLeft}, {"VALUE"}});
  const auto bytes = [&](const char* name, uint64_t value) {
    table.AddRow({name, FormatBytes(value)});
  };
  const auto count = [&](const char* name, uint64_t value) {
    table.AddRow({name, FormatCount(value)});
  };
  bytes("bytes read", s.total_bytes_read);
  bytes("bytes written", s.total_bytes_written);
  bytes("hot, unflushed", s.hot_unflushed_bytes);
  bytes("hot, cached", s.hot_cached_bytes);
  bytes("hot, pinned", s.hot_pinned_bytes);
  count("wal files", s.wal_files);
  bytes("wal in use", s.wal_bytes);
  count("wal syncs", s.wal_syncs);
  bytes("wal bytes written", s.wal_bytes_written);
  count("wal batches moved", s.wal_moves);
  count("migrations completed", s.migrations_completed);
  count("migrations failed", s.migrations_failed);
  count("flushes", s.flushes);
  count("offloads", s.offloads);
  count("promotions", s.promotions);
  count("demotions", s.demotions);
  count("jobs queued", s.jobs_queued);
  count("jobs running", s.jobs_running);
  count("cold puts", s.cold_puts);
  count("cold gets", s.cold_gets);
  count("cold deletes", s.cold_deletes);
  count("cold lists", s.cold_lists);
  bytes("cold cache", s.cold_cache_bytes);
  count("cold cache hits", s.cold_cache_hits);
  bytes("upload lag", s.upload_lag_bytes);
  count("topics to purge", s.topics_to_purge);
  return table.Render();
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
  return WithStore(invocation, IfMissing::kFail,
                   [&](TieredStorage& store) -> Status {
                     STRATA_RETURN_IF_ERROR(LearnCold(store));
                     const TieredStorageStats stats = store.Stats();
                     if (options.prometheus)
                       return Print(ToPrometheusText(stats));
                     return Print(TierTable(stats) + "\n" + FigureTable(stats));
                   });
}

}  // namespace

void AddStats(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "stats", "What each tier holds, and all figures",
      "  strata stats\n"
      "  strata stats --prometheus > /var/lib/node_exporter/strata.prom\n\n"
      "Counters (reads, writes, migrations) count from the opening of the "
      "store, here\nby this command.");
  StatsOptions& options = OnRun(command, invocation, Show);
  command.add_flag("--prometheus", options.prometheus,
                   "Print them in Prometheus' text format");
}

}  // namespace strata::cli
