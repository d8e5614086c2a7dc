#include "segment/segment_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "format/segment_format.h"

namespace strata {
namespace {

Status Refuse(const FrameHeader& header, std::string_view why) {
  return {StatusCode::kInvalidArgument,
          fmt::format("batch [{}, {}) does not belong into the segment: {}",
                      header.offsets.base.value(), header.offsets.end.value(),
                      why)};
}

// One image under way. Owned by one thread.
class ImageWriter {
 public:
  ImageWriter(const SegmentSpec& spec, SegmentSink& sink)
      : spec_(spec), sink_(sink) {
    properties_.id = spec.id;
    properties_.partition = spec.partition;
    properties_.topic_name = spec.topic_name;
    properties_.offsets = spec.offsets;
    properties_.sealed_at = spec.sealed_at;
    properties_.sections = spec.sections;
  }

  Status Start() {
    if (spec_.offsets.empty()) {
      return {
          StatusCode::kInvalidArgument,
          fmt::format("segment {} with empty offset range [{}, {})", spec_.id,
                      spec_.offsets.base.value(), spec_.offsets.end.value())};
    }
    std::array<std::byte, kSegmentHeaderBytes> header;
    EncodeSegmentHeader(spec_.id, header);
    return Put(header);
  }

  Status Add(const SegmentBatch& batch) {
    STRATA_RETURN_IF_ERROR(Check(batch));
    Count(batch.header);
    std::array<std::byte, kFrameHeaderBytes> raw;
    EncodeFrameHeader(batch.header, kSegmentLife, raw, batch.tagged);
    STRATA_RETURN_IF_ERROR(Put(raw));
    STRATA_RETURN_IF_ERROR(Put(batch.tagged));
    STRATA_RETURN_IF_ERROR(Put(batch.payload));
    constexpr std::array<std::byte, kFrameAlignment> kZeros{};
    const uint64_t padded = AlignUp(position_, kFrameAlignment);
    return Put(ByteSpan(kZeros).first(padded - position_));
  }

  Result<SegmentEntry> Finish() {
    SegmentFooter footer;
    footer.index_position = position_;
    properties_.frames_bytes = position_ - kSegmentHeaderBytes;
    const std::string index = EncodeSegmentIndex(index_);
    const std::string properties = EncodeSegmentProperties(properties_);
    if (properties.size() > kMaxSegmentPropertiesBytes ||
        index.size() > UINT32_MAX) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("segment {}: {} bytes of properties and {} of "
                                "index are too many",
                                spec_.id, properties.size(), index.size()));
    }
    footer.index_bytes = static_cast<uint32_t>(index.size());
    footer.index_crc32c = Crc32c(AsBytes(index));
    footer.properties_bytes = static_cast<uint32_t>(properties.size());
    footer.properties_crc32c = Crc32c(AsBytes(properties));
    std::array<std::byte, kSegmentFooterBytes> raw;
    EncodeSegmentFooter(footer, raw);
    STRATA_RETURN_IF_ERROR(Put(AsBytes(index)));
    STRATA_RETURN_IF_ERROR(Put(AsBytes(properties)));
    STRATA_RETURN_IF_ERROR(Put(raw));
    SegmentEntry entry = EntryOf(properties_);
    entry.image_bytes = position_;
    entry.image_crc32c = crc32c_;
    return entry;
  }

