// What only a server of S3 that verifies can show.
#include <gtest/gtest.h>

#include "net/curl_http_client.h"
#include "runtime/thread_runtime.h"
#include "testing/object_store_client.h"
#include "testing/s3_test_server.h"

namespace strata {
namespace {

class S3ServerTest : public ::testing::Test {
 protected:
  Status Ask(S3Options options, Credentials keys, const std::string& ca) {
    auto store = MakeS3ObjectStore(std::move(options),
                                   MakeStaticCredentials(std::move(keys)),
                                   MakeCurlHttpClient({.ca_bundle = ca}));
    ObjectStoreClient client(**store, *runtime_);
    const Status got = client.Get("absent").status();
    EXPECT_EQ(client.Head("absent").status().code(), got.code());
    return got;
  }
  Credentials Keys() {
    return {.access_key = settings_["ACCESS_KEY"],
            .secret_key = settings_["SECRET_KEY"]};
  }

  const TestServerSettings settings_ = ServerOfFixture("ceph", kS3Settings);
  S3Options options_ = S3OptionsOf(settings_["URL"], settings_);
  const std::unique_ptr<Runtime> runtime_ = MakeThreadRuntime();
};

TEST_F(S3ServerTest, AbsentObjectOfABucketIsNotFound) {
  EXPECT_EQ(Ask(options_, Keys(), "").code(), StatusCode::kNotFound);
}

TEST_F(S3ServerTest, AbsentBucketIsNotAnAbsentObject) {
  options_.bucket = "no-such-bucket";
  EXPECT_EQ(Ask(options_, Keys(), "").code(), StatusCode::kIoError);
}

TEST_F(S3ServerTest, WrongSecretIsRefused) {
  Credentials keys = Keys();
  keys.secret_key = "wrong-secret";
  const Status got = Ask(options_, keys, "");
  EXPECT_EQ(got.code(), StatusCode::kIoError);
  EXPECT_NE(got.message().find("SignatureDoesNotMatch"), std::string::npos);
  EXPECT_EQ(got.message().find("wrong-secret"), std::string::npos);
}

TEST_F(S3ServerTest, UnknownKeyIsRefused) {
  EXPECT_EQ(
      Ask(options_, {.access_key = "nobody", .secret_key = "s"}, "").code(),
      StatusCode::kIoError);
}

TEST_F(S3ServerTest, CertificateOfAnUnknownAuthorityIsRefused) {
  options_ = S3OptionsOf(settings_["TLS_URL"], settings_);
  EXPECT_EQ(Ask(options_, Keys(), "").code(), StatusCode::kIoError);
  EXPECT_EQ(Ask(options_, Keys(), settings_["CA"]).code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace strata
