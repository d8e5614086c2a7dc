#include "strata/prometheus.h"

#include <fmt/format.h>

#include <chrono>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace strata {
namespace {

// What tells the samples of a metric apart: tier="hot".
struct Label {
  std::string_view name;
  std::string_view value;
};

double Seconds(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e9;
}

// One metric after the other, each with all of its samples. Names and labels
// are ours and hold nothing to escape.
class PrometheusWriter {
 public:
  struct Sample {
    std::string_view label;  // the value of the metric's label
    uint64_t value;
  };
  struct Latency {
    std::string_view label;
    const LatencySummary& summary;
  };

  void Counter(std::string_view name, std::string_view help, uint64_t value) {
    Family(name, "counter", help);
    Print("{} {}\n", name, value);
  }
  void Gauge(std::string_view name, std::string_view help, uint64_t value) {
    Family(name, "gauge", help);
    Print("{} {}\n", name, value);
  }
  void Counters(std::string_view name, std::string_view help,
                std::string_view label, std::initializer_list<Sample> samples) {
    Family(name, "counter", help);
    Samples(name, label, samples);
  }
  void Gauges(std::string_view name, std::string_view help,
              std::string_view label, std::initializer_list<Sample> samples) {
    Family(name, "gauge", help);
    Samples(name, label, samples);
  }

  // strata_<what>_latency_seconds and strata_<what>_latency_max_seconds.
  void Latencies(std::string_view what, std::string_view help,
                 std::string_view label,
                 std::initializer_list<Latency> latencies) {
    const std::string name = fmt::format("strata_{}_latency_seconds", what);
    Family(name, "summary", help);
    for (const auto& [value, summary] : latencies) {
      WriteSummary(name, {label, value}, summary);
    }
    const std::string max = fmt::format("strata_{}_latency_max_seconds", what);
    Family(max, "gauge", fmt::format("{} The greatest since open.", help));
    for (const auto& [value, summary] : latencies) {
      Print("{}{{{}=\"{}\"}} {}\n", max, label, value, Seconds(summary.max));
    }
  }

  std::string Take() { return std::move(text_); }

 private:
  template <typename... Args>
  void Print(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format,
                   std::forward<Args>(args)...);
  }

