// ColdTier: segments in an object store. Reads them in ranges through a cache
// of chunks; uploads, downloads and deletes whole images. What is cold, and
// where, is the ColdManifest's to know (cold_manifest.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_function.h"
#include "format/segment_entry.h"
#include "runtime/runtime.h"
#include "segment/read_window.h"
#include "strata/batch_view.h"
#include "strata/object_store.h"

namespace strata {

struct ColdOptions {
  // Unit of ranged reads and of the cache; at least 4 KiB.
  uint64_t chunk_bytes = 1 << 20;
  // Chunks kept for further reads. Views pin what they see beyond it.
  uint64_t cache_max_bytes = 128 << 20;
  std::chrono::milliseconds request_timeout = std::chrono::seconds(30);
  // GETs of readers under way at once. Sixteen times as many wait; beyond
  // that reads answer kOverloaded.
  uint32_t max_requests = 64;
};

// Thread-safe. `done` is called exactly once, on an executor, never inside the
// call; it is dropped when the runtime drops its tasks or the tier goes.
//
// Errors, all with the object's key: kDataLoss for a damaged or missing object
// (position, expected, found); what the store answers otherwise.
class ColdTier {
 public:
  struct Stats {
    uint64_t cache_bytes = 0;
    uint64_t cache_hits = 0;
    uint64_t cache_misses = 0;
    uint64_t requests_in_flight = 0;  // GETs of readers
  };

  // `runtime` outlives the tier.
  ColdTier(std::shared_ptr<ObjectStore> store, Runtime& runtime,
           ColdOptions options);
  ~ColdTier();
  ColdTier(const ColdTier&) = delete;
  ColdTier& operator=(const ColdTier&) = delete;

  // Batches of the window that lie in entry.offsets, each checked against its
  // checksum. Empty when the window holds none, or when the first does not fit
  // and need not (ReadWindow).
  void Read(SegmentEntry entry, ReadWindow window,
            UniqueFunction<void(Result<std::vector<BatchView>>)> done);

  // Puts the image under a key of its own, which says `claim`, the number of
  // the partition's claim that the caller holds, and reads all of it back. Ok
  // means that the object has entry.image_bytes bytes of entry.image_crc32c.
  // What a failure leaves behind is deleted as far as possible; nothing names
  // it. kDataLoss: the source is damaged. kUnavailable: the object arrived
  // damaged or did not arrive; try again. kCancelled.
  void Upload(SegmentEntry entry, uint64_t claim, std::string topic_label,
              std::shared_ptr<ObjectSource> source, std::stop_token cancel,
              UniqueFunction<void(Result<ColdAddress>)> done);

  // Hands the whole image to `piece`, in order and one after the other, past
  // the cache. Only Ok in `done` means that the bytes were the right ones
  // (image_bytes, image_crc32c). An error of `piece` ends it and is answered.
  void Download(SegmentEntry entry, UniqueFunction<Status(ByteSpan)> piece,
                UniqueFunction<void(Status)> done);

  // Removes the object that holds `address`; Ok also when it is gone.
  void Delete(ColdAddress address, UniqueFunction<void(Status)> done);

  // Deletes what there is of a deleted topic, roots first, named by one or not:
  // at most `limit` (1 to 1000) objects.
  struct Removed {
    uint64_t objects = 0;  // were found and are gone
    bool more = false;     // are left: ask again
  };
  void RemoveTopic(TopicId topic, size_t limit,
                   UniqueFunction<void(Result<Removed>)> done);

  // Deletes what of a trimmed partition lies wholly below `log_start`, as far
  // as a listing of `limit` objects reaches, named or not. The partition's root
  // has that log start.
  void RemoveBelow(PartitionId partition, Offset log_start, size_t limit,
                   UniqueFunction<void(Result<Removed>)> done);

  Stats stats() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace strata
