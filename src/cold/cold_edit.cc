#include "cold/cold_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/planted_fault.h"

namespace strata {
namespace {

bool Holds(const ColdRoot& root, const SegmentEntry& entry) {
  const auto found = root.entries.find(entry.offsets.base);
  return found != root.entries.end() && entry.cold &&
         found->second.id == entry.id && found->second.cold == entry.cold;
}

std::string Describe(const ColdClaim& claim) {
  if (claim.number == 0) return "by nobody";
  return fmt::format("{} times, last by store {} (session {:016x})",
                     claim.number, claim.owner.ToString(), claim.session);
}

Status Claim(ColdRoot& root, const ColdEdit& edit) {
  // The edit's own attempt may have arrived already.
  if (edit.take && root.claim == *edit.take) return Status::Ok();
  if (root.claim != edit.claim && !FaultPlanted(PlantedFault::kClaimIgnored)) {
    return {StatusCode::kConflict,
            fmt::format("the root (generation {}) was claimed {}, expected {}",
                        root.generation, Describe(root.claim),
                        Describe(edit.claim))};
  }
  if (edit.take) root.claim = *edit.take;
  return Status::Ok();
}

// `log_start` is the writer's.
Status Add(ColdRoot& root, SegmentEntry entry,
           std::optional<Offset> log_start) {
  if (Holds(root, entry)) return Status::Ok();
  if (root.empty() && log_start &&
      entry.offsets.base > std::max(*log_start, root.log_start)) {
    return {StatusCode::kConflict,
            fmt::format("segment {} begins at offset {}, the log at {}, the "
                        "root (generation {}) has nothing between",
                        entry.id, entry.offsets.base.value(),
                        log_start->value(), root.generation)};
  }
  if (entry.offsets.end <= root.log_start) {
    return {StatusCode::kConflict,
            fmt::format("segment {} ends at offset {}, the log starts at {} "
                        "(generation {})",
                        entry.id, entry.offsets.end.value(),
                        root.log_start.value(), root.generation)};
  }
  if (!root.empty() && entry.offsets.base != root.cold_end()) {
    return {StatusCode::kConflict,
            fmt::format("segment {} begins at offset {}, the cold end is {} "
                        "(generation {})",
                        entry.id, entry.offsets.base.value(),
                        root.cold_end().value(), root.generation)};
  }
  entry.warm.reset();
  root.next_segment_id = std::max(root.next_segment_id, entry.id + 1);
  const Offset base = entry.offsets.base;
  root.entries.emplace(base, std::move(entry));
  return Status::Ok();
}

}  // namespace

Result<ColdRoot> ApplyColdEdit(const PartitionId& partition, ColdRoot root,
                               const ColdEdit& edit) {
  STRATA_RETURN_IF_ERROR(Claim(root, edit));
  // The trim first: behind what leaves, the log may go on anywhere.
  if (edit.log_start) {
    root.log_start = std::max(root.log_start, *edit.log_start);
  }
  std::erase_if(root.groups, [&](const ColdGroupRef& group) {
    return group.offsets.end <= root.log_start;
  });
  std::erase_if(root.entries, [&](const auto& item) {
    return item.second.offsets.end <= root.log_start;
  });
  for (const SegmentEntry& entry : edit.add) {
    STRATA_RETURN_IF_ERROR(Add(root, entry, edit.log_start));
  }
  if (edit.epochs) root.epochs = *edit.epochs;
  if (!edit.topic_name.empty()) root.topic_name = edit.topic_name;
  ColdRoot next = root;
  next.generation = std::max<uint64_t>(next.generation, 1);
  STRATA_RETURN_IF_ERROR(ValidateColdRoot(partition, next));
  return root;
}

}  // namespace strata
