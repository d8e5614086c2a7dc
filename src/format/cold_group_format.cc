#include "format/cold_group_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace strata {
namespace {

constexpr size_t kMaxKeyBytes = 1024;

void WriteEntry(const SegmentEntry& e, ByteWriter& out) {
  out.Varint(e.id);
  WriteImageFacts(e, out);
  out.LengthPrefixed(e.cold->key);
  out.Varint(e.cold->position);
}

SegmentEntry ReadEntry(FieldReader& in, const PartitionId& partition) {
  SegmentEntry e;
  e.id = in.U64();
  e.partition = partition;
  ReadImageFacts(in, e);
  e.cold = ColdAddress{in.Text(), 0, e.image_bytes};
  e.cold->position = in.U64();
  return e;
}

Status Invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

Status ValidateAddress(const SegmentEntry& e) {
  if (!e.cold || e.cold->key.empty() || e.cold->key.size() > kMaxKeyBytes) {
    return Invalid("no cold address");
  }
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  if (e.cold->length != e.image_bytes ||
      e.cold->position > kMax - e.cold->length) {
    return Invalid(fmt::format("address of {} bytes at {} for {} bytes",
                               e.cold->length, e.cold->position,
                               e.image_bytes));
  }
  return e.warm ? Invalid("a warm address") : Status::Ok();
}

// `begin`: where the one before it ends.
Status ValidateRange(OffsetRange offsets, std::optional<Offset> begin) {
  if (offsets.empty()) return Invalid("empty offset range");
  if (begin && offsets.base != *begin) {
    return Invalid(
        fmt::format("begins at offset {}, the one before it ends at {}",
                    offsets.base.value(), begin->value()));
  }
  return Status::Ok();
}

Status ValidateEntry(const PartitionId& partition, const SegmentEntry& e,
                     std::optional<Offset> begin) {
  if (e.partition != partition) {
    return Invalid("of partition " + e.partition.ToString());
  }
  STRATA_RETURN_IF_ERROR(ValidateRange(e.offsets, begin));
  return ValidateAddress(e);
}

Status ValidateGroupRef(const ColdGroupRef& g, uint32_t highest_level,
                        std::optional<Offset> begin) {
  if (g.level > highest_level) {
    return Invalid(fmt::format("of level {} behind one of level {}", g.level,
                               highest_level));
  }
  STRATA_RETURN_IF_ERROR(ValidateRange(g.offsets, begin));
  if (g.key.empty() || g.key.size() > kMaxKeyBytes || g.object_bytes == 0 ||
      g.object_bytes > kMaxColdGroupBytes) {
    return Invalid(fmt::format("address of {} bytes under a key of {} bytes",
                               g.object_bytes, g.key.size()));
  }
  return Status::Ok();
}

}  // namespace

const SegmentEntry* FindEntry(const ColdEntries& entries, Offset offset) {
  auto after = entries.upper_bound(offset);
  if (after == entries.begin()) return nullptr;
  const SegmentEntry& entry = std::prev(after)->second;
  return entry.offsets.Contains(offset) ? &entry : nullptr;
}

void ColdTotals::Add(const SegmentEntry& entry) {
  Add(ColdTotals{.segments = 1,
                 .batches = entry.batch_count,
                 .image_bytes = entry.image_bytes,
                 .min_timestamp = entry.min_timestamp,
                 .max_timestamp = entry.max_timestamp});
}

void ColdTotals::Add(const ColdTotals& other) {
  segments += other.segments;
  batches += other.batches;
  image_bytes += other.image_bytes;
  max_timestamp = std::max(max_timestamp, other.max_timestamp);
  if (other.min_timestamp == kNoTimestamp) return;
  min_timestamp = min_timestamp == kNoTimestamp
                      ? other.min_timestamp
                      : std::min(min_timestamp, other.min_timestamp);
}

OffsetRange ColdGroup::offsets() const {
  if (level > 0) {
    if (groups.empty()) return {};
    return {groups.front().offsets.base, groups.back().offsets.end};
  }
  if (entries.empty()) return {};
  return {entries.begin()->first, entries.rbegin()->second.offsets.end};
}

ColdTotals ColdGroup::totals() const {
  ColdTotals totals;
  for (const auto& [base, entry] : entries) totals.Add(entry);
  for (const ColdGroupRef& group : groups) totals.Add(group.totals);
  return totals;
}

void WriteEntries(const ColdEntries& entries, ByteWriter& out) {
  out.Varint(entries.size());
  for (const auto& [base, entry] : entries) WriteEntry(entry, out);
}

Result<ColdEntries> ReadEntries(const ColdObjectKind& kind,
                                const PartitionId& partition, FieldReader& in) {
  ColdEntries entries;
  for (uint64_t left = in.U64(); left > 0 && in.good(); --left) {
    SegmentEntry entry = ReadEntry(in, partition);
    const Offset base = entry.offsets.base;
    if (in.good() && !entries.emplace(base, std::move(entry)).second) {
      return DamagedColdObject(
          kind, fmt::format("two segments at offset {}", base.value()));
    }
  }
  return entries;
}

void WriteGroupRefs(const std::vector<ColdGroupRef>& groups, ByteWriter& out) {
  out.Varint(groups.size());
  for (const ColdGroupRef& g : groups) {
    out.Varint(g.level);
    WriteField(g.offsets, out);
    out.Varint(g.totals.segments);
    out.Varint(g.totals.batches);
    out.Varint(g.totals.image_bytes);
    out.Varint(ZigZag(g.totals.min_timestamp));
    out.Varint(ZigZag(g.totals.max_timestamp));
    out.LengthPrefixed(g.key);
    out.Varint(g.object_bytes);
    out.Fixed<uint32_t>(g.object_crc32c);
  }
}

