#include "cold/chunk_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace strata {

Status CheckGot(const std::string& key, uint64_t position, uint64_t expected,
                const Result<size_t>& got) {
  const StatusCode code = got.status().code();
  if (code == StatusCode::kNotFound) {
    return {StatusCode::kDataLoss,
            fmt::format("object {} at {}: expected {} bytes, found no such "
                        "object",
                        key, position, expected)};
  }
  if (!got.ok() && code != StatusCode::kOutOfRange) {
    return got.status().WithContext("object " + key);
  }
  const uint64_t found = got.ok() ? *got : 0;
  if (found == expected) return Status::Ok();
  return {StatusCode::kDataLoss,
          fmt::format("object {} at {}: expected {} bytes, found {}", key,
                      position, expected, found)};
}

ChunkStore::ChunkStore(std::shared_ptr<ObjectStore> store,
                       ChunkStoreOptions options)
    : store_(std::move(store)),
      options_(options),
      gate_(options.requests),
      cache_(std::make_shared<Cache>(options.cache_max_bytes)) {
  STRATA_CHECK(options.chunk_bytes > 0);
}

void ChunkStore::Load(const ChunkKey& key, Cache::Done done) {
  auto load = [self = shared_from_this(), key](Cache::LoadDone loaded) {
    // Shared: the gate destroys the task it refuses.
    auto landing = std::make_shared<Cache::LoadDone>(std::move(loaded));
    const Status entered = self->gate_.Enter(
        [self, key, landing] { self->Get(key, std::move(*landing)); });
    if (!entered.ok()) {
      (*landing)(entered.WithContext("object " + key.image.key));
    }
  };
  cache_->Load(key, std::move(load), std::move(done));
}

void ChunkStore::Prefetch(const ChunkKey& key) {
  if (cache_->Holds(key) || !gate_.TryEnter()) return;
  auto load = [self = shared_from_this(), key](Cache::LoadDone loaded) {
    self->Get(key, std::move(loaded));
  };
  // A failure is told to who reads the chunk.
  if (!cache_->Load(key, std::move(load), [](Result<ChunkPtr>) {})) {
    gate_.Leave();
  }
}

void ChunkStore::Get(const ChunkKey& key, Cache::LoadDone done) {
  const uint64_t begin = key.number * options_.chunk_bytes;
  STRATA_CHECK(begin < key.image.length);
  const uint64_t expected =
      std::min(options_.chunk_bytes, key.image.length - begin);
  const uint64_t position = key.image.position + begin;
  auto chunk = std::make_shared<ColdBuffer>(expected);
  const std::span<std::byte> out = chunk->bytes();
  // std::function copies: what moves only is shared.
  auto landing = std::make_shared<Cache::LoadDone>(std::move(done));
  store_->Get(
      key.image.key, position, out,
      {.timeout = options_.request_timeout, .cancel = {}, .memory = chunk},
      [self = shared_from_this(), name = key.image.key, position, expected,
       chunk, landing](Result<size_t> got) {
        self->gate_.Leave();
        Status status = CheckGot(name, position, expected, got);
        if (!status.ok()) return (*landing)(std::move(status));
        (*landing)(Cache::Loaded{chunk, expected});
      });
}

void ChunkStore::Close() {
  gate_.Close();
  cache_->Close();
}

}  // namespace strata
