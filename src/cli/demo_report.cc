#include "cli/demo_report.h"

#include <fmt/format.h>

#include "cli/table.h"

namespace strata::cli {
namespace {

std::string TierTable(const DemoReport& report) {
  Table table({{"TIER", Table::Align::kLeft},
               {"SEGMENTS"},
               {"BATCHES"},
               {"BYTES"},
               {"LIMIT"},
               {"READS"},
               {"READ"},
               {"MB/S"},
               {"P50"},
               {"P99"}});
  const auto add = [&](StorageTier tier, const TierStats& held) {
    const TierReads& reads = report.read_back.tiers[static_cast<size_t>(tier)];
    const bool any = !reads.micros.empty();
    table.AddRow({std::string(Name(tier)), FormatCount(held.segments),
                  FormatCount(held.batches), FormatBytes(held.bytes),
                  held.max_bytes == 0 ? "-" : FormatBytes(held.max_bytes),
                  FormatCount(reads.micros.size()), FormatBytes(reads.bytes),
                  any ? fmt::format("{:.0f}", reads.MegabytesPerSecond()) : "-",
                  any ? FormatMicros(reads.Percentile(0.5)) : "-",
                  any ? FormatMicros(reads.Percentile(0.99)) : "-"});
  };
  add(StorageTier::kHot, report.stats.hot);
  add(StorageTier::kWarm, report.stats.warm);
  add(StorageTier::kCold, report.stats.cold);
  return table.Render();
}

uint64_t Records(const DemoWritten& written) {
  uint64_t records = 0;
  for (const DemoShare& share : written.shares) records += share.records;
  return records;
}

std::string Outcome(const DemoReport& report) {
  const DemoReadBack& back = report.read_back;
  std::string text =
      fmt::format("Read back: {} of {}, {}: ", Counted(back.records, "record"),
                  Counted(report.run, "run"), Counted(back.shares, "range"));
  text += back.differences.empty()
              ? "each equal to its input by count and SHA-256."
              : fmt::format("{} DIFFER.", back.differences.size());
  if (back.deleted > 0) {
    text +=
        fmt::format(" {} ranges lay in topics deleted since.", back.deleted);
  }
  return text + "\n";
}

// Cold storage beside the store is found without being named.
bool IsBeside(const ColdStorageConfig& cold) {
  const auto* local = std::get_if<cold::LocalFs>(&cold);
  return local != nullptr && local->path.empty();
}

std::string ColdFlag(const ColdStorageConfig& cold) {
  return IsBeside(cold) ? "" : fmt::format(" --cold '{}'", ColdUrl(cold));
}

std::string NextCommands(const DemoReport& report) {
  const std::string topic = report.written.shares.empty()
                                ? "TOPIC"
                                : report.written.shares.front().partition.topic;
  std::string text = "Try next:\n";
  for (const std::string& command :
       {std::string("topics list"), "segments " + topic,
        "consume " + topic + " --partition 0 --count 3 -f '%t/%p@%o %v\\n'",
        "demote " + topic + " --to cold", std::string("stats"),
        std::string("verify")}) {
    text +=
        fmt::format("  {} --data-dir {}{} {}\n", report.program,
                    report.data_dir.native(), ColdFlag(report.cold), command);
  }
  return text;
}

}  // namespace

std::string ToText(const DemoReport& report) {
  const DemoWritten& written = report.written;
  const TieredStorageStats& stats = report.stats;
  std::string text = fmt::format(
      "\nRun {}: {} in {}, {} in {:.1f} s at durability disk, {}.\n\n",
      report.run, Counted(Records(written), "record"),
      Counted(written.batches, "batch", "es"), FormatBytes(written.bytes),
      written.seconds, Counted(stats.wal_syncs, "sync"));
  text += TierTable(report);
  text += fmt::format(
      "\nA segment may have copies in several tiers; a read takes the hottest. "
      "Times are of\nreads of up to 256 KiB, with copying the bytes out.\n\n"
      "Migrations: {} done ({} flushes, {} offloads, {} hotter copies dropped, "
      "{} promotions), {} failed.\n",
      FormatCount(stats.migrations_completed), FormatCount(stats.flushes),
      FormatCount(stats.offloads), FormatCount(stats.demotions),
      FormatCount(stats.promotions), FormatCount(stats.migrations_failed));
  text += Outcome(report);
  text += fmt::format(
      "Data: {0}: wal/ and manifest, warm/{1}.\n", report.data_dir.native(),
      IsBeside(report.cold) ? ", cold/" : "; cold: " + ColdUrl(report.cold));
  return text + NextCommands(report);
}

}  // namespace strata::cli
