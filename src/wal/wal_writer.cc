#include "wal/wal_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/wal_format.h"
#include "wal/wal_rewrite.h"

namespace strata {
namespace {

// Header block and one group.
constexpr uint64_t kMinFileBytes = 2 * kWalBlockBytes;
constexpr uint64_t kMaxFileBytes = uint64_t{4} << 30;

Status CheckOptions(const WalOptions& options) {
  if (options.file_bytes < kMinFileBytes ||
      options.file_bytes > kMaxFileBytes ||
      options.file_bytes % kWalBlockBytes != 0 || options.chunk_bytes == 0 ||
      options.chunk_bytes % kWalBlockBytes != 0) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("WAL files of {} bytes, chunks of {}: expected "
                              "multiples of {}, files from {} to {} bytes",
                              options.file_bytes, options.chunk_bytes,
                              kWalBlockBytes, kMinFileBytes, kMaxFileBytes));
  }
  return Status::Ok();
}

// Where the next frame, likely one of this size, will lie: taking the lock
// waits for what was stored before, and that for memory. The hardware foresees
// more than a few KiB by itself.
void PrefetchForWriting(std::span<const std::byte> bytes) {
  constexpr size_t kLineBytes = 64;
  constexpr size_t kMost = 4096;
  for (size_t i = 0; i < std::min(bytes.size(), kMost); i += kLineBytes) {
    __builtin_prefetch(bytes.data() + i, 1);
  }
}

}  // namespace

WalWriter::WalWriter(FileSystem& files, Runtime& runtime, Logger log,
                     ChunkSource& chunks, WalOptions options,
                     WalRecovered recovered)
    : runtime_(runtime),
      log_(std::move(log)),
      chunks_(chunks),
      options_(options),
      log_id_(recovered.log_id),
      io_(runtime.log_executor()),
      spares_(files, runtime, log_,
              {.file_bytes = options.file_bytes,
               .may_grow = options.may_grow,
               .last_life = recovered.last_life,
               .recyclable = std::move(recovered.spares)},
              [this] { NotifyRoom(); }),
      durable_(recovered.last_seq),
      next_seq_(recovered.last_seq + 1) {
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
  STRATA_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<WalWriter> writer(new WalWriter(
      files, runtime, std::move(log), chunks, options, std::move(recovered)));
  writer->spares_.PrepareNow();
  return writer;
}

std::unique_ptr<WalWriter> WalWriter::View(FileSystem& files, Runtime& runtime,
                                           Logger log, ChunkSource& chunks,
                                           WalOptions options,
                                           WalRecovered recovered) {
  std::unique_ptr<WalWriter> writer(new WalWriter(
      files, runtime, std::move(log), chunks, options, std::move(recovered)));
  MutexLock lock(writer->mu_);
  writer->failed_ = Status(StatusCode::kReadOnly, "opened to read only");
  return writer;
}

// ---- appending ------------------------------------------------------------

Status WalWriter::Append(std::span<WalFrame> frames,
                         std::span<WalPlace> places) {
  STRATA_CHECK(!frames.empty() && frames.size() == places.size());
  uint64_t bytes = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    FrameHeader& header = frames[i].header;
    header.payload_bytes = static_cast<uint32_t>(frames[i].payload.size());
    // Not under the lock, and not of the copy: reading what was just written
    // waits for memory.
    header.payload_crc32c = Crc32c(frames[i].payload);
    header.tagged_bytes = 0;
    header.flags &= static_cast<uint16_t>(~kFrameContinues);
    if (i + 1 < frames.size()) header.flags |= kFrameContinues;
    bytes += FrameBytes(header.payload_bytes);
  }
  Trash trash;
  MutexLock lock(mu_);
  const Status room = MakeRoom(bytes, trash);
  if (!room.ok()) {
    may_retry_ = false;
    return room;
  }
  if (!group_) OpenGroupHere();
  for (size_t i = 0; i < frames.size(); ++i) AddFrame(frames[i], places[i]);
  last_batch_seq_ = group_->seq;
  ArmCheckpoint();
  return Status::Ok();
}

