// The manifest's edits: what can be said about topics, partitions and warm
// segments, as values and as bytes. docs/formats/manifest.md is the
// specification. Pure codec; manifest_file.h frames the bytes as a file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "format/segment_entry.h"
#include "format/tagged_fields.h"
#include "strata/config.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// `extra` in the values below: optional tagged fields of a newer version, kept
// and passed on.

struct EpochStart {
  Epoch epoch{};
  Offset start{};
  friend bool operator==(const EpochStart&, const EpochStart&) = default;
};

// How often and when a segment was read. A hint, as it was when it was saved.
struct SegmentAccess {
  uint64_t segment = 0;  // id of the local one; 0: it is only cold
  uint64_t count = 0;
  TimestampMs last = 0;
  friend bool operator==(const SegmentAccess&, const SegmentAccess&) = default;
};

struct TopicCreated {
  TopicId id{};
  std::string name{};
  uint32_t partitions = 1;
  TopicSettings settings{};
  TaggedFields extra{};
  friend bool operator==(const TopicCreated&, const TopicCreated&) = default;
};

// The topic, its partitions and their warm segments are gone.
struct TopicDeleted {
  TopicId id{};
  friend bool operator==(const TopicDeleted&, const TopicDeleted&) = default;
};

// A sealed segment has a warm copy: flushed, merged, compacted or hydrated.
struct SegmentAdded {
  SegmentEntry entry{};
  TaggedFields extra{};
  friend bool operator==(const SegmentAdded&, const SegmentAdded&) = default;
};

// Its warm copy is dropped: cold has it, or it was trimmed, cut off or merged.
struct SegmentRemoved {
  PartitionId partition{};
  uint64_t id = 0;
  friend bool operator==(const SegmentRemoved&,
                         const SegmentRemoved&) = default;
};

// The logical end is lowered: batches at and above `end` are not in the log.
struct SegmentTruncated {
  PartitionId partition{};
  uint64_t id = 0;
  Offset end{};
  friend bool operator==(const SegmentTruncated&,
                         const SegmentTruncated&) = default;
};

// Who may commit to a partition's root in the bucket: the session of a store
// that claimed it last.
struct ColdClaim {
  uint64_t number = 0;   // grows by one with each claim; 0: nobody has
  TopicId owner{};       // the store's id
  uint64_t session = 0;  // random, drawn at each open

  friend bool operator==(const ColdClaim&, const ColdClaim&) = default;
};

// The fields that are set replace those of the partition.
struct PartitionChanged {
  PartitionId partition{};
  std::optional<Offset> log_start{};
  // Below it everything is in segments, in cold or in `damaged`.
  std::optional<Offset> flushed_end{};
  // Below it everything has a verified cold copy, at this generation of the
  // bucket's root.
  std::optional<Offset> cold_end{};
  std::optional<uint64_t> cold_generation{};
  // The claim of the root that this store's own one may follow.
  std::optional<ColdClaim> cold_claim{};
  // Of another store, which has taken the partition over: for good.
  std::optional<ColdClaim> fenced_by{};
  // The whole table, ascending.
  std::optional<std::vector<EpochStart>> epochs{};
  // Acknowledged offsets that are lost; the whole list, ascending.
  std::optional<std::vector<OffsetRange>> damaged{};
  // The loss reaches to an unknown end: the log's tail is damaged.
  std::optional<bool> damaged_tail{};
  // Of all segments that were read, local and cold, by base offset.
  std::optional<std::map<Offset, SegmentAccess>> access{};
  TaggedFields extra{};
  friend bool operator==(const PartitionChanged&,
                         const PartitionChanged&) = default;
};

// WAL groups below `from_seq` are not needed. Never goes down: the greatest
// value told counts.
struct WalNeeded {
  uint64_t from_seq = 0;
  friend bool operator==(const WalNeeded&, const WalNeeded&) = default;
};

// `wal_synced_seq`, `next_segment_id` and `next_file_number` never go down:
// the greatest value told counts.
struct Checkpoint {
  uint64_t wal_synced_seq = 0;
  bool clean = false;  // written by a clean shutdown
  uint64_t next_segment_id = 1;
  uint64_t next_file_number = 1;
  TimestampMs at = 0;
  TaggedFields extra{};
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// Ends the snapshot at the head of a manifest file.
struct SnapshotEnd {
  friend bool operator==(const SnapshotEnd&, const SnapshotEnd&) = default;
};

// A deleted topic may have objects in the bucket: they are to be removed.
// Stands in the edit that deletes it, behind the deletion.
struct PurgePending {
  TopicId id{};
  std::string name{};  // for who reads messages
  // Of each partition's root what PartitionChanged::cold_claim says; none when
  // the topic's roots were never claimed.
  std::vector<ColdClaim> claims{};
  TaggedFields extra{};
  friend bool operator==(const PurgePending&, const PurgePending&) = default;
};

// They are gone.
struct PurgeDone {
  TopicId id{};
  friend bool operator==(const PurgeDone&, const PurgeDone&) = default;
};

// The store was opened to be written to. Claims of its latest sessions are
// known as its own even if a crash kept them from being noted.
struct SessionBegun {
  uint64_t session = 0;  // random
  friend bool operator==(const SessionBegun&, const SessionBegun&) = default;
};

// An optional op (even tag) of a newer version, kept and passed on.
struct UnknownOp {
  uint64_t tag = 0;
  std::string body{};
  friend bool operator==(const UnknownOp&, const UnknownOp&) = default;
};

using ManifestOp =
    std::variant<TopicCreated, TopicDeleted, SegmentAdded, SegmentRemoved,
                 SegmentTruncated, PartitionChanged, WalNeeded, Checkpoint,
                 SnapshotEnd, PurgePending, PurgeDone, SessionBegun, UnknownOp>;

// Ops that take effect together, in this order, all or none.
struct ManifestEdit {
  std::vector<ManifestOp> ops{};
  friend bool operator==(const ManifestEdit&, const ManifestEdit&) = default;
};

// The body of TopicCreated, for another document that describes topics. Errors
// as for edits.
std::string EncodeTopic(const TopicCreated& topic);
Result<TopicCreated> DecodeTopic(ByteSpan bytes);

std::string EncodeManifestEdit(const ManifestEdit& edit);

// kDataLoss for malformed bytes; kUnsupported, naming the op, for an unknown
// required op (odd tag) or tagged field. Positions in messages count from the
// start of `bytes`.
Result<ManifestEdit> DecodeManifestEdit(ByteSpan bytes);

}  // namespace strata