  void Family(std::string_view name, std::string_view type,
              std::string_view help) {
    Print("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }

  void Samples(std::string_view name, std::string_view label,
               std::initializer_list<Sample> samples) {
    for (const auto& [value, sample] : samples) {
      Print("{}{{{}=\"{}\"}} {}\n", name, label, value, sample);
    }
  }

  void WriteSummary(std::string_view name, Label label,
                    const LatencySummary& summary) {
    const auto quantile = [&](std::string_view rank,
                              std::chrono::nanoseconds time) {
      const std::string text =
          summary.count == 0 ? "NaN" : fmt::format("{}", Seconds(time));
      Print("{}{{{}=\"{}\",quantile=\"{}\"}} {}\n", name, label.name,
            label.value, rank, text);
    };
    quantile("0.5", summary.p50);
    quantile("0.99", summary.p99);
    quantile("0.999", summary.p999);
    Print("{}_sum{{{}=\"{}\"}} {}\n", name, label.name, label.value,
          Seconds(summary.sum));
    Print("{}_count{{{}=\"{}\"}} {}\n", name, label.name, label.value,
          summary.count);
  }

  std::string text_;
};

void WriteTiers(const TieredStorageStats& s, PrometheusWriter& out) {
  const auto per_tier = [&](std::string_view name, std::string_view help,
                            uint64_t TierStats::* figure) {
    out.Gauges(name, help, "tier",
               {{"hot", s.hot.*figure},
                {"warm", s.warm.*figure},
                {"cold", s.cold.*figure}});
  };
  per_tier("strata_tier_segments",
           "Segments, and for hot unflushed tails, that a tier holds.",
           &TierStats::segments);
  per_tier("strata_tier_batches", "Batches that a tier holds.",
           &TierStats::batches);
  per_tier("strata_tier_bytes", "Bytes that a tier holds.", &TierStats::bytes);
  per_tier("strata_tier_max_bytes", "Limit of a tier, 0 without one.",
           &TierStats::max_bytes);
  out.Gauges("strata_hot_bytes", "Hot memory by account.", "account",
             {{"unflushed", s.hot_unflushed_bytes},
              {"cached", s.hot_cached_bytes},
              {"pinned", s.hot_pinned_bytes}});
  out.Counters(
      "strata_read_batches_total", "Batches read from a tier.", "tier",
      {{"hot", s.hot_reads}, {"warm", s.warm_reads}, {"cold", s.cold_reads}});
  out.Counters("strata_read_bytes_total", "Bytes read from a tier.", "tier",
               {{"hot", s.hot_bytes_read},
                {"warm", s.warm_bytes_read},
                {"cold", s.cold_bytes_read}});
  out.Counters("strata_written_batches_total",
               "Batches appended (hot), flushed or hydrated (warm), uploaded "
               "(cold).",
               "tier",
               {{"hot", s.hot_writes},
                {"warm", s.warm_writes},
                {"cold", s.cold_writes}});
  out.Counter("strata_appended_bytes_total", "Bytes of appended batches.",
              s.total_bytes_written);
}

void WriteLog(const TieredStorageStats& s, PrometheusWriter& out) {
  out.Gauge("strata_wal_files", "Files of the WAL in use.", s.wal_files);
  out.Gauge("strata_wal_bytes", "Bytes of WAL files that are needed.",
            s.wal_bytes);
  out.Counter("strata_wal_syncs_total", "Syncs of the WAL.", s.wal_syncs);
  out.Counter("strata_wal_written_bytes_total", "Bytes written to the WAL.",
              s.wal_bytes_written);
  out.Counter("strata_wal_moved_batches_total",
              "Unflushed batches copied forward in the WAL.", s.wal_moves);
}

void WriteMoves(const TieredStorageStats& s, PrometheusWriter& out) {
  out.Gauges("strata_jobs", "Migration jobs.", "state",
             {{"queued", s.jobs_queued}, {"running", s.jobs_running}});
  out.Counters(
      "strata_migrations_total", "Migrations that ended.", "result",
      {{"completed", s.migrations_completed}, {"failed", s.migrations_failed}});
  out.Counters("strata_moves_total",
               "Flushes, segments offloaded and promoted, hotter copies "
               "dropped.",
               "move",
               {{"flush", s.flushes},
                {"offload", s.offloads},
                {"promote", s.promotions},
                {"demote", s.demotions}});
}

void WriteCold(const TieredStorageStats& s, PrometheusWriter& out) {
  out.Counters("strata_cold_requests_total", "Requests to the object store.",
               "request",
               {{"put", s.cold_puts},
                {"get", s.cold_gets},
                {"delete", s.cold_deletes},
                {"list", s.cold_lists}});
  out.Gauge("strata_cold_cache_bytes", "Cached bytes of cold segments.",
            s.cold_cache_bytes);
  out.Counter("strata_cold_cache_hits_total", "Chunks found in that cache.",
              s.cold_cache_hits);
  out.Gauge("strata_upload_lag_bytes", "Warm bytes without a cold copy.",
            s.upload_lag_bytes);
  out.Gauge("strata_topics_to_purge",
            "Deleted topics that the object store may still have a part of.",
            s.topics_to_purge);
  out.Gauge("strata_fenced_partitions",
            "Partitions that another store has taken over.",
            s.fenced_partitions);
  out.Gauge("strata_unclaimed_partitions",
            "Partitions that take appends and are not claimed in the bucket.",
            s.unclaimed_partitions);
}

void WriteLatencies(const TieredStorageStats& s, PrometheusWriter& out) {
  out.Latencies(
      "append", "Appends by the durability asked for.", "durability",
      {{"memory", s.append_memory_latency}, {"disk", s.append_disk_latency}});
  out.Latencies("read", "Reads by the coldest tier that served one.", "tier",
                {{"hot", s.hot_read_latency},
                 {"warm", s.warm_read_latency},
                 {"cold", s.cold_read_latency}});
  out.Latencies("operation",
                "Flushes, segments moved, syncs of the WAL, requests to the "
                "object store.",
                "operation",
                {{"flush", s.flush_latency},
                 {"offload", s.offload_latency},
                 {"promote", s.promote_latency},
                 {"wal_sync", s.wal_sync_latency},
                 {"cold_get", s.cold_get_latency},
                 {"cold_put", s.cold_put_latency}});
}

}  // namespace

std::string ToPrometheusText(const TieredStorageStats& stats) {
  PrometheusWriter out;
  WriteTiers(stats, out);
  WriteLog(stats, out);
  WriteMoves(stats, out);
  WriteCold(stats, out);
  WriteLatencies(stats, out);
  return out.Take();
}

}  // namespace strata
