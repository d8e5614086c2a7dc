// The program with its cold tier on a server, as a user types it.
#include <gmock/gmock.h>

#include <cstdlib>

#include "testing/bucket_server.h"
#include "testing/cli_fixture.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BucketCliTest : public CliTest,
                      public ::testing::WithParamInterface<BucketServer> {
 protected:
  BucketCliTest() {
    for (const auto& [name, value] : users_.environment) {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  std::string Cold(const std::string& prefix) const {
    return users_.Cold(bucket_.prefix() + "/" + prefix);
  }

  const BucketForUsers users_ = GetParam().for_users();
  const BucketPart bucket_{GetParam()};
};

TEST_P(BucketCliTest, D29ATopicGoesToTheBucketAndComesBack) {
  const std::string cold = Cold("there and back");
  const std::string lines = Lines(2000);
  Good({"produce", "orders", "--cold", cold}, lines);
  Good({"demote", "orders", "--to", "cold", "--cold", cold});
  EXPECT_FALSE(std::filesystem::exists(Data() / "cold"));
  EXPECT_THAT(Good({"segments", "orders", "--cold", cold}), HasSubstr(" --c "));
  EXPECT_EQ(Good({"consume", "orders", "--cold", cold}), lines);
  EXPECT_THAT(Good({"verify", "--cold", cold}), HasSubstr("all is well"));
  // Without its bucket the log does not pretend to be empty.
  const Ran away = Run({"consume", "orders", "--cold", Cold("other")});
  EXPECT_NE(away.exit, 0);
  EXPECT_EQ(away.out, "");
  Good({"topics", "delete", "orders", "--cold", cold});
}

TEST_P(BucketCliTest, TheBucketAloneBringsTheLogBack) {
  const std::string cold = Cold("restore");
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

TEST_P(BucketCliTest, MachineThatWasTakenOverTakesNoMoreAppends) {
  namespace fs = std::filesystem;
  const std::string cold = Cold("takeover");
  const std::string lines = Lines(100);
  Good({"produce", "orders", "--cold", cold}, lines);
  Good({"demote", "orders", "--to", "cold", "--cold", cold});
  fs::rename(Data(), Path("old"));
  Good({"restore", "--from", cold});
  Good({"produce", "orders", "--cold", cold}, "theirs\n");
  fs::rename(Data(), Path("new"));
  fs::rename(Path("old"), Data());
  const Ran ran = Run({"produce", "orders", "--cold", cold}, "ours\n");
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr("has taken the partition over"));
  EXPECT_EQ(Good({"consume", "orders", "--cold", cold}), lines);
  fs::rename(Data(), Path("old"));
  fs::rename(Path("new"), Data());
  EXPECT_EQ(Good({"consume", "orders", "--cold", cold}), lines + "theirs\n");
  Good({"topics", "delete", "orders", "--cold", cold});
}

TEST_P(BucketCliTest, TheMainJobRunsOnTheBucket) {
  const std::string cold = Cold("demo");
  for (int run = 1; run <= 2; ++run) {
    const std::string out = Good({"demo", "--size", "6", "--cold", cold});
    EXPECT_THAT(out, HasSubstr("cold: " + users_.url));
    EXPECT_THAT(out, HasSubstr("--cold '" + users_.url));
  }
}

TEST_P(BucketCliTest, WrongSecretIsToldAndNotShown) {
  ::setenv(users_.secret.c_str(), users_.wrong.c_str(), 1);
  const Ran ran = Run({"produce", "t", "--cold", Cold("x")}, "line\n");
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr(users_.wrong_word));
  EXPECT_THAT(ran.err, Not(HasSubstr(users_.wrong)));
}

TEST_P(BucketCliTest, WithoutKeysItIsSaidWhereTheyAreLookedFor) {
  // What says where not to look stays.
  for (const auto& [name, value] : users_.environment) {
    if (name.find("KEY") != name.npos) ::unsetenv(name.c_str());
  }
  const Ran ran = Run({"produce", "t", "--cold", Cold("x")}, "line\n");
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr(users_.environment.begin()->first));
}

TEST_P(BucketCliTest, MissingBucketIsNamed) {
  const Ran ran = Run({"produce", "t", "--cold", users_.absent_url}, "line\n");
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr(users_.absent_word));
  EXPECT_THAT(ran.err, HasSubstr("no-such-"));
}

TEST_P(BucketCliTest, TheLogTakesWritesWhileTheBucketIsAway) {
  const Ran ran = Run({"produce", "t", "--cold", users_.away_url}, "line\n");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("does not answer"));
  EXPECT_EQ(Good({"consume", "t", "--cold", users_.away_url}), "line\n");
}

std::vector<BucketServer> ServersForUsers() {
  std::vector<BucketServer> servers = BucketServers();
  std::erase_if(servers, [](const BucketServer& server) {
    return server.for_users == nullptr;
  });
  return servers;
}

INSTANTIATE_TEST_SUITE_P(Servers, BucketCliTest,
                         testing::ValuesIn(ServersForUsers()),
                         [](const auto& param_info) {
                           return param_info.param.name;
                         });

}  // namespace
}  // namespace strata
