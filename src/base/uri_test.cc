#include "base/uri.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(UriTest, EverythingButUnreservedIsEncoded) {
  EXPECT_EQ(PercentEncode("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(PercentEncode("a/b c+\xc3\xa4"), "a%2Fb%20c%2B%C3%A4");
  EXPECT_EQ(PercentEncodePath("/a b/c"), "/a%20b/c");
}

TEST(UriTest, DecodeIsTheInverse) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(PercentDecode(PercentEncode(all), PlusSign::kPlus), all);
  EXPECT_EQ(PercentDecode("a+b%2b", PlusSign::kSpace), "a b+");
  EXPECT_EQ(PercentDecode("a+b", PlusSign::kPlus), "a+b");
}

TEST(UriTest, BrokenEncodingIsNotDecoded) {
  for (const char* text : {"%", "%4", "a%", "%zz", "%4g"}) {
    EXPECT_FALSE(PercentDecode(text, PlusSign::kPlus).has_value()) << text;
  }
}

TEST(UriTest, QueryIsOrderedByEncodedNameThenValue) {
  EXPECT_EQ(EncodeQuery({{"b", "2"}, {"a", "z"}, {"a", "b"}, {"uploads", ""}}),
            "a=b&a=z&b=2&uploads=");
}

TEST(UriTest, EndpointHasItsParts) {
  const auto endpoint = ParseEndpoint("https://host:8443/some/path/");
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_TRUE(endpoint->tls);
  EXPECT_EQ(endpoint->authority, "host:8443");
  EXPECT_EQ(endpoint->path, "/some/path");
  EXPECT_EQ(endpoint->Origin(), "https://host:8443");
  EXPECT_EQ(ParseEndpoint("http://h/")->path, "");
}

TEST(UriTest, OtherUrlsAreNoEndpoints) {
  for (const char* url :
       {"", "host", "ftp://h", "http://", "http:///p", "http://u:p@h",
        "http://h?q", "http://h#f", "http://h h"}) {
    EXPECT_FALSE(ParseEndpoint(url).has_value()) << url;
  }
}

}  // namespace
}  // namespace strata
