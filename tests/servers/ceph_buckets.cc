// Buckets that speak S3: Ceph, which ctest starts, over HTTP and HTTPS; and
// another one when STRATA_TEST_S3_URL names it.
#include "net/curl_http_client.h"
#include "testing/bucket_server.h"
#include "testing/s3_test_server.h"

namespace strata {
namespace {

using Settings = std::function<TestServerSettings()>;

std::shared_ptr<ObjectStore> Connect(const TestServerSettings& settings,
                                     const std::string& url) {
  auto store = MakeS3ObjectStore(
      S3OptionsOf(url, settings),
      MakeStaticCredentials({.access_key = settings["ACCESS_KEY"],
                             .secret_key = settings["SECRET_KEY"]}),
      MakeCurlHttpClient({.ca_bundle = settings["CA"]}));
  if (!store.ok()) {
    ADD_FAILURE() << store.status();
    std::abort();
  }
  return *std::move(store);
}

BucketForUsers ForUsers(const TestServerSettings& settings,
                        const std::string& url) {
  const S3Options options = S3OptionsOf(url, settings);
  std::string parameters =
      "?endpoint=" + options.endpoint + "&region=" + options.region;
  if (!settings["CA"].empty()) parameters += "&ca_bundle=" + settings["CA"];
  return {.url = "s3://" + options.bucket,
          .parameters = parameters,
          .environment = {{"AWS_ACCESS_KEY_ID", settings["ACCESS_KEY"]},
                          {"AWS_SECRET_ACCESS_KEY", settings["SECRET_KEY"]},
                          {"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"},
                          {"AWS_EC2_METADATA_DISABLED", "true"}},
          .secret = "AWS_SECRET_ACCESS_KEY",
          .wrong = "not-the-secret",
          .wrong_word = "SignatureDoesNotMatch",
          .absent_url = "s3://no-such-bucket" + parameters,
          .absent_word = "NoSuchBucket",
          .away_url = "s3://b?endpoint=http://127.0.0.1:1"};
}

BucketServer Server(const std::string& name, const Settings& settings,
                    const std::string& url) {
  return {.name = name,
          .connect = [=] { return Connect(settings(), settings()[url]); },
          .for_users = [=] { return ForUsers(settings(), settings()[url]); }};
}

}  // namespace

std::vector<BucketServer> BucketServers() {
  const Settings ceph = [] { return ServerOfFixture("ceph", kS3Settings); };
  std::vector<BucketServer> servers{Server("CephHttp", ceph, "URL"),
                                    Server("CephHttps", ceph, "TLS_URL")};
  servers.front().for_users = nullptr;
  const Settings named = [] { return ServerOfEnvironment(kS3Settings); };
  if (!named()["URL"].empty()) {
    servers.push_back(Server("Environment", named, "URL"));
  }
  return servers;
}

}  // namespace strata
