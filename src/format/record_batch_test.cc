#include "format/record_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "testing/golden_file.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

std::span<std::byte> Mutable(std::string& bytes) {
  return std::as_writable_bytes(std::span(bytes));
}

// Makes a batch whose bytes were changed pass the CRC again.
void Reseal(std::string& batch) {
  StoreBig(Mutable(batch).data() + 17, Crc32c(AsBytes(batch).subspan(21)));
}

void SetLength(std::string& batch) {
  StoreBig(Mutable(batch).data() + 8, static_cast<int32_t>(batch.size() - 12));
}

std::optional<ByteSpan> Bytes(std::string_view text) { return AsBytes(text); }

// What the golden file record_batch_two_records.hex holds.
std::string TwoRecords() {
  RecordBatchBuilder builder({.base_offset = Offset(42),
                              .leader_epoch = Epoch(7),
                              .producer_id = 1000,
                              .producer_epoch = 1,
                              .base_sequence = 5});
  builder.Add({.offset = Offset(42),
               .timestamp = 1700000000000,
               .key = Bytes("k"),
               .value = Bytes("hello")});
  builder.Add({.offset = Offset(43),
               .timestamp = 1700000000100,
               .value = std::nullopt,
               .headers = {{"h", Bytes("v")}, {"n", std::nullopt}}});
  Result<std::string> batch = builder.Build();
  EXPECT_TRUE(batch.ok()) << batch.status();
  return *std::move(batch);
}

// A batch of one record with the body given, CRC and lengths right.
std::string BatchWithRecord(std::string_view body) {
  ByteWriter record;
  record.Varint(ZigZag(static_cast<int64_t>(body.size())));
  record.Bytes(AsBytes(body));
  std::string batch = TwoRecords().substr(0, kRecordBatchHeaderBytes);
  batch += record.str();
  StoreBig(Mutable(batch).data() + 23, int32_t{0});
  StoreBig(Mutable(batch).data() + 57, int32_t{1});
  SetLength(batch);
  Reseal(batch);
  return batch;
}

// Reads the batch to its end.
Status ReadToEnd(ByteSpan batch) {
  STRATA_ASSIGN_OR_RETURN(RecordReader reader, RecordReader::Open(batch));
  Record record;
  for (bool more = true; more;) {
    STRATA_ASSIGN_OR_RETURN(more, reader.Next(record));
  }
  return Status::Ok();
}

TEST(RecordBatchTest, GoldenFileOfOneRecordIsReadAndWritten) {
  const std::string golden = GoldenBytes("record_batch_one_record.hex");
  RecordBatchBuilder builder({});
  builder.Add({.timestamp = 1, .value = Bytes("a")});
  EXPECT_EQ(builder.Build().value(), golden);
  EXPECT_EQ(ValidateKafkaBatch(AsBytes(golden), 1), Status::Ok());
}

TEST(RecordBatchTest, GoldenFileOfTwoRecordsIsReadAndWritten) {
  const std::string golden = GoldenBytes("record_batch_two_records.hex");
  EXPECT_EQ(TwoRecords(), golden);
  EXPECT_EQ(ValidateKafkaBatch(AsBytes(golden), 2), Status::Ok());
}

TEST(RecordBatchTest, DocumentShowsTheGoldenFiles) {
  const std::string document = ReadSourceFile("docs/formats/record-batch.md");
  for (const char* name :
       {"record_batch_one_record.hex", "record_batch_two_records.hex"}) {
    const std::string dump =
        ReadSourceFile(std::string("testing/golden/") + name);
    EXPECT_THAT(document, HasSubstr(dump)) << name;
  }
}

TEST(RecordBatchTest, SummaryTellsTheHeader) {
  const std::string batch = TwoRecords();
  const Result<RecordReader> reader = RecordReader::Open(AsBytes(batch));
  ASSERT_TRUE(reader.ok()) << reader.status();
  const BatchSummary expected{.offsets = {Offset(42), Offset(44)},
                              .leader_epoch = Epoch(7),
                              .record_count = 2,
                              .base_timestamp = 1700000000000,
                              .max_timestamp = 1700000000100,
                              .producer_id = 1000,
                              .producer_epoch = 1,
                              .base_sequence = 5};
  EXPECT_EQ(reader->summary(), expected);
}

