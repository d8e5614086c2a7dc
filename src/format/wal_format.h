// The headers of the write-ahead log: one at the head of each file, one at the
// head of each group of frames. docs/formats/wal.md is the specification. Pure
// codec.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// Groups start at multiples of this; the file header fills the first.
inline constexpr uint64_t kWalBlockBytes = 4096;
inline constexpr uint32_t kWalVersion = 1;
// Greater lives and sequence numbers are refused, so that a writer can always
// count on from what was read.
inline constexpr uint64_t kMaxWalNumber = uint64_t{1} << 62;

struct WalFileHeader {
  TopicId log_id;                // of the store: 16 random bytes
  uint64_t life = 0;             // the number in the file's name
  uint64_t first_group_seq = 0;  // groups from it on are not in older files
  uint64_t file_bytes = 0;

  friend bool operator==(const WalFileHeader&, const WalFileHeader&) = default;
};

// The whole first block of a file.
std::string EncodeWalFileHeader(const WalFileHeader& header);
// kDataLoss for bytes that are no header, kUnsupported for a newer version or
// a required tagged field.
Result<WalFileHeader> DecodeWalFileHeader(ByteSpan block);

struct WalGroupHeader {
  uint64_t seq = 0;         // counts the groups of the log, from 1
  uint64_t synced_seq = 0;  // groups known durable when this one was written
  uint32_t bytes = 0;       // header and frames, without the padding behind
  uint32_t frames = 0;
  uint32_t tagged_bytes = 0;  // tagged fields between header and frames

  // Where the first frame starts.
  size_t frames_at() const;

  friend bool operator==(const WalGroupHeader&,
                         const WalGroupHeader&) = default;
};

inline constexpr size_t kWalGroupHeaderBytes = 64;

// The checksum is seeded with the log's id and tells the life, so that neither
// a file's former life nor bytes that a user stored pass for a group. `tagged`
// are the encoded tagged fields that will follow the header.
void EncodeWalGroupHeader(const WalGroupHeader& header, const TopicId& log_id,
                          uint64_t life,
                          std::span<std::byte, kWalGroupHeaderBytes> out,
                          ByteSpan tagged = {});
// Decodes the header at the start of `bytes`, which need not hold the frames.
// kDataLoss for anything else, kUnsupported for a required tagged field.
Result<WalGroupHeader> DecodeWalGroupHeader(ByteSpan bytes,
                                            const TopicId& log_id,
                                            uint64_t life);

// "00000000000000000007.wal", and back; nullopt for any other name.
std::string WalFileName(uint64_t life);
std::optional<uint64_t> ParseWalFileName(std::string_view name);

}  // namespace strata
