// A manifest file: a header, then checksummed records of one edit each, first
// those of a snapshot, then those of a log. docs/formats/manifest.md is the
// specification. Pure codec.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "format/manifest_format.h"
#include "format/tagged_fields.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

struct ManifestHeader {
  TopicId store_id{};
  // Of the file; grows with each file and is never reused. Seeds the checksums
  // of its records.
  uint64_t number = 0;
  TaggedFields extra{};

  friend bool operator==(const ManifestHeader&,
                         const ManifestHeader&) = default;
};

inline constexpr uint32_t kManifestVersion = 1;
inline constexpr size_t kManifestRecordHeaderBytes = 24;
// Records start at multiples of this.
inline constexpr size_t kManifestAlignment = 8;
// Largest encoded edit.
inline constexpr uint64_t kMaxManifestEditBytes = 64ull << 20;

// Padded to kManifestAlignment: the first record follows.
std::string EncodeManifestHeader(const ManifestHeader& header);

// Where a record is written, and what is known when it is.
struct ManifestRecordPlace {
  uint64_t number = 0;          // of the file
  uint64_t position = 0;        // in the file, a multiple of 8
  uint64_t synced_through = 0;  // the file is known durable up to here
};

// Appends the record that holds the encoded edit `body`.
void AppendManifestRecord(const ManifestRecordPlace& place, ByteSpan body,
                          std::string& out);

// What was found behind the last good record.
struct ManifestTail {
  ManifestHeader header;
  uint64_t snapshot_end = 0;  // position behind the snapshot
  uint64_t good_end = 0;      // position behind the last record
  uint64_t torn_bytes = 0;    // cut: of a commit that never finished
};

// Calls `apply` with each edit of the file in order, those of the snapshot
// first, and stops at its first error. A bad record above the greatest
// `synced_through` of all records is an unfinished commit: it and what follows
// are not applied. kDataLoss, naming position, expected and found, for a
// damaged header, snapshot or synced record; kUnsupported for a newer format.
// The caller adds the file's name.
Result<ManifestTail> ReadManifest(
    ByteSpan file, const std::function<Status(const ManifestEdit&)>& apply);

}  // namespace strata
