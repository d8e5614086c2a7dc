// The root of a partition in the bucket: which segments are cold, and where.
// docs/formats/cold-layout.md is the specification. Pure codec.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/cold_group_format.h"
#include "format/cold_object.h"
#include "format/magic.h"
#include "format/manifest_format.h"
#include "format/segment_entry.h"
#include "format/tagged_fields.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// The log start of a partition that was deleted: nothing can ever follow.
inline constexpr Offset kClosedLogStart = kMaxLogEnd;

struct ColdRoot {
  // Grows by one with each commit; 0: there is no root yet.
  uint64_t generation = 0;
  // Random, drawn for each commit: by it a writer whose Put had no answer
  // knows its own root.
  uint64_t commit_id = 0;
  ColdClaim claim{};
  // Greater than the id of any segment that was ever named.
  uint64_t next_segment_id = 0;
  std::string topic_name{};
  Offset log_start{};
  // The whole table, ascending in epoch; starts never descend.
  std::vector<EpochStart> epochs{};
  // Older segments, ascending; levels never ascend. The groups and then the
  // entries tile. What ends at or below log_start does not count.
  std::vector<ColdGroupRef> groups{};
  // The segments behind them.
  ColdEntries entries{};
  // Optional tagged fields of a newer version, kept and passed on.
  TaggedFields extra{};

  // Whether it names no segment.
  bool empty() const { return groups.empty() && entries.empty(); }
  bool closed() const { return log_start == kClosedLogStart; }
  // Where the first segment or group begins; 0 when it names none. May lie
  // below log_start.
  Offset cold_base() const;
  // One past the last cold offset; 0 when it names no segment.
  Offset cold_end() const;
  bool Covers(Offset offset) const {
    return cold_base() <= offset && offset < cold_end();
  }
  // Of all that it names, groups as a whole.
  ColdTotals totals() const;
  friend bool operator==(const ColdRoot&, const ColdRoot&) = default;
};

// Larger ones are refused.
inline constexpr uint64_t kMaxColdRootBytes = 16ull << 20;
inline constexpr ColdObjectKind kColdRootKind{"cold root", kColdRootMagic, 2};

// kInvalidArgument, naming the rule broken, unless `root` can be encoded:
// epochs ascend, groups and entries tile, are of `partition` and have an
// address.
Status ValidateColdRoot(const PartitionId& partition, const ColdRoot& root);

// `root` is valid.
std::string EncodeColdRoot(const PartitionId& partition, const ColdRoot& root);

// Whose root it is. kDataLoss, kUnsupported as DecodeColdRoot.
Result<PartitionId> DecodeColdRootPartition(ByteSpan bytes);

// kDataLoss for damaged bytes and for a root of another partition; kUnsupported
// for another version or a required tagged field. Messages name position,
// expected and found; the caller adds the key.
Result<ColdRoot> DecodeColdRoot(const PartitionId& partition, ByteSpan bytes);

}  // namespace strata
