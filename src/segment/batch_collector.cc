#include "segment/batch_collector.h"

#include <algorithm>

#include "base/planted_fault.h"
#include "segment/frame_cursor.h"

namespace strata {

BatchCollector::BatchCollector(const SegmentEntry& entry,
                               const ReadWindow& window, StorageTier tier)
    : partition_(entry.partition),
      start_(std::max(window.start, entry.offsets.base)),
      end_(std::min(window.end, entry.offsets.end)),
      max_bytes_(window.max_bytes),
      at_least_one_(window.at_least_one),
      tier_(tier),
      full_(start_ >= end_) {}

Result<bool> BatchCollector::AddBlock(
    ByteSpan frames, const SegmentIndex::Block& block, Payloads payloads,
    const std::shared_ptr<const internal::ViewOwner>& owner) {
  const size_t before = views_.size();
  Result<bool> verified = Walk(frames, block, payloads, owner);
  // After the bytes were touched: a page lost before reads as zeros, one lost
  // since may have been seen as zeros by the checks above.
  Status page = owner->Check(frames);
  if (page.ok()) return verified;
  lost_page_ = true;
  views_.erase(views_.begin() + before, views_.end());
  full_ = false;
  return EndAt(std::move(page));
}

Result<bool> BatchCollector::Walk(
    ByteSpan frames, const SegmentIndex::Block& block, Payloads payloads,
    const std::shared_ptr<const internal::ViewOwner>& owner) {
  FrameCursor cursor(frames, {.partition = partition_,
                              .offsets = block.offsets,
                              .position = block.begin});
  const bool verify = payloads == Payloads::kVerify;
  bool all_good = verify;
  while (verify || !full_) {
    const Result<const DecodedFrame*> frame = cursor.Next();
    if (!frame.ok()) return EndAt(frame.status());
    if (*frame == nullptr) return all_good;
    const bool check = verify && !FaultPlanted(PlantedFault::kCrcIgnored);
    const Status payload = check ? cursor.VerifyLast() : Status::Ok();
    all_good = all_good && payload.ok();
    const FrameHeader& h = (*frame)->header;
    if (!Wants(h)) continue;
    if (!payload.ok()) return EndAt(payload);
    bytes_ += h.payload_bytes;
    views_.emplace_back(BatchView::Facts{.offsets = h.offsets,
                                         .epoch = h.epoch,
                                         .tier = tier_,
                                         .format = h.format,
                                         .record_count = h.record_count,
                                         .max_timestamp = h.max_timestamp},
                        (*frame)->payload, owner);
  }
  return false;
}

bool BatchCollector::Wants(const FrameHeader& header) {
  if (full_ || header.offsets.end <= start_) return false;
  const bool forced = views_.empty() && at_least_one_;
  full_ = header.offsets.end > end_ ||
          (!forced &&
           (bytes_ > max_bytes_ || header.payload_bytes > max_bytes_ - bytes_));
  return !full_;
}

Result<bool> BatchCollector::EndAt(Status damage) {
  // Behind what was wanted it is the business of the reader that comes there.
  if (!full_ && views_.empty()) return damage;
  full_ = true;
  return false;
}

}  // namespace strata
