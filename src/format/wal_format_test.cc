#include "format/wal_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "format/frame.h"
#include "format/tagged_fields.h"
#include "testing/golden_file.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kLife = 7;

const TopicId kLogId =
    TopicId::FromString("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf").value();

WalFileHeader ExampleFileHeader() {
  return {.log_id = kLogId,
          .life = kLife,
          .first_group_seq = 12,
          .file_bytes = 64 << 20};
}

std::string EncodeGroup(WalGroupHeader header, std::string_view tagged = {}) {
  header.tagged_bytes = static_cast<uint32_t>(tagged.size());
  std::string out(kWalGroupHeaderBytes, '\0');
  EncodeWalGroupHeader(
      header, kLogId, kLife,
      std::as_writable_bytes(std::span(out)).first<kWalGroupHeaderBytes>(),
      AsBytes(tagged));
  return out + std::string(tagged);
}

StatusCode GroupCode(std::string_view bytes, uint64_t life = kLife) {
  return DecodeWalGroupHeader(AsBytes(bytes), kLogId, life).status().code();
}
StatusCode FileCode(std::string_view bytes) {
  return DecodeWalFileHeader(AsBytes(bytes)).status().code();
}

void MendFileCrc(std::string& block, size_t tagged_bytes = 0) {
  auto* p = reinterpret_cast<std::byte*>(block.data());
  StoreLittle(p + 8, Crc32c({p + 12, 52 + tagged_bytes}));
}

TEST(WalFormatTest, FileHeaderIsThatOfTheDocument) {
  const std::string dump =
      ReadSourceFile("testing/golden/wal_file_header_v1.hex");
  std::string block = BytesOfHexDump(dump);
  block.resize(kWalBlockBytes);
  EXPECT_EQ(EncodeWalFileHeader(ExampleFileHeader()), block);
  const auto header = DecodeWalFileHeader(AsBytes(block));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(*header, ExampleFileHeader());
  EXPECT_THAT(ReadSourceFile("docs/formats/wal.md"), HasSubstr(dump));
}

TEST(WalFormatTest, GroupIsThatOfTheDocument) {
  const std::string dump = ReadSourceFile("testing/golden/wal_group_v1.hex");
  const std::string golden = BytesOfHexDump(dump);
  EXPECT_THAT(ReadSourceFile("docs/formats/wal.md"), HasSubstr(dump));
  const auto header = DecodeWalGroupHeader(AsBytes(golden), kLogId, kLife);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(*header, (WalGroupHeader{.seq = 12,
                                     .synced_seq = 11,
                                     .bytes = 160,
                                     .frames = 1,
                                     .tagged_bytes = 0}));
  std::string again = EncodeGroup(*header);
  for (size_t at = header->frames_at(); at < golden.size();) {
    const auto frame = DecodeFrame(AsBytes(golden).subspan(at), kLife);
    ASSERT_TRUE(frame.ok()) << frame.status();
    EXPECT_EQ(VerifyPayload(*frame), Status::Ok());
    std::string bytes(frame->frame_bytes, '\0');
    EncodeFrameHeader(
        frame->header, kLife,
        std::as_writable_bytes(std::span(bytes)).first<kFrameHeaderBytes>(),
        frame->tagged);
    const std::string body = std::string(AsText(frame->tagged)) +
                             std::string(AsText(frame->payload));
    bytes.replace(kFrameHeaderBytes, body.size(), body);
    again += bytes;
    at += frame->frame_bytes;
  }
  EXPECT_EQ(again, golden);
}

TEST(WalFormatTest, EachFlippedByteOfTheFileHeaderIsNoticed) {
  const std::string block = EncodeWalFileHeader(ExampleFileHeader());
  for (size_t i = 0; i < 64; ++i) {
    std::string bad = block;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_EQ(FileCode(bad), StatusCode::kDataLoss) << i;
  }
}

TEST(WalFormatTest, FileHeaderCutShortIsNoticed) {
  const std::string block = EncodeWalFileHeader(ExampleFileHeader());
  for (size_t n = 0; n < 64; ++n) {
    EXPECT_EQ(FileCode(std::string_view(block).substr(0, n)),
              StatusCode::kDataLoss);
  }
}

TEST(WalFormatTest, ImpossibleFileHeadersAreRefused) {
  for (const uint64_t seq : {uint64_t{0}, kMaxWalNumber + 1}) {
    WalFileHeader header = ExampleFileHeader();
    header.first_group_seq = seq;
    EXPECT_EQ(FileCode(EncodeWalFileHeader(header)), StatusCode::kDataLoss);
  }
  WalFileHeader header = ExampleFileHeader();
  header.life = 0;
  EXPECT_EQ(FileCode(EncodeWalFileHeader(header)), StatusCode::kDataLoss);
}

