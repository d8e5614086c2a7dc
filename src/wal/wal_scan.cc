#include "wal/wal_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "wal/wal_recovery.h"

namespace strata {
namespace {

// Reads a file in large pieces and answers blocks of it.
class BlockReader {
 public:
  BlockReader(File& file, uint64_t file_bytes)
      : file_(file), file_bytes_(file_bytes) {}

  // The block at `position`, shorter at the end of the file; empty where it
  // cannot be read. Valid until the next call.
  ByteSpan At(uint64_t position) {
    if (position >= file_bytes_) return {};
    if (position < begin_ || position + kWalBlockBytes > begin_ + size_) {
      begin_ = position;
      buffer_.resize(kPieceBytes);
      const Result<size_t> read = file_.Read(position, buffer_);
      size_ = read.ok() ? *read : 0;
      // A bad sector must not hide the blocks beside it.
      if (!read.ok()) {
        const Result<size_t> block =
            file_.Read(position, std::span(buffer_).first(kWalBlockBytes));
        size_ = block.ok() ? *block : 0;
      }
    }
    const uint64_t at = position - begin_;
    if (at >= size_) return {};
    return ByteSpan(buffer_).subspan(
        at, std::min<uint64_t>(kWalBlockBytes, size_ - at));
  }

 private:
  static constexpr size_t kPieceBytes = 256 << 10;

  File& file_;
  const uint64_t file_bytes_;
  std::vector<std::byte> buffer_;
  uint64_t begin_ = 0;
  uint64_t size_ = 0;
};

}  // namespace

Result<ScannedFile> ScanWalFile(FileSystem& files, uint64_t life,
                                const TopicId& log_id) {
  ScannedFile scanned;
  scanned.life = life;
  STRATA_ASSIGN_OR_RETURN(scanned.file,
                          files.Open(WalFilePath(life), OpenMode::kReadWrite));
  STRATA_ASSIGN_OR_RETURN(scanned.file_bytes, scanned.file->Size());
  BlockReader blocks(*scanned.file, scanned.file_bytes);

  const Result<WalFileHeader> header = DecodeWalFileHeader(blocks.At(0));
  if (!header.ok() && header.status().code() == StatusCode::kUnsupported) {
    return header.status().WithContext(WalFilePath(life));
  }
  if (header.ok() && header->log_id != log_id) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} belongs to another log: expected {}, found "
                              "{}",
                              WalFilePath(life), log_id.ToString(),
                              header->log_id.ToString()));
  }
  if (!header.ok()) {
    scanned.header_fault = header.status().message();
  } else if (header->life != life) {
    // Recycled, but not in use yet under its new name.
    scanned.header_fault = fmt::format("header of life {}", header->life);
  } else {
    scanned.first_seq = header->first_group_seq;
  }

  uint64_t position = kWalBlockBytes;
  while (position < scanned.file_bytes) {
    const Result<WalGroupHeader> group =
        DecodeWalGroupHeader(blocks.At(position), log_id, life);
    const bool ascends =
        group.ok() && (scanned.groups.empty() ||
                       group->seq > scanned.groups.back().header.seq);
    if (!ascends) {
      position += kWalBlockBytes;
      continue;
    }
    scanned.groups.push_back({position, *group});
    position = AlignUp(position + group->bytes, kWalBlockBytes);
  }
  return scanned;
}

}  // namespace strata
