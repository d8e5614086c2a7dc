// ChunkStore: images in the object store, as chunks of a fixed size that are
// fetched by ranged GET, once however many want them, and cached.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tuple>

#include "cold/request_gate.h"
#include "cold/single_flight_cache.h"
#include "format/segment_entry.h"
#include "strata/batch_view.h"
#include "strata/object_store.h"

namespace strata {

// Memory that views point into. Filled once, then immutable.
class ColdBuffer final : public internal::ViewOwner {
 public:
  explicit ColdBuffer(size_t size_bytes)
      : data_(std::make_unique_for_overwrite<std::byte[]>(size_bytes)),
        size_bytes_(size_bytes) {}

  std::span<std::byte> bytes() { return {data_.get(), size_bytes_}; }
  ByteSpan bytes() const { return {data_.get(), size_bytes_}; }
  Status Check(ByteSpan) const override { return Status::Ok(); }

 private:
  const std::unique_ptr<std::byte[]> data_;
  const size_t size_bytes_;
};

// Chunk `number` of the image at `image`: bytes from number * chunk_bytes of
// the image on; the last one is shorter.
struct ChunkKey {
  ColdAddress image;
  uint64_t number = 0;

  friend bool operator<(const ChunkKey& a, const ChunkKey& b) {
    return std::tie(a.image.key, a.image.position, a.number) <
           std::tie(b.image.key, b.image.position, b.number);
  }
};

struct ChunkStoreOptions {
  uint64_t chunk_bytes = 0;
  uint64_t cache_max_bytes = 0;
  std::chrono::milliseconds request_timeout{0};
  RequestGateLimits requests;
};

// Of a Get at `position` that should have filled `expected` bytes: kDataLoss,
// naming key and position, when the object is missing or ends before; else
// what the store answered, with the key.
Status CheckGot(const std::string& key, uint64_t position, uint64_t expected,
                const Result<size_t>& got);

// Thread-safe. Owned by shared_ptr: requests hold it.
class ChunkStore : public std::enable_shared_from_this<ChunkStore> {
 public:
  using Cache = SingleFlightCache<ChunkKey, ColdBuffer>;
  using ChunkPtr = Cache::ValuePtr;

  ChunkStore(std::shared_ptr<ObjectStore> store, ChunkStoreOptions options);

  uint64_t chunk_bytes() const { return options_.chunk_bytes; }

  // From memory; null when it is not there.
  ChunkPtr Find(const ChunkKey& key) { return cache_->Find(key); }
  // Continues with the chunk, maybe inside the call. kOverloaded when too many
  // requests wait.
  void Load(const ChunkKey& key, Cache::Done done);
  // Loads it into the cache unless it is there or the store is busy.
  void Prefetch(const ChunkKey& key);
  // It was damaged: maybe on its way, so the next reader fetches it again.
  void Forget(const ChunkKey& key) { cache_->Forget(key); }

  // Drops all who wait; for teardown.
  void Close();

  const Cache& cache() const { return *cache_; }
  uint32_t requests_in_flight() const { return gate_.under_way(); }

 private:
  // Inside the gate; leaves it.
  void Get(const ChunkKey& key, Cache::LoadDone done);

  const std::shared_ptr<ObjectStore> store_;
  const ChunkStoreOptions options_;
  RequestGate gate_;
  const std::shared_ptr<Cache> cache_;
};

}  // namespace strata
