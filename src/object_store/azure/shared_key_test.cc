#include "object_store/azure/shared_key.h"

#include <gtest/gtest.h>

#include "net/digest.h"

namespace strata {
namespace {

// Of all emulators, published: no secret.
const std::string kKey = *FromBase64(
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"
    "/K1SZFPTOtr/KBHBeksoGMGw==");

// The example of the service's documentation ("Authorize with Shared Key").
// Its key is not published: the signature is that of Python's hmac.
TEST(SharedKeyTest, StringToSignIsThatOfTheDocumentation) {
  const SharedKeyRequest request{
      .method = "GET",
      .path = "/mycontainer",
      .query = {{"restype", "container"},
                {"comp", "metadata"},
                {"timeout", "20"}},
      .headers = {{"x-ms-version", "2015-02-21"},
                  {"x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"}}};
  EXPECT_EQ(SharedKeyStringToSign(request, "myaccount"),
            "GET\n\n\n\n\n\n\n\n\n\n\n\n"
            "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
            "x-ms-version:2015-02-21\n"
            "/myaccount/mycontainer\ncomp:metadata\nrestype:container\n"
            "timeout:20");
  EXPECT_EQ(SharedKeyAuthorization(request, "myaccount", kKey),
            "SharedKey myaccount:1u9lui2jDxj0+fpbHjQ5m5NnastJRSYM+PSmfi8TXx4=");
}

TEST(SharedKeyTest, HeadersHaveTheirPlacesAndAPathStyleAccountStandsTwice) {
  const SharedKeyRequest request{
      .method = "PUT",
      .path = "/devstoreaccount1/c/a%20b",
      .headers = {{"Content-MD5", "abc"},
                  {"If-None-Match", "*"},
                  {"x-ms-blob-type", "BlockBlob"},
                  {"x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"},
                  {"x-ms-version", "2021-12-02"}},
      .body_length = 11};
  EXPECT_EQ(SharedKeyStringToSign(request, "devstoreaccount1"),
            "PUT\n\n\n11\nabc\n\n\n\n\n*\n\n\n"
            "x-ms-blob-type:BlockBlob\n"
            "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
            "x-ms-version:2021-12-02\n"
            "/devstoreaccount1/devstoreaccount1/c/a%20b");
  EXPECT_EQ(SharedKeyAuthorization(request, "devstoreaccount1", kKey),
            "SharedKey "
            "devstoreaccount1:OImBWRN6dJdBotd1zhW8gOxqRQbj/6sDPGG3rJ37koE=");
}

TEST(SharedKeyTest, RangeAndConditionAreInTheirLines) {
  const SharedKeyRequest request{
      .method = "GET",
      .path = "/c/b",
      .headers = {{"Range", "bytes=0-9"}, {"If-Match", "\"e\""}}};
  EXPECT_EQ(SharedKeyStringToSign(request, "a"),
            "GET\n\n\n\n\n\n\n\n\"e\"\n\n\nbytes=0-9\n/a/c/b");
}

TEST(SharedKeyTest, DatesAreThoseOfHttp) {
  EXPECT_EQ(HttpDate(1435361952000), "Fri, 26 Jun 2015 23:39:12 GMT");
  EXPECT_EQ(HttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace strata
