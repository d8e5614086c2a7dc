// The contract of object stores against real servers: Ceph, which ctest starts,
// over HTTP and HTTPS; and another S3 when STRATA_TEST_S3_URL names it.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "net/curl_http_client.h"
#include "object_store/prefixed_object_store.h"
#include "runtime/thread_runtime.h"
#include "testing/object_store_contract.h"
#include "testing/s3_test_server.h"

namespace strata {
namespace {

// A part of the bucket of its own, which goes with it.
struct TestBucket {
  std::shared_ptr<ObjectStore> store;
  std::shared_ptr<Runtime> runtime = MakeThreadRuntime();

  ~TestBucket() {
    ObjectStoreClient client(*store, *runtime);
    for (const std::string& key : client.Keys()) {
      EXPECT_EQ(client.Delete(key), Status::Ok());
    }
  }
};

std::unique_ptr<ObjectStoreWorld> WorldOf(S3TestSettings settings,
                                          const char* url) {
  auto world = std::make_unique<ObjectStoreWorld>();
  auto bucket = std::make_shared<TestBucket>();
  auto store = MakeS3ObjectStore(
      S3OptionsOf(settings[url], settings), S3KeysOf(settings),
      MakeCurlHttpClient({.ca_bundle = settings["CA"]}));
  if (!store.ok()) {
    ADD_FAILURE() << store.status();
    std::abort();
  }
  bucket->store = std::make_shared<PrefixedObjectStore>(
      *std::move(store),
      "contract-" + std::to_string(bucket->runtime->random().Next()) + "/");
  world->runtime = bucket->runtime;
  world->store = bucket->store;
  world->keep_alive = std::move(bucket);
  return world;
}

std::vector<ObjectStoreBackend> Backends() {
  std::vector<ObjectStoreBackend> backends{
      {"CephHttp", [] { return WorldOf(S3OfFixture(), "URL"); }},
      {"CephHttps", [] { return WorldOf(S3OfFixture(), "TLS_URL"); }}};
  if (!S3OfEnvironment().empty()) {
    backends.push_back(
        {"Environment", [] { return WorldOf(S3OfEnvironment(), "URL"); }});
  }
  return backends;
}

INSTANTIATE_TEST_SUITE_P(Servers, ObjectStoreContract,
                         testing::ValuesIn(Backends()),
                         [](const auto& param_info) {
                           return param_info.param.name;
                         });

// --- What only a server that verifies can show ---

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

  S3TestSettings settings_ = S3OfFixture();
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
