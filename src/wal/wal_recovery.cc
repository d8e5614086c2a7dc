#include "wal/wal_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/bytes.h"
#include "base/planted_fault.h"
#include "format/wal_format.h"
#include "wal/wal_scan.h"

namespace strata {

std::string WalFilePath(uint64_t life) {
  return fmt::format("{}/{}", kWalDirectory, WalFileName(life));
}

std::string RecoveredFrame::where() const {
  return fmt::format("{} at {}", WalFilePath(file), position);
}

namespace {

// One run over the log. Owned by one thread.
class Recovery {
 public:
  Recovery(FileSystem& files, ChunkSource& chunks, const WalOptions& options,
           const WalExpectations& expectations, WalVisitor& visitor)
      : files_(files),
        chunks_(chunks),
        options_(options),
        expectations_(expectations),
        visitor_(visitor) {}

  Result<WalRecovered> Run();

 private:
  Status ScanFiles();
  // Drops groups that a later file replaced, and finds what must be there.
  void Bound();
  Status Load(ScannedFile& file, const ScannedGroup& group, bool& cut);
  // The frames of a group whose bytes are in `chunk`.
  std::vector<RecoveredFrame> Parse(const ScannedFile& file,
                                    const ScannedGroup& group,
                                    const std::shared_ptr<Chunk>& chunk,
                                    std::string& fault);
  void ReportMissing(uint64_t first, uint64_t last, std::string detail);
  Status SyncFiles();

