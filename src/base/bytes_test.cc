#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

namespace strata {
namespace {

using namespace std::string_literals;

std::string Varint(uint64_t value) {
  ByteWriter out;
  out.Varint(value);
  return out.Take();
}

TEST(BytesTest, LittleEndianPutsTheLowByteFirst) {
  std::array<std::byte, 4> raw;
  StoreLittle(raw.data(), uint32_t{0x01020304});
  EXPECT_EQ(AsText(raw), "\x04\x03\x02\x01");
  EXPECT_EQ(LoadLittle<uint32_t>(raw.data()), 0x01020304u);
}

TEST(BytesTest, BigEndianPutsTheHighByteFirst) {
  std::array<std::byte, 8> raw;
  StoreBig(raw.data(), int64_t{-2});
  EXPECT_EQ(AsText(raw), "\xff\xff\xff\xff\xff\xff\xff\xfe");
  EXPECT_EQ(LoadBig<int64_t>(raw.data()), -2);
}

TEST(BytesTest, LoadsNeedNoAlignment) {
  const std::string text = "x\x01\x02\x03\x04\x05\x06\x07\x08";
  EXPECT_EQ(LoadLittle<uint64_t>(AsBytes(text).data() + 1),
            0x0807060504030201u);
  EXPECT_EQ(LoadBig<uint64_t>(AsBytes(text).data() + 1), 0x0102030405060708u);
}

TEST(BytesTest, AlignUpRoundsToTheNextMultiple) {
  EXPECT_EQ(AlignUp(0, 8), 0u);
  EXPECT_EQ(AlignUp(1, 8), 8u);
  EXPECT_EQ(AlignUp(8, 8), 8u);
  EXPECT_EQ(AlignUp(4097, 4096), 8192u);
}

TEST(BytesTest, ZigZagMapsSmallToSmallAndBack) {
  EXPECT_EQ(ZigZag(0), 0u);
  EXPECT_EQ(ZigZag(-1), 1u);
  EXPECT_EQ(ZigZag(1), 2u);
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(ZigZag(kMin), std::numeric_limits<uint64_t>::max());
  for (const int64_t v : {kMin, kMin + 1, int64_t{-65}, int64_t{64}, kMax}) {
    EXPECT_EQ(UnZigZag(ZigZag(v)), v);
  }
}

TEST(VarintTest, EncodingsAreThoseOfTheSpecification) {
  EXPECT_EQ(Varint(0), "\0"s);
  EXPECT_EQ(Varint(127), "\x7f");
  EXPECT_EQ(Varint(128), "\x80\x01");
  EXPECT_EQ(Varint(300), "\xac\x02");
  EXPECT_EQ(Varint(std::numeric_limits<uint64_t>::max()),
            "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(VarintTest, EveryLengthReadsBackAtBothEnds) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const uint64_t value :
         {uint64_t{1} << bits, (uint64_t{1} << bits) - 1}) {
      const std::string text = Varint(value);
      ByteReader in(AsBytes(text));
      EXPECT_EQ(in.Varint(), value);
      EXPECT_EQ(in.remaining(), 0u);
    }
  }
}

TEST(VarintTest, EveryTruncationIsRefusedAndKeepsThePosition) {
  const std::string text = Varint(std::numeric_limits<uint64_t>::max());
  for (size_t n = 0; n < text.size(); ++n) {
    ByteReader in(AsBytes(text).first(n));
    EXPECT_EQ(in.Varint(), std::nullopt) << n;
    EXPECT_EQ(in.position(), 0u);
  }
}

TEST(VarintTest, MoreThan64BitsAreRefused) {
  const std::string too_big = std::string(9, '\xff') + '\x02';
  const std::string too_long = std::string(10, '\x80') + '\x01';
  for (const std::string& text : {too_big, too_long}) {
    ByteReader in(AsBytes(text));
    EXPECT_EQ(in.Varint(), std::nullopt);
    EXPECT_EQ(in.position(), 0u);
  }
}

TEST(ByteReaderTest, ReadsBackWhatWasWritten) {
  ByteWriter out;
  out.Fixed(uint8_t{7});
  out.Fixed(int32_t{-3});
  out.Varint(1000);
  out.LengthPrefixed("hello");
  out.Bytes(AsBytes("raw"));
  EXPECT_EQ(out.size(), 1u + 4 + 2 + 6 + 3);

  const std::string text = out.Take();
  ByteReader in(AsBytes(text));
  EXPECT_EQ(in.Fixed<uint8_t>(), 7);
  EXPECT_EQ(in.Fixed<int32_t>(), -3);
  EXPECT_EQ(in.Varint(), 1000u);
  EXPECT_EQ(in.LengthPrefixed(), "hello");
  EXPECT_EQ(in.position(), 13u);
  EXPECT_EQ(AsText(in.Bytes(3).value()), "raw");
  EXPECT_EQ(in.remaining(), 0u);
}

TEST(ByteReaderTest, ReadPastTheEndIsRefusedAndKeepsThePosition) {
  ByteReader in(AsBytes("abc"));
  EXPECT_EQ(in.Fixed<uint32_t>(), std::nullopt);
  EXPECT_EQ(in.Bytes(4), std::nullopt);
  EXPECT_EQ(in.Bytes(std::numeric_limits<uint64_t>::max()), std::nullopt);
  EXPECT_EQ(in.position(), 0u);
  EXPECT_TRUE(in.Bytes(3).has_value());
  EXPECT_TRUE(in.Bytes(0).has_value());
  EXPECT_EQ(in.Fixed<uint8_t>(), std::nullopt);
}

TEST(ByteReaderTest, LengthPrefixBeyondTheEndIsRefusedAndKeepsThePosition) {
  const std::string huge = Varint(std::numeric_limits<uint64_t>::max()) + "abc";
  for (const std::string& text : {"\x04"s + "abc", huge, "\x80"s}) {
    ByteReader in(AsBytes(text));
    EXPECT_EQ(in.LengthPrefixed(), std::nullopt);
    EXPECT_EQ(in.position(), 0u);
  }
}

}  // namespace
}  // namespace strata
