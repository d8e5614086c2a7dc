#include "format/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "format/tagged_fields.h"
#include "testing/golden_file.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kLife = 7;
constexpr std::string_view kPayload = "first\nsecond\n";
constexpr size_t kKindAt = 4;

// The header of the worked example of docs/formats/frame.md, without lengths
// and checksums.
FrameHeader ExampleHeader() {
  FrameHeader header;
  header.flags = kFrameDurable;
  header.topic =
      TopicId::FromString("000102030405060708090a0b0c0d0e0f").value();
  header.partition = 3;
  header.epoch = Epoch(5);
  header.offsets = {Offset(1000), Offset(1002)};
  header.max_timestamp = 1767225600000;
  header.record_count = 2;
  return header;
}

// A whole frame as writers lay it down; fills in lengths and payload CRC.
std::string EncodeFrame(FrameHeader& header, std::string_view tagged,
                        std::string_view payload, uint64_t life = kLife) {
  header.tagged_bytes = static_cast<uint32_t>(tagged.size());
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  header.payload_crc32c = Crc32c(AsBytes(payload));
  std::string frame(FrameBytes(payload.size(), tagged.size()), '\0');
  const auto bytes = std::as_writable_bytes(std::span(frame));
  EncodeFrameHeader(header, life, bytes.first<kFrameHeaderBytes>(),
                    AsBytes(tagged));
  frame.replace(kFrameHeaderBytes, tagged.size(), tagged);
  frame.replace(kFrameHeaderBytes + tagged.size(), payload.size(), payload);
  return frame;
}

std::string ExampleFrame() {
  FrameHeader header = ExampleHeader();
  return EncodeFrame(header, EncodeTaggedFields({{2, "hi"}}), kPayload);
}

// Writes the header CRC that fits to the changed header.
void MendHeaderCrc(std::string& frame) {
  ByteWriter seed;
  seed.Fixed(kLife);
  const ByteSpan bytes = AsBytes(frame);
  const auto tagged = LoadLittle<uint32_t>(bytes.data() + 68);
  StoreLittle(std::as_writable_bytes(std::span(frame)).data(),
              ExtendCrc32c(Crc32c(AsBytes(seed.str())),
                           bytes.subspan(4, kFrameHeaderBytes - 4 + tagged)));
}

StatusCode CodeOf(const std::string& frame, uint64_t life = kLife) {
  return DecodeFrame(AsBytes(frame), life).status().code();
}

TEST(FrameTest, BytesAreThoseOfTheDocument) {
  const std::string dump = ReadSourceFile("testing/golden/frame_batch.hex");
  EXPECT_EQ(ExampleFrame(), BytesOfHexDump(dump));
  EXPECT_THAT(ReadSourceFile("docs/formats/frame.md"), HasSubstr(dump));
}

TEST(FrameTest, ReadsBackWhatWasWritten) {
  const std::string tagged = EncodeTaggedFields({{2, "hi"}, {1000, "later"}});
  FrameHeader header = ExampleHeader();
  const std::string bytes = EncodeFrame(header, tagged, kPayload);
  const auto frame = DecodeFrame(AsBytes(bytes), kLife);
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(frame->header, header);
  EXPECT_EQ(AsText(frame->tagged), tagged);
  EXPECT_EQ(AsText(frame->payload), kPayload);
  EXPECT_EQ(frame->frame_bytes, bytes.size());
  EXPECT_EQ(VerifyPayload(*frame), Status::Ok());
}

TEST(FrameTest, EveryFieldAtItsLimitReadsBack) {
  FrameHeader header;
  header.kind = FrameKind::kGap;
  header.format = BatchFormat::kSeedMessages;
  header.flags = 0xffff;
  header.topic.bytes.fill(std::byte{0xff});
  header.partition = UINT32_MAX;
  header.epoch = Epoch(UINT32_MAX);
  header.offsets = {Offset(0), Offset(UINT64_MAX)};
  header.max_timestamp = INT64_MIN;
  header.record_count = UINT32_MAX;
  const std::string bytes = EncodeFrame(header, "", "", kSegmentLife);
  const auto frame = DecodeFrame(AsBytes(bytes), kSegmentLife);
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(frame->header, header);
  EXPECT_EQ(VerifyPayload(*frame), Status::Ok());
}

TEST(FrameTest, NextFrameStartsAligned) {
  EXPECT_EQ(FrameBytes(0), 72u);
  EXPECT_EQ(FrameBytes(1), 80u);
  EXPECT_EQ(FrameBytes(8), 80u);
  EXPECT_EQ(FrameBytes(5, 4), 88u);
}

TEST(FrameTest, BytesAfterTheFrameAreNotLookedAt) {
  const std::string frame = ExampleFrame();
  const std::string more = frame + "garbage";
  EXPECT_EQ(DecodeFrame(AsBytes(more), kLife)->frame_bytes, frame.size());
}

