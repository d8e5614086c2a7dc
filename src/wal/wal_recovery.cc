#include "wal/wal_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
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
  // Nothing is to be changed.
  bool viewing() const { return expectations_.access != WalAccess::kRecover; }
  Status ScanFiles();
  // Finds what later files replaced, and what must be there.
  void Bound();
  // Finds what somebody wrote while the file was scanned.
  Status LookAgain(ScannedFile& file);
  Status VisitFile(ScannedFile& file);
  // Groups from next_ through `last` are not where they should be: between
  // `position` and `end` of `file`.
  void Missing(uint64_t last, const ScannedFile& file, uint64_t position,
               uint64_t end);
  void CheckHeader(const ScannedFile& file, uint64_t seq);
  Status Load(ScannedFile& file, const ScannedGroup& group);
  // Memory for a group, next to that of the groups before it.
  Result<std::span<std::byte>> TakeRoom(uint64_t size_bytes);
  void Deliver(const ScannedFile& file, const ScannedGroup& group,
               const ScannedFrames& content);
  void DeliverFrame(const ScannedFile& file, const ScannedGroup& group,
                    const ScannedFrames::Frame& frame);
  Status WriteAgain(ScannedFile& file, const ScannedGroup& group,
                    ByteSpan bytes);
  // The header as it is, or as it must have been.
  Result<std::string> HeaderOf(const ScannedFile& file) const;
  // Leaves nothing in groups that do not count.
  Status VoidCut();
  // Of a file that is not needed.
  Status GiveAway(const ScannedFile& file);
  // Of one whose groups were not looked for.
  Status Recycle(uint64_t life);

  FileSystem& files_;
  ChunkSource& chunks_;
  const WalOptions& options_;
  const WalExpectations& expectations_;
  WalVisitor& visitor_;
  std::vector<ScannedFile> scanned_;
  uint64_t required_ = 0;  // groups up to it were durable
  uint64_t next_ = 1;      // the group to come
  bool cut_ = false;       // the torn tail has begun
  // The chunk that is being filled, and whose file it belongs to.
  std::shared_ptr<Chunk> chunk_;
  size_t chunk_used_ = 0;
  WalFileInUse in_use_;
  // Of the file in use.
  bool damaged_ = false;
  bool rewritten_ = false;
  WalRecovered result_;
};

Result<WalRecovered> Recovery::Run() {
  result_.log_id = expectations_.log_id;
  next_ = std::max<uint64_t>(1, expectations_.needed_from_seq);
  STRATA_RETURN_IF_ERROR(ScanFiles());
  Bound();
  for (ScannedFile& file : scanned_) STRATA_RETURN_IF_ERROR(VisitFile(file));
  if (next_ <= required_) Missing(required_, ScannedFile{}, 0, 0);
  result_.last_seq = next_ - 1;
  if (!viewing()) STRATA_RETURN_IF_ERROR(VoidCut());
  return std::move(result_);
}

// Reads what is not flushed yet, and of the other files little more than the
// header:
//  * Files older than a good header whose first_seq is at or below next_. Of
//    their groups those from first_seq on are replaced by that header, and
//    those below are not needed. What they tell of synced groups is no more
//    than first_seq - 1, which the header tells as well.
//  * Files in which nothing of their life arrived. The header is written before
//    the first group and synced with it: no group in them was acknowledged. At
//    most they hold parts of a torn tail.
// Such parts, and replaced groups, could count later, when their number was
// given to another group and the header in front of them is damaged. Groups
// that are found are made empty for that (VoidCut); a file that was skipped
// gets another life, under which no group in it has a good checksum.
Status Recovery::ScanFiles() {
  STRATA_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          files_.List(kWalDirectory));
  // The newest first: what a writer adds meanwhile then looks like a tail, and
  // not like a hole below what a newer file says.
  bool needed = true;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const std::optional<uint64_t> life = ParseWalFileName(*name);
    if (!life) continue;
    result_.last_life = std::max(result_.last_life, *life);
    Result<ScannedFile> file =
        ScanWalFile(files_, *life,
                    {.log_id = expectations_.log_id,
                     .mode = viewing() ? OpenMode::kRead : OpenMode::kReadWrite,
                     .needed = needed});
    if (viewing() && file.status().code() == StatusCode::kNotFound) continue;
    if (!file.ok()) return std::move(file).status();
    const bool has_header = file->header_fault.empty();
    if (has_header && file->first_seq <= next_) needed = false;
    if (!file->skipped && (has_header || !file->groups.empty())) {
      scanned_.push_back(*std::move(file));
    } else {
      STRATA_RETURN_IF_ERROR(GiveAway(*file));
    }
  }
  std::ranges::reverse(scanned_);
  std::ranges::reverse(result_.spares);
  return Status::Ok();
}

