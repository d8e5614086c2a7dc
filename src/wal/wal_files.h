// A file of the log, the groups in it, and making files ready for use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/chunk.h"
#include "io/file_system.h"

namespace strata {

// Fields are guarded by the writer's lock, but for those of the strand.
struct WalFile {
  uint64_t life = 0;
  uint64_t file_bytes = 0;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  uint64_t end = 0;  // position behind what is laid out
  // Something in it could not be written or synced.
  bool failed = false;
  std::vector<std::weak_ptr<Chunk>> chunks;

  // Touched only on the writer's strand.
  std::unique_ptr<File> file;  // null for files taken over at open
  bool header_written = false;

  // Nobody needs what lies in it.
  bool LetGo() const;
};

// A closed group. Its bytes in the chunk are what is written to the file.
struct WalGroup {
  uint64_t seq = 0;
  uint64_t synced_seq = 0;  // as its header says
  std::shared_ptr<WalFile> file;
  std::shared_ptr<Chunk> chunk;
  uint64_t position = 0;  // in the file
  size_t begin = 0;       // in the chunk
  size_t bytes = 0;       // with padding
};

// A file under the name of `life` whose blocks all exist, so that writing to
// it changes no metadata: `recycled`, which has the right size, under a new
// name, or a new one. Durable, its directory included. Blocking.
Result<std::shared_ptr<WalFile>> PrepareWalFile(
    FileSystem& files, uint64_t life, uint64_t file_bytes,
    std::optional<uint64_t> recycled);

}  // namespace strata
