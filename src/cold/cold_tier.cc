#include "cold/cold_tier.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "cold/chunk_store.h"
#include "cold/image_stream.h"
#include "cold/index_cache.h"
#include "cold/object_names.h"
#include "cold/object_removal.h"
#include "cold/read_operation.h"
#include "cold/upload.h"

namespace strata {
namespace {

// Readers that wait per request under way: at 50 ms a request, a second.
constexpr uint32_t kWaitingPerRequest = 16;
// Parsed indexes get this part of cache_max_bytes on top: an index takes about
// a hundred and seventieth of its segment.
constexpr uint64_t kIndexCacheDivisor = 8;
constexpr uint64_t kMinIndexCacheBytes = 1 << 20;

Status CheckColdEntry(const SegmentEntry& entry) {
  if (!entry.cold) {
    return {StatusCode::kInvalidArgument, "segment without a cold address"};
  }
  if (entry.cold->length == entry.image_bytes &&
      entry.image_bytes >= kSegmentHeaderBytes + kSegmentFooterBytes) {
    return Status::Ok();
  }
  return {StatusCode::kDataLoss,
          fmt::format("object {}: expected an image of {} bytes, found an "
                      "address of {}",
                      entry.cold->key, entry.image_bytes, entry.cold->length)};
}

}  // namespace

class ColdTier::Impl {
 public:
  Impl(std::shared_ptr<ObjectStore> object_store, Runtime& injected,
       const ColdOptions& cold_options)
      : store(std::move(object_store)),
        runtime(injected),
        options(cold_options),
        chunks(std::make_shared<ChunkStore>(
            store,
            ChunkStoreOptions{.chunk_bytes = options.chunk_bytes,
                              .cache_max_bytes = options.cache_max_bytes,
                              .request_timeout = options.request_timeout,
                              .requests = {.under_way = options.max_requests,
                                           .waiting = options.max_requests *
                                                      kWaitingPerRequest}})),
        indexes(std::make_shared<IndexCache>(
            std::max(kMinIndexCacheBytes,
                     options.cache_max_bytes / kIndexCacheDivisor))) {
    STRATA_CHECK(options.max_requests > 0);
  }
  // Who waits holds the caches and is held by them.
  ~Impl() {
    chunks->Close();
    indexes->Close();
  }

  ImageStreamOptions StreamOptions(std::stop_token cancel) const {
    return {.piece_bytes = options.chunk_bytes,
            .request = {.timeout = options.request_timeout,
                        .cancel = std::move(cancel)}};
  }

  const std::shared_ptr<ObjectStore> store;
  Runtime& runtime;
  const ColdOptions options;
  const std::shared_ptr<ChunkStore> chunks;
  const std::shared_ptr<IndexCache> indexes;
};

ColdTier::ColdTier(std::shared_ptr<ObjectStore> store, Runtime& runtime,
                   ColdOptions options)
    : impl_(std::make_unique<Impl>(std::move(store), runtime, options)) {}

ColdTier::~ColdTier() = default;

void ColdTier::Read(SegmentEntry entry, ReadWindow window,
                    UniqueFunction<void(Result<std::vector<BatchView>>)> done) {
  impl_->runtime.read_executor().Post(
      [chunks = impl_->chunks, indexes = impl_->indexes,
       entry = std::move(entry), window, done = std::move(done)]() mutable {
        Status valid = CheckColdEntry(entry);
        if (!valid.ok()) return done(std::move(valid));
        ReadColdSegment(std::move(chunks), *indexes, std::move(entry), window,
                        std::move(done));
      });
}

void ColdTier::Upload(SegmentEntry entry, uint64_t claim,
                      std::string topic_label,
                      std::shared_ptr<ObjectSource> source,
                      std::stop_token cancel,
                      UniqueFunction<void(Result<ColdAddress>)> done) {
  if (source->size() != entry.image_bytes) {
    Status status(StatusCode::kInvalidArgument,
                  fmt::format("upload of segment {}: expected {} bytes, the "
                              "source has {}",
                              entry.id, entry.image_bytes, source->size()));
    return impl_->runtime.cold_executor().Post(
        [status = std::move(status), done = std::move(done)]() mutable {
          done(std::move(status));
        });
  }
  entry.cold = ColdAddress{
      SegmentKey(entry, claim, topic_label, impl_->runtime.random().Next()), 0,
      entry.image_bytes};
  UploadImage(impl_->store,
              {.entry = std::move(entry),
               .source = std::move(source),
               .read_back = impl_->StreamOptions(std::move(cancel))},
              std::move(done));
}

void ColdTier::Download(SegmentEntry entry,
                        UniqueFunction<Status(ByteSpan)> piece,
                        UniqueFunction<void(Status)> done) {
  Status valid = CheckColdEntry(entry);
  if (!valid.ok()) {
    return impl_->runtime.cold_executor().Post(
        [valid = std::move(valid), done = std::move(done)]() mutable {
          done(std::move(valid));
        });
  }
  StreamImage(impl_->store, entry, impl_->StreamOptions({}), std::move(piece),
              std::move(done));
}

void ColdTier::Delete(ColdAddress address, UniqueFunction<void(Status)> done) {
  auto answer = std::make_shared<UniqueFunction<void(Status)>>(std::move(done));
  impl_->store->Delete(
      address.key, {.timeout = impl_->options.request_timeout, .cancel = {}},
      [answer, key = address.key](const Status& status) {
        (*answer)(status.WithContext("object " + key));
      });
}

void ColdTier::RemoveTopic(TopicId topic, size_t limit,
                           UniqueFunction<void(Result<Removed>)> done) {
  RemoveTopicObjects(impl_->store, topic, limit,
                     {.timeout = impl_->options.request_timeout, .cancel = {}},
                     std::move(done));
}

void ColdTier::RemoveBelow(PartitionId partition, Offset log_start,
                           size_t limit,
                           UniqueFunction<void(Result<Removed>)> done) {
  RemoveObjectsBelow(impl_->store, partition, log_start, limit,
                     {.timeout = impl_->options.request_timeout, .cancel = {}},
                     std::move(done));
}

ColdTier::Stats ColdTier::stats() const {
  const ChunkStore& chunks = *impl_->chunks;
  return {.cache_bytes = chunks.cache().bytes() + impl_->indexes->bytes(),
          .cache_hits = chunks.cache().hits(),
          .cache_misses = chunks.cache().misses(),
          .requests_in_flight = chunks.requests_in_flight()};
}

}  // namespace strata
