// Frame: one record batch (or one gap) as it lies in the WAL and in segments.
// docs/formats/frame.md is the specification. Pure codec.
#pragma once

#include <cstdint>
#include <span>

#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// Unknown kinds are refused. 3 to 6 stay reserved (docs/decisions/0003).
enum class FrameKind : uint8_t {
  kPadding = 0,
  kBatch = 1,
  kGap = 2,  // offsets that no record has, by the writer's will
};

// Bits of FrameHeader::flags.
// More frames of the same atomic append follow: without its last frame (the
// one that lacks the bit) none of the append counts.
inline constexpr uint16_t kFrameContinues = 1;
// The append asked for kDisk.
inline constexpr uint16_t kFrameDurable = 2;

// The topic comes first: a copy is made in pieces of 16 bytes, and reading
// across two of them right behind costs more than the rest of an append.
struct FrameHeader {
  TopicId topic;
  uint32_t partition = 0;
  Epoch epoch;
  OffsetRange offsets;
  TimestampMs max_timestamp = kNoTimestamp;
  uint32_t record_count = 0;
  uint32_t payload_bytes = 0;
  uint32_t payload_crc32c = 0;
  uint32_t tagged_bytes = 0;  // tagged fields between header and payload
  FrameKind kind = FrameKind::kBatch;
  BatchFormat format = BatchFormat::kOpaque;
  uint16_t flags = 0;

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

inline constexpr size_t kFrameHeaderBytes = 72;
// Frames start at multiples of this.
inline constexpr size_t kFrameAlignment = 8;
// The life number of frames in segments; WAL files count from 1.
inline constexpr uint64_t kSegmentLife = 0;

// Bytes of a whole frame: header, tagged fields, payload, padding to
// kFrameAlignment.
uint64_t FrameBytes(uint64_t payload_bytes, uint64_t tagged_bytes = 0);

// Writes the 72 bytes of `header` to `out`, its CRC seeded with `life`.
// `tagged` are the encoded tagged fields that will follow the header.
void EncodeFrameHeader(const FrameHeader& header, uint64_t life,
                       std::span<std::byte, kFrameHeaderBytes> out,
                       ByteSpan tagged = {});

// A frame in place: spans borrow the bytes decoded.
struct DecodedFrame {
  FrameHeader header;
  ByteSpan tagged;
  ByteSpan payload;
  uint64_t frame_bytes = 0;  // to the next frame
};

// Decodes the frame at the start of `bytes`. The header is checked in full
// (CRC, kind, lengths, required tags); the payload only for lying within
// `bytes`: call VerifyPayload. kDataLoss for damage, kUnsupported for an
// unknown kind or required tag under a good CRC. Messages say what was
// expected and found; the caller adds file and position.
Result<DecodedFrame> DecodeFrame(ByteSpan bytes, uint64_t life);
// The same into `frame`, for loops: a frame is too large to hand around. After
// an error its content means nothing.
Status DecodeFrameInto(ByteSpan bytes, uint64_t life, DecodedFrame& frame);

// kDataLoss when the payload does not match its CRC32C.
Status VerifyPayload(const DecodedFrame& frame);

}  // namespace strata
