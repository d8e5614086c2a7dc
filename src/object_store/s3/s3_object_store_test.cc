// What S3ObjectStore makes of what servers and networks do, against a server
// that fails by script. The contract is tested against real ones
// (tests/servers).
#include "object_store/s3/s3_object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "net/curl_http_client.h"
#include "object_store/retrying_object_store.h"
#include "runtime/thread_runtime.h"
#include "testing/fake_s3.h"
#include "testing/object_store_client.h"

namespace strata {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = ServerFault::Kind;

constexpr char kSecret[] = "the-secret-key";
constexpr char kToken[] = "the-session-token";

// Credentials that can be had anew once they are refused.
class RenewableCredentials final : public CredentialsProvider {
 public:
  void Get(Done done) override {
    done(std::make_shared<const Credentials>(
        Credentials{.access_key = "key" + std::to_string(refused_),
                    .secret_key = kSecret,
                    .session_token = kToken}));
  }
  bool Refused(const Credentials&) override { return ++refused_ == 1; }

 private:
  std::atomic<int> refused_ = 0;
};

class S3ObjectStoreTest : public ::testing::Test {
 protected:
  std::shared_ptr<ObjectStore> Make(S3Options options) {
    options.bucket = "bucket";
    options.endpoint = server_.url();
    options.path_style = true;
    auto store = MakeS3ObjectStore(options, credentials_, http_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  StatusCode CodeOfGet() { return client_.Get("key").status().code(); }

  FakeS3 s3_;
  FaultyHttpServer server_{
      [this](const ServedRequest& request) { return s3_.Serve(request); }};
  const std::shared_ptr<HttpClient> http_ = MakeCurlHttpClient();
  std::shared_ptr<CredentialsProvider> credentials_ =
      std::make_shared<RenewableCredentials>();
  const std::unique_ptr<Runtime> runtime_ = MakeThreadRuntime();
  const std::shared_ptr<ObjectStore> store_ = Make({});
  ObjectStoreClient client_{*store_, *runtime_};
};

TEST_F(S3ObjectStoreTest, RequestIsSignedAndCarriesWhatWasAskedFor) {
  const auto store = Make({.region = "eu-north-1",
                           .server_side_encryption = "aws:kms",
                           .kms_key_id = "the-kms-key",
                           .storage_class = "STANDARD_IA"});
  ObjectStoreClient client(*store, *runtime_);
  ASSERT_TRUE(client.Put("a b/c", "123456789", PutPrecondition::Absent()).ok());
  const ServedRequest put = server_.requests().at(0);
  EXPECT_EQ(put.target, "/bucket/a%20b/c");
  EXPECT_EQ(put.Header("x-amz-meta-crc32c"), "e3069283");
  EXPECT_EQ(put.Header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(put.Header("x-amz-server-side-encryption-aws-kms-key-id"),
            "the-kms-key");
  EXPECT_EQ(put.Header("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(put.Header("x-amz-security-token"), kToken);
  EXPECT_EQ(put.Header("if-none-match"), "*");
  EXPECT_EQ(put.Header("x-amz-content-sha256"),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
  EXPECT_THAT(put.Header("authorization"),
              AllOf(HasSubstr("Credential=key0/"),
                    HasSubstr("/eu-north-1/s3/aws4_request"),
                    HasSubstr("SignedHeaders=host;if-none-match;")));
}

TEST_F(S3ObjectStoreTest, BucketMayStandInFrontOfTheHost) {
  auto store = MakeS3ObjectStore(
      {.endpoint = "http://localhost:" + std::to_string(server_.port()),
       .bucket = "bucket"},
      credentials_, http_);
  ASSERT_TRUE(store.ok());
  ObjectStoreClient client(**store, *runtime_);
  const auto put = client.Put("key", "x");
  // Not every machine knows names below localhost.
  if (put.ok()) {
    EXPECT_EQ(server_.requests().at(0).target, "/key");
    EXPECT_THAT(server_.requests().at(0).Header("host"),
                ::testing::StartsWith("bucket.localhost:"));
  } else {
    EXPECT_THAT(put.status().message(), HasSubstr("bucket.localhost"));
  }
}

struct ErrorCase {
  int status;
  const char* code;
  StatusCode of_get;
  StatusCode of_put;
};

TEST_F(S3ObjectStoreTest, EveryErrorHasItsMeaning) {
  using enum StatusCode;
  ASSERT_TRUE(client_.Put("seen", "x").ok());
  for (const ErrorCase& expected : std::initializer_list<ErrorCase>{
           {404, "NoSuchKey", kNotFound, kNotFound},
           {404, "NoSuchBucket", kIoError, kIoError},
           {403, "AccessDenied", kIoError, kIoError},
           {403, "SignatureDoesNotMatch", kIoError, kIoError},
           {403, "InvalidAccessKeyId", kIoError, kIoError},
           {403, "RequestTimeTooSkewed", kIoError, kIoError},
           {400, "AuthorizationHeaderMalformed", kIoError, kIoError},
           {301, "PermanentRedirect", kIoError, kIoError},
           {307, "TemporaryRedirect", kIoError, kIoError},
           {412, "PreconditionFailed", kConflict, kConflict},
           {409, "ConditionalRequestConflict", kUnavailable, kUnavailable},
           {409, "OperationAborted", kUnavailable, kUnavailable},
           {416, "InvalidRange", kOutOfRange, kOutOfRange},
           {400, "RequestTimeout", kUnavailable, kUnavailable},
           {400, "BadDigest", kUnavailable, kUnavailable},
           {400, "XAmzContentSHA256Mismatch", kUnavailable, kUnavailable},
           {400, "InvalidArgument", kInvalidArgument, kInvalidArgument},
           {429, "TooManyRequests", kOverloaded, kOverloaded},
           {503, "SlowDown", kOverloaded, kOverloaded},
           {503, "ServiceUnavailable", kOverloaded, kOverloaded},
           {500, "InternalError", kUnavailable, kUnknown},
           {502, "", kUnavailable, kUnknown},
           {504, "", kUnavailable, kUnknown},
           {501, "NotImplemented", kUnsupported, kUnsupported}}) {
    const ServedReply reply =
        FakeS3::Error(expected.status, expected.code, "some words");
    server_.FailNext(reply);
    const Status got = client_.Get("key").status();
    EXPECT_EQ(got.code(), expected.of_get) << got;
    EXPECT_THAT(got.message(),
                AllOf(HasSubstr("s3:bucket/key"), HasSubstr(expected.code),
                      HasSubstr("some words"), HasSubstr("REQUEST-7")));
    server_.FailNext(reply);
    const Status put = client_.Put("key", "x").status();
    EXPECT_EQ(put.code(), expected.of_put) << put;
  }
}

TEST_F(S3ObjectStoreTest, ErrorWithoutWordsGoesByItsHttpStatus) {
  using enum StatusCode;
  for (const auto& [status, code] : {std::pair{403, kIoError},
                                     {404, kNotFound},
                                     {503, kOverloaded},
                                     {500, kUnavailable},
                                     {418, kInvalidArgument}}) {
    server_.FailNext({.status = status, .body = "<html>no error of S3's"});
    EXPECT_EQ(CodeOfGet(), code);
  }
  // A proxy may have been impatient while the server acted.
  server_.FailNext({.status = 503});
  EXPECT_EQ(client_.Put("key", "x", PutPrecondition::Absent()).status().code(),
            kUnknown);
}

TEST_F(S3ObjectStoreTest, RetryAfterIsToldInTheStatus) {
  ServedReply slow = FakeS3::Error(503, "SlowDown");
  slow.headers.push_back({"Retry-After", "7"});
  server_.FailNext(slow);
  EXPECT_EQ(client_.Get("key").status().retry_after(), std::chrono::seconds(7));
  server_.FailNext(FakeS3::Error(503, "SlowDown"));
  EXPECT_EQ(client_.Get("key").status().retry_after().count(), 0);
}

TEST_F(S3ObjectStoreTest, RedirectTellsTheRegion) {
  ServedReply moved = FakeS3::Error(301, "PermanentRedirect");
  moved.headers.push_back({"x-amz-bucket-region", "eu-north-1"});
  server_.FailNext(moved);
  EXPECT_THAT(client_.Get("key").status().message(), HasSubstr("eu-north-1"));
}

TEST_F(S3ObjectStoreTest, ExpiredTokenIsRenewedOnceThenFatal) {
  ASSERT_TRUE(client_.Put("key", "x").ok());
  const ServedReply expired = FakeS3::Error(400, "ExpiredToken");
  server_.FailNext(expired);
  EXPECT_EQ(CodeOfGet(), StatusCode::kUnavailable);
  EXPECT_EQ(*client_.Get("key"), "x");
  EXPECT_THAT(server_.requests().back().Header("authorization"),
              HasSubstr("Credential=key1/"));
  server_.FailNext(expired);
  EXPECT_EQ(CodeOfGet(), StatusCode::kIoError);
}

TEST_F(S3ObjectStoreTest, SecretsAreInNoMessage) {
  server_.FailNext(FakeS3::Error(
      403, "AccessDenied",
      std::string("you sent ") + kSecret + " and " + kToken + "."));
  const Status got = client_.Get("key").status();
  EXPECT_THAT(got.message(),
              AllOf(Not(HasSubstr(kSecret)), Not(HasSubstr(kToken)),
                    HasSubstr("you sent ... and ....")));
  EXPECT_THAT(store_->Describe(), Not(HasSubstr(kSecret)));
}

TEST_F(S3ObjectStoreTest, LostAnswerOfAChangeIsUnknown) {
  for (const Kind kind : {Kind::kResetBefore, Kind::kResetAfter}) {
    server_.FailNext(kind);
    EXPECT_EQ(client_.Put("key", "x").status().code(), StatusCode::kUnknown);
    server_.FailNext(kind);
    EXPECT_EQ(client_.Delete("key").code(), StatusCode::kUnknown);
    server_.FailNext(kind);
    EXPECT_EQ(CodeOfGet(), StatusCode::kUnavailable);
  }
}

TEST_F(S3ObjectStoreTest,
       ConditionalPutWhoseAnswerWasLostIsUnknownNotConflict) {
  ASSERT_TRUE(client_.Put("warm-up", "x").ok());
  for (const std::string body : {"", "x"}) {
    const std::string key = "key" + body;
    server_.FailNext(Kind::kResetAfter);
    EXPECT_EQ(client_.Put(key, body, PutPrecondition::Absent()).status().code(),
              StatusCode::kUnknown);
    EXPECT_TRUE(s3_.objects().contains("/bucket/" + key));
  }
}

TEST_F(S3ObjectStoreTest, ServerThatIsNotThereIsUnavailable) {
  auto store = MakeS3ObjectStore(
      {.endpoint = "http://127.0.0.1:1", .bucket = "b", .path_style = true},
      credentials_, http_);
  ObjectStoreClient client(**store, *runtime_);
  EXPECT_EQ(client.Put("key", "x").status().code(), StatusCode::kUnavailable);
}

TEST_F(S3ObjectStoreTest, DeadlineOfAReadAndOfAChange) {
  client_.request.timeout = std::chrono::milliseconds(100);
  server_.FailNext(Kind::kHang);
  EXPECT_EQ(CodeOfGet(), StatusCode::kDeadlineExceeded);
  server_.FailNext(Kind::kHang);
  EXPECT_EQ(client_.Put("key", "x").status().code(), StatusCode::kUnknown);
}

TEST_F(S3ObjectStoreTest, CancelOfAReadAndOfAChange) {
  const auto cancelled = [&](auto start) {
    std::stop_source stop;
    client_.request.cancel = stop.get_token();
    const size_t before = server_.requests().size();
    server_.FailNext(Kind::kHang);
    std::jthread canceller([&] {
      server_.WaitForRequests(before + 1);
      stop.request_stop();
    });
    return start();
  };
  EXPECT_EQ(cancelled([&] { return CodeOfGet(); }), StatusCode::kCancelled);
  EXPECT_EQ(cancelled([&] { return client_.Put("key", "x").status().code(); }),
            StatusCode::kUnknown);
}

TEST_F(S3ObjectStoreTest, DamageOfAWholeObjectIsSeen) {
  ASSERT_TRUE(client_.Put("key", "0123456789").ok());
  server_.FailNext(Kind::kCorrupt);
  const Status got = client_.Get("key").status();
  EXPECT_EQ(got.code(), StatusCode::kUnavailable);
  EXPECT_THAT(got.message(), HasSubstr("crc32c"));
  EXPECT_EQ(*client_.Get("key"), "0123456789");
}

TEST_F(S3ObjectStoreTest, ShortAnswersAreUnavailable) {
  ASSERT_TRUE(client_.Put("key", "0123456789").ok());
  server_.FailNext(Kind::kTruncate);
  EXPECT_EQ(CodeOfGet(), StatusCode::kUnavailable);
  server_.FailNext(Kind::kDrip);
  EXPECT_EQ(*client_.Get("key"), "0123456789");
  // Fewer bytes than asked for, of an object that has them.
  server_.FailNext({.status = 206,
                    .headers = {{"Content-Range", "bytes 0-3/10"}},
                    .body = "0123"});
  EXPECT_EQ(client_.Get("key", 0, 10).status().code(),
            StatusCode::kUnavailable);
}

TEST_F(S3ObjectStoreTest, AnswerOfAnotherRangeIsRefused) {
  for (const char* range :
       {"bytes 1-4/10", "bytes 0-9/10", "bytes */10", "chars 0-3/10", ""}) {
    server_.FailNext(
        {.status = 206, .headers = {{"Content-Range", range}}, .body = "0123"});
    EXPECT_EQ(client_.Get("key", 0, 4).status().code(),
              StatusCode::kUnavailable)
        << range;
  }
  server_.FailNext({.status = 200, .body = "0123"});
  EXPECT_EQ(client_.Get("key", 2, 4).status().code(), StatusCode::kUnavailable);
}

TEST_F(S3ObjectStoreTest, ServerThatIgnoresRangesServesWholeObjects) {
  server_.FailNext({.status = 200, .body = "0123"});
  EXPECT_EQ(*client_.Get("key", 0, 10), "0123");
}

TEST_F(S3ObjectStoreTest, HeadTellsAnAbsentBucketFromAnAbsentKey) {
  server_.FailNext({.status = 404});
  server_.FailNext(FakeS3::Error(404, "NoSuchBucket"));
  EXPECT_EQ(client_.Head("key").status().code(), StatusCode::kIoError);
  EXPECT_EQ(client_.Head("key").status().code(), StatusCode::kNotFound);
  // Once the bucket was seen, one request is enough.
  const size_t before = server_.requests().size();
  EXPECT_EQ(client_.Head("key").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(server_.requests().size(), before + 1);
}

TEST_F(S3ObjectStoreTest, BareEtagIsTriedOnceAndRemembered) {
  s3_.WantBareEtags();
  const auto one = client_.Put("key", "one");
  const auto two = client_.Put("key", "two", PutPrecondition::IfVersion(*one));
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(server_.requests().size(), 3u);
  EXPECT_TRUE(client_.Put("key", "3", PutPrecondition::IfVersion(*two)).ok());
  EXPECT_EQ(server_.requests().size(), 4u);
  EXPECT_EQ(server_.requests().back().Header("if-match"), *two);
}

TEST_F(S3ObjectStoreTest, QuotedEtagThatWorkedIsKept) {
  const auto one = client_.Put("key", "one");
  const auto two = client_.Put("key", "two", PutPrecondition::IfVersion(*one));
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(
      client_.Put("key", "3", PutPrecondition::IfVersion(*one)).status().code(),
      StatusCode::kConflict);
  EXPECT_EQ(server_.requests().size(), 3u);
}

class S3UploadTest : public S3ObjectStoreTest {
 protected:
  static constexpr size_t kPart = size_t{5} << 20;

  std::string Bytes() {
    std::string bytes(2 * kPart + 12345, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>(i * 7 + i / 65'537);
    }
    return bytes;
  }

  const std::shared_ptr<ObjectStore> in_parts_ =
      Make({.multipart_above_bytes = kPart, .part_bytes = kPart});
  ObjectStoreClient uploads_{*in_parts_, *runtime_};
};

TEST_F(S3UploadTest, PartsBecomeOneObject) {
  const auto put = uploads_.Put("key", Bytes());
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(*put, "e");
  EXPECT_TRUE(s3_.objects().at("/bucket/key").bytes == Bytes());
  EXPECT_EQ(s3_.uploads(), 0u);
  EXPECT_EQ(server_.requests().size(), 5u);
}

TEST_F(S3UploadTest, PartThatFailedIsSentAgain) {
  server_.FailNext(Kind::kDrip);  // the beginning
  server_.FailNext(FakeS3::Error(503, "SlowDown"));
  server_.FailNext(Kind::kResetAfter);
  server_.FailNext(FakeS3::Error(500, "InternalError"));
  EXPECT_TRUE(uploads_.Put("key", Bytes()).ok());
  EXPECT_TRUE(s3_.objects().at("/bucket/key").bytes == Bytes());
}

TEST_F(S3UploadTest, UploadThatFailsIsGivenUpAtTheServer) {
  server_.FailNext(Kind::kDrip);
  server_.FailNext(FakeS3::Error(403, "AccessDenied"));
  const auto put = uploads_.Put("key", Bytes());
  EXPECT_EQ(put.status().code(), StatusCode::kIoError);
  server_.WaitForMethod("DELETE");
  EXPECT_EQ(client_.Get("key").status().code(), StatusCode::kNotFound);
}

TEST_F(S3UploadTest, EndWhoseAnswerIsLostIsUnknown) {
  for (int i = 0; i < 4; ++i) server_.FailNext(Kind::kDrip);
  server_.FailNext(Kind::kResetAfter);
  EXPECT_EQ(uploads_.Put("key", Bytes()).status().code(), StatusCode::kUnknown);
  EXPECT_TRUE(s3_.objects().contains("/bucket/key"));
}

TEST_F(S3UploadTest, ErrorAfter200IsAnError) {
  for (int i = 0; i < 4; ++i) server_.FailNext(Kind::kDrip);
  ServedReply late = FakeS3::Error(200, "InternalError");
  server_.FailNext(late);
  EXPECT_EQ(uploads_.Put("key", Bytes()).status().code(), StatusCode::kUnknown);
}

TEST_F(S3UploadTest, ConditionalPutIsOneRequest) {
  EXPECT_TRUE(uploads_.Put("key", Bytes(), PutPrecondition::Absent()).ok());
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(S3UploadTest, VersionThatTheEndDoesNotTellIsWorkedOutOrAskedFor) {
  for (int i = 0; i < 4; ++i) server_.FailNext(Kind::kDrip);
  server_.FailNext({.body = "<CompleteMultipartUploadResult><ETag></ETag>"
                            "</CompleteMultipartUploadResult>"});
  const auto worked_out = uploads_.Put("key", Bytes());
  ASSERT_TRUE(worked_out.ok()) << worked_out.status();
  EXPECT_THAT(*worked_out, ::testing::EndsWith("-3"));

  server_.FailNext(Kind::kDrip);
  for (int i = 0; i < 3; ++i) {
    server_.FailNext({.headers = {{"ETag", "\"no digest\""}}});
  }
  server_.FailNext({.body = "<CompleteMultipartUploadResult/>"});
  server_.FailNext({.headers = {{"ETag", "\"of the head\""}}});
  const auto asked_for = uploads_.Put("key", Bytes());
  ASSERT_TRUE(asked_for.ok()) << asked_for.status();
  EXPECT_EQ(*asked_for, "of the head");
}

// --- Google's dialect ---

TEST_F(S3ObjectStoreTest, GoogleIsAskedInItsOwnWords) {
  const auto store = Make({.dialect = S3Dialect::kGoogle, .region = "auto"});
  ObjectStoreClient client(*store, *runtime_);
  const ServedReply stored{.headers = {{"x-goog-generation", "17"}}};
  server_.FailNext(stored);
  EXPECT_EQ(*client.Put("key", "x", PutPrecondition::Absent()), "17");
  server_.FailNext(stored);
  EXPECT_TRUE(client.Put("key", "x", PutPrecondition::IfVersion("16")).ok());
  const auto served = server_.requests();
  EXPECT_EQ(served[0].Header("x-goog-if-generation-match"), "0");
  EXPECT_EQ(served[1].Header("x-goog-if-generation-match"), "16");
  EXPECT_NE(served[0].Header("x-goog-meta-crc32c"), "");
  EXPECT_THAT(served[0].Header("authorization"),
              AllOf(HasSubstr("GOOG4-HMAC-SHA256 "),
                    HasSubstr("/auto/storage/goog4_request")));
  for (const HttpHeader& header : served[0].headers) {
    EXPECT_THAT(header.name, Not(HasSubstr("x-amz-")));
  }
  server_.FailNext({.status = 412});
  EXPECT_EQ(
      client.Put("key", "x", PutPrecondition::IfVersion("16")).status().code(),
      StatusCode::kConflict);
  EXPECT_EQ(server_.requests().size(), 3u) << "generations have no quotes";
  server_.FailNext(
      {.body = "<ListBucketResult><Contents><Key>k</Key><Generation>17"
               "</Generation><Size>1</Size></Contents></ListBucketResult>"});
  EXPECT_EQ(client.List("", "", 1)->objects.at(0).version, "17");
}

// --- With repetition ---

class S3RetryTest : public S3ObjectStoreTest {
 protected:
  const std::shared_ptr<ObjectStore> retrying_ = MakeRetryingObjectStore(
      store_,
      {.max_attempts = 4,
       .first_pause = std::chrono::milliseconds(1),
       .max_pause = std::chrono::milliseconds(2),
       .attempt_timeout = std::chrono::milliseconds(500)},
      *runtime_);
  ObjectStoreClient again_{*retrying_, *runtime_};
};

TEST_F(S3RetryTest, EveryPassingFaultIsOvercome) {
  for (const Kind kind :
       {Kind::kResetBefore, Kind::kResetAfter, Kind::kTruncate, Kind::kCorrupt,
        Kind::kDrip, Kind::kHang, Kind::kWrongLength}) {
    server_.FailNext(kind);
    EXPECT_TRUE(again_.Put("key", "0123456789").ok());
    server_.FailNext(kind);
    const auto got = again_.Get("key");
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(*got, "0123456789");
  }
  for (const char* code : {"SlowDown", "InternalError", "ExpiredToken"}) {
    server_.FailNext(
        FakeS3::Error(std::string(code) == "SlowDown" ? 503 : 500, code));
    EXPECT_EQ(*again_.Get("key"), "0123456789");
  }
}

TEST_F(S3RetryTest, ConditionalPutWhoseAnswerWasLostIsNotRepeated) {
  server_.FailNext(Kind::kResetAfter);
  EXPECT_EQ(again_.Put("key", "x", PutPrecondition::Absent()).status().code(),
            StatusCode::kUnknown);
  EXPECT_EQ(server_.requests().size(), 1u);
  server_.FailNext(FakeS3::Error(503, "SlowDown"));
  EXPECT_TRUE(again_.Put("new", "x", PutPrecondition::Absent()).ok());
}

TEST_F(S3RetryTest, FatalErrorsAreNotRepeated) {
  server_.FailNext(FakeS3::Error(403, "AccessDenied"));
  EXPECT_EQ(again_.Get("key").status().code(), StatusCode::kIoError);
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST(S3OptionsTest, WhatCannotBeIsRefused) {
  const auto credentials = MakeStaticCredentials({});
  const auto http = MakeCurlHttpClient();
  for (const S3Options& options :
       std::initializer_list<S3Options>{{},
                                        {.bucket = "a/b"},
                                        {.region = "", .bucket = "b"},
                                        {.endpoint = "host", .bucket = "b"},
                                        {.bucket = "b", .part_bytes = 1},
                                        {.bucket = "b", .parts_at_once = 0}}) {
    EXPECT_EQ(MakeS3ObjectStore(options, credentials, http).status().code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(MakeS3ObjectStore({.bucket = "b"}, credentials, http).ok());
}

}  // namespace
}  // namespace strata