// The header is encoded beside the chunk, whose bytes are only written:
// reading back what was just stored into cold memory waits until it is here.
void WalWriter::AddFrame(const WalFrame& frame, WalPlace& place) {
  std::array<std::byte, kFrameHeaderBytes> header;
  EncodeFrameHeader(frame.header, current_->life, header);
  std::byte* const at = chunk_->bytes().data() + chunk_used_;
  std::memcpy(at, header.data(), header.size());
  const std::span<std::byte> stored(at + kFrameHeaderBytes,
                                    frame.payload.size());
  if (!stored.empty()) {
    std::memcpy(stored.data(), frame.payload.data(), stored.size());
  }
  const size_t frame_bytes = FrameBytes(stored.size());
  const size_t filled = kFrameHeaderBytes + stored.size();
  std::memset(at + filled, 0, frame_bytes - filled);
  chunk_used_ += frame_bytes;
  PrefetchForWriting(
      chunk_->bytes()
          .subspan(chunk_used_)
          .first(std::min(frame_bytes, chunk_bytes_ - chunk_used_)));
  ++group_->frames;
  place = {.chunk = chunk_, .payload = stored, .end_seq = group_->seq};
}

// Makes sure that `frame_bytes` fit behind chunk_used_, and a group header in
// front of them if none is open.
Status WalWriter::MakeRoom(uint64_t frame_bytes, Trash& trash) {
  if (!failed_.ok()) return failed_;
  if (closing_) return Status(StatusCode::kClosed, "the WAL is closed");
  if (rewriting_) {
    return Status(StatusCode::kOverloaded,
                  "the WAL moves to a new file after an error");
  }
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
  return NextChunk(needed, trash);
}

Status WalWriter::NextChunk(uint64_t needed, Trash& trash) {
  // Also when there is no other one: its memory may be what is missing.
  LeaveChunk(trash);
  if (current_ == nullptr || current_->end + needed > options_.file_bytes) {
    STRATA_RETURN_IF_ERROR(NextFile());
  }
  const uint64_t size = std::min(std::max(options_.chunk_bytes, needed),
                                 options_.file_bytes - current_->end);
  STRATA_ASSIGN_OR_RETURN(chunk_,
                          chunks_.Take(size, ChunkSource::Limit::kHonour));
  chunk_position_ = current_->end;
  chunk_bytes_ = size;
  chunk_used_ = 0;
  current_->chunks.push_back(chunk_);
  return Status::Ok();
}

Status WalWriter::NextFile() {
  if ((in_use_.size() + 1) * options_.file_bytes > options_.max_bytes) {
    return Status(
        StatusCode::kOverloaded,
        fmt::format("{} WAL files of {} bytes are in use, at most {} "
                    "bytes may be",
                    in_use_.size(), options_.file_bytes, options_.max_bytes));
  }
  STRATA_ASSIGN_OR_RETURN(current_, spares_.Take());
  current_->first_seq = next_seq_;
  in_use_.push_back(current_);
  return Status::Ok();
}

void WalWriter::OpenGroupHere() {
  group_ = OpenGroup{.seq = next_seq_++, .begin = chunk_used_, .frames = 0};
  chunk_used_ += kWalGroupHeaderBytes;
}

void WalWriter::CloseGroup() {
  if (!group_) return;
  const uint64_t synced = durable_.load(std::memory_order_relaxed);
  std::byte* const base = chunk_->bytes().data();
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
    Kick();
  }
  current_->end = chunk_position_ + chunk_used_;
  trash = std::exchange(chunk_, nullptr);
}

// ---- durability -----------------------------------------------------------

