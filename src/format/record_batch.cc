#include "format/record_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/check.h"
#include "base/crc32c.h"

namespace strata {
namespace {

// Positions of the header's fields; docs/formats/record-batch.md.
constexpr size_t kBaseOffsetAt = 0;
constexpr size_t kBatchLengthAt = 8;
constexpr size_t kLeaderEpochAt = 12;
constexpr size_t kMagicAt = 16;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;  // the CRC covers from here to the end
constexpr size_t kLastOffsetDeltaAt = 23;
constexpr size_t kBaseTimestampAt = 27;
constexpr size_t kMaxTimestampAt = 35;
constexpr size_t kProducerIdAt = 43;
constexpr size_t kProducerEpochAt = 51;
constexpr size_t kBaseSequenceAt = 53;
constexpr size_t kRecordCountAt = 57;

constexpr int8_t kMagic = 2;
constexpr uint16_t kCompressionMask = 0x07;
constexpr uint16_t kLogAppendTime = 0x08;
constexpr uint16_t kTransactional = 0x10;
constexpr uint16_t kControl = 0x20;

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr size_t kMaxVarint32Bytes = 5;
// One byte each for length, attributes, two deltas, key and value length and
// the number of headers; of a header, for key and value length.
constexpr size_t kMinRecordBytes = 7;
constexpr size_t kMinHeaderBytes = 2;

template <typename Expected, typename Found>
Status Damaged(size_t position, std::string_view what, const Expected& expected,
               const Found& found) {
  return {StatusCode::kDataLoss,
          fmt::format("record batch at position {}: {}: expected {}, found {}",
                      position, what, expected, found)};
}

std::string_view CodecName(uint16_t codec) {
  switch (codec) {
    case 1: return "gzip";
    case 2: return "snappy";
    case 3: return "lz4";
    case 4: return "zstd";
    default: return "an unknown codec";
  }
}

// Sums and differences of timestamps wrap, as Kafka's do.
int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(b));
}
int64_t WrappingSubtract(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) -
                              static_cast<uint64_t>(b));
}

Status CheckLength(ByteSpan batch) {
  if (batch.size() < kRecordBatchHeaderBytes) {
    return Damaged(0, "size",
                   fmt::format("at least {} bytes", kRecordBatchHeaderBytes),
                   batch.size());
  }
  const auto length = LoadBig<int32_t>(&batch[kBatchLengthAt]);
  if (length < 0 ||
      static_cast<size_t>(length) != batch.size() - kLeaderEpochAt) {
    return Damaged(kBatchLengthAt, "batchLength", batch.size() - kLeaderEpochAt,
                   length);
  }
  return Status::Ok();
}

Status CheckMagicAndCrc(ByteSpan batch) {
  const auto magic = static_cast<int8_t>(batch[kMagicAt]);
  if (magic != kMagic) {
    return Damaged(kMagicAt, "magic", static_cast<int>(kMagic),
                   static_cast<int>(magic));
  }
  const auto expected = LoadBig<uint32_t>(&batch[kCrcAt]);
  const uint32_t found = Crc32c(batch.subspan(kAttributesAt));
  if (found != expected) {
    return Damaged(kCrcAt, "crc", fmt::format("{:08x}", expected),
                   fmt::format("{:08x}", found));
  }
  return Status::Ok();
}

Status CheckCompression(ByteSpan batch) {
  const uint16_t codec =
      LoadBig<uint16_t>(&batch[kAttributesAt]) & kCompressionMask;
  if (codec == 0) return Status::Ok();
  return {StatusCode::kUnsupported,
          fmt::format("record batch compressed with {} ({}): only batches "
                      "without compression are supported; the others come "
                      "later",
                      CodecName(codec), codec)};
}

