// BatchView: one record batch as Read returns it: a reference-counted view of
// bytes that lie in the hot tier's memory, in a map of a warm file, or in the
// cache of cold chunks. Nothing is copied.
#pragma once

#include <memory>
#include <span>

#include "strata/status.h"
#include "strata/types.h"

namespace strata {

namespace internal {

// Keeps the bytes of views alive. Thread-safe.
class ViewOwner {
 public:
  virtual ~ViewOwner() = default;
  // kDataLoss when a page under `bytes` could not be read since the view was
  // handed out; its place shows zeros.
  virtual Status Check(ByteSpan bytes) const = 0;
};

}  // namespace internal

// The bytes stay valid and unchanged until the last copy of the view is gone,
// whatever is demoted, compacted, deleted or closed meanwhile, the store
// included. Views of the hot tier count against hot_pinned_max_bytes: do not
// hoard them. Copying a view costs one atomic increment. Thread-compatible.
class BatchView {
 public:
  struct Facts {
    OffsetRange offsets;
    Epoch epoch;
    StorageTier tier = StorageTier::kHot;
    BatchFormat format = BatchFormat::kOpaque;
    uint32_t record_count = 0;
    TimestampMs max_timestamp = kNoTimestamp;
  };

  BatchView(Facts facts, ByteSpan bytes,
            std::shared_ptr<const internal::ViewOwner> owner)
      : facts_(facts), bytes_(bytes), owner_(std::move(owner)) {}

  Offset base_offset() const { return facts_.offsets.base; }
  // One past the last offset of the batch.
  Offset end_offset() const { return facts_.offsets.end; }
  OffsetRange offsets() const { return facts_.offsets; }
  Epoch epoch() const { return facts_.epoch; }
  // The tier that served the bytes.
  StorageTier tier() const { return facts_.tier; }
  BatchFormat format() const { return facts_.format; }
  uint32_t record_count() const { return facts_.record_count; }
  TimestampMs max_timestamp() const { return facts_.max_timestamp; }

  // The batch's bytes. Their checksum was verified. Where a disk fails under a
  // map after that, lost pages read as zeros and status() says so.
  ByteSpan bytes() const { return bytes_; }

  // kDataLoss when bytes of this view were lost after it was handed out. Check
  // it after the bytes were used and before acting on them.
  Status status() const { return owner_->Check(bytes_); }

  // Copies the bytes into `out`, which is at least as long, and answers
  // status().
  Status CopyTo(std::span<std::byte> out) const;

 private:
  Facts facts_;
  ByteSpan bytes_;
  std::shared_ptr<const internal::ViewOwner> owner_;
};

}  // namespace strata