void WalWriter::WhenDurable(uint64_t seq, StatusDone done) {
  Status answer;
  {
    MutexLock lock(mu_);
    STRATA_CHECK(seq < next_seq_);
    if (seq > durable_.load(std::memory_order_relaxed)) {
      if (failed_.ok()) {
        waiters_.push_back({seq, std::move(done)});
        wanted_ = std::max(wanted_, seq);
        Kick();
        return;
      }
      answer = Status(StatusCode::kUnknown, failed_.message());
    }
  }
  runtime_.log_executor().Post(
      [answer = std::move(answer), done = std::move(done)]() mutable {
        done(std::move(answer));
      });
}

void WalWriter::Sync(StatusDone done) {
  uint64_t last;
  {
    MutexLock lock(mu_);
    last = next_seq_ - 1;
  }
  WhenDurable(last, std::move(done));
}

void WalWriter::Kick() {
  if (io_running_ || rewriting_ || !failed_.ok()) return;
  if (wanted_ <= durable_.load(std::memory_order_relaxed)) return;
  io_running_ = true;
  io_.Post([this] { RunIo(); });
}

// Appends that came while a sync was running go into the next one together.
void WalWriter::RunIo() {
  std::vector<WalGroup> groups;
  {
    MutexLock lock(mu_);
    if (group_ && wanted_ >= group_->seq) CloseGroup();
    groups = TakeGroups();
  }
  const Status written = WriteGroups(groups);
  if (written.ok()) {
    Succeeded(groups);
  } else {
    Failed(std::move(groups), written);
  }
}

// Those of one file: it is synced before anything goes to the next, whose
// header says that all groups of older files are durable.
std::vector<WalGroup> WalWriter::TakeGroups() {
  std::vector<WalGroup> groups;
  while (!closed_.empty() &&
         (groups.empty() || closed_.front().file == groups.front().file)) {
    groups.push_back(std::move(closed_.front()));
    closed_.pop_front();
  }
  return groups;
}

Status WalWriter::WriteGroups(const std::vector<WalGroup>& groups) {
  STRATA_CHECK(!groups.empty());
  WalFile& file = *groups.front().file;
  if (!file.header_written) {
    STRATA_RETURN_IF_ERROR(WriteWalHeader(file, log_id_));
  }
  uint64_t bytes = 0;
  for (size_t i = 0; i < groups.size();) {
    // Neighbours in the chunk go in one write.
    const WalGroup& first = groups[i];
    size_t length = 0;
    for (; i < groups.size() && groups[i].chunk == first.chunk &&
           groups[i].begin == first.begin + length;
         ++i) {
      length += groups[i].bytes;
    }
    STRATA_RETURN_IF_ERROR(file.file->Write(
        first.position, first.chunk->bytes().subspan(first.begin, length)));
    bytes += length;
  }
  const MonotonicTime started = runtime_.clock().Now();
  STRATA_RETURN_IF_ERROR(file.file->Sync());
  sync_latency_.Record(runtime_.clock().Now() - started);
  MutexLock lock(mu_);
  stats_.bytes_written += bytes;
  ++stats_.syncs;
  stats_.groups += groups.size();
  return Status::Ok();
}

std::vector<WalWriter::Waiter> WalWriter::TakeWaiters(uint64_t through) {
  std::vector<Waiter> taken;
  std::vector<Waiter> rest;
  for (Waiter& waiter : waiters_) {
    (waiter.seq <= through ? taken : rest).push_back(std::move(waiter));
  }
  waiters_ = std::move(rest);
  return taken;
}