Status CheckCounts(ByteSpan batch) {
  const auto base = LoadBig<int64_t>(&batch[kBaseOffsetAt]);
  if (base < 0) {
    return Damaged(kBaseOffsetAt, "baseOffset", "at least 0", base);
  }
  const auto delta = LoadBig<int32_t>(&batch[kLastOffsetDeltaAt]);
  if (delta < 0 || delta >= kInt64Max - base) {
    return Damaged(kLastOffsetDeltaAt, "lastOffsetDelta",
                   "an offset in [0, 2^63 - 1)", delta);
  }
  const auto count = LoadBig<int32_t>(&batch[kRecordCountAt]);
  const auto most = std::min<int64_t>(
      int64_t{delta} + 1,
      static_cast<int64_t>((batch.size() - kRecordBatchHeaderBytes) /
                           kMinRecordBytes));
  if (count < 0 || count > most) {
    return Damaged(kRecordCountAt, "record count", fmt::format("0 to {}", most),
                   count);
  }
  return Status::Ok();
}

// Of a batch whose header was checked.
BatchSummary Summarize(ByteSpan batch) {
  const auto attributes = LoadBig<uint16_t>(&batch[kAttributesAt]);
  const Offset base(LoadBig<uint64_t>(&batch[kBaseOffsetAt]));
  return {
      .offsets = {base,
                  base + LoadBig<uint32_t>(&batch[kLastOffsetDeltaAt]) + 1},
      .leader_epoch = Epoch(LoadBig<uint32_t>(&batch[kLeaderEpochAt])),
      .record_count = LoadBig<uint32_t>(&batch[kRecordCountAt]),
      .base_timestamp = LoadBig<int64_t>(&batch[kBaseTimestampAt]),
      .max_timestamp = LoadBig<int64_t>(&batch[kMaxTimestampAt]),
      .log_append_time = (attributes & kLogAppendTime) != 0,
      .transactional = (attributes & kTransactional) != 0,
      .control = (attributes & kControl) != 0,
      .producer_id = LoadBig<int64_t>(&batch[kProducerIdAt]),
      .producer_epoch = LoadBig<int16_t>(&batch[kProducerEpochAt]),
      .base_sequence = LoadBig<int32_t>(&batch[kBaseSequenceAt]),
  };
}

// Reads the fields of one record. After the first that does not fit, all are
// 0 or absent and `damage` names it. Thread-compatible.
class FieldReader {
 public:
  // `position` is that of `bytes` in the batch.
  FieldReader(ByteSpan bytes, size_t position)
      : reader_(bytes), position_(position) {}

  bool ok() const { return damage_.ok(); }
  Status damage() && { return std::move(damage_); }
  size_t position() const { return position_ + reader_.position(); }
  size_t remaining() const { return reader_.remaining(); }

  void Fail(std::string_view field, std::string_view expected, int64_t found) {
    if (ok()) damage_ = Damaged(position(), field, expected, found);
  }

  void SkipByte(std::string_view field) {
    if (ok() && !reader_.Bytes(1)) Fail(field, "one more byte", 0);
  }

  int64_t Varlong(std::string_view field) {
    if (!ok()) return 0;
    const std::optional<uint64_t> raw = reader_.Varint();
    if (!raw) Fail(field, "a varint of at most 10 bytes", remaining());
    return UnZigZag(raw.value_or(0));
  }

  // A varint of 32 bits, not below `least`.
  int64_t Varint(std::string_view field, int64_t least) {
    const size_t start = reader_.position();
    const int64_t value = Varlong(field);
    if (reader_.position() - start > kMaxVarint32Bytes || value < least ||
        value > kInt32Max) {
      Fail(field, fmt::format("a varint in [{}, {}]", least, kInt32Max), value);
    }
    return ok() ? value : 0;
  }

  // Length and bytes; absent for length -1.
  std::optional<ByteSpan> NullableBytes(std::string_view field) {
    return BytesOf(Varint(field, -1), field);
  }
  std::string_view Text(std::string_view field) {
    return AsText(BytesOf(Varint(field, 0), field).value_or(ByteSpan()));
  }

 private:
  std::optional<ByteSpan> BytesOf(int64_t length, std::string_view field) {
    if (!ok() || length < 0) return std::nullopt;
    const std::optional<ByteSpan> bytes =
        reader_.Bytes(static_cast<uint64_t>(length));
    if (!bytes) {
      Fail(field, fmt::format("at most {} bytes", remaining()), length);
    }
    return bytes;
  }

  ByteReader reader_;
  const size_t position_;
  Status damage_;
};

