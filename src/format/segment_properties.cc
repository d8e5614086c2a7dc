// The properties block of a segment image: tagged fields.
#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "format/segment_format.h"

namespace strata {
namespace {

// docs/formats/segment.md. All are optional for other readers (even), and all
// of them must be present in version 1.
enum Tag : uint64_t {
  kId = 2,
  kTopicId = 4,
  kTopicName = 6,
  kPartition = 8,
  kOffsets = 10,
  kEpochs = 12,
  kBatchCount = 14,
  kRecordCount = 16,
  kMinTimestamp = 18,
  kMaxTimestamp = 20,
  kSealedAt = 22,
  kFramesBytes = 24,
  kSections = 26,
};

std::string Number(uint64_t value) {
  ByteWriter out;
  out.Varint(value);
  return out.Take();
}

std::string EncodeOffsets(OffsetRange offsets) {
  ByteWriter out;
  out.Varint(offsets.base.value());
  out.Varint(offsets.size());
  return out.Take();
}

std::string EncodeEpochs(const std::vector<SegmentEpoch>& epochs) {
  ByteWriter out;
  for (const SegmentEpoch& e : epochs) {
    out.Varint(e.epoch.value());
    out.Varint(e.start.value());
  }
  return out.Take();
}

std::string EncodeSections(const std::map<std::string, std::string>& sections) {
  ByteWriter out;
  for (const auto& [name, bytes] : sections) {
    out.LengthPrefixed(name);
    out.LengthPrefixed(bytes);
  }
  return out.Take();
}

// Takes known fields out of a block; remembers the first one that is missing
// or malformed. What is left in the end is unknown. Thread-compatible.
class FieldTaker {
 public:
  explicit FieldTaker(TaggedFields fields) : fields_(std::move(fields)) {}

  std::string Text(Tag tag) {
    const auto it = fields_.find(tag);
    if (it == fields_.end()) {
      Fail(tag);
      return {};
    }
    std::string bytes = std::move(it->second);
    fields_.erase(it);
    return bytes;
  }
  uint64_t Number(Tag tag, uint64_t limit = UINT64_MAX) {
    const std::string bytes = Text(tag);
    ByteReader in(AsBytes(bytes));
    const std::optional<uint64_t> value = in.Varint();
    if (!value || in.remaining() > 0 || *value > limit) {
      Fail(tag);
      return 0;
    }
    return *value;
  }
  TimestampMs Time(Tag tag) { return UnZigZag(Number(tag)); }

  void Fail(Tag tag) {
    if (!failed_) failed_ = tag;
  }
  Status status() const {
    if (!failed_) return Status::Ok();
    return {StatusCode::kDataLoss,
            fmt::format("segment properties: field {} missing or malformed",
                        static_cast<uint64_t>(*failed_))};
  }
  TaggedFields TakeRest() { return std::move(fields_); }