void WalWriter::Succeeded(const std::vector<WalGroup>& groups) {
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

// Files that were laid out behind the one that failed. Their groups go
// elsewhere, nothing was written to them.
std::vector<uint64_t> WalWriter::DropUnwritten() {
  std::vector<uint64_t> dropped;
  while (!in_use_.empty() && in_use_.back()->file != nullptr &&
         !in_use_.back()->failed && !in_use_.back()->header_written) {
    dropped.push_back(in_use_.back()->life);
    in_use_.pop_back();
  }
  return dropped;
}

void WalWriter::Failed(std::vector<WalGroup> groups, const Status& error) {
  log_.Error("WAL: {}; moving to a new file", error.ToString());
  const Status unknown(
      StatusCode::kUnknown,
      fmt::format("the WAL could not be written: {}", error.ToString()));
  Trash trash;
  std::vector<Waiter> unsure;
  std::vector<uint64_t> unwritten;
  {
    MutexLock lock(mu_);
    rewriting_ = true;
    LeaveChunk(trash);
    groups.insert(groups.end(), std::make_move_iterator(closed_.begin()),
                  std::make_move_iterator(closed_.end()));
    closed_.clear();
    unsure = TakeWaiters(groups.back().seq);
    groups.front().file->failed = true;
    groups.front().file->last_seq = groups.front().seq - 1;
    unwritten = DropUnwritten();
  }
  for (Waiter& waiter : unsure) waiter.done(unknown);
  spares_.Recycle(std::move(unwritten));

  const Result<std::vector<std::shared_ptr<WalFile>>> rewritten =
      RewriteWalGroups(groups, log_id_, spares_);
  std::vector<Waiter> waiters;  // those that came meanwhile
  {
    MutexLock lock(mu_);
    rewriting_ = false;
    io_running_ = false;
    if (rewritten.ok()) {
      in_use_.insert(in_use_.end(), rewritten->begin(), rewritten->end());
      current_ = in_use_.back();
      durable_.store(groups.back().seq, std::memory_order_release);
      waiters = TakeWaiters(groups.back().seq);
      ArmCheckpoint();
    } else {
      failed_ =
          Status(StatusCode::kReadOnly,
                 fmt::format("the WAL could not be written: {}; then: "
                             "{}. Reopen the store",
                             error.ToString(), rewritten.status().ToString()));
      waiters = TakeWaiters(UINT64_MAX);
    }
  }
  if (!rewritten.ok()) {
    log_.Error("WAL is read-only: {}", rewritten.status().ToString());
  }
  for (Waiter& waiter : waiters) {
    waiter.done(rewritten.ok() ? Status::Ok() : unknown);
  }
  NotifyRoom();
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
  if (!io_running_ && !group_ && last_batch_seq_ > noted_seq_) {
    // Without room the next checkpoint tries again.
    if (MakeRoom(0, trash).ok()) OpenGroupHere();
  }
  if (group_) wanted_ = std::max(wanted_, group_->seq);
  Kick();
  ArmCheckpoint();
}

void WalWriter::Close(StatusDone done) {
  {
    MutexLock lock(mu_);
    closing_ = true;
  }
  spares_.Stop();
  Sync(std::move(done));
}

// ---- room -----------------------------------------------------------------

void WalWriter::WhenWritable(UniqueFunction<void()> ready) {
  {
    MutexLock lock(mu_);
    // Once: who was refused for a reason of his own must not spin.
    if (!std::exchange(may_retry_, false)) {
      ready_.push_back(std::move(ready));
      return;
    }
  }
  runtime_.log_executor().Post(std::move(ready));
}

void WalWriter::NotifyRoom() {
  std::vector<UniqueFunction<void()>> ready;
  {
    MutexLock lock(mu_);
    may_retry_ = true;
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
  std::vector<std::shared_ptr<WalFile>> released;  // closed without the lock
  std::vector<uint64_t> recyclable;
  std::vector<uint64_t> rest;
  {
    MutexLock lock(mu_);
    while (!in_use_.empty() && in_use_.front() != current_ &&
           in_use_.front()->life <= through) {
      released.push_back(std::move(in_use_.front()));
      in_use_.pop_front();
      const WalFile& file = *released.back();
      const bool good = file.file_bytes == options_.file_bytes && !file.failed;
      (good ? recyclable : rest).push_back(file.life);
    }
  }
  if (released.empty()) return;
  spares_.Recycle(std::move(recyclable));
  if (!rest.empty()) spares_.Remove(std::move(rest));
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
  for (const auto& file : in_use_) stats.bytes_in_use += file->file_bytes;
  return stats;
}

}  // namespace strata
