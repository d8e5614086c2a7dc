// The root of a partition in the bucket: which segments are cold, and where.
// docs/formats/cold-layout.md is the specification. Pure codec.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "format/manifest_format.h"
#include "format/segment_entry.h"
#include "format/tagged_fields.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

struct ColdRoot {
  // Grows by one with each commit; 0: there is no root yet.
  uint64_t generation = 0;
  // Random, drawn for each commit: by it a writer whose Put had no answer
  // knows its own root.
  uint64_t commit_id = 0;
  std::string topic_name{};
  Offset log_start{};
  // The whole table, ascending in epoch; starts never descend.
  std::vector<EpochStart> epochs{};
  // By base offset, each with a cold address and none warm. They tile: each
  // begins where the one before it ends.
  std::map<Offset, SegmentEntry> entries{};
  // Optional tagged fields of a newer version, kept and passed on.
  TaggedFields extra{};

  // One past the last cold offset; 0 without entries.
  Offset cold_end() const {
    return entries.empty() ? Offset(0) : entries.rbegin()->second.offsets.end;
  }
  friend bool operator==(const ColdRoot&, const ColdRoot&) = default;
};

inline constexpr uint32_t kColdRootVersion = 1;
// Larger ones are refused: some 500,000 entries.
inline constexpr uint64_t kMaxColdRootBytes = 128ull << 20;

// kInvalidArgument, naming the rule broken, unless `root` can be encoded:
// epochs ascend, entries tile, are of `partition` and have a cold address.
Status ValidateColdRoot(const PartitionId& partition, const ColdRoot& root);

// `root` is valid.
std::string EncodeColdRoot(const PartitionId& partition, const ColdRoot& root);

// Whose root it is. kDataLoss, kUnsupported as DecodeColdRoot.
Result<PartitionId> DecodeColdRootPartition(ByteSpan bytes);

// kDataLoss for damaged bytes and for a root of another partition; kUnsupported
// for a newer version or a required tagged field. Messages name position,
// expected and found; the caller adds the key.
Result<ColdRoot> DecodeColdRoot(const PartitionId& partition, ByteSpan bytes);

}  // namespace strata
