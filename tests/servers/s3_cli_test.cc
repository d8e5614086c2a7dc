// The program with its cold tier in a bucket of Ceph, as a user types it.
#include <gmock/gmock.h>

#include <cstdlib>

#include "testing/cli_fixture.h"
#include "testing/s3_test_server.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class S3CliTest : public CliTest {
 protected:
  S3CliTest() {
    SetKeys(settings_["ACCESS_KEY"], settings_["SECRET_KEY"]);
    ::setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    ::setenv("AWS_SHARED_CREDENTIALS_FILE", Path("none").c_str(), 1);
  }
  static void SetKeys(const std::string& access, const std::string& secret) {
    ::setenv("AWS_ACCESS_KEY_ID", access.c_str(), 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", secret.c_str(), 1);
  }

  // `url` of the fixture's is "https://host:port/bucket".
  std::string ColdUrlBelow(const std::string& prefix) {
    const S3Options options = S3OptionsOf(settings_["TLS_URL"], settings_);
    return "s3://" + options.bucket + "/" + prefix +
           "?endpoint=" + options.endpoint + "&ca_bundle=" + settings_["CA"];
  }

  S3TestSettings settings_ = S3OfFixture();
};

TEST_F(S3CliTest, D29ATopicGoesToTheBucketAndComesBack) {
  const std::string cold = ColdUrlBelow("cli/there and back");
  const std::string lines = Lines(2000);
  Good({"produce", "orders", "--cold", cold}, lines);
  Good({"demote", "orders", "--to", "cold", "--cold", cold});
  EXPECT_FALSE(std::filesystem::exists(Data() / "cold"));
  EXPECT_THAT(Good({"segments", "orders", "--cold", cold}), HasSubstr(" --c "));
  EXPECT_EQ(Good({"consume", "orders", "--cold", cold}), lines);
  EXPECT_THAT(Good({"verify", "--cold", cold}), HasSubstr("all is well"));
  // Without its bucket the log does not pretend to be empty.
  const Ran away = Run({"consume", "orders", "--cold", ColdUrlBelow("other")});
  EXPECT_NE(away.exit, 0);
  EXPECT_EQ(away.out, "");
  Good({"topics", "delete", "orders", "--cold", cold});
}

TEST_F(S3CliTest, TheBucketAloneBringsTheLogBack) {
  const std::string cold = ColdUrlBelow("cli/restore");
  const std::string lines = Lines(2000);
  Good({"produce", "orders", "--cold", cold}, lines);
  Good({"demote", "orders", "--to", "cold", "--cold", cold});
  std::filesystem::remove_all(Data());
  EXPECT_THAT(Good({"ls", cold}), HasSubstr("orders"));
  EXPECT_THAT(Good({"restore", "--from", cold}), HasSubstr("1 topic of 1 "));
  EXPECT_EQ(Good({"consume", "orders", "--cold", cold}), lines);
  EXPECT_THAT(Good({"verify", "--cold", cold}), HasSubstr("all is well"));
  Good({"topics", "delete", "orders", "--cold", cold});
}

TEST_F(S3CliTest, TheMainJobRunsOnTheBucket) {
  const std::string cold = ColdUrlBelow("cli/demo");
  for (int run = 1; run <= 2; ++run) {
    const std::string out = Good({"demo", "--size", "6", "--cold", cold});
    EXPECT_THAT(out, HasSubstr("cold: s3://"));
    EXPECT_THAT(out, HasSubstr("--cold 's3://"));
  }
}

TEST_F(S3CliTest, WrongSecretIsToldAndNotShown) {
  SetKeys(settings_["ACCESS_KEY"], "not-the-secret");
  const Ran ran = Run({"produce", "t", "--cold", ColdUrlBelow("x")}, "line\n");
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(ran.err, Not(HasSubstr("not-the-secret")));
}

TEST_F(S3CliTest, WithoutKeysItIsSaidWhereTheyAreLookedFor) {
  ::unsetenv("AWS_ACCESS_KEY_ID");
  ::unsetenv("AWS_SECRET_ACCESS_KEY");
  const Ran ran = Run({"produce", "t", "--cold", ColdUrlBelow("x")}, "line\n");
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr("AWS_ACCESS_KEY_ID"));
}

TEST_F(S3CliTest, MissingBucketIsNamed) {
  const S3Options options = S3OptionsOf(settings_["URL"], settings_);
  const Ran ran = Run({"produce", "t", "--cold",
                       "s3://no-such-bucket?endpoint=" + options.endpoint},
                      "line\n");
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr("NoSuchBucket"));
  EXPECT_THAT(ran.err, HasSubstr("no-such-bucket"));
}

TEST_F(S3CliTest, TheLogTakesWritesWhileTheBucketIsAway) {
  const std::string away = "s3://b?endpoint=http://127.0.0.1:1";
  const Ran ran = Run({"produce", "t", "--cold", away}, "line\n");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("does not answer"));
  EXPECT_EQ(Good({"consume", "t", "--cold", away}), "line\n");
}

}  // namespace
}  // namespace strata
