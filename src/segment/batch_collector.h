// BatchCollector: from blocks of frames to the batches that a read returns.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "format/frame.h"
#include "format/segment_entry.h"
#include "segment/read_window.h"
#include "segment/segment_index.h"
#include "strata/batch_view.h"
#include "strata/status.h"

namespace strata {

// A batch belongs to the result when it ends above the window's start and at or
// below its end: one that reaches across the end is not shown in part.
//
// Thread-compatible. Feed it the blocks from BlockFor(start) on, in order,
// until full().
class BatchCollector {
 public:
  enum class Payloads { kVerify, kTrust };

  BatchCollector(const SegmentEntry& entry, const ReadWindow& window,
                 StorageTier tier);

  // No later block can add anything.
  bool full() const { return full_; }
  // The offset from which batches may still be wanted.
  Offset start() const { return start_; }
  bool empty() const { return views_.empty(); }
  // A page under a block could not be read, as its owner's Check told.
  bool lost_page() const { return lost_page_; }

  // Adds views of the wanted batches of the block, whose frames are `frames`,
  // kept alive by `owner`. True when every checksum of the block was verified
  // and holds. Damage ends the result: batches before it are kept and the
  // collector is full; when there are none, the damage is the answer.
  Result<bool> AddBlock(
      ByteSpan frames, const SegmentIndex::Block& block, Payloads payloads,
      const std::shared_ptr<const internal::ViewOwner>& owner);

  std::vector<BatchView> Take() { return std::move(views_); }

 private:
  Result<bool> Walk(ByteSpan frames, const SegmentIndex::Block& block,
                    Payloads payloads,
                    const std::shared_ptr<const internal::ViewOwner>& owner);
  // Whether the frame is to be returned; sets full_ at the first one beyond.
  bool Wants(const FrameHeader& header);
  Result<bool> EndAt(Status damage);

  const PartitionId partition_;
  const Offset start_;
  const Offset end_;
  const uint64_t max_bytes_;
  const bool at_least_one_;
  const StorageTier tier_;
  std::vector<BatchView> views_;
  uint64_t bytes_ = 0;
  bool full_ = false;
  bool lost_page_ = false;
};

}  // namespace strata
