// The Azure Blob servers that tests run against: that of the ctest fixture, or
// one that the environment names.
#pragma once

#include <string>

#include "object_store/azure/azure_object_store.h"
#include "testing/test_server.h"

namespace strata {

// STRATA_TEST_AZURE_URL ("http://host:port/account/container", of Azure itself
// "https://account.blob.core.windows.net/container") and what goes with it:
// _ACCOUNT, _KEY, _CA, _TLS_URL.
inline constexpr char kAzureSettings[] = "STRATA_TEST_AZURE_";

inline AzureOptions AzureOptionsOf(const std::string& url,
                                   const TestServerSettings& settings) {
  AzureOptions options;
  const size_t slash = url.rfind('/');
  options.account.name = settings["ACCOUNT"];
  options.account.endpoint = url.substr(0, slash);
  options.container = url.substr(slash + 1);
  auto key = ParseAzureKey(settings["KEY"]);
  EXPECT_TRUE(key.ok()) << key.status();
  if (key.ok()) options.account.credentials = *std::move(key);
  return options;
}

}  // namespace strata
