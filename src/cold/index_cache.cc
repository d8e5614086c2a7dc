#include "cold/index_cache.h"

#include <fmt/format.h>

#include <optional>

#include "cold/image_bytes.h"

namespace strata {
namespace {

uint64_t MemoryOf(const SegmentIndex& index) {
  uint64_t bytes =
      sizeof(ColdIndex) + index.block_count() * sizeof(SegmentIndexEntry);
  for (const auto& [name, section] : index.properties().sections) {
    bytes += name.size() + section.size();
  }
  return bytes;
}

// Fetches the end of an image and parses it. Runs on one task at a time.
class IndexLoad : public std::enable_shared_from_this<IndexLoad> {
 public:
  IndexLoad(std::shared_ptr<ChunkStore> chunks, const ColdAddress& image,
            IndexCache::LoadDone done)
      : chunks_(std::move(chunks)),
        bytes_(chunks_, image),
        done_(std::move(done)) {}

  void Run() {
    const uint64_t size = bytes_.image().length;
    // Not asked for again once it was read: in a small cache the chunks of
    // footer and tail would drive each other out for ever.
    if (!tail_bytes_) {
      const auto footer = bytes_.Gather(size - kSegmentFooterBytes, size);
      if (!footer) return Fetch();
      const Result<uint64_t> needed =
          SegmentIndex::TailBytes(footer->bytes, size);
      if (!needed.ok()) return Damaged(needed.status());
      if (*needed > ImageBytes::kMaxGatherBytes) {
        return Damaged({StatusCode::kDataLoss,
                        fmt::format("segment index: expected at most {} bytes, "
                                    "found {}",
                                    ImageBytes::kMaxGatherBytes, *needed)});
      }
      tail_bytes_ = *needed;
    }
    const auto tail = bytes_.Gather(size - *tail_bytes_, size);
    if (!tail) return Fetch();
    Result<SegmentIndex> index = SegmentIndex::ParseTail(tail->bytes, size);
    if (!index.ok()) return Damaged(index.status());
    const uint64_t memory = MemoryOf(*index);
    done_(IndexCache::Loaded{std::make_shared<ColdIndex>(*std::move(index)),
                             memory});
  }

 private:
  void Fetch() {
    // Once it is asked for, another thread may go on with all of this.
    const ChunkKey missing = bytes_.missing();
    chunks_->Load(missing, [self = shared_from_this()](
                               Result<ChunkStore::ChunkPtr> chunk) {
      if (!chunk.ok()) return self->done_(chunk.status());
      self->bytes_.Provide(*std::move(chunk));
      self->Run();
    });
  }

  void Damaged(const Status& status) {
    bytes_.ForgetGathered();
    done_(status.WithContext("object " + bytes_.image().key));
  }

  const std::shared_ptr<ChunkStore> chunks_;
  ImageBytes bytes_;
  IndexCache::LoadDone done_;
  std::optional<uint64_t> tail_bytes_;  // what the footer tells
};

}  // namespace

void LoadIndex(IndexCache& cache, std::shared_ptr<ChunkStore> chunks,
               const SegmentEntry& entry, IndexCache::Done done) {
  const ColdAddress& image = *entry.cold;
  const IndexKey key(image.key, image.position);
  auto load = [chunks = std::move(chunks), image](IndexCache::LoadDone loaded) {
    std::make_shared<IndexLoad>(chunks, image, std::move(loaded))->Run();
  };
  auto check = [entry, done = std::move(done)](
                   Result<IndexCache::ValuePtr> index) mutable {
    if (index.ok()) {
      const Status same = (*index)->index.CheckIdentity(entry);
      if (!same.ok()) index = same.WithContext("object " + entry.cold->key);
    }
    done(std::move(index));
  };
  cache.Load(key, std::move(load), std::move(check));
}

}  // namespace strata
