#include "wal/wal_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/wal_format.h"

namespace strata {
namespace {

// How long after a file could not be prepared it is tried again.
constexpr std::chrono::seconds kPrepareRetry{1};
// Released files kept for recycling; what is above is removed.
constexpr size_t kMaxRecyclable = 2;

Status Overloaded(std::string_view why) {
  return Status(StatusCode::kOverloaded, fmt::format("WAL: {}", why));
}

}  // namespace

WalWriter::WalWriter(FileSystem& files, Runtime& runtime, Logger log,
                     ChunkSource& chunks, WalOptions options,
                     WalRecovered recovered)
    : files_(files),
      runtime_(runtime),
      log_(std::move(log)),
      chunks_(chunks),
      options_(options),
      log_id_(recovered.log_id),
      io_(runtime.log_executor()),
      prepare_(runtime.log_executor()),
      durable_(recovered.last_seq),
      next_seq_(recovered.last_seq + 1),
      next_life_(recovered.last_life + 1),
      recyclable_(std::move(recovered.spares)),
      noted_seq_(recovered.last_seq) {
  for (WalFileInUse& file : recovered.files) {
    auto taken = std::make_shared<WalFile>();
    taken->life = file.life;
    taken->file_bytes = file.file_bytes;
    taken->first_seq = file.first_seq;
    taken->last_seq = file.last_seq;
    taken->chunks = std::move(file.chunks);
    in_use_.push_back(std::move(taken));
  }
}

Result<std::unique_ptr<WalWriter>> WalWriter::Open(FileSystem& files,
                                                   Runtime& runtime, Logger log,
                                                   ChunkSource& chunks,
                                                   WalOptions options,
                                                   WalRecovered recovered) {
  std::unique_ptr<WalWriter> writer(new WalWriter(
      files, runtime, std::move(log), chunks, options, std::move(recovered)));
  {
    MutexLock lock(writer->mu_);
    writer->preparing_ = true;
  }
  // The first append should not have to wait. A full disk does not fail the
  // open: what is there can still be read and freed.
  writer->PrepareSpare();
  return writer;
}

// ---- appending ------------------------------------------------------------

Status WalWriter::Append(std::span<const WalFrame> frames,
                         std::span<WalPlace> places) {
  uint64_t bytes = 0;
  for (const WalFrame& frame : frames) {
    bytes += FrameBytes(frame.payload.size());
  }
  Trash trash;
  MutexLock lock(mu_);
  STRATA_RETURN_IF_ERROR(MakeRoom(bytes, trash));
  if (!group_) OpenGroupHere();
  for (size_t i = 0; i < frames.size(); ++i) {
    const ByteSpan payload = frames[i].payload;
    std::byte* at = chunk_->bytes().data() + chunk_used_;
    const std::span<std::byte> stored(at + kFrameHeaderBytes, payload.size());
    if (!payload.empty()) {
      std::memcpy(stored.data(), payload.data(), payload.size());
    }
    FrameHeader header = frames[i].header;
    if (i + 1 < frames.size()) header.flags |= kFrameContinues;
    header.payload_bytes = static_cast<uint32_t>(payload.size());
    header.payload_crc32c = Crc32c(stored);
    header.tagged_bytes = 0;
    EncodeFrameHeader(
        header, current_->life,
        std::span<std::byte, kFrameHeaderBytes>(at, kFrameHeaderBytes));
    const size_t frame_bytes = FrameBytes(payload.size());
    const size_t filled = kFrameHeaderBytes + payload.size();
    std::memset(at + filled, 0, frame_bytes - filled);
    chunk_used_ += frame_bytes;
    ++group_->frames;
    places[i] = {.chunk = chunk_,
                 .payload = stored,
                 .payload_crc32c = header.payload_crc32c,
                 .end_seq = group_->seq};
  }
  last_batch_seq_ = group_->seq;
  ArmCheckpoint();
  return Status::Ok();
}

// Makes sure that `frame_bytes` fit behind chunk_used_, and a group header in
// front of them if none is open.
Status WalWriter::MakeRoom(uint64_t frame_bytes, Trash& trash) {
  if (!failed_.ok()) return failed_;
  if (closing_) return Status(StatusCode::kClosed, "the WAL is closed");
  if (rewriting_) return Overloaded("moving to a new file after an error");
  const uint64_t header = group_ ? 0 : kWalGroupHeaderBytes;
  if (chunk_ != nullptr && chunk_used_ + header + frame_bytes <= chunk_bytes_) {
    return Status::Ok();
  }
  const uint64_t needed =
      AlignUp(kWalGroupHeaderBytes + frame_bytes, kWalBlockBytes);
  if (needed > options_.file_bytes - kWalBlockBytes) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("append of {} bytes does not fit into a WAL file "
                              "of {}",
                              frame_bytes, options_.file_bytes));
  }
  if (current_ == nullptr || current_->end + needed > options_.file_bytes) {
    STRATA_RETURN_IF_ERROR(NextFile(trash));
  }
  const uint64_t size = std::min(std::max(options_.chunk_bytes, needed),
                                 options_.file_bytes - current_->end);
  STRATA_ASSIGN_OR_RETURN(std::shared_ptr<Chunk> chunk,
                          chunks_.Take(size, ChunkSource::Limit::kHonour));
  LeaveChunk(trash);
  chunk_ = std::move(chunk);
  chunk_position_ = current_->end;
  chunk_bytes_ = size;
  chunk_used_ = 0;
  current_->end += size;
  current_->chunks.push_back(chunk_);
  return Status::Ok();
}

