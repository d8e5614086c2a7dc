// restore, ls: what a bucket holds, and a store out of it.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/effective_config.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/view.h"
#include "strata/settings.h"

namespace strata::cli {
namespace {

struct RestoreOptions {
  OutputFormat output = OutputFormat::kTable;
};

struct GcOptions {
  bool dry_run = false;
  OutputFormat output = OutputFormat::kTable;
};

struct ListOptions {
  OutputFormat output = OutputFormat::kTable;
};

Json ToJson(const RestoreReport& report) {
  Json renamed = Json::array();
  for (const auto& [was, is] : report.renamed) {
    renamed.push_back({{"was", was}, {"is", is}});
  }
  return {{"topics", report.topics},
          {"partitions", report.partitions},
          {"segments", report.segments},
          {"bytes", report.bytes},
          {"renamed", std::move(renamed)}};
}

std::string ToText(const RestoreReport& report,
                   const TieredStorageConfig& config) {
  std::string text;
  for (const auto& [was, is] : report.renamed) {
    text += fmt::format("another topic is called {}; this one is {} now\n", was,
                        is);
  }
  return text + fmt::format("{} of {}: {} of {} stay in {}\n",
                            Counted(report.topics.size(), "topic"),
                            Counted(report.partitions, "partition"),
                            Counted(report.segments, "segment"),
                            FormatBytes(report.bytes),
                            ColdUrl(config.cold_storage));
}

Status Restore(const Invocation& invocation, const RestoreOptions& options) {
  STRATA_ASSIGN_OR_RETURN(const EffectiveConfig effective, Resolve(invocation));
  const TieredStorageConfig& config = effective.config;
  STRATA_ASSIGN_OR_RETURN(
      const RestoreReport report,
      TieredStorage::Restore(config, {.cold_store = nullptr,
                                      .log = MakeTerminalLog(),
                                      .executor = nullptr}));
  return options.output == OutputFormat::kJson ? PrintJson(ToJson(report))
                                               : Print(ToText(report, config));
}

Status CollectGarbage(const Invocation& invocation, const GcOptions& options) {
  const auto collect = [&](TieredStorage& store) -> Status {
    STRATA_ASSIGN_OR_RETURN(const GarbageReport report,
                            store.CollectGarbage({.dry_run = options.dry_run}));
    if (options.output == OutputFormat::kJson) {
      return PrintJson({{"objects", report.objects},
                        {"bytes", report.bytes},
                        {"keys", report.keys},
                        {"dry_run", options.dry_run}});
    }
    std::string text;
    for (const std::string& key : report.keys) text += key + "\n";
    if (report.keys.size() < report.objects) text += "...\n";
    return Print(text + fmt::format("{} of {} {}\n",
                                    Counted(report.objects, "object"),
                                    FormatBytes(report.bytes),
                                    options.dry_run ? "would go" : "removed"));
  };
  if (!options.dry_run) return WithStore(invocation, IfMissing::kFail, collect);
  STRATA_ASSIGN_OR_RETURN(Viewer viewer, Viewer::Make(invocation));
  STRATA_ASSIGN_OR_RETURN(const auto view, viewer.Look());
  return collect(*view);
}

Status List(const Invocation& invocation, const ListOptions& options) {
  STRATA_ASSIGN_OR_RETURN(const EffectiveConfig effective, Resolve(invocation));
  STRATA_ASSIGN_OR_RETURN(
      const std::vector<BucketPartition> partitions,
      TieredStorage::ListBucket(effective.config, {.cold_store = nullptr,
                                                   .log = MakeTerminalLog(),
                                                   .executor = nullptr}));
  if (options.output == OutputFormat::kJson) {
    Json all = Json::array();
    for (const BucketPartition& p : partitions) {
      all.push_back({{"topic", p.name.topic},
                     {"partition", p.name.partition},
                     {"id", p.topic.ToString()},
                     {"log_start", p.log_start.value()},
                     {"cold_end", p.cold_end.value()},
                     {"segments", p.segments},
                     {"bytes", p.bytes},
                     {"generation", p.generation}});
    }
    return PrintJson(all);
  }
  using enum Table::Align;
  Table table({{"TOPIC", kLeft},
               {"PARTITION"},
               {"START"},
               {"END"},
               {"SEGMENTS"},
               {"BYTES"},
               {"ID", kLeft}});
  for (const BucketPartition& p : partitions) {
    table.AddRow({p.name.topic, std::to_string(p.name.partition),
                  std::to_string(p.log_start.value()),
                  std::to_string(p.cold_end.value()),
                  std::to_string(p.segments), FormatBytes(p.bytes),
                  p.topic.ToString()});
  }
  return Print(table.Render());
}

// An option or a positional that names the bucket.
void AddUrl(CLI::App& command, Invocation& invocation, const std::string& name,
            const std::string& description) {
  command
      .add_option_function<std::string>(
          name,
          [&invocation, name](const std::string& url) {
            invocation.flags.push_back({"cold_storage.url", url, name});
          },
          description)
      ->type_name("URL");
}

}  // namespace

void AddBucket(CLI::App& app, Invocation& invocation) {
  CLI::App& restore =
      AddCommand(app, invocation, "restore",
                 "Make an empty directory the store that a bucket holds",
                 "  strata restore --from s3://bucket/prefix -d DIR\n"
                 "  strata consume logs -d DIR --cold s3://bucket/prefix\n\n"
                 "Topics, settings, offsets and epochs come back at once; the "
                 "data stays in the bucket and is read from there. What had "
                 "not been uploaded is lost.");
  RestoreOptions& r = OnRun(restore, invocation, Restore);
  AddUrl(restore, invocation, "--from", "The bucket, as --cold names it");
  AddOutput(restore, r.output);

  CLI::App& gc = AddCommand(
      app, invocation, "gc", "Remove from the bucket what nothing names",
      "  strata gc --dry-run --cold s3://bucket/prefix\n"
      "  strata gc --cold s3://bucket/prefix\n\n"
      "What uploads that were cut and deletions that failed have left behind "
      "costs space and harms nobody. --dry-run only looks, also beside a "
      "process that writes: its uploads under way are listed then, too.");
  GcOptions& g = OnRun(gc, invocation, CollectGarbage);
  gc.add_flag("--dry-run", g.dry_run, "Only say what would go");
  AddOutput(gc, g.output);

  CLI::App& list = AddCommand(
      app, invocation, "ls", "What a bucket holds: topics, offsets, sizes",
      "  strata ls s3://bucket/prefix\n  strata ls file:///mnt/cold -o json");
  ListOptions& l = OnRun(list, invocation, List);
  AddUrl(list, invocation, "bucket", "The bucket, as --cold names it");
  AddOutput(list, l.output);
}

}  // namespace strata::cli
