// What only a server of Azure Blob that verifies can show.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/uri.h"
#include "net/curl_http_client.h"
#include "net/digest.h"
#include "runtime/system_random.h"
#include "runtime/thread_runtime.h"
#include "testing/azure_test_server.h"
#include "testing/object_store_client.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AzureServerTest : public ::testing::Test {
 protected:
  std::shared_ptr<ObjectStore> Make(const AzureOptions& options,
                                    const std::string& ca = "") {
    auto store =
        MakeAzureObjectStore(options, MakeCurlHttpClient({.ca_bundle = ca}),
                             std::make_shared<SystemRandom>());
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  Status Ask(const AzureOptions& options, const std::string& ca = "") {
    const auto store = Make(options, ca);
    ObjectStoreClient client(*store, *runtime_);
    const Status got = client.Get("absent").status();
    EXPECT_EQ(client.Head("absent").status().code(), got.code());
    return got;
  }
  // A signature for the container, signed as the service wants it.
  AzureCredentials SasFor(const std::string& permissions,
                          const std::string& expiry) {
    const std::string to_sign = fmt::format(
        "{}\n\n{}\n/blob/{}/{}\n\n\n\n2021-12-02\nc\n\n\n\n\n\n\n", permissions,
        expiry, options_.account.name, options_.container);
    const std::string signature = ToBase64(HmacSha256(
        AsBytes(options_.account.credentials.key), AsBytes(to_sign)));
    auto sas = ParseSasToken(
        fmt::format("?sv=2021-12-02&sr=c&sp={}&se={}&sig={}", permissions,
                    PercentEncode(expiry), PercentEncode(signature)));
    EXPECT_TRUE(sas.ok()) << sas.status();
    return *std::move(sas);
  }

  const TestServerSettings settings_ =
      ServerOfFixture("azurite", kAzureSettings);
  AzureOptions options_ = AzureOptionsOf(settings_["URL"], settings_);
  const std::unique_ptr<Runtime> runtime_ = MakeThreadRuntime();
};

TEST_F(AzureServerTest, AbsentBlobIsNotFound) {
  EXPECT_EQ(Ask(options_).code(), StatusCode::kNotFound);
}

TEST_F(AzureServerTest, AbsentContainerIsNotAnAbsentBlob) {
  options_.container = "no-such-container";
  EXPECT_EQ(Ask(options_).code(), StatusCode::kIoError);
}

TEST_F(AzureServerTest, WrongKeyIsRefused) {
  options_.account.credentials.key = "wrong-secret";
  const Status got = Ask(options_);
  EXPECT_EQ(got.code(), StatusCode::kIoError);
  EXPECT_THAT(got.message(), HasSubstr("AuthorizationFailure"));
  EXPECT_THAT(got.message(), Not(HasSubstr("wrong-secret")));
  EXPECT_THAT(got.message(), HasSubstr("(request "));
}

TEST_F(AzureServerTest, UnknownAccountIsRefused) {
  options_.account.name = "nobody";
  EXPECT_EQ(Ask(options_).code(), StatusCode::kIoError);
}

TEST_F(AzureServerTest, CertificateOfAnUnknownAuthorityIsRefused) {
  options_ = AzureOptionsOf(settings_["TLS_URL"], settings_);
  EXPECT_EQ(Ask(options_).code(), StatusCode::kIoError);
  EXPECT_EQ(Ask(options_, settings_["CA"]).code(), StatusCode::kNotFound);
}

