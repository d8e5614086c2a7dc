// Chunk: a piece of memory that is written to the WAL and read by readers, and
// ChunkSource: who hands them out. The WAL fills chunks, the hot tier owns
// their memory and counts it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "strata/status.h"

namespace strata {

// Memory aligned to 4 KiB. A std::shared_ptr<Chunk> holds it in the account of
// *unflushed* memory: the batches in it exist nowhere else. When the last one
// goes, the WAL space of the chunk may be released. Bytes once written by the
// WAL are not changed while anybody can see them. Thread-compatible.
class Chunk {
 public:
  virtual ~Chunk() = default;
  virtual std::span<std::byte> bytes() = 0;
};

// Thread-safe.
class ChunkSource {
 public:
  enum class Limit {
    kHonour,  // kOverloaded when the account is full
    kIgnore,  // recovery: what is in the WAL must find room
  };

  virtual ~ChunkSource() = default;
  // A chunk of at least `size_bytes`; its bytes are not cleared.
  virtual Result<std::shared_ptr<Chunk>> Take(size_t size_bytes,
                                              Limit limit) = 0;
};

}  // namespace strata
