// Groups: immutable objects that hold the entries of older segments of a
// partition, or refer to groups of a level below, so that a root stays small.
// docs/formats/cold-layout.md is the specification. Pure codec.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "format/cold_object.h"
#include "format/field_io.h"
#include "format/magic.h"
#include "format/segment_entry.h"
#include "format/tagged_fields.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// Segments by base offset, each with a cold address and none warm. They tile:
// each begins where the one before it ends.
using ColdEntries = std::map<Offset, SegmentEntry>;

// The entry that owns `offset`, or null.
const SegmentEntry* FindEntry(const ColdEntries& entries, Offset offset);

// What can be told of many segments without their entries.
struct ColdTotals {
  uint64_t segments = 0;
  uint64_t batches = 0;
  uint64_t image_bytes = 0;
  TimestampMs min_timestamp = kNoTimestamp;  // kNoTimestamp: none has one
  TimestampMs max_timestamp = kNoTimestamp;

  void Add(const SegmentEntry& entry);
  void Add(const ColdTotals& other);
  friend bool operator==(const ColdTotals&, const ColdTotals&) = default;
};

// Names a group and says what is below it.
struct ColdGroupRef {
  uint32_t level = 0;     // 0: holds entries; else groups of the level below
  OffsetRange offsets{};  // the logical ranges of all segments below it
  ColdTotals totals{};
  std::string key{};
  uint64_t object_bytes = 0;
  uint32_t object_crc32c = 0;

  friend bool operator==(const ColdGroupRef&, const ColdGroupRef&) = default;
};

struct ColdGroup {
  uint32_t level = 0;
  ColdEntries entries{};             // at level 0
  std::vector<ColdGroupRef> groups;  // above it; ascending, they tile
  TaggedFields extra{};

  OffsetRange offsets() const;
  ColdTotals totals() const;
  friend bool operator==(const ColdGroup&, const ColdGroup&) = default;
};

inline constexpr uint32_t kMaxColdGroupLevel = 16;
// Larger ones are refused.
inline constexpr uint64_t kMaxColdGroupBytes = 16ull << 20;
inline constexpr ColdObjectKind kColdGroupKind{"cold group", kColdGroupMagic,
                                               1};

// kInvalidArgument, naming the rule broken, unless `group` can be encoded: it
// is not empty, and what it holds tiles, is of its level and of `partition`.
Status ValidateColdGroup(const PartitionId& partition, const ColdGroup& group);

// `group` is valid.
std::string EncodeColdGroup(const PartitionId& partition,
                            const ColdGroup& group);

// Whose group it is. kDataLoss, kUnsupported as DecodeColdGroup.
Result<PartitionId> DecodeColdGroupPartition(ByteSpan bytes);

// kDataLoss for damaged bytes and for a group of another partition;
// kUnsupported for a newer version or a required tagged field. The caller adds
// the key.
Result<ColdGroup> DecodeColdGroup(const PartitionId& partition, ByteSpan bytes);

// --- shared with the root ---

// The partition that an object of `kind` begins with.
Result<PartitionId> DecodeColdPartitionOf(const ColdObjectKind& kind,
                                          ByteSpan bytes);
Status ExpectPartition(const ColdObjectKind& kind, const PartitionId& partition,
                       FieldReader& in);
// What is left of `in`; kDataLoss unless all before it was good.
Result<TaggedFields> ReadExtra(const ColdObjectKind& kind, FieldReader& in);
void WriteEntries(const ColdEntries& entries, ByteWriter& out);
// kDataLoss of `kind` for two entries at one offset; else in.good() tells.
Result<ColdEntries> ReadEntries(const ColdObjectKind& kind,
                                const PartitionId& partition, FieldReader& in);
void WriteGroupRefs(const std::vector<ColdGroupRef>& groups, ByteWriter& out);
std::vector<ColdGroupRef> ReadGroupRefs(FieldReader& in);
// Both answer where the last one ends; `begin`: where the first has to begin.
Result<std::optional<Offset>> ValidateEntries(const PartitionId& partition,
                                              const ColdEntries& entries,
                                              std::optional<Offset> begin);
Result<std::optional<Offset>> ValidateGroupRefs(
    const std::vector<ColdGroupRef>& groups);

}  // namespace strata
