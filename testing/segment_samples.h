// Batches and segment images for tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "segment/byte_source.h"
#include "segment/segment_index.h"
#include "segment/segment_reader.h"
#include "segment/segment_writer.h"

namespace strata {

// Keeps an image in memory. Thread-compatible.
class StringSink final : public SegmentSink {
 public:
  Status Append(ByteSpan bytes) override {
    image.append(AsText(bytes));
    return Status::Ok();
  }
  std::string image;
};

inline PartitionId SamplePartition(uint8_t n = 1) {
  PartitionId id;
  id.topic.bytes.fill(std::byte{n});
  id.partition = n;
  return id;
}

// Batches of one partition with the bytes that they borrow. Thread-compatible;
// spans stay valid when it is moved.
class SampleBatches {
 public:
  explicit SampleBatches(PartitionId partition = SamplePartition())
      : partition_(partition) {}

  // Appends a batch of [base, end).
  SegmentBatch& Add(uint64_t base, uint64_t end, std::string payload,
                    uint32_t epoch = 1) {
    const std::string& kept = payloads_.emplace_back(std::move(payload));
    FrameHeader header;
    header.topic = partition_.topic;
    header.partition = partition_.partition;
    header.epoch = Epoch(epoch);
    header.offsets = {Offset(base), Offset(end)};
    header.max_timestamp = 1'000'000 + static_cast<TimestampMs>(base);
    header.record_count = static_cast<uint32_t>(end - base);
    header.payload_bytes = static_cast<uint32_t>(kept.size());
    header.payload_crc32c = Crc32c(AsBytes(kept));
    return batches_.emplace_back(
        SegmentBatch{.header = header, .payload = AsBytes(kept)});
  }
  // Appends `count` batches of ten offsets each, from `base` on, with payloads
  // of `payload_bytes` that differ.
  void AddMany(uint64_t base, size_t count, size_t payload_bytes) {
    for (size_t i = 0; i < count; ++i, base += 10) {
      std::string payload = std::to_string(base) + ":";
      payload.resize(std::max(payload.size(), payload_bytes),
                     static_cast<char>('a' + i % 26));
      Add(base, base + 10, std::move(payload));
    }
  }

  std::vector<SegmentBatch>& batches() { return batches_; }
  const std::vector<SegmentBatch>& batches() const { return batches_; }
  // A spec for a segment of all batches.
  SegmentSpec Spec(uint64_t id = 7) const {
    SegmentSpec spec;
    spec.id = id;
    spec.partition = partition_;
    spec.topic_name = "sample";
    spec.offsets = {batches_.front().header.offsets.base,
                    batches_.back().header.offsets.end};
    spec.sealed_at = 1767225600000;
    return spec;
  }

 private:
  PartitionId partition_;
  std::deque<std::string> payloads_;
  std::vector<SegmentBatch> batches_;
};

struct SampleImage {
  std::string bytes;
  SegmentEntry entry;
};

inline SampleImage MakeImage(const SegmentSpec& spec,
                             std::span<const SegmentBatch> batches) {
  StringSink sink;
  const Result<SegmentEntry> entry = WriteSegmentImage(spec, batches, sink);
  EXPECT_TRUE(entry.ok()) << entry.status();
  return {std::move(sink.image), entry.ok() ? *entry : SegmentEntry()};
}

inline Result<SegmentIndex> ParseImage(std::string_view image) {
  SpanSource source(AsBytes(image));
  return SegmentIndex::Parse(source, image.size());
}

// What a reader finds up to its first error: {base offset, payload}.
struct FoundBatches {
  std::vector<std::pair<uint64_t, std::string>> batches;
  Status status;
};
inline FoundBatches ReadAll(std::string_view image, OffsetRange offsets) {
  FoundBatches found;
  SpanSource source(AsBytes(image));
  const Result<SegmentIndex> index = ParseImage(image);
  found.status = index.status();
  if (!index.ok()) return found;
  found.status =
      ForEachBatch(source, *index, offsets, [&](const SegmentBatch& batch) {
        found.batches.emplace_back(batch.header.offsets.base.value(),
                                   AsText(batch.payload));
        return Status::Ok();
      });
  return found;
}

}  // namespace strata
