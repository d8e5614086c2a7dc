#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace strata {
namespace {

TEST(Crc32cTest, CheckValueOfTheCatalogue) {
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xe3069283u);
  EXPECT_EQ(Crc32c({}), 0u);
}

// RFC 3720, B.4.
TEST(Crc32cTest, VectorsOfIscsi) {
  const std::string zeros(32, '\0');
  const std::string ones(32, '\xff');
  std::string ascending(32, '\0');
  std::iota(ascending.begin(), ascending.end(), '\0');
  const std::string descending(ascending.rbegin(), ascending.rend());
  EXPECT_EQ(Crc32c(AsBytes(zeros)), 0x8a9136aau);
  EXPECT_EQ(Crc32c(AsBytes(ones)), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(AsBytes(ascending)), 0x46dd794eu);
  EXPECT_EQ(Crc32c(AsBytes(descending)), 0x113fdb5cu);
}

TEST(Crc32cTest, ExtendingPieceByPieceIsTheWhole) {
  std::string text(1000, '\0');
  for (size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(i * i);
  }
  const ByteSpan whole = AsBytes(text);
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    EXPECT_EQ(ExtendCrc32c(Crc32c(whole.first(cut)), whole.subspan(cut)),
              Crc32c(whole));
  }
}

TEST(Crc32cTest, EveryBitCounts) {
  std::string text = "0123456789abcdefghij";
  const uint32_t whole = Crc32c(AsBytes(text));
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_NE(Crc32c(AsBytes(text)), whole) << bit;
    text[bit / 8] ^= static_cast<char>(1 << bit % 8);
  }
}

}  // namespace
}  // namespace strata