Status WalWriter::NextFile(Trash& trash) {
  if (spare_ != nullptr && !in_use_.empty() &&
      spare_->life < in_use_.back()->life) {
    // Prepared before an error moved the log on; lives must ascend.
    recyclable_.push_back(spare_->life);
    spare_ = nullptr;
  }
  if ((in_use_.size() + 1) * options_.file_bytes > options_.max_bytes) {
    return Overloaded(
        fmt::format("{} files of {} bytes are in use, at most {} "
                    "bytes may be",
                    in_use_.size(), options_.file_bytes, options_.max_bytes));
  }
  if (spare_ == nullptr) {
    KickPrepare();
    return prepare_error_.ok() ? Overloaded("the next file is being prepared")
                               : prepare_error_;
  }
  LeaveChunk(trash);
  current_ = std::exchange(spare_, nullptr);
  current_->first_seq = next_seq_;
  in_use_.push_back(current_);
  KickPrepare();
  return Status::Ok();
}

void WalWriter::OpenGroupHere() {
  group_ = OpenGroup{.seq = next_seq_++, .begin = chunk_used_, .frames = 0};
  chunk_used_ += kWalGroupHeaderBytes;
}

void WalWriter::CloseGroup() {
  if (!group_) return;
  const uint64_t synced = durable_.load(std::memory_order_relaxed);
  std::byte* base = chunk_->bytes().data();
  EncodeWalGroupHeader(
      {.seq = group_->seq,
       .synced_seq = synced,
       .bytes = static_cast<uint32_t>(chunk_used_ - group_->begin),
       .frames = group_->frames},
      log_id_, current_->life,
      std::span<std::byte, kWalGroupHeaderBytes>(base + group_->begin,
                                                 kWalGroupHeaderBytes));
  const size_t end = AlignUp(chunk_used_, kWalBlockBytes);
  std::memset(base + chunk_used_, 0, end - chunk_used_);
  chunk_used_ = end;
  current_->last_seq = group_->seq;
  closed_.push_back({.seq = group_->seq,
                     .synced_seq = synced,
                     .file = current_,
                     .chunk = chunk_,
                     .position = chunk_position_ + group_->begin,
                     .begin = group_->begin,
                     .bytes = end - group_->begin});
  group_.reset();
}

void WalWriter::LeaveChunk(Trash& trash) {
  if (chunk_ == nullptr) return;
  if (group_) {
    // A full chunk is written out even if nobody waits for it.
    wanted_ = std::max(wanted_, group_->seq);
    CloseGroup();
  }
  Kick();
  trash = std::exchange(chunk_, nullptr);
}

// ---- durability -----------------------------------------------------------

void WalWriter::WhenDurable(uint64_t seq, StatusDone done) {
  Status answer;
  {
    MutexLock lock(mu_);
    if (seq > durable_.load(std::memory_order_relaxed)) {
      if (failed_.ok()) {
        waiters_.push_back({seq, std::move(done)});
        wanted_ = std::max(wanted_, seq);
        Kick();
        return;
      }
      answer = failed_;
    }
  }
  runtime_.log_executor().Post(
      [answer = std::move(answer), done = std::move(done)]() mutable {
        done(std::move(answer));
      });
}

