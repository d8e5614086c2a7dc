#include "wal/wal_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/planted_fault.h"
#include "wal/wal_recovery.h"

namespace strata {
namespace {

constexpr uint64_t kZerosOfAnUnusedFile = 256 << 10;

// Reads a file in large pieces and answers blocks of it.
class BlockReader {
 public:
  explicit BlockReader(ScannedFile& scanned) : scanned_(scanned) {}

  // The block at `position`, shorter at the end of the file; empty where it
  // cannot be read. Valid until the next call.
  ByteSpan At(uint64_t position) {
    if (position < begin_ || position + kWalBlockBytes > begin_ + size_) {
      Fill(position);
    }
    const uint64_t at = position - begin_;
    if (at >= size_) return {};
    return ByteSpan(buffer_).subspan(
        at, std::min<uint64_t>(kWalBlockBytes, size_ - at));
  }

 private:
  static constexpr size_t kPieceBytes = 256 << 10;
  // File header and first group header: of most files no more is needed.
  static constexpr size_t kFirstPieceBytes = 2 * kWalBlockBytes;

  void Fill(uint64_t position) {
    buffer_.resize(position == 0 ? kFirstPieceBytes : kPieceBytes);
    begin_ = position;
    Result<size_t> read = scanned_.file->Read(position, buffer_);
    if (!read.ok()) {
      // A bad sector must not hide the blocks beside it.
      scanned_.unreadable = true;
      read = scanned_.file->Read(position,
                                 std::span(buffer_).first(kWalBlockBytes));
    }
    size_ = read.ok() ? *read : 0;
  }

  ScannedFile& scanned_;
  std::vector<std::byte> buffer_;
  uint64_t begin_ = 0;
  uint64_t size_ = 0;
};

Status TakeHeader(const Result<WalFileHeader>& header, const TopicId& log_id,
                  ScannedFile& scanned) {
  if (header.status().code() == StatusCode::kUnsupported) {
    return header.status();
  }
  if (!header.ok()) {
    scanned.header_fault = header.status().message();
    return Status::Ok();
  }
  // First: a file that was misplaced may have got another name, too.
  if (header->log_id != log_id) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("belongs to another log: expected {}, found {}",
                              log_id.ToString(), header->log_id.ToString()));
  }
  if (header->life != scanned.life) {
    // Recycled, but not in use yet under its new name.
    scanned.header_fault =
        fmt::format("WAL file header: expected life {}, found {}", scanned.life,
                    header->life);
    return Status::Ok();
  }
  scanned.first_seq = header->first_group_seq;
  return Status::Ok();
}

// Whether the file was prepared and nothing of its life arrived in it: header
// and first group are those of a former life, or it begins with zeros. A bad
// header alone does not say so, nor does one block of zeros: a disk may have
// lost it, and the groups behind it count.
bool NeverUsed(const Result<WalFileHeader>& header, BlockReader& blocks,
               const ScannedFile& scanned) {
  if (header.ok()) {
    return header->life != scanned.life &&
           DecodeWalGroupHeader(blocks.At(kWalBlockBytes), header->log_id,
                                header->life)
               .ok();
  }
  const uint64_t end =
      std::min<uint64_t>(kZerosOfAnUnusedFile, scanned.file_bytes);
  for (uint64_t at = 0; at < end; at += kWalBlockBytes) {
    if (!std::ranges::all_of(blocks.At(at),
                             [](std::byte b) { return b == std::byte{0}; })) {
      return false;
    }
  }
  return true;
}

Status ScanGroups(BlockReader& blocks, const TopicId& log_id,
                  ScannedFile& scanned) {
  uint64_t last_seq = 0;
  for (uint64_t at = kWalBlockBytes; at < scanned.file_bytes;) {
    const Result<WalGroupHeader> group =
        DecodeWalGroupHeader(blocks.At(at), log_id, scanned.life);
    if (group.status().code() == StatusCode::kUnsupported) {
      return group.status().WithContext(fmt::format("group at {}", at));
    }
    if (!group.ok() || group->seq <= last_seq ||
        group->bytes > scanned.file_bytes - at) {
      at += kWalBlockBytes;
      continue;
    }
    last_seq = group->seq;
    scanned.groups.push_back({at, *group});
    at = AlignUp(at + group->bytes, kWalBlockBytes);
  }
  return Status::Ok();
}

