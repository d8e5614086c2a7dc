// verify, repair: is all that was promised still there?
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/view.h"

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

// What a view shows to be damaged or lost.
struct Verified {
  VerifyReport report;
  RecoveryReport recovery;
};

bool Holds(const std::vector<VerifyFinding>& findings,
           const VerifyFinding& finding) {
  return std::ranges::any_of(findings, [&](const VerifyFinding& other) {
    return other.where == finding.where && other.detail == finding.detail;
  });
}

// A writer drops files under a view, which is no damage: a finding counts when
// nothing has changed since its view was made, or when two views in a row have
// it.
Result<Verified> VerifyAll(Viewer& viewer) {
  std::vector<VerifyFinding> before;
  for (int look = 1;; ++look) {
    STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<TieredStorage> view,
                            viewer.Look());
    const TieredStorageStats stats = view->Stats();
    Progress progress("verifying",
                      stats.hot.bytes + stats.warm.bytes + stats.cold.bytes);
    STRATA_ASSIGN_OR_RETURN(VerifyReport report, view->Verify([&](uint64_t n) {
      progress.Update(n);
    }));
    Verified verified{report, view->recovery()};
    std::erase_if(verified.report.findings, [&](const VerifyFinding& finding) {
      return !Holds(before, finding);
    });
    const size_t confirmed = verified.report.findings.size();
    if (confirmed == report.findings.size() || look == kMaxLooks) {
      return verified;
    }
    if (!viewer.Changed()) {
      verified.report = std::move(report);
      return verified;
    }
    before = std::move(report.findings);
  }
}

Status Verify(const Invocation& invocation, const VerifyOptions& options) {
  CatchInterrupts(OnInterrupt::kEnd);
  STRATA_ASSIGN_OR_RETURN(Viewer viewer, Viewer::Make(invocation));
  STRATA_ASSIGN_OR_RETURN(const Verified verified, VerifyAll(viewer));
  const auto& [report, recovery] = verified;
  const size_t findings = report.findings.size() + recovery.damage.size();
  STRATA_RETURN_IF_ERROR(options.output == OutputFormat::kJson
                             ? PrintJson(ToJson(report, recovery))
                             : Print(ToText(report, findings)));
  if (findings == 0) return Status::Ok();
  return {StatusCode::kDataLoss, "verify: " + Counted(findings, "finding")};
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