Status Recovery::GiveAway(const ScannedFile& file) {
  // What cannot be read now may hold something all the same.
  if (file.unreadable || viewing()) return Status::Ok();
  if (file.file_bytes == options_.file_bytes) {
    if (file.skipped) return Recycle(file.life);
    result_.spares.push_back(file.life);
    return Status::Ok();
  }
  return files_.Remove(WalFilePath(file.life));
}

// Durable before a group is: PrepareWalFile syncs the directory.
Status Recovery::Recycle(uint64_t life) {
  const uint64_t fresh = ++result_.last_life;
  result_.spares.push_back(fresh);
  return files_.Rename(WalFilePath(life), WalFilePath(fresh));
}

void Recovery::Bound() {
  required_ = expectations_.synced_seq;
  uint64_t replaced_from = UINT64_MAX;
  for (auto file = scanned_.rbegin(); file != scanned_.rend(); ++file) {
    for (const ScannedGroup& group : file->groups) {
      required_ = std::max(required_, group.header.synced_seq);
    }
    if (file->header_fault.empty()) {
      // A header is written after all groups of older files were synced.
      required_ = std::max(required_, file->first_seq - 1);
    } else {
      file->first_seq = file->groups.front().header.seq;
    }
    file->replaced_from = replaced_from;
    replaced_from = std::min(replaced_from, file->first_seq);
  }
}

// A file that grows is not scanned at one moment: groups, and the header, may
// have come behind the scan's back while those after them were found. What
// those call synced has been written by now.
Status Recovery::LookAgain(ScannedFile& file) {
  const bool whole =
      file.header_fault.empty() &&
      std::ranges::adjacent_find(
          file.groups, [](const ScannedGroup& a, const ScannedGroup& b) {
            return b.header.seq != a.header.seq + 1;
          }) == file.groups.end();
  if (whole) return Status::Ok();
  Result<ScannedFile> again =
      ScanWalFile(files_, file.life,
                  {.log_id = expectations_.log_id, .mode = OpenMode::kRead});
  // Recycled meanwhile: the manifest tells.
  if (again.status().code() == StatusCode::kNotFound) return Status::Ok();
  STRATA_RETURN_IF_ERROR(again.status());
  if (again->skipped || again->groups.empty()) return Status::Ok();
  if (!again->header_fault.empty()) {
    again->first_seq = again->groups.front().header.seq;
  }
  again->replaced_from = file.replaced_from;
  file = *std::move(again);
  return Status::Ok();
}

Status Recovery::VisitFile(ScannedFile& file) {
  if (expectations_.access == WalAccess::kViewSynced) {
    STRATA_RETURN_IF_ERROR(LookAgain(file));
  }
  in_use_ = {.life = file.life,
             .file_bytes = file.file_bytes,
             .first_seq = file.first_seq,
             .last_seq = 0,
             .chunks = {}};
  damaged_ = false;
  rewritten_ = false;
  uint64_t end = kWalBlockBytes;  // of the groups before
  for (const ScannedGroup& group : file.groups) {
    const uint64_t seq = group.header.seq;
    if (seq >= file.replaced_from) break;
    if (seq >= next_) {
      if (seq > next_ && !cut_) {
        Missing(seq - 1, file, end, group.position);
      }
      if (!cut_) STRATA_RETURN_IF_ERROR(Load(file, group));
      if (cut_) result_.torn_bytes += group.header.bytes;
    }
    end = group.end();
  }
  if (&file == &scanned_.back() && next_ <= required_) {
    Missing(required_, file, end, file.file_bytes);
  }
  if (rewritten_) STRATA_RETURN_IF_ERROR(file.file->Sync());
  // Chunks belong to one file.
  chunk_.reset();
  if (in_use_.chunks.empty() && !damaged_) return GiveAway(file);
  result_.files.push_back(std::move(in_use_));
  return Status::Ok();
}

