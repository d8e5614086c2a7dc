#include "net/digest.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

// FIPS 180-2, appendix B.1.
TEST(DigestTest, Sha256OfAbc) {
  const std::string expected =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(ToHex(Sha256(AsBytes("abc"))), expected);
  Sha256Stream stream;
  stream.Update(AsBytes("a"));
  stream.Update(AsBytes("bc"));
  EXPECT_EQ(ToHex(stream.Finish()), expected);
}

// RFC 4231, test case 2.
TEST(DigestTest, HmacOfTheStandard) {
  EXPECT_EQ(ToHex(HmacSha256(AsBytes("Jefe"),
                             AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// RFC 1321, appendix A.5.
TEST(DigestTest, Md5OfAbc) {
  EXPECT_EQ(ToHex(Md5(AsBytes("abc"))), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(DigestTest, HexIsReadInBothCases) {
  EXPECT_EQ(FromHex("00ffAbaB"), std::string("\0\xff\xab\xab", 4));
  EXPECT_FALSE(FromHex("0").has_value());
  EXPECT_FALSE(FromHex("0g").has_value());
}

// RFC 4648, section 10.
TEST(DigestTest, Base64OfTheStandard) {
  for (const auto& [plain, encoded] : {std::pair{"", ""},
                                       {"f", "Zg=="},
                                       {"fo", "Zm8="},
                                       {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(ToBase64(AsBytes(plain)), encoded);
    EXPECT_EQ(FromBase64(encoded), plain);
  }
  EXPECT_FALSE(FromBase64("Zg").has_value());
  EXPECT_FALSE(FromBase64("Z!==").has_value());
}

}  // namespace
}  // namespace strata
