// ImageBytes: ranges of an image, put together from its chunks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "cold/chunk_store.h"

namespace strata {

// One reader's look at one image. Owned by one task at a time.
class ImageBytes {
 public:
  // More than any batch or index takes; what a damaged or hostile image asks
  // for beyond it is refused by the callers.
  static constexpr uint64_t kMaxGatherBytes = uint64_t{5} << 30;

  struct Piece {
    ByteSpan bytes;
    std::shared_ptr<const internal::ViewOwner> owner;
  };

  ImageBytes(std::shared_ptr<ChunkStore> chunks, ColdAddress image)
      : chunks_(std::move(chunks)), image_(std::move(image)) {}

  const ColdAddress& image() const { return image_; }

  // The bytes [begin, end) of the image, begin < end, at most
  // kMaxGatherBytes: in place when one chunk
  // holds them all, else in a buffer of their own. nullopt when missing() is
  // not in memory: Provide it, then ask the same again.
  std::optional<Piece> Gather(uint64_t begin, uint64_t end);
  const ChunkKey& missing() const { return missing_; }
  void Provide(ChunkStore::ChunkPtr chunk) { current_ = std::move(chunk); }

  // Chunks looked at so far.
  uint64_t chunks_used() const { return chunks_used_; }
  // The chunk behind the one looked at last, if it begins below `end`.
  std::optional<ChunkKey> NextChunk(uint64_t end) const;
  // What was gathered last is damaged: its chunks are fetched again next time.
  void ForgetGathered();

 private:
  // The chunk `number`, or null.
  const ColdBuffer* ChunkAt(uint64_t number);

  const std::shared_ptr<ChunkStore> chunks_;
  const ColdAddress image_;
  ChunkStore::ChunkPtr current_;
  uint64_t current_number_ = UINT64_MAX;  // what current_ is or is to be
  ChunkKey missing_;
  uint64_t chunks_used_ = 0;

  // The range asked for, and how far `assembled_` is filled.
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
  uint64_t filled_ = 0;
  std::shared_ptr<ColdBuffer> assembled_;
};

}  // namespace strata
