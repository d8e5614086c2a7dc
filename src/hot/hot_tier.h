// HotTier: the memory of the hot tier and who may hold how much of it.
//
// Memory is counted in whole chunks, each in exactly one of three accounts:
//   unflushed  a std::shared_ptr<Chunk> holds it: its batches exist nowhere
//              else in memory and are never dropped;
//   cached     not unflushed, and a HotCopy holds it: may be evicted;
//   pinned     neither, but a BatchView holds it.
// When the last holder of one kind goes, the memory moves on to the next
// account, at the end back to a pool. unflushed + cached <= total_bytes, unless
// unflushed memory alone is more (Limit::kIgnore, or one huge chunk): new
// chunks push out the least recently used copies, and copies never push out
// unflushed memory. Of all three accounts only cached memory may be dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/chunk.h"
#include "base/unique_function.h"
#include "strata/batch_view.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

struct HotLimits {
  uint64_t total_bytes = 0;      // unflushed + cached
  uint64_t unflushed_bytes = 0;  // of these; at most total_bytes
  // Pinned: when full, reads are copied into this account instead of pinning;
  // at twice the limit they fail.
  uint64_t pinned_bytes = 0;
  // Of a usual chunk; a larger request gets a chunk of its own size.
  uint64_t chunk_bytes = 1ull << 20;
};

// A batch in memory.
struct HotBatch {
  BatchView::Facts facts{};  // the tier is set by the hot tier
  ByteSpan payload{};
  uint32_t payload_crc32c = 0;
};

struct HotStats {
  uint64_t unflushed_bytes = 0;
  uint64_t cached_bytes = 0;
  uint64_t pinned_bytes = 0;
  uint64_t pool_bytes = 0;      // free, kept for reuse, within total_bytes
  uint64_t copies = 0;          // HotCopies held
  uint64_t evictions = 0;       // for want of room
  uint64_t copied_batches = 0;  // served as copies for want of pins
  // Moves in the list of copies: one for each use and each drop.
  uint64_t list_steps = 0;
};

namespace hot {
class Accounts;
}  // namespace hot

// The hot copy of a sealed segment. Thread-safe; only HotTier looks inside.
// Destroying it drops the copy, evicting it leaves an empty shell.
class HotCopy;

// Thread-safe. Chunks, copies and views may outlive it.
class HotTier : public ChunkSource {
 public:
  explicit HotTier(HotLimits limits);
  ~HotTier() override;

  // A chunk of at least `size_bytes`, in the unflushed account. With kHonour,
  // kOverloaded when the account would exceed its limit, unless it is empty:
  // then a chunk of any size is admitted. Evicts copies to make room.
  Result<std::shared_ptr<Chunk>> Take(size_t size_bytes, Limit limit) override;

  // Calls `callback` whenever unflushed memory became less: from any thread,
  // several at once, outside locks. Set once, before the first Take.
  void OnRoom(UniqueFunction<void()> callback);

  // A view of `batch`, which lies in `chunk`, a chunk of this tier. kOverloaded
  // when views hold too much: release some.
  Result<BatchView> View(const HotBatch& batch,
                         const std::shared_ptr<Chunk>& chunk);

  // The hot copy of a flushed segment: its batches, ascending, where they are.
  // `chunks` are those that they lie in, each once.
  std::shared_ptr<HotCopy> CacheFlushed(
      std::vector<HotBatch> batches,
      const std::vector<std::shared_ptr<Chunk>>& chunks);

  // The hot copy of a segment read from a colder tier: copies the payloads
  // into memory of its own and verifies their checksums. Evicts older copies
  // for it. kOverloaded, with nothing evicted, when it cannot fit beside the
  // unflushed memory; kDataLoss for a wrong checksum.
  Result<std::shared_ptr<HotCopy>> CachePromoted(std::vector<HotBatch> batches);

  struct ReadRange {
    Offset start;  // batches that end above it
    Offset end;    // and end at or below it
    uint64_t max_bytes = 0;
    // The first batch is returned whatever its size.
    bool at_least_one = true;
  };
  // Views from a copy, ascending, while their sum stays within max_bytes, and
  // marks it as used. nullopt when it was evicted: read from another tier.
  // kOverloaded when views hold too much and not even one could be copied.
  std::optional<Result<std::vector<BatchView>>> Read(HotCopy& copy,
                                                     ReadRange range);

  // Drops the copy now, for demotion and deletion. Views stay valid.
  void Evict(HotCopy& copy);

  // False once the copy was evicted.
  bool Holds(const HotCopy& copy) const;

  HotStats stats() const;
  const HotLimits& limits() const { return limits_; }

 private:
  const HotLimits limits_;
  const std::shared_ptr<hot::Accounts> accounts_;
};

}  // namespace strata
