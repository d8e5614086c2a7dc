// ColdManifest: the facts about what is cold, as the bucket has them. The
// bytes are the ColdTier's (cold_tier.h).
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/unique_function.h"
#include "format/cold_root_format.h"
#include "format/segment_entry.h"
#include "strata/object_store.h"
#include "strata/status.h"

namespace strata {

// What is cold of one partition, at one generation. Immutable once shared.
struct ColdPartition : ColdRoot {
  // Of the root object; empty at generation 0.
  ObjectVersion version{};
};
using ColdPartitionPtr = std::shared_ptr<const ColdPartition>;

// Segments that lie next to each other: those of one group, or the root's own.
// Those that end at or below the root's log_start do not count. Immutable.
using ColdRunPtr = std::shared_ptr<const ColdEntries>;

// A change to one partition's root; all of it or nothing.
struct ColdEdit {
  // That of the root, or nothing is changed (kConflict): who commits holds the
  // partition.
  ColdClaim claim{};
  // Replaces it. Its number is above that of `claim`.
  std::optional<ColdClaim> take{};
  // Applied first: what is wholly below it leaves the root. It never goes down.
  // Their objects are the caller's to delete, once this is committed.
  std::optional<Offset> log_start{};
  // Continue the log at its cold end, ascending, not below its start; with an
  // empty root they begin anywhere, or, when log_start is given, not above it.
  // One that the root has already (same id and key) is skipped.
  std::vector<SegmentEntry> add{};
  // Replaces the table.
  std::optional<std::vector<EpochStart>> epochs{};
  // The topic's name, for who opens the bucket without a local manifest.
  std::string topic_name{};
};

// Thread-safe. `done` is called exactly once, on an executor, never inside the
// call; it is dropped when the runtime drops its tasks.
class ColdManifest {
 public:
  template <typename T>
  using Done = UniqueFunction<void(Result<T>)>;

  virtual ~ColdManifest() = default;

  // The partition's root, from memory after the first time; one request
  // however many ask. An absent root is an empty partition at generation 0.
  // kDataLoss for a damaged root, kUnavailable and the like for the network.
  virtual void Load(PartitionId partition, Done<ColdPartitionPtr> done) = 0;

  // Applies `edit` by compare-and-set on the root and answers the new root;
  // commits of one partition happen one after the other. kConflict: somebody
  // else changed or claimed the root such that the edit does not apply, nothing
  // was changed. kUnknown: read back (Load after this asks the bucket anew).
  // kInvalidArgument: entries that do not tile.
  virtual void Commit(PartitionId partition, ColdEdit edit,
                      Done<ColdPartitionPtr> done) = 0;

  // The run that holds `offset`; null when `root` does not cover it. `done` may
  // be called inside the call. kDataLoss for a group that is damaged or
  // missing: it may be gone because the root moved on.
  virtual void LoadRun(PartitionId partition, ColdPartitionPtr root,
                       Offset offset, Done<ColdRunPtr> done) = 0;
  // The same from memory; null also when the bucket would have to be asked.
  virtual ColdRunPtr CachedRun(const ColdPartitionPtr& root, Offset offset) = 0;

  // The keys of all objects below `root` that name or hold an offset of
  // `range`, of segments and of groups. Loads the groups on the way. `done` may
  // be called inside the call. Errors as of LoadRun.
  virtual void NamedKeys(PartitionId partition, ColdPartitionPtr root,
                         OffsetRange range,
                         Done<std::set<std::string>> done) = 0;

  // What Load would answer from memory; null when it would ask the bucket.
  virtual ColdPartitionPtr Cached(PartitionId partition) = 0;

  // The next Load asks the bucket.
  virtual void Forget(PartitionId partition) = 0;
};

}  // namespace strata
