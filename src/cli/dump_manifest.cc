// dump: the manifest, and a partition's root in the bucket.
#include <fmt/format.h>

#include <string>
#include <variant>

#include "cli/dump.h"
#include "cli/interrupt.h"
#include "format/cold_root_format.h"
#include "format/manifest_file.h"
#include "strata/settings.h"

namespace strata::cli {
namespace {

std::string Text(const OffsetRange& range) {
  return fmt::format("[{}, {})", range.base.value(), range.end.value());
}

std::string Text(const std::vector<EpochStart>& epochs) {
  std::string text = epochs.empty() ? " none" : "";
  for (const EpochStart& epoch : epochs) {
    text +=
        fmt::format(" {} from {}", epoch.epoch.value(), epoch.start.value());
  }
  return text;
}

std::string Text(const SegmentEntry& e) {
  std::string text = fmt::format(
      "segment {} of {} offsets {} epochs {} to {} batches {} records {} "
      "bytes {} crc32c {:08x} sealed at {}",
      e.id, e.partition.ToString(), Text(e.offsets), e.first_epoch.value(),
      e.last_epoch.value(), e.batch_count, e.record_count, e.image_bytes,
      e.image_crc32c, e.sealed_at);
  if (e.warm) {
    text += fmt::format(", warm file {} at {}", e.warm->file, e.warm->position);
  }
  if (e.cold) {
    text +=
        fmt::format(", cold object {} at {}", e.cold->key, e.cold->position);
  }
  return text;
}

std::string Text(const ColdGroupRef& g) {
  return fmt::format(
      "group of level {} offsets {} segments {} batches {} bytes {}, object {} "
      "of {} bytes crc32c {:08x}",
      g.level, Text(g.offsets), g.totals.segments, g.totals.batches,
      g.totals.image_bytes, g.key, g.object_bytes, g.object_crc32c);
}

// One line for each kind of operation.
struct Teller {
  std::string operator()(const TopicCreated& op) const {
    std::string text = fmt::format("topic created: {} {} with {} partitions",
                                   op.id.ToString(), op.name, op.partitions);
    for (const TopicSetting& setting : TopicSettingTable()) {
      if (const auto value = setting.Get(op.settings)) {
        text += fmt::format(", {} = {}", setting.name, *value);
      }
    }
    return text;
  }
  std::string operator()(const TopicDeleted& op) const {
    return "topic deleted: " + op.id.ToString();
  }
  std::string operator()(const SegmentAdded& op) const {
    return "segment added: " + Text(op.entry);
  }
  std::string operator()(const SegmentRemoved& op) const {
    return fmt::format("segment removed: {} of {}", op.id,
                       op.partition.ToString());
  }
  std::string operator()(const SegmentTruncated& op) const {
    return fmt::format("segment truncated: {} of {} to offset {}", op.id,
                       op.partition.ToString(), op.end.value());
  }
  std::string operator()(const PartitionChanged& op) const {
    std::string text = "partition changed: " + op.partition.ToString();
    const auto add = [&](std::string_view name, const auto& offset) {
      if (offset) text += fmt::format(", {} {}", name, offset->value());
    };
    add("log start", op.log_start);
    add("flushed end", op.flushed_end);
    add("cold end", op.cold_end);
    if (op.cold_generation) {
      text += fmt::format(", cold generation {}", *op.cold_generation);
    }
    if (op.cold_claim) {
      text += fmt::format(", cold claim {}", op.cold_claim->number);
    }
    if (op.fenced_by)
      text += fmt::format(", fenced by claim {}", op.fenced_by->number);
    if (op.epochs) text += ", epochs" + Text(*op.epochs);
    if (op.damaged) {
      text += op.damaged->empty() ? ", damaged none" : ", damaged";
      for (const OffsetRange& range : *op.damaged) text += " " + Text(range);
    }
    if (op.damaged_tail) {
      text += fmt::format(", damaged tail {}", *op.damaged_tail);
    }
    return text;
  }
  std::string operator()(const WalNeeded& op) const {
    return fmt::format("wal needed: from group {}", op.from_seq);
  }
  std::string operator()(const Checkpoint& op) const {
    return fmt::format(
        "checkpoint: wal synced through {}, {}, next segment {}, next file {}, "
        "at {}",
        op.wal_synced_seq, op.clean ? "clean" : "open", op.next_segment_id,
        op.next_file_number, op.at);
  }
  std::string operator()(const SnapshotEnd&) const { return "snapshot end"; }
  std::string operator()(const PurgePending& op) const {
    return fmt::format("purge pending: {} {}", op.id.ToString(), op.name);
  }
  std::string operator()(const PurgeDone& op) const {
    return "purge done: " + op.id.ToString();
  }
  std::string operator()(const SessionBegun& op) const {
    return fmt::format("session begun: {:016x}", op.session);
  }
  std::string operator()(const UnknownOp& op) const {
    return fmt::format("unknown operation {} of {} bytes", op.tag,
                       op.body.size());
  }
};

}  // namespace

Status DumpManifest(ByteSpan file, DumpReport& report) {
  uint64_t edits = 0;
  const auto tell = [&](const ManifestEdit& edit) -> Status {
    STRATA_RETURN_IF_ERROR(CheckInterrupt());
    report.Line(0, fmt::format("edit {}", ++edits));
    for (const ManifestOp& op : edit.ops) {
      report.Line(1, std::visit(Teller{}, op));
    }
    return Status::Ok();
  };
  STRATA_ASSIGN_OR_RETURN(const ManifestTail tail, ReadManifest(file, tell));
  report.Line(0,
              fmt::format("store {}, manifest {}, snapshot ends at {}, {} "
                          "edits end at {}",
                          tail.header.store_id.ToString(), tail.header.number,
                          tail.snapshot_end, edits, tail.good_end));
  if (tail.torn_bytes > 0) {
    report.Line(0, fmt::format("torn at {}, never known durable: {} bytes",
                               tail.good_end, tail.torn_bytes));
  }
  return Status::Ok();
}

Status DumpColdRoot(ByteSpan file, DumpReport& report) {
  STRATA_ASSIGN_OR_RETURN(const PartitionId partition,
                          DecodeColdRootPartition(file));
  STRATA_ASSIGN_OR_RETURN(const ColdRoot root, DecodeColdRoot(partition, file));
  report.Line(
      0, fmt::format("topic {} {}, generation {}, commit {:016x}, log "
                     "start {}, cold end {}, epochs{}",
                     root.topic_name, partition.ToString(), root.generation,
                     root.commit_id, root.log_start.value(),
                     root.cold_end().value(), Text(root.epochs)));
  if (root.claim.number > 0) {
    report.Line(0, fmt::format("claim {} of store {}, session {:016x}",
                               root.claim.number, root.claim.owner.ToString(),
                               root.claim.session));
  }
  for (const ColdGroupRef& group : root.groups) report.Line(1, Text(group));
  for (const auto& [base, entry] : root.entries) {
    report.Line(1, Text(entry));
  }
  return Status::Ok();
}

Status DumpColdGroup(ByteSpan file, DumpReport& report) {
  STRATA_ASSIGN_OR_RETURN(const PartitionId partition,
                          DecodeColdGroupPartition(file));
  STRATA_ASSIGN_OR_RETURN(const ColdGroup group,
                          DecodeColdGroup(partition, file));
  report.Line(
      0,
      fmt::format("{}, level {}, {} segments, offsets [{}, {})",
                  partition.ToString(), group.level, group.totals().segments,
                  group.offsets().base.value(), group.offsets().end.value()));
  for (const ColdGroupRef& below : group.groups) report.Line(1, Text(below));
  for (const auto& [base, entry] : group.entries) report.Line(1, Text(entry));
  return Status::Ok();
}

}  // namespace strata::cli