TEST(RecordBatchTest, RecordsComeBackWithKeysValuesAndHeaders) {
  const std::string batch = TwoRecords();
  Result<RecordReader> reader = RecordReader::Open(AsBytes(batch));
  ASSERT_TRUE(reader.ok()) << reader.status();
  Record record;
  ASSERT_TRUE(reader->Next(record).value());
  EXPECT_EQ(record.offset, Offset(42));
  EXPECT_EQ(record.timestamp, 1700000000000);
  EXPECT_EQ(AsText(record.key.value()), "k");
  EXPECT_EQ(AsText(record.value.value()), "hello");
  EXPECT_TRUE(record.headers.empty());

  ASSERT_TRUE(reader->Next(record).value());
  EXPECT_EQ(record.offset, Offset(43));
  EXPECT_EQ(record.timestamp, 1700000000100);
  EXPECT_FALSE(record.key.has_value());
  EXPECT_FALSE(record.value.has_value());
  ASSERT_EQ(record.headers.size(), 2u);
  EXPECT_EQ(record.headers[0].key, "h");
  EXPECT_EQ(AsText(record.headers[0].value.value()), "v");
  EXPECT_EQ(record.headers[1].key, "n");
  EXPECT_FALSE(record.headers[1].value.has_value());

  EXPECT_FALSE(reader->Next(record).value());
}

TEST(RecordBatchTest, EmptyKeyIsNotAnAbsentOne) {
  RecordBatchBuilder builder({});
  builder.Add({.key = Bytes(""), .value = Bytes("")});
  const std::string batch = builder.Build().value();
  RecordReader reader = RecordReader::Open(AsBytes(batch)).value();
  Record record;
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_TRUE(record.key.has_value());
  EXPECT_TRUE(record.value.has_value());
}

TEST(RecordBatchTest, TimestampsMayGoBackAndSpanTheWholeRange) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  RecordBatchBuilder builder({});
  builder.Add({.offset = Offset(0), .timestamp = kMost});
  builder.Add({.offset = Offset(1), .timestamp = kLeast});
  const std::string batch = builder.Build().value();
  RecordReader reader = RecordReader::Open(AsBytes(batch)).value();
  EXPECT_EQ(reader.summary().max_timestamp, kMost);
  Record record;
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_EQ(record.timestamp, kMost);
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_EQ(record.timestamp, kLeast);
}

TEST(RecordBatchTest, LogAppendTimeGivesEveryRecordTheMaxTimestamp) {
  std::string batch = TwoRecords();
  Mutable(batch)[22] |= std::byte{0x08};
  Reseal(batch);
  RecordReader reader = RecordReader::Open(AsBytes(batch)).value();
  Record record;
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_EQ(record.timestamp, 1700000000100);
}

TEST(RecordBatchTest, TransactionalAndControlBitsAreTold) {
  RecordBatchBuilder builder({.transactional = true});
  builder.Add({});
  std::string batch = builder.Build().value();
  EXPECT_TRUE(RecordReader::Open(AsBytes(batch))->summary().transactional);
  EXPECT_FALSE(RecordReader::Open(AsBytes(batch))->summary().control);
  Mutable(batch)[22] |= std::byte{0x20};
  Reseal(batch);
  EXPECT_TRUE(RecordReader::Open(AsBytes(batch))->summary().control);
}

TEST(RecordBatchTest, CompactedBatchWithHolesIsReadButNotAppended) {
  RecordBatchBuilder builder({.base_offset = Offset(10)});
  builder.Add({.offset = Offset(12), .value = Bytes("x")});
  builder.Add({.offset = Offset(19), .value = Bytes("y")});
  const std::string batch = builder.Build().value();
  RecordReader reader = RecordReader::Open(AsBytes(batch)).value();
  EXPECT_EQ(reader.summary().offsets, (OffsetRange{Offset(10), Offset(20)}));
  Record record;
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_EQ(record.offset, Offset(12));
  ASSERT_TRUE(reader.Next(record).value());
  EXPECT_EQ(record.offset, Offset(19));
  EXPECT_EQ(ValidateKafkaBatch(AsBytes(batch), 2).code(),
            StatusCode::kInvalidArgument);
}

TEST(RecordBatchTest, PatchingOffsetAndEpochKeepsTheCrcRight) {
  std::string batch = TwoRecords();
  PatchBaseOffsetAndEpoch(Mutable(batch), Offset(1000), Epoch(9));
  ASSERT_EQ(ValidateKafkaBatch(AsBytes(batch), 2), Status::Ok());
  const RecordReader reader = RecordReader::Open(AsBytes(batch)).value();
  EXPECT_EQ(reader.summary().offsets,
            (OffsetRange{Offset(1000), Offset(1002)}));
  EXPECT_EQ(reader.summary().leader_epoch, Epoch(9));
}

