// An AzureObjectStore on a server that fails by script.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "net/curl_http_client.h"
#include "object_store/azure/azure_object_store.h"
#include "runtime/system_random.h"
#include "runtime/thread_runtime.h"
#include "testing/fake_azure.h"
#include "testing/object_store_client.h"

namespace strata {

class AzureStoreFixture : public ::testing::Test {
 protected:
  static constexpr char kKey[] = "the-account-key";
  static constexpr char kPath[] = "/account/container/";

  std::shared_ptr<ObjectStore> Make(AzureOptions options) {
    options.account.name = "account";
    options.account.endpoint = server_.url() + "/account";
    options.container = "container";
    if (options.account.credentials.sas.empty()) {
      options.account.credentials.key = kKey;
    }
    auto store =
        MakeAzureObjectStore(options, http_, std::make_shared<SystemRandom>());
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  StatusCode CodeOfGet() { return client_.Get("key").status().code(); }

  FakeAzure azure_;
  FaultyHttpServer server_{
      [this](const ServedRequest& request) { return azure_.Serve(request); }};
  const std::shared_ptr<HttpClient> http_ = MakeCurlHttpClient();
  const std::unique_ptr<Runtime> runtime_ = MakeThreadRuntime();
  const std::shared_ptr<ObjectStore> store_ = Make({});
  ObjectStoreClient client_{*store_, *runtime_};
};

}  // namespace strata