TEST(WalFormatTest, NewerVersionOfAFileIsUnsupported) {
  std::string block = EncodeWalFileHeader(ExampleFileHeader());
  block[12] = 2;
  EXPECT_EQ(FileCode(block), StatusCode::kDataLoss);  // until the CRC fits
  MendFileCrc(block);
  const Status status = DecodeWalFileHeader(AsBytes(block)).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("version 2"));
}

TEST(WalFormatTest, TaggedFieldsOfAFileHeaderAreCheckedAndCovered) {
  for (const auto& [tag, code] :
       {std::pair<uint64_t, StatusCode>{2, StatusCode::kOk},
        {3, StatusCode::kUnsupported}}) {
    const std::string tagged = EncodeTaggedFields({{tag, "later"}});
    std::string block = EncodeWalFileHeader(ExampleFileHeader());
    block[56] = static_cast<char>(tagged.size());
    block.replace(64, tagged.size(), tagged);
    MendFileCrc(block, tagged.size());
    EXPECT_EQ(FileCode(block), code);
    block[66] ^= 1;
    EXPECT_EQ(FileCode(block), StatusCode::kDataLoss);
  }
}

TEST(WalFormatTest, TaggedLengthOfAFileHeaderIsNotBelieved) {
  std::string block = EncodeWalFileHeader(ExampleFileHeader());
  block.replace(56, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(FileCode(block), StatusCode::kDataLoss);
}

TEST(WalFormatTest, EachFlippedByteOfAGroupHeaderIsNoticed) {
  const std::string bytes =
      EncodeGroup({.seq = 5, .synced_seq = 4, .bytes = 64, .frames = 0});
  EXPECT_EQ(GroupCode(bytes), StatusCode::kOk);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x01);
    EXPECT_EQ(GroupCode(bad), StatusCode::kDataLoss) << i;
    EXPECT_EQ(GroupCode(std::string_view(bytes).substr(0, i)),
              StatusCode::kDataLoss);
  }
}

TEST(WalFormatTest, GroupOfAnotherLifeOrLogIsNone) {
  const std::string bytes =
      EncodeGroup({.seq = 5, .synced_seq = 4, .bytes = 64, .frames = 0});
  EXPECT_EQ(GroupCode(bytes, kLife + 1), StatusCode::kDataLoss);
  TopicId other = kLogId;
  other.bytes[15] = std::byte{0};
  EXPECT_EQ(DecodeWalGroupHeader(AsBytes(bytes), other, kLife).status().code(),
            StatusCode::kDataLoss);
}

TEST(WalFormatTest, ImpossibleGroupsAreRefused) {
  for (const WalGroupHeader& header :
       {WalGroupHeader{.seq = 5, .synced_seq = 4, .bytes = 63},
        WalGroupHeader{.seq = kMaxWalNumber + 1, .synced_seq = 4, .bytes = 64},
        WalGroupHeader{.seq = 5, .synced_seq = 5, .bytes = 64},
        WalGroupHeader{.seq = 0, .synced_seq = 0, .bytes = 64}}) {
    EXPECT_EQ(GroupCode(EncodeGroup(header)), StatusCode::kDataLoss);
  }
}

TEST(WalFormatTest, FramesStartBehindTheTaggedFieldsOfAGroup) {
  const std::string optional = EncodeTaggedFields({{2, "hi"}});
  const std::string bytes = EncodeGroup(
      {.seq = 5, .synced_seq = 4, .bytes = 72, .frames = 0}, optional);
  const auto header = DecodeWalGroupHeader(AsBytes(bytes), kLogId, kLife);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->frames_at(), 72u);
  std::string bad = bytes;
  bad.back() ^= 1;
  EXPECT_EQ(GroupCode(bad), StatusCode::kDataLoss);
  EXPECT_EQ(GroupCode(EncodeGroup({.seq = 5, .synced_seq = 4, .bytes = 72},
                                  EncodeTaggedFields({{3, "hi"}}))),
            StatusCode::kUnsupported);
}

TEST(WalFormatTest, NamesGoBothWaysAndOthersAreRefused) {
  EXPECT_EQ(WalFileName(7), "00000000000000000007.wal");
  EXPECT_EQ(ParseWalFileName("00000000000000000007.wal"), 7u);
  EXPECT_EQ(ParseWalFileName(WalFileName(kMaxWalNumber)), kMaxWalNumber);
  EXPECT_EQ(ParseWalFileName(WalFileName(kMaxWalNumber + 1)), std::nullopt);
  for (const std::string_view name :
       {"", ".wal", "7.wal", "00000000000000000000.wal",
        "00000000000000000007.wal2", "00000000000000000007",
        "99999999999999999999.wal", "0000000000000000007a.wal",
        "-0000000000000000007.wal"}) {
    EXPECT_EQ(ParseWalFileName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace strata