void Recovery::Missing(uint64_t last, const ScannedFile& file,
                       uint64_t position, uint64_t end) {
  const uint64_t lost = std::min(last, required_);
  if (next_ <= lost) {
    damaged_ = true;
    visitor_.OnDamage({.file = file.life,
                       .position = position,
                       .length = end > position ? end - position : 0,
                       .first_seq = next_,
                       .last_seq = lost,
                       .detail = fmt::format(
                           "{}: groups {} to {} are missing before position {}",
                           file.life == 0 ? std::string(kWalDirectory)
                                          : WalFilePath(file.life),
                           next_, lost, end),
                       .unidentified = true});
    next_ = lost + 1;
  }
  // A hole above all that was acknowledged begins the torn tail.
  cut_ = next_ <= last;
}

// The first group of `file` that counts was found in it.
void Recovery::CheckHeader(const ScannedFile& file, uint64_t seq) {
  if (file.header_fault.empty() || seq > required_ || damaged_ ||
      !in_use_.chunks.empty()) {
    return;
  }
  damaged_ = true;
  visitor_.OnDamage(
      {.file = file.life,
       .position = 0,
       .length = kWalBlockBytes,
       .first_seq = seq,
       .last_seq = seq,
       .detail = fmt::format("{} at 0: {}", WalFilePath(file.life),
                             file.header_fault),
       .unidentified = false});
}

Status Recovery::Load(ScannedFile& file, const ScannedGroup& group) {
  const bool required = group.header.seq <= required_;
  CheckHeader(file, group.header.seq);
  STRATA_ASSIGN_OR_RETURN(const std::span<std::byte> bytes,
                          TakeRoom(group.header.bytes));
  const std::string fault = ReadWhatCanBe(*file.file, group.position, bytes);
  Result<ScannedFrames> content = ScanWalGroup(bytes, group.header, file.life);
  if (!content.ok()) {
    return content.status().WithContext(
        fmt::format("{} at {}", WalFilePath(file.life), group.position));
  }
  if (!fault.empty() && !content->holes.empty()) {
    content->holes.front().fault = fault;
  }
  const bool synced_only = expectations_.access == WalAccess::kViewSynced;
  if (!required && (synced_only || !content->intact())) {
    cut_ = true;
    return Status::Ok();
  }
  if (!required && !viewing())
    STRATA_RETURN_IF_ERROR(WriteAgain(file, group, bytes));
  Deliver(file, group, *content);
  next_ = group.header.seq + 1;
  in_use_.last_seq = group.header.seq;
  return Status::Ok();
}

Result<std::span<std::byte>> Recovery::TakeRoom(uint64_t size_bytes) {
  if (chunk_ == nullptr || chunk_used_ + size_bytes > chunk_->bytes().size()) {
    STRATA_ASSIGN_OR_RETURN(
        chunk_, chunks_.Take(std::max(options_.chunk_bytes,
                                      AlignUp(size_bytes, kWalBlockBytes)),
                             ChunkSource::Limit::kIgnore));
    chunk_used_ = 0;
    in_use_.chunks.push_back(chunk_);
  }
  const auto room = chunk_->bytes().subspan(chunk_used_, size_bytes);
  chunk_used_ += AlignUp(size_bytes, kFrameAlignment);
  return room;
}

