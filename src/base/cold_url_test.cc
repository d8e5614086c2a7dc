#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "strata/config.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <typename Cold>
Cold Parsed(const std::string& url) {
  const auto parsed = ParseColdUrl(url);
  EXPECT_TRUE(parsed.ok()) << url << ": " << parsed.status();
  if (!parsed.ok() || !std::holds_alternative<Cold>(*parsed)) {
    ADD_FAILURE() << url << " is of another kind";
    return {};
  }
  return std::get<Cold>(*parsed);
}

std::string Refusal(const std::string& url) {
  const Status status = ParseColdUrl(url).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << url;
  return status.message();
}

TEST(ColdUrlTest, S3HasBucketPrefixAndParameters) {
  const auto s3 = Parsed<cold::S3>(
      "s3://logs/a/b%20c/?endpoint=http://127.0.0.1:9000&region=eu-west-1&"
      "sse=aws:kms&kms_key_id=id&storage_class=STANDARD_IA&"
      "ca_bundle=/etc/ca.pem");
  EXPECT_EQ(s3.bucket, "logs");
  EXPECT_EQ(s3.prefix, "a/b c");
  EXPECT_EQ(s3.endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(s3.region, "eu-west-1");
  EXPECT_EQ(s3.server_side_encryption, "aws:kms");
  EXPECT_EQ(s3.kms_key_id, "id");
  EXPECT_EQ(s3.storage_class, "STANDARD_IA");
  EXPECT_EQ(s3.ca_bundle, "/etc/ca.pem");
  EXPECT_TRUE(s3.use_path_style) << "an endpoint of one's own has no names "
                                    "for its buckets, as a rule";
  EXPECT_FALSE(s3.access_key);
}

TEST(ColdUrlTest, PathStyleIsForEndpointsUnlessSaid) {
  EXPECT_FALSE(Parsed<cold::S3>("s3://b").use_path_style);
  EXPECT_TRUE(Parsed<cold::S3>("s3://b?path_style=true").use_path_style);
  EXPECT_FALSE(Parsed<cold::S3>("s3://b?endpoint=http://h&path_style=false")
                   .use_path_style);
  EXPECT_THAT(Refusal("s3://b?path_style=yes"), HasSubstr("true or false"));
}

TEST(ColdUrlTest, OtherKinds) {
  const auto azure = Parsed<cold::AzureBlob>(
      "azblob://account/container/some/prefix?endpoint=http://h:1");
  EXPECT_EQ(azure.account, "account");
  EXPECT_EQ(azure.container, "container");
  EXPECT_EQ(azure.prefix, "some/prefix");
  EXPECT_EQ(azure.endpoint, "http://h:1");
  const auto gcs = Parsed<cold::Gcs>("gs://bucket/p");
  EXPECT_EQ(gcs.bucket, "bucket");
  EXPECT_EQ(gcs.prefix, "p");
  EXPECT_EQ(Parsed<cold::LocalFs>("file:///var/lib/a%23b").path,
            "/var/lib/a#b");
  Parsed<cold::Disabled>("disabled:");
}

TEST(ColdUrlTest, ItsUrlNamesTheSame) {
  for (const std::string url :
       {"s3://b", "s3://b/p%20q?endpoint=http%3A%2F%2Fh%3A1&region=r",
        "s3://b?path_style=true", "s3://b?endpoint=http%3A%2F%2Fh&sse=AES256",
        "azblob://a/c/p", "gs://b?ca_bundle=%2Fca.pem", "file:///d/e%3Ff",
        "file:", "disabled:"}) {
    const auto parsed = ParseColdUrl(url);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(ColdUrl(*parsed), url);
  }
}

TEST(ColdUrlTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(Refusal(""), HasSubstr("s3://"));
  EXPECT_THAT(Refusal("bucket"), HasSubstr("s3://"));
  EXPECT_THAT(Refusal("ftp://b"), HasSubstr("unknown scheme 'ftp'"));
  EXPECT_THAT(Refusal("s3://"), HasSubstr("no bucket"));
  EXPECT_THAT(Refusal("azblob://account"), HasSubstr("no container"));
  EXPECT_THAT(Refusal("file://host/path"), HasSubstr("file:///"));
  EXPECT_THAT(Refusal("file:relative"), HasSubstr("file:///"));
  EXPECT_THAT(Refusal("disabled:x"), HasSubstr("nothing follows"));
  EXPECT_THAT(Refusal("s3://b/%zz"), HasSubstr("two hex digits"));
  EXPECT_THAT(Refusal("s3://b/a%00b"), HasSubstr("NUL"));
  EXPECT_THAT(Refusal("s3://b?regoin=x"), HasSubstr("no parameter 'regoin'"));
  EXPECT_THAT(Refusal("s3://b#x"), HasSubstr("%23"));
}

TEST(ColdUrlTest, CredentialsAreRefusedAndNotRepeated) {
  for (const std::string url :
       {"s3://AKIA:hunter2@bucket", "s3://bucket?secret_key=hunter2",
        "s3://bucket?access_key=hunter2", "s3://b?session_token=hunter2",
        "azblob://a/c?sig=hunter2", "azblob://a/c?sas_token=hunter2",
        "azblob://a/c?connection_string=hunter2"}) {
    EXPECT_THAT(Refusal(url), HasSubstr("credentials")) << url;
    EXPECT_THAT(Refusal(url), Not(HasSubstr("hunter2"))) << url;
  }
}

}  // namespace
}  // namespace strata
