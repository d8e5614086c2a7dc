// Which credentials and place a configuration comes to.
#include "object_store/connect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace strata {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "a2V5";
constexpr char kSas[] = "sv=1&sig=hunter2";
constexpr char kString[] = "AccountName=acc;AccountKey=a2V5";

class ConnectAzureTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<ObjectStore>> Connect() {
    return ConnectObjectStore(
        azure_, [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        });
  }
  std::string Refusal() {
    const Status status = Connect().status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(status.message(), Not(HasSubstr("hunter2")));
    return status.message();
  }

  cold::AzureBlob azure_{
      .account = "acc", .container = "c", .access_key = std::nullopt};
  std::map<std::string, std::string> environment_;
};

TEST_F(ConnectAzureTest, WithoutCredentialsItIsSaidWhereTheyAreLookedFor) {
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("AZURE_STORAGE_KEY"),
                               HasSubstr("AZURE_STORAGE_SAS_TOKEN"),
                               HasSubstr("AZURE_STORAGE_CONNECTION_STRING")));
  environment_["AZURE_STORAGE_KEY"] = "";
  EXPECT_THAT(Refusal(), HasSubstr("AZURE_STORAGE_KEY"));
}

TEST_F(ConnectAzureTest, AnyOfThemIsEnoughFromEitherPlace) {
  for (const auto& [name, value] :
       {std::pair{"AZURE_STORAGE_KEY", kKey},
        {"AZURE_STORAGE_SAS_TOKEN", kSas},
        {"AZURE_STORAGE_CONNECTION_STRING", kString}}) {
    environment_ = {{name, value}};
    const auto store = Connect();
    ASSERT_TRUE(store.ok()) << name << ": " << store.status();
    EXPECT_EQ((*store)->Describe(), "azblob:acc/c");
  }
  environment_.clear();
  const auto good = [&](auto member, const char* value) {
    cold::AzureBlob azure = azure_;
    std::swap(azure, azure_);
    azure_.*member = value;
    EXPECT_TRUE(Connect().ok()) << Connect().status();
    azure_ = azure;
  };
  good(&cold::AzureBlob::access_key, kKey);
  good(&cold::AzureBlob::sas_token, kSas);
  good(&cold::AzureBlob::connection_string, kString);
}

TEST_F(ConnectAzureTest, ConfigurationComesBeforeTheEnvironment) {
  environment_["AZURE_STORAGE_KEY"] = "hunter2!";
  EXPECT_THAT(Refusal(), HasSubstr("base64"));
  azure_.access_key = kKey;
  EXPECT_TRUE(Connect().ok());
}

TEST_F(ConnectAzureTest, TwoKindsOfCredentialsAreOneTooMany) {
  azure_.access_key = kKey;
  azure_.sas_token = kSas;
  EXPECT_THAT(Refusal(), HasSubstr("only one"));
}

TEST_F(ConnectAzureTest, ConnectionStringMayNameTheAccountButNoOther) {
  azure_.connection_string = kString;
  azure_.account = "";
  const auto store = Connect();
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->Describe(), "azblob:acc/c");
  azure_.account = "another";
  EXPECT_THAT(Refusal(),
              AllOf(HasSubstr("account acc"), HasSubstr("account another")));
}

TEST_F(ConnectAzureTest, PrefixIsPartOfEveryKey) {
  azure_.access_key = kKey;
  azure_.prefix = "logs/one";
  EXPECT_THAT((*Connect())->Describe(), HasSubstr("logs/one"));
  azure_.prefix = "a//b";
  EXPECT_THAT(Refusal(), HasSubstr("prefix"));
}

}  // namespace
}  // namespace strata
