#include "object_store/azure/azure_account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strata {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(AzureAccountTest, KeyIsBase64) {
  EXPECT_EQ(ParseAzureKey(" a2V5 \n")->key, "key");
  for (const char* text : {"", "hunter2!", "hunter2"}) {
    const Status status = ParseAzureKey(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), Not(HasSubstr("hunter2")));
  }
}

TEST(AzureAccountTest, SasTokenIsTakenAsItIs) {
  EXPECT_EQ(ParseSasToken("?sv=2021-12-02&sig=a%2Bb%3D")->sas,
            "sv=2021-12-02&sig=a%2Bb%3D");
  EXPECT_EQ(ParseSasToken("sig=x&sv=y\n")->sas, "sig=x&sv=y");
  for (const char* text :
       {"", "?", "sv=hunter2", "sig=hunter2 x", "sig=hunter2#",
        "https://a/c?sig=hunter2", "sig=hunter2\n&x", "nosig=hunter2"}) {
    const Status status = ParseSasToken(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), Not(HasSubstr("hunter2")));
  }
}

TEST(AzureAccountTest, ConnectionStringOfThePortal) {
  const auto account = ParseAzureConnectionString(
      "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5;"
      "EndpointSuffix=core.windows.net");
  ASSERT_TRUE(account.ok()) << account.status();
  EXPECT_EQ(account->name, "acc");
  EXPECT_EQ(account->credentials.key, "key");
  EXPECT_EQ(account->credentials.sas, "");
  EXPECT_EQ(account->endpoint, "https://acc.blob.core.windows.net");
}

TEST(AzureAccountTest, ConnectionStringWithEndpointAndSignature) {
  const auto account = ParseAzureConnectionString(
      "BlobEndpoint=https://acc.blob.core.chinacloudapi.cn; "
      "SharedAccessSignature=sv=1&sig=x%3D;");
  ASSERT_TRUE(account.ok()) << account.status();
  EXPECT_EQ(account->name, "");
  EXPECT_EQ(account->endpoint, "https://acc.blob.core.chinacloudapi.cn");
  EXPECT_EQ(account->credentials.sas, "sv=1&sig=x%3D");
}

TEST(AzureAccountTest, ConnectionStringOfTheEmulator) {
  const auto account = ParseAzureConnectionString("UseDevelopmentStorage=true");
  ASSERT_TRUE(account.ok()) << account.status();
  EXPECT_EQ(account->name, "devstoreaccount1");
  EXPECT_EQ(account->endpoint, "http://127.0.0.1:10000/devstoreaccount1");
  EXPECT_EQ(account->credentials.key.size(), 64u);
}

TEST(AzureAccountTest, ConnectionStringsThatSayTooLittleAreRefused) {
  for (const char* text :
       {"", "hunter2", "AccountName=a",
        "AccountKey=aHVudGVyMg==", "AccountName=a;AccountKey=hunter2!",
        "AccountName=a;SharedAccessSignature=hunter2",
        "UseDevelopmentStorage=false", "AccountName=a;hunter2"}) {
    const Status status = ParseAzureConnectionString(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace strata
