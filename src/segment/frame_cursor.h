// FrameCursor: walks the frames of an image.
#pragma once

#include <cstdint>

#include "format/frame.h"
#include "format/segment_entry.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// What the frames of a span must be.
struct FrameRun {
  PartitionId partition;
  OffsetRange offsets;    // all frames lie within
  uint64_t position = 0;  // of the span in the image, for messages
};

// Thread-compatible; borrows the span, which holds whole frames.
class FrameCursor {
 public:
  FrameCursor(ByteSpan frames, const FrameRun& run)
      : rest_(frames), run_(run), position_(run.position) {}

  // The next frame, its payload not yet verified, valid until the next call;
  // null behind the last.
  // kDataLoss for damage, a foreign frame or offsets that do not ascend;
  // kUnsupported as DecodeFrame. After an error it answers the same again.
  Result<const DecodedFrame*> Next();

  // Checks the payload of the frame that Next answered last.
  Status VerifyLast() const;

 private:
  Status CheckHeader(const FrameHeader& header) const;
  static Status At(const Status& status, uint64_t position);

  ByteSpan rest_;
  FrameRun run_;  // offsets.base moves behind each frame
  uint64_t position_;
  uint64_t last_position_ = 0;
  DecodedFrame last_;
  bool at_frame_ = false;
};

}  // namespace strata
