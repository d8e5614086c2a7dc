// WalWriter: the log that all partitions share. Batches are framed straight
// into a chunk of hot memory; the chunk's bytes are what is written to the
// file. Whoever waits for durability shares the sync with all others who do
// (group commit).
//
// Files are of fixed size, written once in full before use, and recycled under
// a new name. One spare is kept ready.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/chunk.h"
#include "base/latency_histogram.h"
#include "base/mutex.h"
#include "base/unique_function.h"
#include "format/frame.h"
#include "io/file_system.h"
#include "runtime/log.h"
#include "runtime/runtime.h"
#include "runtime/strand.h"
#include "wal/wal_files.h"
#include "wal/wal_recovery.h"
#include "wal/wal_spares.h"

namespace strata {

// One frame to append. Append sets lengths, checksum, and kFrameContinues.
struct WalFrame {
  FrameHeader header;
  ByteSpan payload;
};

// Where a frame came to lie.
struct WalPlace {
  std::shared_ptr<Chunk> chunk;  // keeps memory and WAL space while held
  ByteSpan payload;              // within the chunk
  uint64_t end_seq = 0;          // durable once durable_seq() reaches it
};

struct WalStats {
  uint64_t files = 0;         // in use
  uint64_t bytes_in_use = 0;  // their size
  uint64_t syncs = 0;
  uint64_t bytes_written = 0;
  uint64_t groups = 0;
};

// What may be released, and from which group on the log is needed then.
struct WalReleasable {
  uint64_t file = 0;
  uint64_t needed_from_seq = 0;
};

// Thread-safe; no call blocks. Destroy after the runtime has stopped.
class WalWriter {
 public:
  using StatusDone = UniqueFunction<void(Status)>;

  // Goes on in a new file behind what was recovered. Blocks while that file is
  // made ready; a full disk does not fail it: what is there can still be read
  // and freed. Everything given outlives the writer. kInvalidArgument for
  // impossible options.
  static Result<std::unique_ptr<WalWriter>> Open(FileSystem& files,
                                                 Runtime& runtime, Logger log,
                                                 ChunkSource& chunks,
                                                 WalOptions options,
                                                 WalRecovered recovered);

  // Holds what was recovered and takes no appends: they get kReadOnly. Touches
  // no file.
  static std::unique_ptr<WalWriter> View(FileSystem& files, Runtime& runtime,
                                         Logger log, ChunkSource& chunks,
                                         WalOptions options,
                                         WalRecovered recovered);

  // Copies the frames one behind the other into one group: all or none, also
  // across a crash. One copy, one checksum, no allocation but for new chunks.
  // A payload that changes during the call is stored with a checksum that does
  // not match.
  // `places` hold no chunk when they come in: it would die under the lock.
  // kInvalidArgument (larger than a file), kOverloaded (WAL at max_bytes, no
  // file prepared, no chunk), kNoSpace (no file could be prepared), kReadOnly
  // (failed for good), kClosed. Nothing was appended then.
  Status Append(std::span<WalFrame> frames, std::span<WalPlace> places);

  // Groups up to it survive loss of power.
  uint64_t durable_seq() const {
    return durable_.load(std::memory_order_acquire);
  }
  // Continues on the log executor once `seq`, of an append, is durable;
  // kUnknown when writing or syncing it failed: it may be found at the next
  // open or not.
  void WhenDurable(uint64_t seq, StatusDone done);
  // The same for everything appended so far.
  void Sync(StatusDone done);

  // Continues, once, when an append that was refused may be tried again.
  void WhenWritable(UniqueFunction<void()> ready);
  // The chunk source has room again.
  void NotifyRoom();

  // The oldest files all of whose chunks are let go, if there are any.
  std::optional<WalReleasable> Releasable() const;
  // Recycles the files up to `file`. The caller has made durable elsewhere
  // that the log is needed only from the next file on.
  void Release(uint64_t file);
  // The last group of the oldest file that is no longer written to.
  std::optional<uint64_t> OldestFileLastSeq() const;

  WalStats Stats() const;
  // Of the files. Valid as long as this.
  const LatencyHistogram& sync_latency() const { return sync_latency_; }

  // Makes everything durable and takes no more. Later calls answer kClosed.
  void Close(StatusDone done);