TEST(RecordBatchTest, EveryFlippedBitIsDataLoss) {
  const std::string good = TwoRecords();
  for (size_t at = 0; at < good.size(); ++at) {
    // Base offset and epoch are the broker's to set: no CRC covers them.
    if (at < 8 || (at >= 12 && at < 16)) continue;
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      Mutable(bad)[at] ^= static_cast<std::byte>(1 << bit);
      EXPECT_EQ(ReadToEnd(AsBytes(bad)).code(), StatusCode::kDataLoss)
          << "byte " << at << " bit " << bit;
    }
  }
}

TEST(RecordBatchTest, EveryTruncationIsDataLoss) {
  const std::string good = TwoRecords();
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(ReadToEnd(AsBytes(good).first(size)).code(),
              StatusCode::kDataLoss)
        << size;
  }
}

// Under a CRC that is right: what a writer with a mistake, or a hostile one,
// sends.
TEST(RecordBatchTest, EveryTruncationWithRightLengthAndCrcIsDataLoss) {
  const std::string good = TwoRecords();
  for (size_t size = kRecordBatchHeaderBytes; size < good.size(); ++size) {
    std::string bad = good.substr(0, size);
    SetLength(bad);
    Reseal(bad);
    EXPECT_EQ(ReadToEnd(AsBytes(bad)).code(), StatusCode::kDataLoss) << size;
  }
}

// Never a crash, a read past the end or a status of another kind.
TEST(RecordBatchTest, EveryChangedByteWithRightCrcIsReadOrRefused) {
  const std::string good = TwoRecords();
  for (size_t at = 21; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string bad = good;
      Mutable(bad)[at] = static_cast<std::byte>(value);
      Reseal(bad);
      const StatusCode code = ReadToEnd(AsBytes(bad)).code();
      EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kDataLoss ||
                  code == StatusCode::kUnsupported)
          << "byte " << at << " value " << value << ": "
          << StatusCodeName(code);
    }
  }
}

TEST(RecordBatchTest, BytesBehindTheBatchAreRefused) {
  const std::string batch = TwoRecords() + "x";
  const Status status = ReadToEnd(AsBytes(batch));
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("position 8: batchLength"));
}

TEST(RecordBatchTest, BytesBehindTheLastRecordAreRefused) {
  std::string batch = TwoRecords() + "x";
  SetLength(batch);
  Reseal(batch);
  const Status status = ReadToEnd(AsBytes(batch));
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("bytes behind the last record"));
}

TEST(RecordBatchTest, WrongCrcTellsExpectedAndFound) {
  std::string batch = TwoRecords();
  StoreBig(Mutable(batch).data() + 17, uint32_t{0xdeadbeef});
  const Status status = ReadToEnd(AsBytes(batch));
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(),
              HasSubstr("position 17: crc: expected deadbeef, found"));
}

TEST(RecordBatchTest, OldMagicIsRefused) {
  std::string batch = TwoRecords();
  Mutable(batch)[16] = std::byte{1};
  EXPECT_THAT(ReadToEnd(AsBytes(batch)).message(),
              HasSubstr("position 16: magic: expected 2, found 1"));
}

TEST(RecordBatchTest, CompressedBatchIsUnsupportedNamingTheCodec) {
  for (const auto& [bits, name] :
       {std::pair(1, "gzip"), std::pair(2, "snappy"), std::pair(3, "lz4"),
        std::pair(4, "zstd"), std::pair(5, "unknown codec")}) {
    std::string batch = TwoRecords();
    Mutable(batch)[22] = static_cast<std::byte>(bits);
    Reseal(batch);
    const Status status = ValidateKafkaBatch(AsBytes(batch), 2);
    EXPECT_EQ(status.code(), StatusCode::kUnsupported) << name;
    EXPECT_THAT(status.message(), HasSubstr(name));
  }
}

TEST(RecordBatchTest, NegativeBaseOffsetIsRefused) {
  std::string batch = TwoRecords();
  Mutable(batch)[0] = std::byte{0xff};
  EXPECT_THAT(ReadToEnd(AsBytes(batch)).message(), HasSubstr("baseOffset"));
}

TEST(RecordBatchTest, OffsetsPastTheRangeAreRefused) {
  std::string batch = TwoRecords();
  PatchBaseOffsetAndEpoch(Mutable(batch), Offset((uint64_t{1} << 63) - 2),
                          Epoch(1));
  EXPECT_THAT(ReadToEnd(AsBytes(batch)).message(),
              HasSubstr("lastOffsetDelta"));
}