// More than this in front of a frame found by searching is not believed: else
// garbage would have checksums computed over megabytes at each step.
constexpr uint32_t kMaxTaggedBytesSearched = 4096;

bool MayStartFrame(ByteSpan bytes) {
  if (bytes.size() < kFrameHeaderBytes) return false;
  // The header's last field: docs/formats/frame.md.
  return LoadLittle<uint32_t>(bytes.data() + kFrameHeaderBytes - 4) <=
         kMaxTaggedBytesSearched;
}

// The position of the next good frame header at or after `at`; the end when
// there is none.
size_t FindFrame(ByteSpan bytes, size_t at, uint64_t life) {
  for (; at < bytes.size(); at += kFrameAlignment) {
    const ByteSpan rest = bytes.subspan(at);
    if (MayStartFrame(rest) && DecodeFrame(rest, life).ok()) return at;
  }
  return bytes.size();
}

}  // namespace

Result<ScannedFile> ScanWalFile(FileSystem& files, uint64_t life,
                                const WalScan& scan) {
  ScannedFile scanned;
  scanned.life = life;
  const std::string path = WalFilePath(life);
  STRATA_ASSIGN_OR_RETURN(scanned.file, files.Open(path, scan.mode));
  STRATA_ASSIGN_OR_RETURN(scanned.file_bytes, scanned.file->Size());
  BlockReader blocks(scanned);
  const Result<WalFileHeader> header = DecodeWalFileHeader(blocks.At(0));
  STRATA_RETURN_IF_ERROR(
      TakeHeader(header, scan.log_id, scanned).WithContext(path));
  const bool skip = !scan.needed || NeverUsed(header, blocks, scanned);
  scanned.skipped = skip && !scanned.unreadable;
  if (scanned.skipped) return scanned;
  STRATA_RETURN_IF_ERROR(
      ScanGroups(blocks, scan.log_id, scanned).WithContext(path));
  return scanned;
}

std::string ReadWhatCanBe(File& file, uint64_t position,
                          std::span<std::byte> out) {
  Result<size_t> read = file.Read(position, out);
  if (read.ok() && *read == out.size()) return {};
  std::ranges::fill(out, std::byte{0});
  std::string fault = read.status().message();
  for (size_t at = 0; at < out.size(); at += kWalBlockBytes) {
    const size_t n = std::min<size_t>(kWalBlockBytes, out.size() - at);
    read = file.Read(position + at, out.subspan(at, n));
    if (fault.empty() && (!read.ok() || *read != n)) {
      fault =
          fmt::format("expected {} bytes, found {}", n, read.ok() ? *read : 0);
    }
  }
  return fault;
}

bool ScannedFrames::intact() const {
  return holes.empty() && std::ranges::all_of(frames, [](const Frame& f) {
           return f.payload_fault.empty();
         });
}

Result<ScannedFrames> ScanWalGroup(ByteSpan bytes, const WalGroupHeader& header,
                                   uint64_t life) {
  ScannedFrames found;
  for (size_t at = header.frames_at(); at < bytes.size();) {
    const Result<DecodedFrame> frame = DecodeFrame(bytes.subspan(at), life);
    if (frame.status().code() == StatusCode::kUnsupported) {
      return frame.status();
    }
    if (!frame.ok()) {
      const size_t end = FindFrame(bytes, at + kFrameAlignment, life);
      found.holes.push_back({at, end, frame.status().message()});
      at = end;
      continue;
    }
    std::string fault = VerifyPayload(*frame).message();
    if (FaultPlanted(PlantedFault::kCrcIgnored)) fault.clear();
    found.frames.push_back({at, *frame, std::move(fault)});
    at += frame->frame_bytes;
  }
  if (found.holes.empty() && found.frames.size() != header.frames) {
    found.holes.push_back({bytes.size(), bytes.size(),
                           fmt::format("expected {} frames, found {}",
                                       header.frames, found.frames.size())});
  }
  return found;
}

}  // namespace strata
