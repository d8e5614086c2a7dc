#include "cli/batch_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace strata::cli {
namespace {

// A batch is closed before it gets larger; a larger record is one of its own.
constexpr uint64_t kMaxBatchBytes = 256 * kKiB;
// Bytes of batches that one append takes.
constexpr uint64_t kMaxAppendBytes = 1 * kMiB;

}  // namespace

TimestampMs NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void BatchBuilder::Add(std::optional<std::string_view> key,
                       std::string_view value, TimestampMs now) {
  Record record;
  record.offset = Offset(record_count_++);
  record.timestamp = now;
  if (key) record.key = AsBytes(*key);
  record.value = AsBytes(value);
  records_.Add(record);
  bytes_ += value.size() + (key ? key->size() : 0);
  max_timestamp_ = std::max(max_timestamp_, now);
}

Result<std::string> BatchBuilder::Build() {
  BatchBuilder built = std::exchange(*this, BatchBuilder());
  return built.records_.Build();
}

Status BatchWriter::Add(std::optional<std::string_view> key,
                        std::string_view value) {
  const uint64_t bytes = value.size() + (key ? key->size() : 0);
  // Half of what is allowed: the batch adds to what its records take.
  const uint64_t limit =
      std::min(kMaxBatchBytes, store_.config().max_batch_bytes / 2);
  if (batch_.record_count() > 0 && batch_.bytes() + bytes > limit) {
    STRATA_RETURN_IF_ERROR(Seal());
  }
  batch_.Add(key, value, NowMs());
  if (batch_.record_count() >= options_.batch_records) {
    STRATA_RETURN_IF_ERROR(Seal());
  }
  return Status::Ok();
}

Status BatchWriter::Seal() {
  Sealed sealed{.bytes = {},
                .record_count = batch_.record_count(),
                .max_timestamp = batch_.max_timestamp()};
  STRATA_ASSIGN_OR_RETURN(sealed.bytes, batch_.Build());
  // An append lies in one WAL file.
  const uint64_t limit =
      std::min(kMaxAppendBytes, store_.config().wal_file_bytes / 2);
  if (sealed_bytes_ + sealed.bytes.size() > limit) {
    STRATA_RETURN_IF_ERROR(AppendSealed());
  }
  sealed_bytes_ += sealed.bytes.size();
  sealed_.push_back(std::move(sealed));
  return Status::Ok();
}

Status BatchWriter::Flush() {
  if (batch_.record_count() > 0) STRATA_RETURN_IF_ERROR(Seal());
  return AppendSealed();
}

Status BatchWriter::AppendSealed() {
  // Once more could store the same records twice.
  if (!failed_.ok()) return failed_;
  if (sealed_.empty()) return Status::Ok();
  uint64_t records = 0;
  std::vector<AppendRequest> requests;
  for (const Sealed& batch : sealed_) {
    requests.push_back({.bytes = AsBytes(batch.bytes),
                        .record_count = batch.record_count,
                        .max_timestamp = batch.max_timestamp,
                        .format = BatchFormat::kKafkaV2,
                        .durability = options_.durability,
                        .expected_offset = std::nullopt});
    records += batch.record_count;
  }
  const Result<AppendResult> result = store_.Append(partition_, requests);
  if (!result.ok()) return failed_ = result.status();
  if (batches_ == 0) offsets_.base = result->base_offset;
  offsets_.end = result->end_offset;
  records_ += records;
  batches_ += sealed_.size();
  sealed_.clear();
  sealed_bytes_ = 0;
  return Status::Ok();
}

}  // namespace strata::cli
