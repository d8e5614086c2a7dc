// Files of the log: making them ready for use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/chunk.h"
#include "io/file_system.h"

namespace strata {

// A file of the log. Fields are guarded by the writer's lock, but for `file`.
struct WalFile {
  uint64_t life = 0;
  uint64_t file_bytes = 0;
  std::unique_ptr<File> file;  // null for files taken over at open
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  uint64_t end = 0;  // position behind the last chunk handed out
  bool header_written = false;
  std::vector<std::weak_ptr<Chunk>> chunks;

  // Nobody needs what lies in it.
  bool LetGo() const;
};

// A file under the name of `life` whose blocks all exist, so that writing to
// it changes no metadata: `recycled`, which has the right size, under a new
// name, or a new one. Durable, its directory included. Blocking.
Result<std::shared_ptr<WalFile>> PrepareWalFile(
    FileSystem& files, uint64_t life, uint64_t file_bytes,
    std::optional<uint64_t> recycled);

}  // namespace strata
