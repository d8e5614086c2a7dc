#include "segment/frame_cursor.h"

#include <fmt/format.h>

#include "base/check.h"

namespace strata {

Result<const DecodedFrame*> FrameCursor::Next() {
  at_frame_ = false;
  if (rest_.empty()) return nullptr;
  const Status decoded = DecodeFrameInto(rest_, kSegmentLife, last_);
  if (!decoded.ok()) {
    return At(decoded.WithContext(
                  fmt::format("offset {} or above", run_.offsets.base.value())),
              position_);
  }
  const Status header = CheckHeader(last_.header);
  if (!header.ok()) return At(header, position_);
  rest_ = rest_.subspan(last_.frame_bytes);
  last_position_ = position_;
  position_ += last_.frame_bytes;
  run_.offsets.base = last_.header.offsets.end;
  at_frame_ = true;
  return &last_;
}

Status FrameCursor::VerifyLast() const {
  STRATA_CHECK(at_frame_);
  const Status status = VerifyPayload(last_);
  return status.ok() ? status : At(status, last_position_);
}

Status FrameCursor::CheckHeader(const FrameHeader& h) const {
  if (h.kind != FrameKind::kBatch) {
    return {StatusCode::kDataLoss,
            fmt::format("expected a batch, found frame kind {}",
                        static_cast<int>(h.kind))};
  }
  const PartitionId found{h.topic, h.partition};
  if (found != run_.partition) {
    return {StatusCode::kDataLoss,
            fmt::format("frame of another partition: expected {}, found {}",
                        run_.partition.ToString(), found.ToString())};
  }
  if (h.offsets.base < run_.offsets.base || h.offsets.end > run_.offsets.end) {
    return {StatusCode::kDataLoss,
            fmt::format("frame out of order: expected offsets within [{}, {}), "
                        "found [{}, {})",
                        run_.offsets.base.value(), run_.offsets.end.value(),
                        h.offsets.base.value(), h.offsets.end.value())};
  }
  return Status::Ok();
}

Status FrameCursor::At(const Status& status, uint64_t position) {
  return status.WithContext(fmt::format("frame at {} of the image", position));
}

}  // namespace strata
