// Containers of Azure Blob: Azurite, which ctest starts, over HTTP and HTTPS;
// and another one, of Azure itself for example, when STRATA_TEST_AZURE_URL
// names it.
#include "net/curl_http_client.h"
#include "runtime/system_random.h"
#include "testing/azure_test_server.h"
#include "testing/bucket_server.h"

namespace strata {
namespace {

using Settings = std::function<TestServerSettings()>;

std::shared_ptr<ObjectStore> Connect(const TestServerSettings& settings,
                                     const std::string& url) {
  auto store =
      MakeAzureObjectStore(AzureOptionsOf(url, settings),
                           MakeCurlHttpClient({.ca_bundle = settings["CA"]}),
                           std::make_shared<SystemRandom>());
  if (!store.ok()) {
    ADD_FAILURE() << store.status();
    std::abort();
  }
  return *std::move(store);
}

BucketForUsers ForUsers(const TestServerSettings& settings,
                        const std::string& url) {
  const AzureOptions options = AzureOptionsOf(url, settings);
  const std::string account = "azblob://" + options.account.name;
  std::string parameters = "?endpoint=" + options.account.endpoint;
  if (!settings["CA"].empty()) parameters += "&ca_bundle=" + settings["CA"];
  return {.url = account + "/" + options.container,
          .parameters = parameters,
          .environment = {{"AZURE_STORAGE_KEY", settings["KEY"]}},
          .secret = "AZURE_STORAGE_KEY",
          .wrong = "bm90LXRoZS1zZWNyZXQ=",
          .wrong_word = "answered 403",
          .absent_url = account + "/no-such-container" + parameters,
          .absent_word = "ContainerNotFound",
          .away_url = account + "/c?endpoint=http://127.0.0.1:1/account"};
}

BucketServer Server(const std::string& name, const Settings& settings,
                    const std::string& url) {
  return {.name = name,
          .connect = [=] { return Connect(settings(), settings()[url]); },
          .for_users = [=] { return ForUsers(settings(), settings()[url]); }};
}

}  // namespace

std::vector<BucketServer> BucketServers() {
  const Settings azurite = [] {
    return ServerOfFixture("azurite", kAzureSettings);
  };
  std::vector<BucketServer> servers{Server("AzuriteHttp", azurite, "URL"),
                                    Server("AzuriteHttps", azurite, "TLS_URL")};
  servers.front().for_users = nullptr;
  const Settings named = [] { return ServerOfEnvironment(kAzureSettings); };
  const std::string url = named()["URL"];
  if (!url.empty()) servers.push_back(Server("Environment", named, "URL"));
  // Azure itself lists every key. It has the account in its host's name.
  const bool azure = url.find(".blob.") != url.npos;
  for (BucketServer& server : servers) {
    server.lists_control_characters = server.name == "Environment" && azure;
  }
  return servers;
}

}  // namespace strata
