#include "object_store/s3/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <map>
#include <thread>

#include "net/curl_http_client.h"
#include "object_store/s3/credentials_chain.h"
#include "object_store/s3/credentials_format.h"
#include "object_store/s3/refreshing_credentials.h"
#include "testing/faulty_http_server.h"
#include "testing/sim_runtime.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

using Shared = std::shared_ptr<const Credentials>;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kFile[] =
    "# comment\n"
    "[default]\n"
    "aws_access_key_id=file-key\n"
    "aws_secret_access_key = file-secret\r\n"
    "\n"
    "[ other ]\n"
    "aws_access_key_id = other-key\n"
    "aws_secret_access_key = other=secret\n"
    "aws_session_token = other-token\n"
    "region = somewhere\n"
    "[half]\n"
    "aws_access_key_id = half-key\n";

TEST(CredentialsFormatTest, ProfileOfAFileIsFound) {
  const auto found = ParseCredentialsFile(kFile, "default");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->access_key, "file-key");
  EXPECT_EQ(found->secret_key, "file-secret");
  EXPECT_EQ(found->session_token, "");
  const auto other = ParseCredentialsFile(kFile, "other");
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(other->secret_key, "other=secret");
  EXPECT_EQ(other->session_token, "other-token");
}

TEST(CredentialsFormatTest, ProfileWithoutBothKeysIsNotFound) {
  for (const char* profile : {"half", "absent", ""}) {
    EXPECT_EQ(ParseCredentialsFile(kFile, profile).status().code(),
              StatusCode::kNotFound);
  }
}

TEST(CredentialsFormatTest, MetadataTellsKeysAndTheirEnd) {
  const auto found = ParseMetadataCredentials(
      R"({"Code":"Success","AccessKeyId":"k","SecretAccessKey":"s",)"
      R"("Token":"t","Expiration":"2026-01-01T00:00:01Z"})");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->access_key, "k");
  EXPECT_EQ(found->session_token, "t");
  EXPECT_EQ(found->expires_at, 1767225601000);
}

TEST(CredentialsFormatTest, OtherMetadataIsRefused) {
  for (const char* json :
       {"", "{", "[]", "{}", R"({"AccessKeyId":1,"SecretAccessKey":"s"})",
        R"({"AccessKeyId":"k"})",
        R"({"AccessKeyId":"k","SecretAccessKey":"s","Expiration":"soon"})"}) {
    EXPECT_EQ(ParseMetadataCredentials(json).status().code(),
              StatusCode::kUnavailable)
        << json;
  }
}

// Fetches are answered when the test says.
class RefreshingCredentialsTest : public ::testing::Test {
 protected:
  void Answer(const std::string& key, std::chrono::seconds good_for) {
    const auto fetched = std::exchange(fetched_, nullptr);
    fetched(Credentials{
        .access_key = key,
        .secret_key = "s",
        .expires_at = runtime_.clock().WallNow() + good_for.count() * 1000});
  }
  // The key answered at once, "" if none was.
  std::string Ask() {
    std::string key;
    provider_->Get([&key, alive = std::make_shared<bool>(true)](auto answer) {
      if (answer.ok()) key = (*answer)->access_key;
    });
    return key;
  }

  SimRuntime runtime_{1};
  int fetches_ = 0;
  RefreshingCredentials::Fetched fetched_;
  const std::shared_ptr<RefreshingCredentials> provider_ =
      std::make_shared<RefreshingCredentials>(
          [this](RefreshingCredentials::Fetched fetched) {
            ++fetches_;
            fetched_ = std::move(fetched);
          },
          runtime_.clock());
};

TEST_F(RefreshingCredentialsTest, ManyWhoAskShareOneFetch) {
  int answers = 0;
  for (int i = 0; i < 5; ++i) {
    provider_->Get([&](const Result<Shared>& answer) {
      EXPECT_EQ((*answer)->access_key, "one");
      ++answers;
    });
  }
  EXPECT_EQ(fetches_, 1);
  Answer("one", std::chrono::hours(1));
  EXPECT_EQ(answers, 5);
  EXPECT_EQ(Ask(), "one");
  EXPECT_EQ(fetches_, 1);
}

TEST_F(RefreshingCredentialsTest, NewOnesAreFetchedBeforeTheOldOnesEnd) {
  int first = 0;
  provider_->Get([&](const Result<Shared>&) { ++first; });
  Answer("one", std::chrono::hours(1));
  runtime_.RunFor(std::chrono::minutes(56));
  EXPECT_EQ(Ask(), "one") << "nobody waits";
  EXPECT_EQ(Ask(), "one");
  EXPECT_EQ(fetches_, 2);
  Answer("two", std::chrono::hours(1));
  EXPECT_EQ(Ask(), "two");
  EXPECT_EQ(first, 1);
}

TEST_F(RefreshingCredentialsTest, FetchThatFailsInTimeHurtsNobody) {
  provider_->Get([](const Result<Shared>&) {});
  Answer("one", std::chrono::hours(1));
  runtime_.RunFor(std::chrono::minutes(56));
  EXPECT_EQ(Ask(), "one");
  std::exchange(fetched_, nullptr)(Status(StatusCode::kUnavailable, "away"));
  EXPECT_EQ(Ask(), "one");
  EXPECT_EQ(fetches_, 3);
}

TEST_F(RefreshingCredentialsTest, EndedOnesAreNotAnswered) {
  provider_->Get([](const Result<Shared>&) {});
  Answer("one", std::chrono::hours(1));
  runtime_.RunFor(std::chrono::hours(2));
  StatusCode code = StatusCode::kOk;
  provider_->Get(
      [&](const Result<Shared>& answer) { code = answer.status().code(); });
  std::exchange(fetched_, nullptr)(Status(StatusCode::kUnavailable, "away"));
  EXPECT_EQ(code, StatusCode::kUnavailable);
}