// Frames and holes in the order in which they lie in the file. An append that
// lost a frame was acknowledged as a whole: what is left of it is delivered.
void Recovery::Deliver(const ScannedFile& file, const ScannedGroup& group,
                       const ScannedFrames& content) {
  auto frame = content.frames.begin();
  for (const ScannedFrames::Hole& hole : content.holes) {
    for (; frame != content.frames.end() && frame->at < hole.begin; ++frame) {
      DeliverFrame(file, group, *frame);
    }
    damaged_ = true;
    visitor_.OnDamage(
        {.file = file.life,
         .position = group.position + hole.begin,
         .length = hole.end - hole.begin,
         .first_seq = group.header.seq,
         .last_seq = group.header.seq,
         .detail = fmt::format("{} at {}: {}", WalFilePath(file.life),
                               group.position + hole.begin, hole.fault),
         .unidentified = true});
  }
  for (; frame != content.frames.end(); ++frame) {
    DeliverFrame(file, group, *frame);
  }
}

void Recovery::DeliverFrame(const ScannedFile& file, const ScannedGroup& group,
                            const ScannedFrames::Frame& frame) {
  RecoveredFrame recovered{.header = frame.frame.header,
                           .payload = frame.frame.payload,
                           .chunk = chunk_,
                           .seq = group.header.seq,
                           .file = file.life,
                           .position = group.position + frame.at,
                           .payload_damaged = !frame.payload_fault.empty()};
  if (recovered.payload_damaged) {
    damaged_ = true;
    visitor_.OnDamage({.file = file.life,
                       .position = recovered.position,
                       .length = frame.frame.frame_bytes,
                       .first_seq = group.header.seq,
                       .last_seq = group.header.seq,
                       .detail = fmt::format("{}: {}", recovered.where(),
                                             frame.payload_fault),
                       .unidentified = false});
  }
  visitor_.OnFrame(std::move(recovered));
}

// Nothing says that the group was ever synced: it may be in the system's cache
// only, even as a page that failed to be written and is taken for clean. What
// is delivered must not vanish later, so the same bytes are written again.
Status Recovery::WriteAgain(ScannedFile& file, const ScannedGroup& group,
                            ByteSpan bytes) {
  Status written = file.file->Write(group.position, bytes);
  if (written.ok() && in_use_.last_seq == 0) {
    STRATA_ASSIGN_OR_RETURN(const std::string header, HeaderOf(file));
    written = file.file->Write(0, AsBytes(header));
  }
  rewritten_ = true;
  // A file system that writes elsewhere may be full; then the cache must do.
  return written.code() == StatusCode::kNoSpace ? Status::Ok() : written;
}

Result<std::string> Recovery::HeaderOf(const ScannedFile& file) const {
  if (!file.header_fault.empty()) {
    return EncodeWalFileHeader({.log_id = expectations_.log_id,
                                .life = file.life,
                                .first_group_seq = file.first_seq,
                                .file_bytes = file.file_bytes});
  }
  std::string block(kWalBlockBytes, '\0');
  STRATA_ASSIGN_OR_RETURN(
      const size_t n,
      file.file->Read(0, std::as_writable_bytes(std::span(block))));
  block.resize(n);
  return block;
}

// What was cut, or replaced by a file that was cut in turn, must not come back
// when that file is gone and the number was given to another group. What its
// header said of other groups must stay known.
Status Recovery::VoidCut() {
  for (ScannedFile& file : scanned_) {
    bool changed = false;
    for (const ScannedGroup& group : file.groups) {
      if (group.header.seq < next_) continue;
      std::array<std::byte, kWalGroupHeaderBytes> empty;
      EncodeWalGroupHeader({.seq = group.header.seq,
                            .synced_seq = required_,
                            .bytes = kWalGroupHeaderBytes,
                            .frames = 0},
                           expectations_.log_id, file.life, empty);
      STRATA_RETURN_IF_ERROR(file.file->Write(group.position, empty));
      changed = true;
    }
    if (changed) STRATA_RETURN_IF_ERROR(file.file->Sync());
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