 private:
  Status Check(const SegmentBatch& batch) const {
    const FrameHeader& h = batch.header;
    if (h.kind != FrameKind::kBatch) return Refuse(h, "not a batch");
    if (PartitionId{h.topic, h.partition} != spec_.partition) {
      return Refuse(h,
                    fmt::format("expected partition {}, found {}",
                                spec_.partition.ToString(),
                                PartitionId{h.topic, h.partition}.ToString()));
    }
    if (h.payload_bytes != batch.payload.size() ||
        h.tagged_bytes != batch.tagged.size()) {
      return Refuse(h, "lengths of header and bytes differ");
    }
    if (h.offsets.empty() || h.offsets.end > spec_.offsets.end ||
        h.offsets.end <= spec_.offsets.base) {
      return Refuse(h, fmt::format("it does not end within [{}, {})",
                                   spec_.offsets.base.value(),
                                   spec_.offsets.end.value()));
    }
    if (properties_.batch_count > 0 && h.offsets.base < last_end_) {
      return Refuse(h, fmt::format("expected an offset of at least {}",
                                   last_end_.value()));
    }
    if (!properties_.epochs.empty() &&
        h.epoch < properties_.epochs.back().epoch) {
      return Refuse(h, fmt::format("expected an epoch of at least {}, found {}",
                                   properties_.epochs.back().epoch.value(),
                                   h.epoch.value()));
    }
    return VerifyPayload({.header = h,
                          .tagged = batch.tagged,
                          .payload = batch.payload,
                          .frame_bytes = 0});
  }

  // Notes the frame that is about to be written at position_.
  void Count(const FrameHeader& h) {
    if (index_.empty() ||
        position_ - index_.back().position >= spec_.index_interval_bytes) {
      index_.push_back({.first_offset = h.offsets.base,
                        .position = position_,
                        .max_timestamp = properties_.max_timestamp});
    }
    if (properties_.epochs.empty() ||
        properties_.epochs.back().epoch < h.epoch) {
      properties_.epochs.push_back({.epoch = h.epoch, .start = h.offsets.base});
    }
    if (h.max_timestamp > kNoTimestamp) {
      TimestampMs& min = properties_.min_timestamp;
      TimestampMs& max = properties_.max_timestamp;
      min = min == kNoTimestamp ? h.max_timestamp
                                : std::min(min, h.max_timestamp);
      max = std::max(max, h.max_timestamp);
      index_.back().max_timestamp = max;
    }
    ++properties_.batch_count;
    properties_.record_count += h.record_count;
    last_end_ = h.offsets.end;
  }

  Status Put(ByteSpan bytes) {
    if (bytes.empty()) return Status::Ok();
    crc32c_ = ExtendCrc32c(crc32c_, bytes);
    position_ += bytes.size();
    return sink_.Append(bytes);
  }

  const SegmentSpec& spec_;
  SegmentSink& sink_;
  SegmentProperties properties_;
  std::vector<SegmentIndexEntry> index_;
  Offset last_end_;
  uint64_t position_ = 0;
  uint32_t crc32c_ = 0;  // of the image so far
};

}  // namespace

Result<SegmentEntry> WriteSegmentImage(const SegmentSpec& spec,
                                       const BatchProducer& batches,
                                       SegmentSink& sink) {
  ImageWriter image(spec, sink);
  STRATA_RETURN_IF_ERROR(image.Start());
  STRATA_RETURN_IF_ERROR(
      batches([&](const SegmentBatch& batch) { return image.Add(batch); }));
  return image.Finish();
}

Result<SegmentEntry> WriteSegmentImage(const SegmentSpec& spec,
                                       std::span<const SegmentBatch> batches,
                                       SegmentSink& sink) {
  return WriteSegmentImage(spec, ProduceFrom(batches), sink);
}

uint64_t MaxSegmentImageBytes(uint64_t frames_bytes,
                              uint64_t index_interval_bytes) {
  // Blocks but the last reach the interval; an entry is three varints of at
  // most ten bytes, and their number is one more.
  const uint64_t entries = frames_bytes / index_interval_bytes + 1;
  return kSegmentHeaderBytes + frames_bytes + 10 + 30 * entries +
         kMaxSegmentPropertiesBytes + kSegmentFooterBytes;
}

BatchProducer ProduceFrom(std::span<const SegmentBatch> batches) {
  return [batches](const BatchConsumer& consume) {
    for (const SegmentBatch& batch : batches) {
      STRATA_RETURN_IF_ERROR(consume(batch));
    }
    return Status::Ok();
  };
}

}  // namespace strata