TEST(RecordBatchTest, RecordCountThatCannotFitIsRefused) {
  for (const int32_t count : {-1, 3, 1 << 30}) {
    std::string batch = TwoRecords();
    StoreBig(Mutable(batch).data() + 57, count);
    Reseal(batch);
    EXPECT_THAT(ReadToEnd(AsBytes(batch)).message(), HasSubstr("record count"))
        << count;
  }
}

TEST(RecordBatchTest, OffsetsThatDoNotAscendAreRefused) {
  std::string batch = TwoRecords();
  // The second record: length, attributes, two bytes of timestamp delta, then
  // its offset delta.
  const size_t second = kRecordBatchHeaderBytes + 1 + batch[61] / 2;
  ASSERT_EQ(batch[second + 4], 2);  // zigzag of 1
  batch[second + 4] = 0;
  Reseal(batch);
  EXPECT_THAT(ReadToEnd(AsBytes(batch)).message(),
              HasSubstr("record 1: record batch at position"));
}

struct BadRecord {
  const char* body;
  size_t size;
  const char* named;
};

// Bodies: attributes, timestamp delta, offset delta, key, value, headers.
class BadRecordTest : public ::testing::TestWithParam<BadRecord> {};

TEST_P(BadRecordTest, FieldIsNamed) {
  const BadRecord& bad = GetParam();
  const std::string batch = BatchWithRecord({bad.body, bad.size});
  const Status status = ReadToEnd(AsBytes(batch));
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(bad.named));
}

INSTANTIATE_TEST_SUITE_P(
    RecordBatchTest, BadRecordTest,
    ::testing::Values(
        BadRecord{"\0\0\0\1\1", 5, "record count"},  // too short for any
        BadRecord{"\0\0\0\x03\1\0\0", 7, "key length"},
        BadRecord{"\0\0\0\x08\1\0\0", 7, "key length"},
        BadRecord{"\0\0\0\1\x03\0\0", 7, "value length"},
        BadRecord{"\0\0\0\1\1\1\0", 7, "header count"},
        BadRecord{"\0\0\0\1\1\4\0", 7, "header count"},
        BadRecord{"\0\0\0\1\1\2\1\0", 8, "header key length"},
        BadRecord{"\0\0\0\1\1\2\0\3", 8, "header value length"},
        BadRecord{"\0\0\2\1\1\0\0", 7, "offsetDelta"},
        BadRecord{"\0\0\1\1\1\0\0", 7, "offsetDelta"},
        BadRecord{"\0\0\0\1\1\0\0", 7, "bytes behind the record"},
        BadRecord{"\0\0\x80\x80\x80\x80\x80\0\1\1\0", 11, "offsetDelta"},
        BadRecord{"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0\1\1\0", 16,
                  "timestampDelta"}));

TEST(RecordBatchTest, SmallestRecordIsRead) {
  const std::string batch = BatchWithRecord({"\0\0\0\1\1\0", 6});
  EXPECT_EQ(ReadToEnd(AsBytes(batch)), Status::Ok());
}

TEST(ValidateKafkaBatchTest, WrongCountIsInvalidArgument) {
  const std::string batch = TwoRecords();
  const Status status = ValidateKafkaBatch(AsBytes(batch), 3);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("record count: expected 3, found 2"));
}

TEST(ValidateKafkaBatchTest, DamagedBatchIsInvalidArgument) {
  std::string batch = TwoRecords();
  batch.back() ^= 1;
  EXPECT_EQ(ValidateKafkaBatch(AsBytes(batch), 2).code(),
            StatusCode::kInvalidArgument);
}

TEST(RecordBatchBuilderTest, BatchWithoutRecordsIsInvalidArgument) {
  RecordBatchBuilder builder({});
  EXPECT_EQ(builder.Build().status().code(), StatusCode::kInvalidArgument);
}

TEST(RecordBatchBuilderTest, OffsetsTooFarApartAreInvalidArgument) {
  RecordBatchBuilder builder({});
  builder.Add({.offset = Offset(uint64_t{1} << 31)});
  EXPECT_EQ(builder.Build().status().code(), StatusCode::kInvalidArgument);
}

TEST(RecordBatchBuilderDeathTest, OffsetsMustAscend) {
  RecordBatchBuilder builder({});
  builder.Add({.offset = Offset(1)});
  EXPECT_DEATH(builder.Add({.offset = Offset(1)}), "last_offset_");
}

}  // namespace
}  // namespace strata