void WalWriter::Kick() {
  if (io_running_ || rewriting_ || !failed_.ok()) return;
  if (wanted_ <= durable_.load(std::memory_order_relaxed)) return;
  io_running_ = true;
  io_.Post([this] { RunIo(); });
}

void WalWriter::RunIo() {
  std::vector<ClosedGroup> groups;
  {
    MutexLock lock(mu_);
    if (group_ && wanted_ >= group_->seq) CloseGroup();
    groups.assign(std::make_move_iterator(closed_.begin()),
                  std::make_move_iterator(closed_.end()));
    closed_.clear();
    if (groups.empty()) {
      io_running_ = false;
      return;
    }
  }
  Status written = WriteGroups(groups);
  if (written.ok()) return Succeeded(groups);
  Failed(std::move(groups), std::move(written));
}

Status WalWriter::WriteHeader(WalFile& file) {
  const std::string block =
      EncodeWalFileHeader({.log_id = log_id_,
                           .life = file.life,
                           .first_group_seq = file.first_seq,
                           .file_bytes = file.file_bytes});
  STRATA_RETURN_IF_ERROR(file.file->Write(0, AsBytes(block)));
  file.header_written = true;
  return Status::Ok();
}

// A file is synced before anything goes to the next: a group in a later file
// says that all in the earlier ones are durable.
Status WalWriter::WriteGroups(const std::vector<ClosedGroup>& groups) {
  uint64_t bytes = 0;
  uint64_t syncs = 0;
  for (size_t i = 0; i < groups.size();) {
    const ClosedGroup& first = groups[i];
    if (!first.file->header_written) {
      STRATA_RETURN_IF_ERROR(WriteHeader(*first.file));
    }
    // Neighbours in the chunk go in one write.
    size_t length = first.bytes;
    size_t next = i + 1;
    while (next < groups.size() && groups[next].chunk == first.chunk &&
           groups[next].begin == first.begin + length) {
      length += groups[next++].bytes;
    }
    STRATA_RETURN_IF_ERROR(first.file->file->Write(
        first.position, first.chunk->bytes().subspan(first.begin, length)));
    bytes += length;
    if (next == groups.size() || groups[next].file != first.file) {
      STRATA_RETURN_IF_ERROR(first.file->file->Sync());
      ++syncs;
    }
    i = next;
  }
  MutexLock lock(mu_);
  stats_.bytes_written += bytes;
  stats_.syncs += syncs;
  stats_.groups += groups.size();
  return Status::Ok();
}

std::vector<WalWriter::Waiter> WalWriter::TakeWaiters(uint64_t through) {
  const auto later = std::stable_partition(
      waiters_.begin(), waiters_.end(),
      [through](const Waiter& w) { return w.seq <= through; });
  std::vector<Waiter> taken(std::make_move_iterator(waiters_.begin()),
                            std::make_move_iterator(later));
  waiters_.erase(waiters_.begin(), later);
  return taken;
}

void WalWriter::Succeeded(const std::vector<ClosedGroup>& groups) {
  std::vector<Waiter> reached;
  {
    MutexLock lock(mu_);
    durable_.store(groups.back().seq, std::memory_order_release);
    noted_seq_ = std::max(noted_seq_, groups.back().synced_seq);
    reached = TakeWaiters(groups.back().seq);
    io_running_ = false;
    Kick();
    ArmCheckpoint();
  }
  for (Waiter& waiter : reached) waiter.done(Status::Ok());
}

// ---- after an error -------------------------------------------------------

