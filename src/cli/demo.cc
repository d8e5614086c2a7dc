// demo: real files through hot, warm and cold and back, compared byte for
// byte; the main job of scripts/run.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/demo_check.h"
#include "cli/demo_history.h"
#include "cli/demo_input.h"
#include "cli/demo_report.h"
#include "cli/demo_write.h"
#include "cli/effective_config.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

struct DemoOptions {
  std::vector<std::string> files;
  uint64_t size_mib = 24;
};

// A third of the run fits into hot, two thirds into warm: the rest has to go
// on to cold.
TieredStorageConfig SmallTiers(const TieredStorageConfig& given,
                               const DemoOptions& options) {
  const uint64_t third = options.size_mib * kMiB / 3;
  TieredStorageConfig config;
  config.data_dir = given.data_dir;
  config.cold_storage = given.cold_storage;
  config.hot_tier_max_bytes = third;
  config.warm_tier_max_bytes = 2 * third;
  config.wal_file_bytes = 512 * kKiB;
  config.wal_max_bytes = third;
  config.wal_chunk_bytes = 128 * kKiB;
  config.max_batch_bytes = 256 * kKiB;
  config.min_segment_bytes = 64 * kKiB;
  config.target_segment_bytes = 512 * kKiB;
  config.cold_chunk_bytes = 256 * kKiB;
  config.cold_cache_max_bytes = 2 * kMiB;
  config.migration_interval = std::chrono::milliseconds(200);
  return config;
}

Status Compare(TieredStorage& store, DemoReport& report,
               std::vector<DemoShare> shares) {
  STRATA_RETURN_IF_ERROR(SettleTiers(store));
  shares.insert(shares.end(), report.written.shares.begin(),
                report.written.shares.end());
  STRATA_ASSIGN_OR_RETURN(report.read_back, ReadDemoBack(store, shares));
  report.stats = store.Stats();
  STRATA_RETURN_IF_ERROR(Print(ToText(report)));
  for (const std::string& difference : report.read_back.differences) {
    PrintError(difference);
  }
  if (report.read_back.differences.empty()) return Status::Ok();
  return {StatusCode::kDataLoss,
          fmt::format("{} of {} ranges differ from what was written",
                      report.read_back.differences.size(),
                      report.read_back.shares)};
}

Status RunOn(TieredStorage& store, DemoReport& report, const DemoInput& input) {
  STRATA_ASSIGN_OR_RETURN(std::vector<DemoShare> earlier, LoadHistory(store));
  report.run = earlier.empty() ? 1 : earlier.back().run + 1;
  report.written = WriteDemoInput(store, input, report.run);
  // Also when interrupted or failed: what is acknowledged must be kept.
  if (!report.written.shares.empty()) {
    Status saved = SaveToHistory(store, report.written.shares);
    STRATA_RETURN_IF_ERROR(report.written.status);
    STRATA_RETURN_IF_ERROR(saved);
  }
  STRATA_RETURN_IF_ERROR(report.written.status);
  STRATA_RETURN_IF_ERROR(CheckInterrupt());
  return Compare(store, report, std::move(earlier));
}

Status Demo(const Invocation& invocation, const DemoOptions& options) {
  STRATA_ASSIGN_OR_RETURN(
      const DemoInput input,
      ReadDemoInput(options.files, options.size_mib * kMiB));
  STRATA_ASSIGN_OR_RETURN(const EffectiveConfig effective, Resolve(invocation));
  DemoReport report;
  report.program = invocation.program;
  report.data_dir = effective.config.data_dir;
  report.cold = effective.config.cold_storage;
  return WithStore(
      SmallTiers(effective.config, options), IfMissing::kCreate,
      [&](TieredStorage& store) { return RunOn(store, report, input); });
}

}  // namespace

void AddDemo(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "demo",
      "Send real files through hot, warm and cold and compare what comes back",
      "  strata demo\n"
      "  strata demo /var/log/dpkg.log --data-dir /tmp/strata-demo\n"
      "  strata demo --cold 's3://bucket/prefix?region=eu-west-1'\n\n"
      "Lines become records, files topics. The tiers are small, so that data "
      "moves on\nwhile it is written. A second run goes on from the first and "
      "reads back both. Of\nthe configuration only data_dir and cold storage "
      "count.");
  DemoOptions& o = OnRun(command, invocation, Demo);
  command
      .add_option("FILE", o.files,
                  "Default: package lists and licences of this machine")
      ->type_name("");
  command
      .add_option("--size", o.size_mib,
                  "How much to write at least, going over the files again as "
                  "needed; hot is a third of it, warm two thirds (default 24)")
      ->type_name("MIB")
      ->check(InRange(uint64_t{6}, uint64_t{1024}));
}

}  // namespace strata::cli
