// Fields of the bodies that manifest and bucket root are made of.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "format/segment_entry.h"

namespace strata {

// Reads fields one after the other. One that does not fit reads as zero and
// makes good() false for good. Thread-compatible; keeps no bytes.
class FieldReader {
 public:
  explicit FieldReader(ByteSpan bytes) : in_(bytes) {}

  uint64_t U64() { return OrFail(in_.Varint()); }
  uint32_t U32() {
    const uint64_t value = U64();
    good_ = good_ && value <= std::numeric_limits<uint32_t>::max();
    return static_cast<uint32_t>(value);
  }
  int64_t I64() { return UnZigZag(U64()); }
  uint32_t Fixed32() { return OrFail(in_.Fixed<uint32_t>()); }
  uint64_t Fixed64() { return OrFail(in_.Fixed<uint64_t>()); }
  bool Bool() {
    const uint8_t value = OrFail(in_.Fixed<uint8_t>());
    good_ = good_ && value <= 1;
    return value == 1;
  }
  std::string Text() { return std::string(OrFail(in_.LengthPrefixed())); }
  Offset ReadOffset() { return Offset(U64()); }
  OffsetRange Range() {
    const Offset base = ReadOffset();
    return {base, ReadOffset()};
  }
  TopicId Topic() {
    TopicId id;
    const ByteSpan raw = OrFail(in_.Bytes(id.bytes.size()));
    if (!raw.empty()) std::memcpy(id.bytes.data(), raw.data(), raw.size());
    return id;
  }
  PartitionId Partition() {
    const TopicId topic = Topic();
    return {topic, U32()};
  }
  ByteSpan Rest() { return *in_.Bytes(in_.remaining()); }

  bool good() const { return good_; }
  bool AtEnd() const { return in_.remaining() == 0; }
  bool Done() const { return good_ && AtEnd(); }
  size_t position() const { return in_.position(); }

 private:
  template <typename T>
  T OrFail(std::optional<T> value) {
    good_ = good_ && value.has_value();
    return good_ ? *value : T{};
  }

  ByteReader in_;
  bool good_ = true;
};

inline void WriteField(const TopicId& id, ByteWriter& out) {
  out.Bytes(id.bytes);
}
inline void WriteField(const PartitionId& id, ByteWriter& out) {
  WriteField(id.topic, out);
  out.Varint(id.partition);
}
inline void WriteField(OffsetRange range, ByteWriter& out) {
  out.Varint(range.base.value());
  out.Varint(range.end.value());
}

// What a segment's entry says in either place about the image itself: from
// `offsets` to `image_crc32c`, in the order of the struct.
void WriteImageFacts(const SegmentEntry& entry, ByteWriter& out);
void ReadImageFacts(FieldReader& in, SegmentEntry& entry);

}  // namespace strata