// What failed to be written or synced is not tried again on the same pages:
// the kernel may have dropped them and say Ok the next time. The groups are
// still in memory and go to a new file, which begins with the first of them.
void WalWriter::Failed(std::vector<ClosedGroup> groups, Status error) {
  log_.Error("WAL: {}; moving to a new file", error.ToString());
  Trash trash;
  std::vector<Waiter> unsure;
  {
    MutexLock lock(mu_);
    rewriting_ = true;
    LeaveChunk(trash);
    groups.insert(groups.end(), std::make_move_iterator(closed_.begin()),
                  std::make_move_iterator(closed_.end()));
    closed_.clear();
    unsure = TakeWaiters(groups.back().seq);
  }
  Result<std::vector<std::shared_ptr<WalFile>>> rewritten = Rewrite(groups);
  std::vector<Waiter> lost;
  std::vector<UniqueFunction<void()>> ready;
  {
    MutexLock lock(mu_);
    rewriting_ = false;
    io_running_ = false;
    if (rewritten.ok()) {
      for (const auto& file : in_use_) {
        file->last_seq = std::min(file->last_seq, groups.front().seq - 1);
      }
      in_use_.insert(in_use_.end(), rewritten->begin(), rewritten->end());
      current_ = in_use_.back();
      durable_.store(groups.back().seq, std::memory_order_release);
      Kick();
    } else {
      failed_ =
          Status(StatusCode::kReadOnly,
                 fmt::format("the WAL could not be written: {}; then: "
                             "{}. Reopen the store",
                             error.ToString(), rewritten.status().ToString()));
      lost = TakeWaiters(UINT64_MAX);
    }
    ready.swap(ready_);
  }
  if (!rewritten.ok()) {
    log_.Error("WAL is read-only: {}", rewritten.status().ToString());
  }
  const Status unknown(
      StatusCode::kUnknown,
      fmt::format("the WAL could not be synced: {}", error.ToString()));
  for (Waiter& waiter : unsure) waiter.done(unknown);
  for (Waiter& waiter : lost) waiter.done(unknown);
  for (UniqueFunction<void()>& r : ready) r();
}

namespace {

// The bytes of a group for a file of another life: the checksums of its
// headers are seeded with it.
Status Reseed(std::span<std::byte> bytes, const TopicId& log_id,
              uint64_t old_life, uint64_t life) {
  STRATA_ASSIGN_OR_RETURN(const WalGroupHeader group,
                          DecodeWalGroupHeader(bytes, log_id, old_life));
  for (size_t at = kWalGroupHeaderBytes; at < group.bytes;) {
    STRATA_ASSIGN_OR_RETURN(const DecodedFrame frame,
                            DecodeFrame(ByteSpan(bytes).subspan(at), old_life));
    EncodeFrameHeader(frame.header, life,
                      bytes.subspan(at).first<kFrameHeaderBytes>(),
                      frame.tagged);
    at += frame.frame_bytes;
  }
  EncodeWalGroupHeader(group, log_id, life,
                       bytes.first<kWalGroupHeaderBytes>());
  return Status::Ok();
}

}  // namespace

Result<std::vector<std::shared_ptr<WalFile>>> WalWriter::Rewrite(
    const std::vector<ClosedGroup>& groups) {
  std::vector<std::shared_ptr<WalFile>> made;
  std::vector<std::byte> scratch;
  for (const ClosedGroup& group : groups) {
    if (made.empty() || made.back()->end + group.bytes > options_.file_bytes) {
      if (!made.empty()) STRATA_RETURN_IF_ERROR(made.back()->file->Sync());
      uint64_t life;
      {
        MutexLock lock(mu_);
        life = next_life_++;
      }
      STRATA_ASSIGN_OR_RETURN(
          std::shared_ptr<WalFile> file,
          PrepareWalFile(files_, life, options_.file_bytes, std::nullopt));
      file->first_seq = group.seq;
      STRATA_RETURN_IF_ERROR(WriteHeader(*file));
      made.push_back(std::move(file));
    }
    WalFile& file = *made.back();
    const auto bytes = group.chunk->bytes().subspan(group.begin, group.bytes);
    scratch.assign(bytes.begin(), bytes.end());
    STRATA_RETURN_IF_ERROR(
        Reseed(scratch, log_id_, group.file->life, file.life));
    STRATA_RETURN_IF_ERROR(file.file->Write(file.end, scratch));
    file.end += group.bytes;
    file.last_seq = group.seq;
    file.chunks.push_back(group.chunk);
  }
  STRATA_RETURN_IF_ERROR(made.back()->file->Sync());
  return made;
}

// ---- checkpoints ----------------------------------------------------------

// Recovery takes what lies above the greatest synced_seq on disk for a torn
// tail if it is bad. So the last acknowledged group is noted by one behind it.
void WalWriter::ArmCheckpoint() {
  if (checkpoint_armed_ || closing_ || last_batch_seq_ <= noted_seq_) return;
  checkpoint_armed_ = true;
  runtime_.log_executor().PostAfter(options_.checkpoint_interval,
                                    [this] { OnCheckpoint(); });
}

