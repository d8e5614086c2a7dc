// The checks of ManifestState's invariants.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "manifest/manifest_state.h"

namespace strata {
namespace {

Status Broken(std::string message) {
  return {StatusCode::kDataLoss, std::move(message)};
}

Status CheckEpochs(const std::vector<EpochStart>& epochs) {
  const auto wrong = std::ranges::adjacent_find(
      epochs, [](const EpochStart& a, const EpochStart& b) {
        return a.epoch >= b.epoch || a.start > b.start;
      });
  if (wrong == epochs.end()) return Status::Ok();
  return Broken(fmt::format("epochs do not ascend behind epoch {} at {}",
                            wrong->epoch.value(), wrong->start.value()));
}

Status CheckDamaged(const std::vector<OffsetRange>& ranges) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].empty() || (i > 0 && ranges[i - 1].end > ranges[i].base)) {
      return Broken(
          fmt::format("damaged range [{}, {}) is empty or does not ascend",
                      ranges[i].base.value(), ranges[i].end.value()));
    }
  }
  return Status::Ok();
}

// Who lies where in which file. Owned by one thread.
struct FileUse {
  struct Extent {
    uint64_t end = 0;
    std::string owner;
  };
  std::map<uint64_t, uint64_t> segments;  // file number to live segments
  std::map<std::pair<uint64_t, uint64_t>, Extent> extents;  // {file, position}
};

Status AddToFile(const SegmentEntry& entry, FileUse& use) {
  const std::string name = Describe(entry);
  if (!entry.warm) return Broken(name + " has no warm address");
  const WarmAddress& at = *entry.warm;
  ++use.segments[at.file];
  const uint64_t end = at.position + at.length;
  const auto shared = [&](const FileUse::Extent& other) {
    return Broken(fmt::format("{} and {} share bytes of file {}", name,
                              other.owner, at.file));
  };
  const auto [place, added] = use.extents.try_emplace(
      {at.file, at.position}, FileUse::Extent{end, name});
  if (!added) return shared(place->second);
  const auto next = std::next(place);
  if (next != use.extents.end() && next->first.first == at.file &&
      next->first.second < end) {
    return shared(next->second);
  }
  if (place == use.extents.begin()) return Status::Ok();
  const auto& [before, extent] = *std::prev(place);
  if (before.first == at.file && extent.end > at.position) {
    return shared(extent);
  }
  return Status::Ok();
}

Status CheckSegments(const PartitionId& id, const ManifestPartition& partition,
                     FileUse& use) {
  if (partition.segment_bases.size() != partition.segments.size()) {
    return Broken(fmt::format("{} ids for {} segments",
                              partition.segment_bases.size(),
                              partition.segments.size()));
  }
  Offset end;
  for (const auto& [base, entry] : partition.segments) {
    if (entry.offsets.base != base || entry.offsets.empty() ||
        entry.partition != id || partition.FindSegment(entry.id) != &entry) {
      return Broken(Describe(entry) + " is filed in a wrong place");
    }
    if (base < end) {
      return Broken(fmt::format("{} overlaps the one before, which ends at {}",
                                Describe(entry), end.value()));
    }
    end = entry.offsets.end;
    STRATA_RETURN_IF_ERROR(AddToFile(entry, use));
  }
  return Status::Ok();
}

Status CheckPartition(const PartitionId& id, const ManifestPartition& partition,
                      FileUse& use) {
  STRATA_RETURN_IF_ERROR(CheckBounds(partition));
  STRATA_RETURN_IF_ERROR(CheckSegments(id, partition, use));
  return CheckCovered(partition, {partition.log_start, partition.flushed_end});
}

Status CheckBelow(std::string_view what, uint64_t greatest, uint64_t next) {
  if (greatest < next) return Status::Ok();
  return Broken(fmt::format("{} {} is in use: expected all below the next, {}",
                            what, greatest, next));
}

}  // namespace

std::string Describe(const SegmentEntry& entry) {
  return fmt::format("segment {} of {} [{}, {})", entry.id,
                     entry.partition.ToString(), entry.offsets.base.value(),
                     entry.offsets.end.value());
}

Status CheckBounds(const ManifestPartition& partition) {
  STRATA_RETURN_IF_ERROR(CheckEpochs(partition.epochs));
  STRATA_RETURN_IF_ERROR(CheckDamaged(partition.damaged));
  if (partition.cold_end > partition.flushed_end) {
    return Broken(fmt::format("cold end {} is above flushed end {}",
                              partition.cold_end.value(),
                              partition.flushed_end.value()));
  }
  if (partition.segments.empty()) return Status::Ok();
  const SegmentEntry& last = partition.segments.rbegin()->second;
  if (last.offsets.end <= partition.flushed_end) return Status::Ok();
  return Broken(fmt::format("{} ends above flushed end {}", Describe(last),
                            partition.flushed_end.value()));
}

Status CheckCovered(const ManifestPartition& partition, OffsetRange range) {
  const Offset first = std::max(partition.log_start, partition.cold_end);
  Offset at = std::max(range.base, first);
  const Offset end = std::min(range.end, partition.flushed_end);
  while (at < end) {
    const auto next = partition.segments.upper_bound(at);
    if (next != partition.segments.begin() &&
        std::prev(next)->second.offsets.Contains(at)) {
      at = std::prev(next)->second.offsets.end;
      continue;
    }
    const auto lost = std::ranges::find_if(
        partition.damaged, [&](OffsetRange r) { return r.Contains(at); });
    if (lost == partition.damaged.end()) {
      return Broken(fmt::format(
          "offset {} has no owner: expected one for all of [{}, {})",
          at.value(), first.value(), partition.flushed_end.value()));
    }
    at = lost->end;
  }
  return Status::Ok();
}

Status ManifestState::CheckInvariants() const {
  for (const auto& [id, topic] : topics_) {
    const auto named = topic_ids_.find(topic.name);
    if (named == topic_ids_.end() || named->second != id ||
        topics_.size() != topic_ids_.size()) {
      return Broken(fmt::format("topic {} is not found by its name {}",
                                id.ToString(), topic.name));
    }
  }
  for (const auto& [id, purge] : purges_) {
    if (topics_.contains(id)) {
      return Broken(fmt::format("topic {} is there and to be purged, as {}",
                                id.ToString(), purge.name));
    }
  }
  FileUse use;
  for (const auto& [id, partition] : partitions_) {
    const auto topic = topics_.find(id.topic);
    if (topic == topics_.end() || id.partition >= topic->second.partitions) {
      return Broken(id.ToString() + " belongs to no topic");
    }
    STRATA_RETURN_IF_ERROR(
        CheckPartition(id, partition, use).WithContext(id.ToString()));
    if (!partition.segment_bases.empty()) {
      STRATA_RETURN_IF_ERROR(CheckBelow("segment id",
                                        partition.segment_bases.rbegin()->first,
                                        next_segment_id()));
    }
  }
  if (use.segments != file_segments_) {
    return Broken("the segments counted per file differ from those there");
  }
  if (use.segments.empty()) return Status::Ok();
  return CheckBelow("file number", use.segments.rbegin()->first,
                    next_file_number());
}

}  // namespace strata
