// dump: what is in a file of a store.
#include "cli/dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/read_file.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "format/magic.h"
#include "format/segment_entry.h"

namespace strata::cli {

void DumpReport::Line(int level, std::string_view text) {
  if (!status_.ok()) return;
  status_ = out_.Write(fmt::format("{:{}}{}\n", "", 2 * level, text));
}

void DumpReport::Damage(uint64_t position, std::string_view what) {
  ++faults_;
  Line(0, fmt::format("{} at {}: {}", Red(STDOUT_FILENO, "damaged"), position,
                      what));
}

Status DumpReport::Finish() { return status_.ok() ? out_.Flush() : status_; }

void DumpFrame(const FrameHeader& frame, uint64_t position,
               DumpReport& report) {
  const std::string offsets =
      fmt::format("offsets [{}, {})", frame.offsets.base.value(),
                  frame.offsets.end.value());
  const PartitionId partition{frame.topic, frame.partition};
  if (frame.kind != FrameKind::kBatch) {
    report.Line(1,
                fmt::format("frame at {}: {} {} {}", position,
                            frame.kind == FrameKind::kGap ? "gap" : "padding",
                            partition.ToString(), offsets));
    return;
  }
  report.Line(
      1,
      fmt::format("frame at {}: batch {} {} epoch {} records {} bytes {} "
                  "timestamp {} {}{}{}",
                  position, partition.ToString(), offsets, frame.epoch.value(),
                  frame.record_count, frame.payload_bytes, frame.max_timestamp,
                  Name(frame.format),
                  (frame.flags & kFrameDurable) != 0 ? " disk" : "",
                  (frame.flags & kFrameContinues) != 0 ? " continues" : ""));
}

namespace {

struct DumpOptions {
  std::string file;
};

struct Kind {
  std::string_view magic;
  std::string_view name;
  Status (*dump)(ByteSpan file, DumpReport& report);
};

constexpr std::array<Kind, 5> kKinds = {
    {{kWalFileMagic, "write-ahead log", DumpWal},
     {kSegmentMagic, "segments", DumpSegments},
     {kManifestMagic, "manifest", DumpManifest},
     {kColdRootMagic, "cold root", DumpColdRoot},
     {kColdGroupMagic, "cold group", DumpColdGroup}}};

Result<const Kind*> KindOf(ByteSpan file) {
  for (const Kind& kind : kKinds) {
    if (AsText(file).starts_with(kind.magic)) return &kind;
  }
  std::string expected;
  for (const Kind& kind : kKinds) {
    expected += fmt::format("{}{} ({})", expected.empty() ? "" : ", ",
                            kind.magic, kind.name);
  }
  const ByteSpan head = file.first(std::min<size_t>(file.size(), 8));
  return Status(
      StatusCode::kInvalidArgument,
      fmt::format("no file of a store: expected at 0 one of {}, found {}",
                  expected,
                  head.empty() ? "an empty file"
                               : fmt::format("{:02x}", fmt::join(head, " "))));
}

Status DumpBytes(ByteSpan bytes) {
  STRATA_ASSIGN_OR_RETURN(const Kind* const kind, KindOf(bytes));
  DumpReport report;
  report.Line(0, fmt::format("{}, {} bytes", kind->name, bytes.size()));
  Status dumped = kind->dump(bytes, report);
  STRATA_RETURN_IF_ERROR(report.Finish());  // what is good, before the error
  STRATA_RETURN_IF_ERROR(dumped);
  if (report.faults() == 0) return Status::Ok();
  return {StatusCode::kDataLoss, Counted(report.faults(), "damaged place")};
}

Status Dump(const Invocation&, const DumpOptions& options) {
  STRATA_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.file));
  return DumpBytes(AsBytes(bytes)).WithContext(options.file);
}

}  // namespace

void AddDump(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "dump",
      "What is in a file of a store: log, segments, manifest, cold root",
      "  strata dump strata-data/wal/00000000000000000001.wal\n"
      "  strata dump strata-data/warm/00000000000000000001.seg\n\n"
      "The kind is told by the first bytes. Each part is a line with its "
      "position; its\nchecksum is checked. Exit status 1 if something is "
      "damaged. The store is not opened.");
  command.add_option("FILE", OnRun(command, invocation, Dump).file)
      ->required()
      ->type_name("");
}

}  // namespace strata::cli
