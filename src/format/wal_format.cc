#include "format/wal_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/frame.h"
#include "format/magic.h"
#include "format/tagged_fields.h"

namespace strata {
namespace {

constexpr uint32_t kGroupMagic = 0x47575453;  // "STWG"

// File header.
constexpr size_t kFileCrcAt = 8;
constexpr size_t kVersionAt = 12;
constexpr size_t kLogIdAt = 16;
constexpr size_t kFileLifeAt = 32;
constexpr size_t kFirstSeqAt = 40;
constexpr size_t kFileBytesAt = 48;
constexpr size_t kFileTaggedAt = 56;
constexpr size_t kFileHeaderBytes = 64;

// Group header.
constexpr size_t kGroupCrcAt = 4;
constexpr size_t kGroupLifeAt = 8;
constexpr size_t kSeqAt = 16;
constexpr size_t kSyncedSeqAt = 24;
constexpr size_t kBytesAt = 32;
constexpr size_t kFramesAt = 36;
constexpr size_t kGroupTaggedAt = 40;

uint32_t GroupCrc(const std::byte* header, const TopicId& log_id,
                  ByteSpan tagged) {
  const uint32_t crc = ExtendCrc32c(
      Crc32c(log_id.bytes),
      {header + kGroupLifeAt, kWalGroupHeaderBytes - kGroupLifeAt});
  return ExtendCrc32c(crc, tagged);
}

}  // namespace

std::string EncodeWalFileHeader(const WalFileHeader& header) {
  std::string block(kWalBlockBytes, '\0');
  auto* p = reinterpret_cast<std::byte*>(block.data());
  std::memcpy(p, kWalFileMagic.data(), kWalFileMagic.size());
  StoreLittle(p + kVersionAt, kWalVersion);
  std::memcpy(p + kLogIdAt, header.log_id.bytes.data(), 16);
  StoreLittle(p + kFileLifeAt, header.life);
  StoreLittle(p + kFirstSeqAt, header.first_group_seq);
  StoreLittle(p + kFileBytesAt, header.file_bytes);
  StoreLittle(p + kFileTaggedAt, uint32_t{0});
  StoreLittle(p + kFileCrcAt,
              Crc32c({p + kVersionAt, kFileHeaderBytes - kVersionAt}));
  return block;
}

Result<WalFileHeader> DecodeWalFileHeader(ByteSpan block) {
  if (block.size() < kFileHeaderBytes ||
      AsText(block.first(kWalFileMagic.size())) != kWalFileMagic) {
    return Status(StatusCode::kDataLoss, "no WAL file header");
  }
  const std::byte* p = block.data();
  const auto tagged_bytes = LoadLittle<uint32_t>(p + kFileTaggedAt);
  if (tagged_bytes > block.size() - kFileHeaderBytes) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("WAL file header with {} bytes of tagged fields "
                              "in a block of {}",
                              tagged_bytes, block.size()));
  }
  const auto expected = LoadLittle<uint32_t>(p + kFileCrcAt);
  const uint32_t found = Crc32c(
      block.subspan(kVersionAt, kFileHeaderBytes - kVersionAt + tagged_bytes));
  if (expected != found) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("WAL file header checksum: expected {:08x}, "
                              "found {:08x}",
                              expected, found));
  }
  const auto version = LoadLittle<uint32_t>(p + kVersionAt);
  if (version > kWalVersion) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("WAL file of format version {}, this build reads "
                              "up to {}",
                              version, kWalVersion));
  }
  const Result<TaggedFields> tags =
      DecodeTaggedFields(block.subspan(kFileHeaderBytes, tagged_bytes));
  if (!tags.ok()) return tags.status().WithContext("WAL file header");
  WalFileHeader header;
  std::memcpy(header.log_id.bytes.data(), p + kLogIdAt, 16);
  header.life = LoadLittle<uint64_t>(p + kFileLifeAt);
  header.first_group_seq = LoadLittle<uint64_t>(p + kFirstSeqAt);
  header.file_bytes = LoadLittle<uint64_t>(p + kFileBytesAt);
  if (header.life == 0 || header.first_group_seq == 0 ||
      header.first_group_seq > kMaxWalNumber) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("WAL file header of life {} from group {} on",
                              header.life, header.first_group_seq));
  }
  return header;
}

