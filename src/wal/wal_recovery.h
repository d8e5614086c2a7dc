// WAL recovery: reads the log at open and tells a torn tail, which is cut,
// from damage to bytes that were acknowledged, which is reported.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/chunk.h"
#include "format/frame.h"
#include "io/file_system.h"
#include "strata/status.h"

namespace strata {

struct WalOptions {
  uint64_t file_bytes = 64 << 20;
  // Of all files in use; the log takes no more appends at it.
  uint64_t max_bytes = 1 << 30;
  // Of memory and of writes; a larger append gets a chunk of its own.
  uint64_t chunk_bytes = 1 << 20;
  std::chrono::milliseconds checkpoint_interval = std::chrono::seconds(1);
  // Asked before a file is made out of free disk space; null: it may be.
  // Thread-safe.
  std::function<bool()> may_grow{};
};

// WAL files lie here, in the store's directory.
inline constexpr std::string_view kWalDirectory = "wal";
std::string WalFilePath(uint64_t life);

// What to do with the log beside reading it.
enum class WalAccess {
  kRecover,     // to go on writing: what is delivered is synced, the tail cut
  kView,        // change nothing; deliver what kRecover would
  kViewSynced,  // change nothing, somebody writes: deliver what is synced
};

// What the manifest knows of the log.
struct WalExpectations {
  // Groups below it were flushed; they may be gone.
  uint64_t needed_from_seq = 0;
  // Groups up to it were durable when the manifest was written.
  uint64_t synced_seq = 0;
  // The store's id. Files of another log are refused.
  TopicId log_id;
  WalAccess access = WalAccess::kRecover;
};

// A frame as it lies in the log.
struct RecoveredFrame {
  FrameHeader header;
  ByteSpan payload;              // within `chunk`
  std::shared_ptr<Chunk> chunk;  // keeps memory and WAL space while held
  uint64_t seq = 0;              // of its group
  uint64_t file = 0;
  uint64_t position = 0;  // in the file
  // The header is good, the payload is not.
  bool payload_damaged = false;

  // "wal/00000000000000000007.wal at 4160".
  std::string where() const;
};

// Acknowledged bytes that are damaged.
struct WalDamage {
  uint64_t file = 0;
  uint64_t position = 0;  // in the file
  uint64_t length = 0;    // 0: not known
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;  // inclusive
  std::string detail;     // file, position, expected, found
  // Batches are lost and nobody can tell which. False when none is, or when
  // its frame follows with payload_damaged.
  bool unidentified = true;
};

// Called in log order.
class WalVisitor {
 public:
  virtual ~WalVisitor() = default;
  virtual void OnFrame(RecoveredFrame frame) = 0;
  virtual void OnDamage(const WalDamage& damage) = 0;
};

// A file that still belongs to the log.
struct WalFileInUse {
  uint64_t life = 0;
  uint64_t file_bytes = 0;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  // The file is needed while one of them is held.
  std::vector<std::weak_ptr<Chunk>> chunks;
};

// Where the writer goes on.
struct WalRecovered {
  TopicId log_id;
  uint64_t last_seq = 0;            // groups up to it are durable or lost
  uint64_t last_life = 0;           // the greatest number in use
  std::vector<WalFileInUse> files;  // ascending
  std::vector<uint64_t> spares;     // files of the right size without content
  uint64_t torn_bytes = 0;          // behind the last sync, cut
};

// Reads the whole log. With kRecover, what it delivers is synced when it
// returns, so that it cannot vanish later. With the others, what a writer has
// recycled meanwhile is told as damage: look whether the manifest still needs
// the log from the same group on, and start over if not. Chunks are taken with
// Limit::kIgnore. kInvalidArgument for the file of another log, kUnsupported
// for a newer format, kIoError when a file cannot be read.
Result<WalRecovered> RecoverWal(FileSystem& files, ChunkSource& chunks,
                                const WalOptions& options,
                                const WalExpectations& expectations,
                                WalVisitor& visitor);

}  // namespace strata
