// verify, repair: is all that was promised still there?
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

struct VerifyOptions {
  OutputFormat output = OutputFormat::kTable;
};

struct RepairOptions {
  std::string topic;
  std::optional<uint32_t> partition;
};

std::string ToText(const VerifyReport& report, size_t findings) {
  std::string text;
  for (const VerifyFinding& finding : report.findings) {
    text += fmt::format("{} {}: {}\n", Red(STDOUT_FILENO, "damaged"),
                        finding.where, finding.detail);
  }
  return text +
         fmt::format(
             "{}, {}, {} read: {}\n", Counted(report.segments, "segment"),
             Counted(report.batches, "batch", "es"), FormatBytes(report.bytes),
             findings == 0 ? "all is well" : Counted(findings, "finding"));
}

std::string ToText(const std::string& partition, const RepairReport& report) {
  std::string text;
  if (report.segments_rewritten > 0) {
    text +=
        fmt::format("{}: {} written anew with {} that could be read\n",
                    partition, Counted(report.segments_rewritten, "segment"),
                    Counted(report.batches_kept, "batch", "es"));
  }
  if (report.copies_dropped > 0) {
    text += fmt::format("{}: {} dropped, whole in cold storage\n", partition,
                        Counted(report.copies_dropped, "damaged image"));
  }
  for (const OffsetRange& lost : report.lost) {
    text += fmt::format("{}: {} offsets [{}, {}) are a gap\n", partition,
                        Red(STDOUT_FILENO, "lost"), lost.base.value(),
                        lost.end.value());
  }
  if (report.reopened) text += partition + ": takes appends again\n";
  return text.empty() ? partition + ": nothing is damaged here\n" : text;
}

Json ToJson(const VerifyReport& report, const RecoveryReport& recovery) {
  Json findings = Json::array(), damage = Json::array();
  for (const VerifyFinding& finding : report.findings) {
    findings.push_back({{"where", finding.where}, {"detail", finding.detail}});
  }
  for (const RecoveryReport::Damage& one : recovery.damage) {
    damage.push_back({{"partition", one.partition}, {"detail", one.detail}});
  }
  return {{"segments", report.segments},
          {"batches", report.batches},
          {"bytes", report.bytes},
          {"findings", std::move(findings)},
          {"damage", std::move(damage)}};
}

Status Verify(const Invocation& invocation, const VerifyOptions& options) {
  return WithStore(
      invocation, IfMissing::kFail, [&](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(const VerifyReport report, store.Verify());
        const size_t findings =
            report.findings.size() + store.recovery().damage.size();
        STRATA_RETURN_IF_ERROR(options.output == OutputFormat::kJson
                                   ? PrintJson(ToJson(report, store.recovery()))
                                   : Print(ToText(report, findings)));
        if (findings == 0) return Status::Ok();
        return {StatusCode::kDataLoss,
                "verify: " + Counted(findings, "finding")};
      });
}

Status Repair(const Invocation& invocation, const RepairOptions& options) {
  return WithStore(invocation, IfMissing::kFail,
                   [&](TieredStorage& store) -> Status {
                     STRATA_ASSIGN_OR_RETURN(
                         const std::vector<TopicPartition> partitions,
                         PartitionsOf(store, options.topic, options.partition));
                     const std::string name = partitions.front().ToString();
                     STRATA_ASSIGN_OR_RETURN(const RepairReport report,
                                             store.Repair(partitions.front()));
                     return Print(ToText(name, report));
                   });
}

}  // namespace

void AddVerify(CLI::App& app, Invocation& invocation) {
  CLI::App& verify = AddCommand(
      app, invocation, "verify",
      "Read every byte of every tier and check every checksum",
      "  strata verify\n  strata verify -o json\n\n"
      "Each finding is a line on standard output; exit status 1 if there is "
      "one.");
  AddOutput(verify, OnRun(verify, invocation, Verify).output);

  CLI::App& repair = AddCommand(
      app, invocation, "repair",
      "Accept what a partition has lost: it becomes a gap, the rest goes on",
      "  strata repair logs --partition 0\n\n"
      "Reads every local segment of the partition and writes those that are "
      "missing or damaged anew with what can be read of them.");
  RepairOptions& r = OnRun(repair, invocation, Repair);
  AddTopic(repair, r.topic);
  repair.add_option("--partition,-p", r.partition, "The damaged partition")
      ->type_name("N")
      ->required();
}

}  // namespace strata::cli