TEST(FrameTest, EveryFlippedBitIsFound) {
  const std::string good = ExampleFrame();
  const size_t content = kFrameHeaderBytes + 4 + kPayload.size();
  for (size_t bit = 0; bit < content * 8; ++bit) {
    SCOPED_TRACE(bit);
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const auto frame = DecodeFrame(AsBytes(bad), kLife);
    const Status found = frame.ok() ? VerifyPayload(*frame) : frame.status();
    EXPECT_EQ(found.code(), StatusCode::kDataLoss);
    EXPECT_EQ(frame.ok(), bit / 8 >= kFrameHeaderBytes + 4);
  }
}

TEST(FrameTest, EveryTruncationIsRefused) {
  const std::string frame = ExampleFrame();
  for (size_t n = 0; n < frame.size(); ++n) {
    EXPECT_EQ(CodeOf(frame.substr(0, n)), StatusCode::kDataLoss) << n;
  }
}

TEST(FrameTest, FrameOfAFormerLifeOfTheFileIsRefused) {
  const std::string frame = ExampleFrame();
  for (const uint64_t life : {kLife - 1, kLife + 1, kSegmentLife}) {
    EXPECT_EQ(CodeOf(frame, life), StatusCode::kDataLoss);
  }
  EXPECT_EQ(CodeOf(frame, kLife), StatusCode::kOk);
}

TEST(FrameTest, ZerosAndOnesAreNoFrame) {
  for (uint64_t life = 0; life < 1000; ++life) {
    EXPECT_EQ(CodeOf(std::string(4096, '\0'), life), StatusCode::kDataLoss);
    EXPECT_EQ(CodeOf(std::string(4096, '\xff'), life), StatusCode::kDataLoss);
  }
}

TEST(FrameTest, UnknownKindUnderAGoodChecksumNeedsANewerVersion) {
  for (int kind = 3; kind < 256; ++kind) {
    std::string frame = ExampleFrame();
    frame[kKindAt] = static_cast<char>(kind);
    MendHeaderCrc(frame);
    const Status status = DecodeFrame(AsBytes(frame), kLife).status();
    EXPECT_EQ(status.code(), StatusCode::kUnsupported);
    EXPECT_THAT(status.message(),
                HasSubstr("kind " + std::to_string(kind) + " "));
  }
}

TEST(FrameTest, UnknownRequiredTagNeedsANewerVersion) {
  FrameHeader header = ExampleHeader();
  const std::string bytes =
      EncodeFrame(header, EncodeTaggedFields({{9, ""}}), kPayload);
  const Status status = DecodeFrame(AsBytes(bytes), kLife).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("required feature 9"));
}

TEST(FrameTest, MalformedTagsUnderAGoodChecksumAreRefused) {
  FrameHeader header = ExampleHeader();
  EXPECT_EQ(CodeOf(EncodeFrame(header, "\2\5hi", kPayload)),
            StatusCode::kDataLoss);
}

TEST(FrameTest, EmptyOffsetRangeIsRefusedExceptInPadding) {
  for (const uint64_t end : {1000u, 999u}) {
    FrameHeader header = ExampleHeader();
    header.offsets.end = Offset(end);
    EXPECT_EQ(CodeOf(EncodeFrame(header, "", kPayload)), StatusCode::kDataLoss);
  }
  FrameHeader padding;
  padding.kind = FrameKind::kPadding;
  EXPECT_EQ(CodeOf(EncodeFrame(padding, "", "")), StatusCode::kOk);
}

TEST(FrameTest, LengthBeyondTheBytesUnderAGoodChecksumIsRefused) {
  FrameHeader header = ExampleHeader();
  std::string frame = EncodeFrame(header, "", "");
  for (const uint32_t length : {1u, 4096u, UINT32_MAX}) {
    StoreLittle(std::as_writable_bytes(std::span(frame)).data() + 8, length);
    MendHeaderCrc(frame);
    const Status status = DecodeFrame(AsBytes(frame), kLife).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("found 72"));
  }
}

TEST(FrameTest, PayloadDamageNamesTheOffsets) {
  std::string frame = ExampleFrame();
  frame[kFrameHeaderBytes + 4] = 'F';
  const auto decoded = DecodeFrame(AsBytes(frame), kLife);
  ASSERT_TRUE(decoded.ok());
  EXPECT_THAT(VerifyPayload(*decoded).message(), HasSubstr("[1000, 1002)"));
}

TEST(FrameDeathTest, TaggedLengthThatDisagreesIsABugOfTheCaller) {
  FrameHeader header = ExampleHeader();
  header.tagged_bytes = 1;
  std::array<std::byte, kFrameHeaderBytes> out;
  EXPECT_DEATH(EncodeFrameHeader(header, kLife, out), "check failed");
}

}  // namespace
}  // namespace strata