  FileSystem& files_;
  ChunkSource& chunks_;
  const WalOptions& options_;
  const WalExpectations& expectations_;
  WalVisitor& visitor_;
  std::vector<ScannedFile> scanned_;
  uint64_t required_ = 0;  // groups up to it were durable
  uint64_t next_ = 1;      // the group to come
  WalRecovered result_;
};

Result<WalRecovered> Recovery::Run() {
  result_.log_id = expectations_.log_id;
  STRATA_RETURN_IF_ERROR(ScanFiles());
  Bound();
  next_ = std::max<uint64_t>(1, expectations_.needed_from_seq);
  bool cut = false;
  for (ScannedFile& file : scanned_) {
    WalFileInUse in_use{.life = file.life,
                        .file_bytes = file.file_bytes,
                        .first_seq = file.first_seq,
                        .last_seq = 0,
                        .chunks = {}};
    result_.files.push_back(std::move(in_use));
    for (const ScannedGroup& group : file.groups) {
      if (group.header.seq < next_) continue;
      if (!cut && group.header.seq > next_) {
        // A hole above all that was acknowledged begins the torn tail.
        if (next_ > required_) {
          cut = true;
        } else {
          const uint64_t last = std::min(required_, group.header.seq - 1);
          ReportMissing(next_, last,
                        fmt::format("groups {} to {} are missing before {} at "
                                    "{}",
                                    next_, group.header.seq - 1,
                                    WalFilePath(file.life), group.position));
        }
      }
      if (!cut) STRATA_RETURN_IF_ERROR(Load(file, group, cut));
      if (cut) {
        result_.torn_bytes += group.header.bytes;
        continue;
      }
      next_ = group.header.seq + 1;
      result_.files.back().last_seq = group.header.seq;
    }
  }
  if (next_ <= required_) {
    ReportMissing(next_, required_,
                  fmt::format("groups {} to {} are missing at the end of the "
                              "log",
                              next_, required_));
  }
  result_.last_seq = std::max(next_ - 1, required_);
  STRATA_RETURN_IF_ERROR(SyncFiles());
  return std::move(result_);
}

Status Recovery::ScanFiles() {
  STRATA_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          files_.List(kWalDirectory));
  for (const std::string& name : names) {
    const std::optional<uint64_t> life = ParseWalFileName(name);
    if (!life) continue;
    result_.last_life = std::max(result_.last_life, *life);
    STRATA_ASSIGN_OR_RETURN(ScannedFile file,
                            ScanWalFile(files_, *life, expectations_.log_id));
    if (file.header_fault.empty() || !file.groups.empty()) {
      scanned_.push_back(std::move(file));
    } else if (file.file_bytes == options_.file_bytes) {
      result_.spares.push_back(*life);
    } else {
      STRATA_RETURN_IF_ERROR(files_.Remove(WalFilePath(*life)));
    }
  }
  return Status::Ok();
}

void Recovery::Bound() {
  required_ = expectations_.synced_seq;
  uint64_t replaced_from = UINT64_MAX;
  for (auto file = scanned_.rbegin(); file != scanned_.rend(); ++file) {
    // A file whose header is lost tells where it begins by its first group.
    if (!file->header_fault.empty()) {
      file->first_seq = file->groups.front().header.seq;
    }
    std::erase_if(file->groups, [&](const ScannedGroup& group) {
      return group.header.seq >= replaced_from;
    });
    replaced_from = std::min(replaced_from, file->first_seq);
    if (!file->groups.empty()) {
      // The file came into use with its first sync, which covers all before.
      required_ = std::max(required_, file->first_seq - 1);
    }
    for (const ScannedGroup& group : file->groups) {
      required_ = std::max(required_, group.header.synced_seq);
    }
  }
}

Status Recovery::Load(ScannedFile& file, const ScannedGroup& group, bool& cut) {
  const bool required = group.header.seq <= required_;
  STRATA_ASSIGN_OR_RETURN(
      std::shared_ptr<Chunk> chunk,
      chunks_.Take(AlignUp(group.header.bytes, kWalBlockBytes),
                   ChunkSource::Limit::kIgnore));
  const std::span<std::byte> bytes = chunk->bytes().first(group.header.bytes);
  const Result<size_t> read = file.file->Read(group.position, bytes);
  const bool whole = read.ok() && *read == bytes.size();
  std::string fault;
  std::vector<RecoveredFrame> frames;
  if (whole) {
    frames = Parse(file, group, chunk, fault);
  } else {
    fault = fmt::format(
        "{} at {}: expected {} bytes, found {}", WalFilePath(file.life),
        group.position, bytes.size(),
        read.ok() ? std::to_string(*read) : read.status().message());
  }
  if (!fault.empty() && !required) {
    cut = true;
    return Status::Ok();
  }
  if (!fault.empty()) {
    const bool named = whole && frames.size() == group.header.frames;
    visitor_.OnDamage({.first_seq = group.header.seq,
                       .last_seq = group.header.seq,
                       .detail = std::move(fault),
                       .unidentified = !named});
  }
  for (RecoveredFrame& frame : frames) visitor_.OnFrame(std::move(frame));
  frames.clear();
  result_.files.back().chunks.push_back(chunk);
  return Status::Ok();
}

std::vector<RecoveredFrame> Recovery::Parse(const ScannedFile& file,
                                            const ScannedGroup& group,
                                            const std::shared_ptr<Chunk>& chunk,
                                            std::string& fault) {
  const ByteSpan bytes = chunk->bytes().first(group.header.bytes);
  const auto note = [&](uint64_t position, std::string_view what) {
    if (!fault.empty()) return;
    fault = fmt::format("{} at {}: {}", WalFilePath(file.life), position, what);
  };
  std::vector<RecoveredFrame> frames;
  size_t at = kWalGroupHeaderBytes;
  while (at < bytes.size()) {
    Result<DecodedFrame> frame = DecodeFrame(bytes.subspan(at), file.life);
    if (!frame.ok()) {
      note(group.position + at, frame.status().message());
      at += kFrameAlignment;  // to the next one that can be read
      continue;
    }
    const Status payload = VerifyPayload(*frame);
    bool damaged = !payload.ok();
    if (FaultPlanted(PlantedFault::kCrcIgnored)) damaged = false;
    if (damaged) note(group.position + at, payload.message());
    frames.push_back({.header = frame->header,
                      .payload = frame->payload,
                      .chunk = chunk,
                      .seq = group.header.seq,
                      .file = file.life,
                      .position = group.position + at,
                      .payload_damaged = damaged});
    at += frame->frame_bytes;
  }
  if (frames.size() != group.header.frames) {
    note(group.position, fmt::format("expected {} frames, found {}",
                                     group.header.frames, frames.size()));
  }
  // An append that lost a frame is not there at all, but its offsets are: what
  // is left of it stays, so that the loss is named.
  return frames;
}

void Recovery::ReportMissing(uint64_t first, uint64_t last,
                             std::string detail) {
  visitor_.OnDamage({.first_seq = first,
                     .last_seq = last,
                     .detail = std::move(detail),
                     .unidentified = true});
}

Status Recovery::SyncFiles() {
  for (const ScannedFile& file : scanned_) {
    const Status synced = file.file->Sync();
    if (!synced.ok()) return synced;
  }
  return Status::Ok();
}

}  // namespace

Result<WalRecovered> RecoverWal(FileSystem& files, ChunkSource& chunks,
                                const WalOptions& options,
                                const WalExpectations& expectations,
                                WalVisitor& visitor) {
  return Recovery(files, chunks, options, expectations, visitor).Run();
}

}  // namespace strata
