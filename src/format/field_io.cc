#include "format/field_io.h"

namespace strata {

void WriteImageFacts(const SegmentEntry& entry, ByteWriter& out) {
  WriteField(entry.offsets, out);
  out.Varint(entry.first_epoch.value());
  out.Varint(entry.last_epoch.value());
  out.Varint(entry.batch_count);
  out.Varint(entry.record_count);
  out.Varint(entry.dead_records);
  out.Varint(ZigZag(entry.min_timestamp));
  out.Varint(ZigZag(entry.max_timestamp));
  out.Varint(ZigZag(entry.sealed_at));
  out.Varint(entry.image_bytes);
  out.Fixed<uint32_t>(entry.image_crc32c);
}

void ReadImageFacts(FieldReader& in, SegmentEntry& entry) {
  entry.offsets = in.Range();
  entry.first_epoch = Epoch(in.U32());
  entry.last_epoch = Epoch(in.U32());
  entry.batch_count = in.U64();
  entry.record_count = in.U64();
  entry.dead_records = in.U64();
  entry.min_timestamp = in.I64();
  entry.max_timestamp = in.I64();
  entry.sealed_at = in.I64();
  entry.image_bytes = in.U64();
  entry.image_crc32c = in.Fixed32();
}

}  // namespace strata