void WalWriter::OnCheckpoint() {
  Trash trash;
  MutexLock lock(mu_);
  checkpoint_armed_ = false;
  if (closing_ || !failed_.ok()) return;
  if (!rewriting_ && !io_running_ && !group_ && last_batch_seq_ > noted_seq_) {
    OpenEmptyGroup(trash);
  }
  if (group_) wanted_ = std::max(wanted_, group_->seq);
  Kick();
  ArmCheckpoint();
}

void WalWriter::OpenEmptyGroup(Trash& trash) {
  // Without room the next checkpoint tries again.
  if (MakeRoom(0, trash).ok()) OpenGroupHere();
}

void WalWriter::Close(StatusDone done) {
  uint64_t last;
  {
    MutexLock lock(mu_);
    closing_ = true;
    last = next_seq_ - 1;
  }
  WhenDurable(last, std::move(done));
}

// ---- files ----------------------------------------------------------------

void WalWriter::KickPrepare() {
  if (preparing_ || spare_ != nullptr || closing_) return;
  preparing_ = true;
  prepare_.Post([this] { PrepareSpare(); });
}

void WalWriter::PrepareSpare() {
  uint64_t life;
  std::optional<uint64_t> recycled;
  {
    MutexLock lock(mu_);
    life = next_life_++;
    if (!recyclable_.empty()) {
      recycled = recyclable_.back();
      recyclable_.pop_back();
    }
  }
  Result<std::shared_ptr<WalFile>> file =
      PrepareWalFile(files_, life, options_.file_bytes, recycled);
  if (!file.ok()) {
    log_.Warning("WAL: no file could be prepared: {}",
                 file.status().ToString());
    runtime_.log_executor().PostAfter(kPrepareRetry, [this] {
      MutexLock lock(mu_);
      KickPrepare();
    });
  }
  std::vector<UniqueFunction<void()>> ready;
  {
    MutexLock lock(mu_);
    preparing_ = false;
    prepare_error_ = file.status();
    if (file.ok()) spare_ = *std::move(file);
    ready.swap(ready_);
  }
  for (UniqueFunction<void()>& r : ready) r();
}

void WalWriter::WhenWritable(UniqueFunction<void()> ready) {
  MutexLock lock(mu_);
  ready_.push_back(std::move(ready));
}

void WalWriter::NotifyRoom() {
  std::vector<UniqueFunction<void()>> ready;
  {
    MutexLock lock(mu_);
    ready.swap(ready_);
  }
  for (UniqueFunction<void()>& r : ready) r();
}

std::optional<WalReleasable> WalWriter::Releasable() const {
  MutexLock lock(mu_);
  std::optional<WalReleasable> releasable;
  for (size_t i = 0; i < in_use_.size(); ++i) {
    const WalFile& file = *in_use_[i];
    if (in_use_[i] == current_ || !file.LetGo()) break;
    releasable = WalReleasable{
        .file = file.life,
        .needed_from_seq =
            i + 1 < in_use_.size() ? in_use_[i + 1]->first_seq : next_seq_};
  }
  return releasable;
}

void WalWriter::Release(uint64_t through) {
  std::vector<std::shared_ptr<WalFile>> released;
  std::vector<uint64_t> surplus;
  {
    MutexLock lock(mu_);
    while (!in_use_.empty() && in_use_.front() != current_ &&
           in_use_.front()->life <= through) {
      released.push_back(std::move(in_use_.front()));
      in_use_.pop_front();
      const WalFile& file = *released.back();
      if (file.file_bytes == options_.file_bytes &&
          recyclable_.size() < kMaxRecyclable) {
        recyclable_.push_back(file.life);
      } else {
        surplus.push_back(file.life);
      }
    }
    KickPrepare();
  }
  if (!surplus.empty()) {
    prepare_.Post([this, surplus = std::move(surplus)] {
      for (const uint64_t life : surplus) {
        const Status removed = files_.Remove(WalFilePath(life));
        if (!removed.ok()) log_.Warning("WAL: {}", removed.ToString());
      }
    });
  }
  NotifyRoom();
}

std::optional<uint64_t> WalWriter::OldestFileLastSeq() const {
  MutexLock lock(mu_);
  if (in_use_.empty() || in_use_.front() == current_) return std::nullopt;
  return in_use_.front()->last_seq;
}

WalStats WalWriter::Stats() const {
  MutexLock lock(mu_);
  WalStats stats = stats_;
  stats.files = in_use_.size();
  stats.bytes_in_use = in_use_.size() * options_.file_bytes;
  return stats;
}

}  // namespace strata
