// Kafka's RecordBatch, version 2 (magic 2), not compressed.
// docs/formats/record-batch.md is the specification. Pure codec.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// Bytes in front of the records.
inline constexpr size_t kRecordBatchHeaderBytes = 61;

// What the header of a batch says.
struct BatchSummary {
  // [base offset, base offset + last offset delta + 1). Compaction leaves
  // offsets without a record.
  OffsetRange offsets{};
  Epoch leader_epoch{};
  uint32_t record_count = 0;
  TimestampMs base_timestamp = kNoTimestamp;
  TimestampMs max_timestamp = kNoTimestamp;
  // Timestamps were set by a broker: every record has max_timestamp.
  bool log_append_time = false;
  bool transactional = false;
  bool control = false;  // holds transaction markers, not data
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;

  friend bool operator==(const BatchSummary&, const BatchSummary&) = default;
};

struct RecordHeader {
  std::string_view key{};
  std::optional<ByteSpan> value{};
};

// One record. Keys and values borrow: from the batch when read, from the
// caller when written.
struct Record {
  Offset offset{};
  TimestampMs timestamp = 0;
  std::optional<ByteSpan> key{};
  std::optional<ByteSpan> value{};  // absent: a tombstone
  std::vector<RecordHeader> headers{};
};

// Walks over the records of one batch without copying keys or values.
// Thread-compatible; borrows the batch.
class RecordReader {
 public:
  // Checks the header, the length (`batch` is one whole batch and nothing
  // more) and the CRC. kDataLoss naming position, expected and found;
  // kUnsupported for a compressed batch, naming the codec.
  static Result<RecordReader> Open(ByteSpan batch);

  const BatchSummary& summary() const { return summary_; }

  // Reads the next record into `record`, whose memory is reused; false behind
  // the last one. kDataLoss for damage: read no further.
  Result<bool> Next(Record& record);

 private:
  RecordReader(ByteSpan batch, BatchSummary summary);

  ByteReader reader_;
  BatchSummary summary_;
  uint32_t records_read_ = 0;
  Offset next_offset_;  // the least that the next record may have
};

// Ok when `batch` can be appended as it is: one whole batch of exactly
// `expected_record_count` records with consecutive offsets, all of which can
// be read. kInvalidArgument naming position, expected and found;
// kUnsupported for a compressed batch.
Status ValidateKafkaBatch(ByteSpan batch, uint32_t expected_record_count);

// Sets base offset and leader epoch of a batch in place, as a broker does on
// append. Both lie outside of the CRC. `batch` has at least a header.
void PatchBaseOffsetAndEpoch(std::span<std::byte> batch, Offset base_offset,
                             Epoch leader_epoch);

// Writes one batch. Thread-compatible, for one batch.
class RecordBatchBuilder {
 public:
  struct Options {
    Offset base_offset{};
    Epoch leader_epoch{};
    bool transactional = false;
    int64_t producer_id = -1;  // -1: not idempotent
    int16_t producer_epoch = -1;
    int32_t base_sequence = -1;
  };

  explicit RecordBatchBuilder(Options options) : options_(options) {}

  // Copies the record. Its offset is at or above the base offset and above
  // the one before it.
  void Add(const Record& record);

  // The bytes of the batch. kInvalidArgument without records, or when batch,
  // key, value or offsets are too large for the format (2 GiB).
  Result<std::string> Build();

 private:
  Options options_;
  ByteWriter records_;
  uint32_t record_count_ = 0;
  Offset last_offset_{};
  TimestampMs base_timestamp_ = 0;
  TimestampMs max_timestamp_ = kNoTimestamp;
};

}  // namespace strata