TEST_F(RefreshingCredentialsTest, RefusedOnesAreFetchedAnewOnce) {
  provider_->Get([](const Result<Shared>&) {});
  Answer("one", std::chrono::hours(1));
  const Credentials one{.access_key = "one", .secret_key = "s"};
  EXPECT_TRUE(provider_->Refused(one));
  provider_->Get([](const Result<Shared>&) {});
  EXPECT_EQ(fetches_, 2);
  Answer("one", std::chrono::hours(1));
  EXPECT_FALSE(provider_->Refused(one)) << "there are no others";
}

class CredentialsChainTest : public ::testing::Test {
 protected:
  Result<Credentials> Get(std::optional<Credentials> configured = {}) {
    const auto chain = MakeCredentialsChain(
        std::move(configured),
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        },
        MakeCurlHttpClient());
    std::promise<Result<Credentials>> promise;
    chain->Get([&](const Result<Shared>& answer) {
      promise.set_value(answer.ok() ? Result<Credentials>(**answer)
                                    : Result<Credentials>(answer.status()));
    });
    return promise.get_future().get();
  }
  std::string KeyOf(const Result<Credentials>& credentials) {
    EXPECT_TRUE(credentials.ok()) << credentials.status();
    return credentials.ok() ? credentials->access_key : "";
  }
  void WriteFile() {
    const std::string path = (dir_.path() / "credentials").string();
    std::ofstream(path) << kFile;
    environment_["AWS_SHARED_CREDENTIALS_FILE"] = path;
  }
  // An instance's metadata, version 2, and a container's.
  static ServedReply Metadata(const ServedRequest& request) {
    const std::string json =
        R"({"AccessKeyId":"NAME","SecretAccessKey":"s","Token":"t",)"
        R"("Expiration":"2100-01-01T00:00:00Z"})";
    const auto named = [&](const std::string& name) {
      std::string text = json;
      text.replace(text.find("NAME"), 4, name);
      return ServedReply{.body = text};
    };
    if (request.target == "/container") {
      if (request.Header("authorization") != "the-token") {
        return {.status = 401};
      }
      return named("container-key");
    }
    if (request.target == "/latest/api/token") {
      return {.status = request.method == "PUT" ? 200 : 405,
              .body = "imds-token"};
    }
    if (request.Header("x-aws-ec2-metadata-token") != "imds-token") {
      return {.status = 401};
    }
    const std::string roles = "/latest/meta-data/iam/security-credentials/";
    if (request.target == roles) return {.body = "the-role\n"};
    if (request.target == roles + "the-role") return named("instance-key");
    return {.status = 404};
  }

  TempDir dir_;
  FaultyHttpServer metadata_{Metadata};
  std::map<std::string, std::string> environment_{
      {"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"},
      {"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata_.url() + "/"}};
};

TEST_F(CredentialsChainTest, SourcesAreAskedInTheirOrder) {
  EXPECT_EQ(KeyOf(Get()), "instance-key");
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
      metadata_.url() + "/container";
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "the-token";
  EXPECT_EQ(KeyOf(Get()), "container-key");
  WriteFile();
  EXPECT_EQ(KeyOf(Get()), "file-key");
  environment_["AWS_PROFILE"] = "other";
  EXPECT_EQ(KeyOf(Get()), "other-key");
  environment_["AWS_ACCESS_KEY_ID"] = "environment-key";
  EXPECT_EQ(KeyOf(Get()), "other-key") << "half a key is none";
  environment_["AWS_SECRET_ACCESS_KEY"] = "environment-secret";
  environment_["AWS_SESSION_TOKEN"] = "environment-token";
  const auto found = Get();
  EXPECT_EQ(KeyOf(found), "environment-key");
  EXPECT_EQ(found->session_token, "environment-token");
  EXPECT_EQ(KeyOf(Get(Credentials{.access_key = "configured-key",
                                  .secret_key = "s"})),
            "configured-key");
}

TEST_F(CredentialsChainTest, TokenOfTheContainerMayBeInAFile) {
  const std::string path = (dir_.path() / "token").string();
  std::ofstream(path) << "the-token\n";
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
      metadata_.url() + "/container";
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = path;
  EXPECT_EQ(KeyOf(Get()), "container-key");
}

TEST_F(CredentialsChainTest, NamedProfileThatIsNotThereIsAnError) {
  WriteFile();
  environment_["AWS_PROFILE"] = "absent";
  const Status got = Get().status();
  EXPECT_EQ(got.code(), StatusCode::kIoError);
  EXPECT_THAT(got.message(), HasSubstr("'absent'"));
  EXPECT_THAT(got.message(), Not(HasSubstr("secret")));
}

TEST_F(CredentialsChainTest, InstanceWithoutRoleHasNoCredentials) {
  metadata_.FailNext(ServerFault::Kind::kDrip);
  metadata_.FailNext({.status = 404});
  EXPECT_EQ(Get().status().code(), StatusCode::kIoError);
}

TEST_F(CredentialsChainTest, MetadataServiceThatFailsIsUnavailable) {
  metadata_.FailNext({.status = 500});
  EXPECT_EQ(Get().status().code(), StatusCode::kUnavailable);
  metadata_.FailNext(ServerFault::Kind::kResetBefore);
  EXPECT_EQ(Get().status().code(), StatusCode::kUnavailable);
}

TEST_F(CredentialsChainTest, MetadataCanBeSwitchedOff) {
  environment_["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_EQ(Get().status().code(), StatusCode::kIoError);
  EXPECT_TRUE(metadata_.requests().empty());
}

}  // namespace
}  // namespace strata