 private:
  TaggedFields fields_;
  std::optional<Tag> failed_;
};

TopicId TakeTopicId(FieldTaker& in) {
  TopicId id;
  const std::string bytes = in.Text(kTopicId);
  if (bytes.size() != id.bytes.size()) {
    in.Fail(kTopicId);
    return id;
  }
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

OffsetRange TakeOffsets(FieldTaker& fields) {
  const std::string bytes = fields.Text(kOffsets);
  ByteReader in(AsBytes(bytes));
  const std::optional<uint64_t> base = in.Varint();
  const std::optional<uint64_t> size = in.Varint();
  if (!base || !size || in.remaining() > 0 || *size == 0 ||
      *size > UINT64_MAX - *base) {
    fields.Fail(kOffsets);
    return {};
  }
  return {Offset(*base), Offset(*base) + *size};
}

std::vector<SegmentEpoch> TakeEpochs(FieldTaker& fields) {
  const std::string bytes = fields.Text(kEpochs);
  ByteReader in(AsBytes(bytes));
  std::vector<SegmentEpoch> epochs;
  while (in.remaining() > 0) {
    const std::optional<uint64_t> epoch = in.Varint();
    const std::optional<uint64_t> start = in.Varint();
    const bool good =
        epoch && start && *epoch <= UINT32_MAX &&
        (epochs.empty() || (epochs.back().epoch.value() < *epoch &&
                            epochs.back().start.value() < *start));
    if (!good) {
      fields.Fail(kEpochs);
      return {};
    }
    epochs.push_back({.epoch = Epoch(static_cast<uint32_t>(*epoch)),
                      .start = Offset(*start)});
  }
  return epochs;
}

std::map<std::string, std::string> TakeSections(FieldTaker& fields) {
  const std::string bytes = fields.Text(kSections);
  ByteReader in(AsBytes(bytes));
  std::map<std::string, std::string> sections;
  while (in.remaining() > 0) {
    const std::optional<std::string_view> name = in.LengthPrefixed();
    const std::optional<std::string_view> value = in.LengthPrefixed();
    if (!name || !value ||
        (!sections.empty() && sections.rbegin()->first >= *name)) {
      fields.Fail(kSections);
      return {};
    }
    sections.emplace(*name, *value);
  }
  return sections;
}

}  // namespace

std::string EncodeSegmentProperties(const SegmentProperties& p) {
  TaggedFields fields = p.unknown;
  fields[kId] = Number(p.id);
  fields[kTopicId] = AsText(p.partition.topic.bytes);
  fields[kTopicName] = p.topic_name;
  fields[kPartition] = Number(p.partition.partition);
  fields[kOffsets] = EncodeOffsets(p.offsets);
  fields[kEpochs] = EncodeEpochs(p.epochs);
  fields[kBatchCount] = Number(p.batch_count);
  fields[kRecordCount] = Number(p.record_count);
  fields[kMinTimestamp] = Number(ZigZag(p.min_timestamp));
  fields[kMaxTimestamp] = Number(ZigZag(p.max_timestamp));
  fields[kSealedAt] = Number(ZigZag(p.sealed_at));
  fields[kFramesBytes] = Number(p.frames_bytes);
  fields[kSections] = EncodeSections(p.sections);
  return EncodeTaggedFields(fields);
}

Result<SegmentProperties> DecodeSegmentProperties(ByteSpan bytes) {
  Result<TaggedFields> fields = DecodeTaggedFields(bytes);
  if (!fields.ok()) return fields.status().WithContext("segment properties");
  FieldTaker in(*std::move(fields));
  SegmentProperties p;
  p.id = in.Number(kId);
  p.partition.topic = TakeTopicId(in);
  p.partition.partition =
      static_cast<uint32_t>(in.Number(kPartition, UINT32_MAX));
  p.topic_name = in.Text(kTopicName);
  p.offsets = TakeOffsets(in);
  p.epochs = TakeEpochs(in);
  p.batch_count = in.Number(kBatchCount);
  p.record_count = in.Number(kRecordCount);
  p.min_timestamp = in.Time(kMinTimestamp);
  p.max_timestamp = in.Time(kMaxTimestamp);
  p.sealed_at = in.Time(kSealedAt);
  p.frames_bytes = in.Number(kFramesBytes);
  p.sections = TakeSections(in);
  STRATA_RETURN_IF_ERROR(in.status());
  p.unknown = in.TakeRest();
  return p;
}

SegmentEntry EntryOf(const SegmentProperties& p) {
  SegmentEntry entry;
  entry.id = p.id;
  entry.partition = p.partition;
  entry.offsets = p.offsets;
  if (!p.epochs.empty()) {
    entry.first_epoch = p.epochs.front().epoch;
    entry.last_epoch = p.epochs.back().epoch;
  }
  entry.batch_count = p.batch_count;
  entry.record_count = p.record_count;
  entry.min_timestamp = p.min_timestamp;
  entry.max_timestamp = p.max_timestamp;
  entry.sealed_at = p.sealed_at;
  return entry;
}

}  // namespace strata