 private:
  struct OpenGroup {
    uint64_t seq = 0;
    size_t begin = 0;  // in the chunk
    uint32_t frames = 0;
  };
  struct Waiter {
    uint64_t seq = 0;
    StatusDone done;
  };
  // Lets go of what must not die under the lock: chunks report to the hot
  // tier, which may call back.
  using Trash = std::shared_ptr<Chunk>;

  WalWriter(FileSystem& files, Runtime& runtime, Logger log,
            ChunkSource& chunks, WalOptions options, WalRecovered recovered);

  // ---- under the lock
  Status MakeRoom(uint64_t frame_bytes, Trash& trash) STRATA_REQUIRES(mu_);
  Status NextChunk(uint64_t needed, Trash& trash) STRATA_REQUIRES(mu_);
  Status NextFile() STRATA_REQUIRES(mu_);
  void OpenGroupHere() STRATA_REQUIRES(mu_);
  void AddFrame(const WalFrame& frame, WalPlace& place) STRATA_REQUIRES(mu_);
  void CloseGroup() STRATA_REQUIRES(mu_);
  void LeaveChunk(Trash& trash) STRATA_REQUIRES(mu_);
  void Kick() STRATA_REQUIRES(mu_);
  void ArmCheckpoint() STRATA_REQUIRES(mu_);
  std::vector<Waiter> TakeWaiters(uint64_t through) STRATA_REQUIRES(mu_);
  std::vector<uint64_t> DropUnwritten() STRATA_REQUIRES(mu_);

  // ---- on the strand
  void RunIo();
  std::vector<WalGroup> TakeGroups() STRATA_REQUIRES(mu_);
  Status WriteGroups(const std::vector<WalGroup>& groups);
  void Succeeded(const std::vector<WalGroup>& groups);
  void Failed(std::vector<WalGroup> groups, const Status& error);
  void OnCheckpoint();

  Runtime& runtime_;
  const Logger log_;
  ChunkSource& chunks_;
  const WalOptions options_;
  const TopicId log_id_;
  Strand io_;  // writes and syncs
  WalSpares spares_;

  // Stored with release after a sync, loaded with acquire by readers.
  std::atomic<uint64_t> durable_;
  LatencyHistogram sync_latency_;

  mutable Mutex mu_;
  uint64_t next_seq_ STRATA_GUARDED_BY(mu_);
  // In use, ascending; current_, the one that is laid out, is the last.
  std::deque<std::shared_ptr<WalFile>> in_use_ STRATA_GUARDED_BY(mu_);
  std::shared_ptr<WalFile> current_ STRATA_GUARDED_BY(mu_);

  std::shared_ptr<Chunk> chunk_ STRATA_GUARDED_BY(mu_);
  uint64_t chunk_position_ STRATA_GUARDED_BY(mu_) = 0;  // in current_
  size_t chunk_bytes_ STRATA_GUARDED_BY(mu_) = 0;       // of it in the file
  size_t chunk_used_ STRATA_GUARDED_BY(mu_) = 0;
  std::optional<OpenGroup> group_ STRATA_GUARDED_BY(mu_);
  std::deque<WalGroup> closed_ STRATA_GUARDED_BY(mu_);  // to be written

  bool io_running_ STRATA_GUARDED_BY(mu_) = false;
  bool rewriting_ STRATA_GUARDED_BY(mu_) = false;
  uint64_t wanted_ STRATA_GUARDED_BY(mu_) = 0;  // write out up to here
  std::vector<Waiter> waiters_ STRATA_GUARDED_BY(mu_);
  std::vector<UniqueFunction<void()>> ready_ STRATA_GUARDED_BY(mu_);
  // Something changed since an append was refused last.
  bool may_retry_ STRATA_GUARDED_BY(mu_) = false;
  bool checkpoint_armed_ STRATA_GUARDED_BY(mu_) = false;
  // The last group with frames, and the greatest synced_seq on disk.
  uint64_t last_batch_seq_ STRATA_GUARDED_BY(mu_) = 0;
  uint64_t noted_seq_ STRATA_GUARDED_BY(mu_) = 0;
  bool closing_ STRATA_GUARDED_BY(mu_) = false;
  Status failed_ STRATA_GUARDED_BY(mu_);  // kReadOnly with the first error
  WalStats stats_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