void ReadHeaders(FieldReader& fields, std::vector<RecordHeader>& headers) {
  headers.clear();
  const int64_t count = fields.Varint("header count", 0);
  const size_t most = fields.remaining() / kMinHeaderBytes;
  if (static_cast<uint64_t>(count) > most) {
    fields.Fail("header count", fmt::format("at most {}", most), count);
  }
  for (int64_t i = 0; i < count && fields.ok(); ++i) {
    RecordHeader& header = headers.emplace_back();
    header.key = fields.Text("header key length");
    header.value = fields.NullableBytes("header value length");
  }
}

// Nullable bytes as the format has them.
void WriteNullable(ByteWriter& out, std::optional<ByteSpan> bytes) {
  out.Varint(ZigZag(bytes ? static_cast<int64_t>(bytes->size()) : -1));
  if (bytes) out.Bytes(*bytes);
}

}  // namespace

RecordReader::RecordReader(ByteSpan batch, BatchSummary summary)
    : reader_(batch), summary_(summary), next_offset_(summary.offsets.base) {
  STRATA_CHECK(reader_.Bytes(kRecordBatchHeaderBytes).has_value());
}

Result<RecordReader> RecordReader::Open(ByteSpan batch) {
  STRATA_RETURN_IF_ERROR(CheckLength(batch));
  STRATA_RETURN_IF_ERROR(CheckMagicAndCrc(batch));
  STRATA_RETURN_IF_ERROR(CheckCompression(batch));
  STRATA_RETURN_IF_ERROR(CheckCounts(batch));
  return RecordReader(batch, Summarize(batch));
}

Result<bool> RecordReader::Next(Record& record) {
  if (records_read_ == summary_.record_count) {
    if (reader_.remaining() == 0) return false;
    return Damaged(reader_.position(), "bytes behind the last record", 0,
                   reader_.remaining());
  }
  const size_t start = reader_.position();
  const std::optional<uint64_t> raw = reader_.Varint();
  const int64_t length = UnZigZag(raw.value_or(0));
  if (!raw || length < 0 ||
      static_cast<uint64_t>(length) > reader_.remaining()) {
    return Damaged(start, fmt::format("length of record {}", records_read_),
                   fmt::format("0 to {}", reader_.remaining()), length);
  }
  const size_t position = reader_.position();
  FieldReader fields(*reader_.Bytes(static_cast<uint64_t>(length)), position);
  fields.SkipByte("record attributes");
  const int64_t timestamp_delta = fields.Varlong("timestampDelta");
  const int64_t offset_delta = fields.Varint("offsetDelta", 0);
  record.timestamp =
      summary_.log_append_time
          ? summary_.max_timestamp
          : WrappingAdd(summary_.base_timestamp, timestamp_delta);
  record.offset = summary_.offsets.base + static_cast<uint64_t>(offset_delta);
  if (record.offset < next_offset_ || record.offset >= summary_.offsets.end) {
    fields.Fail("offsetDelta",
                fmt::format("{} to {}", next_offset_ - summary_.offsets.base,
                            summary_.offsets.size() - 1),
                offset_delta);
  }
  record.key = fields.NullableBytes("key length");
  record.value = fields.NullableBytes("value length");
  ReadHeaders(fields, record.headers);
  if (fields.remaining() != 0) {
    fields.Fail("bytes behind the record", "0",
                static_cast<int64_t>(fields.remaining()));
  }
  if (!fields.ok()) {
    return std::move(fields).damage().WithContext(
        fmt::format("record {}", records_read_));
  }
  next_offset_ = record.offset + 1;
  ++records_read_;
  return true;
}

namespace {

Status ReadAll(ByteSpan batch, uint32_t expected_record_count) {
  STRATA_ASSIGN_OR_RETURN(RecordReader reader, RecordReader::Open(batch));
  const BatchSummary& summary = reader.summary();
  if (summary.record_count != expected_record_count) {
    return Damaged(kRecordCountAt, "record count", expected_record_count,
                   summary.record_count);
  }
  // With as many offsets as records, ascending offsets are consecutive.
  if (summary.offsets.size() != expected_record_count) {
    return Damaged(kLastOffsetDeltaAt, "lastOffsetDelta",
                   int64_t{expected_record_count} - 1,
                   summary.offsets.size() - 1);
  }
  Record record;
  for (bool more = true; more;) {
    STRATA_ASSIGN_OR_RETURN(more, reader.Next(record));
  }
  return Status::Ok();
}

}  // namespace

