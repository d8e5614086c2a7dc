// WarmFile: one open segment file with the images that were read in it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "format/segment_entry.h"
#include "io/file_system.h"
#include "segment/batch_collector.h"
#include "segment/read_window.h"
#include "segment/segment_index.h"
#include "strata/batch_view.h"
#include "strata/config.h"

namespace strata {

// Opens a segment file to read it; kDataLoss when it is missing: a manifest
// names it.
Result<std::unique_ptr<File>> OpenSegmentFile(FileSystem& files,
                                              uint64_t number);

// entry.warm, which must be set: what is not in warm must not get here.
const WarmAddress& AddressOf(const SegmentEntry& entry);

// `status` with the file's name and the image's position in front.
Status InImage(const WarmAddress& address, const Status& status);

// Thread-safe. Dropping it leaves views valid.
class WarmFile {
 public:
  using Batches = std::vector<BatchView>;

  // Opens, and maps for WarmReadMode::kMap. Errors as OpenSegmentFile, Map.
  static Result<std::shared_ptr<WarmFile>> Open(FileSystem& files,
                                                uint64_t number,
                                                WarmReadMode mode);

  // What WarmTier::TryRead says.
  std::optional<Result<Batches>> TryRead(const SegmentEntry& entry,
                                         const ReadWindow& window);
  // What WarmTier::Read says; blocks on I/O.
  Result<Batches> Read(const SegmentEntry& entry, const ReadWindow& window);

  uint64_t number() const { return number_; }
  uint64_t mapped_bytes() const;
  // A page of the map was lost under a read: open the file anew.
  bool stale() const { return stale_.load(std::memory_order_relaxed); }

 private:
  // A parsed image. Thread-safe.
  struct Image {
    explicit Image(SegmentIndex parsed)
        : index(std::move(parsed)), verified((index.block_count() + 63) / 64) {}
    bool IsVerified(size_t block) const;
    void SetVerified(size_t block);

    const SegmentIndex index;
    // One bit a block. Relaxed order: a bit publishes no other memory, the
    // bytes it speaks of never change.
    std::vector<std::atomic<uint64_t>> verified;
  };

  WarmFile(uint64_t number, std::unique_ptr<File> file,
           std::shared_ptr<Mapping> mapping);

  std::shared_ptr<Image> FindImage(uint64_t position);
  Result<std::shared_ptr<Image>> LoadImage(const SegmentEntry& entry);
  // Adds blocks to `collector` from the map. False when one is not verified
  // and `payloads` says to trust only.
  Result<bool> CollectMapped(Image& image, const WarmAddress& address,
                             BatchCollector::Payloads payloads,
                             BatchCollector& collector);
  Status CollectByRead(const Image& image, const WarmAddress& address,
                       uint64_t max_bytes, BatchCollector& collector);

  const uint64_t number_;
  // One of the two is null. The file when reading by copy.
  const std::unique_ptr<File> file_;
  const std::shared_ptr<Mapping> mapping_;
  const std::shared_ptr<const internal::ViewOwner> owner_;  // of the mapping
  // Set when a lost page was met; the cache asks later. Nothing hangs on when.
  std::atomic<bool> stale_{false};
  Mutex mu_;
  std::map<uint64_t, std::shared_ptr<Image>> images_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