std::vector<ColdGroupRef> ReadGroupRefs(FieldReader& in) {
  std::vector<ColdGroupRef> groups;
  for (uint64_t left = in.U64(); left > 0 && in.good(); --left) {
    ColdGroupRef g;
    g.level = in.U32();
    g.offsets = in.Range();
    g.totals.segments = in.U64();
    g.totals.batches = in.U64();
    g.totals.image_bytes = in.U64();
    g.totals.min_timestamp = in.I64();
    g.totals.max_timestamp = in.I64();
    g.key = in.Text();
    g.object_bytes = in.U64();
    g.object_crc32c = in.Fixed32();
    groups.push_back(std::move(g));
  }
  return groups;
}

Result<std::optional<Offset>> ValidateEntries(const PartitionId& partition,
                                              const ColdEntries& entries,
                                              std::optional<Offset> begin) {
  for (const auto& [base, entry] : entries) {
    const Status status = base == entry.offsets.base
                              ? ValidateEntry(partition, entry, begin)
                              : Invalid("under another base offset");
    if (!status.ok()) {
      return status.WithContext(
          fmt::format("segment {} at offset {}", entry.id, base.value()));
    }
    begin = entry.offsets.end;
  }
  return begin;
}

Result<std::optional<Offset>> ValidateGroupRefs(
    const std::vector<ColdGroupRef>& groups) {
  std::optional<Offset> begin;
  uint32_t level = kMaxColdGroupLevel;
  for (const ColdGroupRef& group : groups) {
    const Status status = ValidateGroupRef(group, level, begin);
    if (!status.ok()) {
      return status.WithContext(
          fmt::format("group at offset {}", group.offsets.base.value()));
    }
    begin = group.offsets.end;
    level = group.level;
  }
  return begin;
}

Status ValidateColdGroup(const PartitionId& partition, const ColdGroup& group) {
  if (group.level > kMaxColdGroupLevel) {
    return Invalid(fmt::format("of level {}, expected at most {}", group.level,
                               kMaxColdGroupLevel));
  }
  if (group.offsets().empty()) return Invalid("empty");
  if (group.level == 0) {
    if (!group.groups.empty()) return Invalid("groups at level 0");
    return ValidateEntries(partition, group.entries, {}).status();
  }
  if (!group.entries.empty()) return Invalid("segments above level 0");
  for (const ColdGroupRef& below : group.groups) {
    if (below.level + 1 != group.level) {
      return Invalid(fmt::format("a group of level {} in one of level {}",
                                 below.level, group.level));
    }
  }
  return ValidateGroupRefs(group.groups).status();
}

std::string EncodeColdGroup(const PartitionId& partition,
                            const ColdGroup& group) {
  ByteWriter out;
  WriteField(partition, out);
  out.Varint(group.level);
  if (group.level == 0) {
    WriteEntries(group.entries, out);
  } else {
    WriteGroupRefs(group.groups, out);
  }
  out.Bytes(AsBytes(EncodeTaggedFields(group.extra)));
  return SealColdObject(kColdGroupKind, out.Take());
}

Result<PartitionId> DecodeColdGroupPartition(ByteSpan bytes) {
  return DecodeColdPartitionOf(kColdGroupKind, bytes);
}

Result<ColdGroup> DecodeColdGroup(const PartitionId& partition,
                                  ByteSpan bytes) {
  STRATA_ASSIGN_OR_RETURN(const ByteSpan body,
                          OpenColdObject(kColdGroupKind, bytes));
  FieldReader in(body);
  STRATA_RETURN_IF_ERROR(ExpectPartition(kColdGroupKind, partition, in));
  ColdGroup group;
  group.level = in.U32();
  if (group.level == 0) {
    STRATA_ASSIGN_OR_RETURN(group.entries,
                            ReadEntries(kColdGroupKind, partition, in));
  } else {
    group.groups = ReadGroupRefs(in);
  }
  STRATA_ASSIGN_OR_RETURN(group.extra, ReadExtra(kColdGroupKind, in));
  const Status valid = ValidateColdGroup(partition, group);
  if (!valid.ok()) return DamagedColdObject(kColdGroupKind, valid.message());
  return group;
}

Result<PartitionId> DecodeColdPartitionOf(const ColdObjectKind& kind,
                                          ByteSpan bytes) {
  STRATA_ASSIGN_OR_RETURN(const ByteSpan body, OpenColdObject(kind, bytes));
  FieldReader in(body);
  const PartitionId partition = in.Partition();
  if (!in.good()) {
    return DamagedColdObject(kind, "partition cut short or malformed");
  }
  return partition;
}

Status ExpectPartition(const ColdObjectKind& kind, const PartitionId& partition,
                       FieldReader& in) {
  const PartitionId found = in.Partition();
  if (!in.good() || found == partition) return Status::Ok();
  return DamagedColdObject(kind,
                           fmt::format("expected the one of {}, found {}",
                                       partition.ToString(), found.ToString()));
}

Result<TaggedFields> ReadExtra(const ColdObjectKind& kind, FieldReader& in) {
  if (!in.good()) {
    return DamagedColdObject(
        kind, fmt::format("field at {} cut short or malformed",
                          kColdObjectHeaderBytes + in.position()));
  }
  Result<TaggedFields> extra = DecodeTaggedFields(in.Rest());
  if (!extra.ok()) return extra.status().WithContext(kind.name);
  return extra;
}

}  // namespace strata
