// WarmTier: reads sealed segments from local files, by default as views into a
// memory map.
//
// A file is mapped once, whatever number of segments it holds; each block of
// frames is verified once per mapping, on the read executor, so that page
// faults and bad pages happen there and not on the thread of a caller.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/unique_function.h"
#include "format/segment_entry.h"
#include "io/file_system.h"
#include "runtime/runtime.h"
#include "segment/read_window.h"
#include "segment/segment_writer.h"
#include "strata/batch_view.h"
#include "strata/config.h"
#include "strata/object_store.h"
#include "strata/status.h"
#include "warm/warm_file_cache.h"

namespace strata {

// Thread-safe. All entries passed have their `warm` address set.
//
// Errors of all calls, with file and position of the image: kDataLoss for what
// is damaged, cut short, missing or not the segment that the entry speaks of;
// kUnsupported for images of a newer version; kIoError when the system refuses
// to open or read.
class WarmTier {
 public:
  using Batches = std::vector<BatchView>;
  struct Stats {
    uint64_t open_files = 0;
    uint64_t mapped_bytes = 0;  // of these; dropped maps that views hold apart
  };

  // `files` is rooted in the warm directory. Both outlive the tier, and the
  // tier outlives the runtime's tasks.
  WarmTier(FileSystem& files, Runtime& runtime, WarmOptions options);

  // Without I/O: batches of the window that lie in entry.offsets, when their
  // blocks are mapped and verified; nullopt when Read is needed. Empty when
  // the window holds none, or when the first does not fit and need not.
  std::optional<Result<Batches>> TryRead(const SegmentEntry& entry,
                                         const ReadWindow& window);

  // As TryRead, and does the I/O that is needed on the read executor, where
  // `done` is called, exactly once; it is dropped when the runtime drops its
  // tasks. Where damage begins behind good batches, these are the result.
  void Read(SegmentEntry entry, ReadWindow window,
            UniqueFunction<void(Result<Batches>)> done);

  // ---- blocking, for jobs ---------------------------------------------------

  // Checks every checksum, that of the whole image included, by reading.
  Status VerifyImage(const SegmentEntry& entry);

  // The image's bytes for an upload. Works on when the file is removed. Never
  // contiguous: under a map, a page that cannot be read shows zeros and nobody
  // would be told.
  Result<std::shared_ptr<ObjectSource>> OpenSource(const SegmentEntry& entry);

  // Calls `consume` with every batch that belongs to entry.offsets, ascending
  // and verified; stops at its first error. Bytes are valid during the call.
  Status ForEachBatch(const SegmentEntry& entry, const BatchConsumer& consume);

  // The image's bytes for repair, however damaged: cut short where the file
  // is, zeros where it cannot be read. Holds all of it.
  Result<std::vector<std::byte>> ReadWhatIsLeft(const SegmentEntry& entry);

  // Drops the maps of a file that is being removed; views stay valid.
  void Forget(uint64_t file_number);

  Stats stats() const;

 private:
  Result<Batches> ReadNow(const SegmentEntry& entry, const ReadWindow& window);

  FileSystem& files_;
  Runtime& runtime_;
  WarmFileCache cache_;
};

}  // namespace strata