TEST_F(AzureServerTest, SignatureIsAsGoodAsAKey) {
  options_.account.credentials = SasFor("racwdl", "2999-01-01T00:00:00Z");
  options_.blocks_above_bytes = options_.block_bytes = 1000;
  const auto store = Make(options_);
  ObjectStoreClient client(*store, *runtime_);
  const std::string bytes(3500, 'b');
  for (const std::string size : {"small", "large"}) {
    const std::string key = "sas/a b+c/" + size;
    const auto put = client.Put(key, size == "small" ? "x" : bytes);
    ASSERT_TRUE(put.ok()) << put.status();
    EXPECT_EQ(client.Get(key)->size(), size == "small" ? 1u : 3500u);
    EXPECT_TRUE(client.Put(key, bytes, PutPrecondition::IfVersion(*put)).ok());
  }
  EXPECT_EQ(client.Keys("sas/").size(), 2u);
  for (const std::string& key : client.Keys("sas/")) {
    EXPECT_EQ(client.Delete(key), Status::Ok());
  }
}

TEST_F(AzureServerTest, SignatureThatAllowsTooLittleOrHasExpiredIsRefused) {
  options_.account.credentials = SasFor("r", "2999-01-01T00:00:00Z");
  const auto reader = Make(options_);
  ObjectStoreClient client(*reader, *runtime_);
  const Status put = client.Put("key", "x").status();
  EXPECT_EQ(put.code(), StatusCode::kIoError) << put;
  options_.account.credentials = SasFor("racwdl", "2020-01-01T00:00:00Z");
  const Status got = Ask(options_);
  EXPECT_EQ(got.code(), StatusCode::kIoError) << got;
  const std::string& sas = options_.account.credentials.sas;
  const std::string signature = sas.substr(sas.find("sig=") + 4);
  EXPECT_THAT(got.message(), Not(HasSubstr(signature)));
}

// Its bytes are others each time that it is read, as after a fault of memory.
class ChangingSource final : public ObjectSource {
 public:
  explicit ChangingSource(uint64_t size) : size_(size) {}
  uint64_t size() const override { return size_; }
  Status ReadAt(uint64_t, std::span<std::byte> out) override {
    std::fill(out.begin(), out.end(), std::byte(++reads_ & 0xff));
    return Status::Ok();
  }

 private:
  const uint64_t size_;
  std::atomic<unsigned> reads_ = 0;
};

TEST_F(AzureServerTest, BytesThatAreNotThoseOfTheirMd5AreRefused) {
  options_.blocks_above_bytes = options_.block_bytes = 1000;
  const auto store = Make(options_);
  ObjectStoreClient client(*store, *runtime_);
  for (const uint64_t size : {100, 3500}) {
    const auto put = Await<Result<ObjectVersion>>(*runtime_, [&](auto done) {
      store->Put("changing", std::make_shared<ChangingSource>(size),
                 PutPrecondition::None(), {}, std::move(done));
    });
    EXPECT_FALSE(put.ok()) << size;
    EXPECT_EQ(client.Head("changing").status().code(), StatusCode::kNotFound);
  }
}

TEST_F(AzureServerTest, TwoUploadsOfOneKeyAreNotMixed) {
  options_.blocks_above_bytes = options_.block_bytes = 100'000;
  const auto store = Make(options_);
  ObjectStoreClient client(*store, *runtime_);
  struct Race {
    std::atomic<int> pending{4}, stored{0};
    std::unique_ptr<Event> over;
  };
  auto race = std::make_shared<Race>();
  race->over = runtime_->NewEvent();
  for (char c = 'a'; c < 'e'; ++c) {
    store->Put("mixed", MakeStringSource(std::string(1'000'000, c)),
               PutPrecondition::None(), {},
               [race](const Result<ObjectVersion>& put) {
                 // Who commits drops what the others have staged.
                 const StatusCode code = put.status().code();
                 EXPECT_TRUE(put.ok() || code == StatusCode::kUnavailable)
                     << put.status();
                 if (put.ok()) ++race->stored;
                 if (--race->pending == 0) race->over->Set();
               });
  }
  race->over->WaitUntil(std::nullopt);
  EXPECT_GE(race->stored, 1);
  const auto bytes = client.Get("mixed", 0, 1'000'000);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*bytes, std::string(1'000'000, bytes->front()));
  EXPECT_EQ(client.Delete("mixed"), Status::Ok());
}

}  // namespace
}  // namespace strata
