// BatchWriter: records into Kafka batches, batches into one partition.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/record_batch.h"
#include "strata/tiered_storage.h"

namespace strata::cli {

// The wall clock.
TimestampMs NowMs();

// One batch of records with keys and values, all of the time `now`.
// Thread-compatible.
class BatchBuilder {
 public:
  // Copies. `key`: absent for none.
  void Add(std::optional<std::string_view> key, std::string_view value,
           TimestampMs now);
  uint32_t record_count() const { return record_count_; }
  uint64_t bytes() const { return bytes_; }
  TimestampMs max_timestamp() const { return max_timestamp_; }
  // The batch; the builder is empty afterwards.
  Result<std::string> Build();

 private:
  RecordBatchBuilder records_{RecordBatchBuilder::Options{}};
  uint32_t record_count_ = 0;
  uint64_t bytes_ = 0;  // of keys and values
  TimestampMs max_timestamp_ = kNoTimestamp;
};

// Gathers records into batches and batches into appends, so that one sync
// acknowledges many. Thread-compatible. What was not flushed when it is
// destroyed was never appended.
class BatchWriter {
 public:
  struct Options {
    uint32_t batch_records = 100;
    Durability durability = Durability::kDisk;
  };

  BatchWriter(TieredStorage& store, Partition partition, Options options)
      : store_(store), partition_(std::move(partition)), options_(options) {}

  // Copies the record; appends when enough has come together.
  Status Add(std::optional<std::string_view> key, std::string_view value);
  // Appends what is left. Returns when it is as durable as asked for. After an
  // append has failed nothing more is appended; all calls answer its error.
  Status Flush();
  // The same for batches that are full only: one that is not is still added to.
  Status AppendFull() { return AppendSealed(); }

  // Whether the record added last was the last of its batch.
  bool at_batch_end() const { return batch_.record_count() == 0; }

  // Appended so far.
  uint64_t records() const { return records_; }
  uint64_t batches() const { return batches_; }
  // From the first to the last batch appended.
  OffsetRange offsets() const { return offsets_; }
  const TopicPartition& partition() const { return partition_.name(); }

 private:
  struct Sealed {
    std::string bytes;
    uint32_t record_count = 0;
    TimestampMs max_timestamp = kNoTimestamp;
  };

  Status Seal();
  Status AppendSealed();

  TieredStorage& store_;
  Partition partition_;
  Options options_;
  BatchBuilder batch_;
  std::vector<Sealed> sealed_;
  uint64_t sealed_bytes_ = 0;
  uint64_t records_ = 0;
  uint64_t batches_ = 0;
  OffsetRange offsets_{};
  Status failed_;
};

}  // namespace strata::cli
