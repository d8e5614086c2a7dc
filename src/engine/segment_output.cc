#include "engine/segment_output.h"

namespace strata::engine {

SegmentBatch ToSegmentBatch(const PartitionId& partition,
                            const HotBatch& batch) {
  const BatchView::Facts& facts = batch.facts;
  return {
      .header = {.topic = partition.topic,
                 .partition = partition.partition,
                 .epoch = facts.epoch,
                 .offsets = facts.offsets,
                 .max_timestamp = facts.max_timestamp,
                 .record_count = facts.record_count,
                 .payload_bytes = static_cast<uint32_t>(batch.payload.size()),
                 .payload_crc32c = batch.payload_crc32c,
                 .tagged_bytes = 0,
                 .kind = FrameKind::kBatch,
                 .format = facts.format,
                 .flags = 0},
      .payload = batch.payload};
}

HotBatch ToHotBatch(const SegmentBatch& batch) {
  const FrameHeader& h = batch.header;
  return {.facts = {.offsets = h.offsets,
                    .epoch = h.epoch,
                    .tier = StorageTier::kHot,
                    .format = h.format,
                    .record_count = h.record_count,
                    .max_timestamp = h.max_timestamp},
          .payload = batch.payload,
          .payload_crc32c = h.payload_crc32c};
}

Result<SegmentEntry> WriteSegmentFile(FileSystem& files, uint64_t number,
                                      const SegmentSpec& spec,
                                      std::span<const SegmentBatch> batches) {
  STRATA_ASSIGN_OR_RETURN(auto file, SegmentFileWriter::Create(files, number));
  STRATA_ASSIGN_OR_RETURN(SegmentEntry entry, file->Add(spec, batches));
  STRATA_RETURN_IF_ERROR(file->Finish());
  return entry;
}

Status LoadBatches(WarmTier& warm, const SegmentEntry& entry,
                   LoadedSegment& out) {
  // Payloads are a part of the image, so this never grows and spans stay.
  out.bytes.reserve(entry.image_bytes);
  const auto keep = [&out](ByteSpan bytes) {
    const size_t at = out.bytes.size();
    out.bytes.insert(out.bytes.end(), bytes.begin(), bytes.end());
    return ByteSpan(out.bytes).subspan(at);
  };
  return warm.ForEachBatch(entry, [&](const SegmentBatch& batch) {
    out.batches.push_back({.header = batch.header,
                           .payload = keep(batch.payload),
                           .tagged = keep(batch.tagged)});
    return Status::Ok();
  });
}

}  // namespace strata::engine