Status ValidateKafkaBatch(ByteSpan batch, uint32_t expected_record_count) {
  const Status status = ReadAll(batch, expected_record_count);
  if (status.code() != StatusCode::kDataLoss) return status;
  // What was never acknowledged is no loss but a call to be mended.
  return {StatusCode::kInvalidArgument, status.message()};
}

void PatchBaseOffsetAndEpoch(std::span<std::byte> batch, Offset base_offset,
                             Epoch leader_epoch) {
  STRATA_CHECK(batch.size() >= kRecordBatchHeaderBytes);
  StoreBig(&batch[kBaseOffsetAt], base_offset.value());
  StoreBig(&batch[kLeaderEpochAt], leader_epoch.value());
}

void RecordBatchBuilder::Add(const Record& record) {
  STRATA_CHECK(record.offset >= options_.base_offset);
  STRATA_CHECK(record_count_ == 0 || record.offset > last_offset_);
  if (record_count_ == 0) {
    base_timestamp_ = max_timestamp_ = record.timestamp;
  }
  max_timestamp_ = std::max(max_timestamp_, record.timestamp);
  last_offset_ = record.offset;
  ++record_count_;

  ByteWriter body;
  body.Fixed<uint8_t>(0);  // attributes: none are defined
  body.Varint(ZigZag(WrappingSubtract(record.timestamp, base_timestamp_)));
  body.Varint(
      ZigZag(static_cast<int64_t>(record.offset - options_.base_offset)));
  WriteNullable(body, record.key);
  WriteNullable(body, record.value);
  body.Varint(ZigZag(static_cast<int64_t>(record.headers.size())));
  for (const RecordHeader& header : record.headers) {
    WriteNullable(body, AsBytes(header.key));
    WriteNullable(body, header.value);
  }
  records_.Varint(ZigZag(static_cast<int64_t>(body.size())));
  records_.Bytes(AsBytes(body.str()));
}

Result<std::string> RecordBatchBuilder::Build() {
  if (record_count_ == 0) {
    return Status(StatusCode::kInvalidArgument, "record batch of 0 records");
  }
  const uint64_t length =
      kRecordBatchHeaderBytes - kLeaderEpochAt + records_.size();
  const uint64_t last_delta = last_offset_ - options_.base_offset;
  if (length > kInt32Max || last_delta > kInt32Max) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("record batch of {} bytes over {} offsets: at "
                              "most {} of each",
                              length, last_delta + 1, kInt32Max));
  }
  std::array<std::byte, kRecordBatchHeaderBytes> header{};
  StoreBig(&header[kBatchLengthAt], static_cast<int32_t>(length));
  header[kMagicAt] = static_cast<std::byte>(kMagic);
  StoreBig(&header[kAttributesAt],
           options_.transactional ? kTransactional : uint16_t{0});
  StoreBig(&header[kLastOffsetDeltaAt], static_cast<int32_t>(last_delta));
  StoreBig(&header[kBaseTimestampAt], base_timestamp_);
  StoreBig(&header[kMaxTimestampAt], max_timestamp_);
  StoreBig(&header[kProducerIdAt], options_.producer_id);
  StoreBig(&header[kProducerEpochAt], options_.producer_epoch);
  StoreBig(&header[kBaseSequenceAt], options_.base_sequence);
  StoreBig(&header[kRecordCountAt], record_count_);
  PatchBaseOffsetAndEpoch(header, options_.base_offset, options_.leader_epoch);
  StoreBig(&header[kCrcAt],
           ExtendCrc32c(Crc32c(ByteSpan(header).subspan(kAttributesAt)),
                        AsBytes(records_.str())));
  std::string batch(AsText(header));
  batch.append(records_.str());
  return batch;
}

}  // namespace strata