size_t WalGroupHeader::frames_at() const {
  return AlignUp(kWalGroupHeaderBytes + tagged_bytes, kFrameAlignment);
}

void EncodeWalGroupHeader(const WalGroupHeader& header, const TopicId& log_id,
                          uint64_t life,
                          std::span<std::byte, kWalGroupHeaderBytes> out,
                          ByteSpan tagged) {
  STRATA_CHECK(header.tagged_bytes == tagged.size());
  std::ranges::fill(out, std::byte{0});
  std::byte* p = out.data();
  StoreLittle(p, kGroupMagic);
  StoreLittle(p + kGroupLifeAt, life);
  StoreLittle(p + kSeqAt, header.seq);
  StoreLittle(p + kSyncedSeqAt, header.synced_seq);
  StoreLittle(p + kBytesAt, header.bytes);
  StoreLittle(p + kFramesAt, header.frames);
  StoreLittle(p + kGroupTaggedAt, header.tagged_bytes);
  StoreLittle(p + kGroupCrcAt, GroupCrc(p, log_id, tagged));
}

Result<WalGroupHeader> DecodeWalGroupHeader(ByteSpan bytes,
                                            const TopicId& log_id,
                                            uint64_t life) {
  if (bytes.size() < kWalGroupHeaderBytes ||
      LoadLittle<uint32_t>(bytes.data()) != kGroupMagic) {
    return Status(StatusCode::kDataLoss, "no group header");
  }
  const std::byte* p = bytes.data();
  const auto tagged_bytes = LoadLittle<uint32_t>(p + kGroupTaggedAt);
  if (tagged_bytes > bytes.size() - kWalGroupHeaderBytes) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("group header with {} bytes of tagged fields in "
                              "{} bytes",
                              tagged_bytes, bytes.size()));
  }
  const ByteSpan tagged = bytes.subspan(kWalGroupHeaderBytes, tagged_bytes);
  const auto expected = LoadLittle<uint32_t>(p + kGroupCrcAt);
  const uint32_t found = GroupCrc(p, log_id, tagged);
  if (expected != found) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("group header checksum: expected {:08x}, found "
                              "{:08x}",
                              expected, found));
  }
  const auto found_life = LoadLittle<uint64_t>(p + kGroupLifeAt);
  if (found_life != life) {
    return Status(
        StatusCode::kDataLoss,
        fmt::format("group of life {} in a file of life {}", found_life, life));
  }
  WalGroupHeader header;
  header.seq = LoadLittle<uint64_t>(p + kSeqAt);
  header.synced_seq = LoadLittle<uint64_t>(p + kSyncedSeqAt);
  header.bytes = LoadLittle<uint32_t>(p + kBytesAt);
  header.frames = LoadLittle<uint32_t>(p + kFramesAt);
  header.tagged_bytes = tagged_bytes;
  if (header.bytes < header.frames_at() || header.synced_seq >= header.seq ||
      header.seq > kMaxWalNumber) {
    return Status(
        StatusCode::kDataLoss,
        fmt::format("group {} of {} bytes, written when {} was synced",
                    header.seq, header.bytes, header.synced_seq));
  }
  const Result<TaggedFields> tags = DecodeTaggedFields(tagged);
  if (!tags.ok()) return tags.status().WithContext("group header");
  return header;
}

std::string WalFileName(uint64_t life) {
  return fmt::format("{:020}.wal", life);
}

std::optional<uint64_t> ParseWalFileName(std::string_view name) {
  uint64_t life = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), life);
  if (error != std::errc() || life == 0 || life > kMaxWalNumber ||
      name != WalFileName(life)) {
    return std::nullopt;
  }
  return life;
}

}  // namespace strata
