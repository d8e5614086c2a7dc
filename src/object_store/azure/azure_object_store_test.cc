// What AzureObjectStore makes of what servers and networks do, against a server
// that fails by script. The contract is tested against real ones
// (tests/servers).
#include "object_store/azure/azure_object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "net/curl_http_client.h"
#include "net/digest.h"
#include "object_store/retrying_object_store.h"
#include "runtime/system_random.h"
#include "testing/azure_store_fixture.h"

namespace strata {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using AzureObjectStoreTest = AzureStoreFixture;
using Kind = ServerFault::Kind;

TEST_F(AzureObjectStoreTest, RequestIsSignedAndCarriesWhatWasAskedFor) {
  ASSERT_TRUE(
      client_.Put("a b/c", "123456789", PutPrecondition::Absent()).ok());
  const ServedRequest put = server_.requests().at(0);
  EXPECT_EQ(put.target, "/account/container/a%20b/c");
  EXPECT_EQ(put.Header("x-ms-meta-crc32c"), "e3069283");
  EXPECT_EQ(put.Header("x-ms-blob-type"), "BlockBlob");
  EXPECT_EQ(put.Header("content-md5"), "JfnnlDI7RTiF9RgfG2JNCw==");
  EXPECT_EQ(put.Header("if-none-match"), "*");
  EXPECT_EQ(put.Header("x-ms-version"), "2021-12-02");
  EXPECT_THAT(put.Header("x-ms-date"), ::testing::EndsWith(" GMT"));
  EXPECT_THAT(put.Header("authorization"), StartsWith("SharedKey account:"));
  EXPECT_EQ(put.body, "123456789");
}

TEST_F(AzureObjectStoreTest, SasTokenIsInTheUrlOfEachRequest) {
  const std::string token = "sv=2021-12-02&sig=a%2Bb";
  const auto store =
      Make({.account = {.credentials = {.key = {}, .sas = token}}});
  ObjectStoreClient client(*store, *runtime_);
  ASSERT_TRUE(client.Put("key", "x").ok());
  EXPECT_EQ(client.List("", "", 1)->objects.size(), 1u);
  const auto served = server_.requests();
  EXPECT_EQ(served.at(0).target, "/account/container/key?" + token);
  EXPECT_THAT(served.at(1).target, HasSubstr("restype=container&" + token));
  EXPECT_EQ(served.at(0).Header("authorization"), "");
}

TEST_F(AzureObjectStoreTest, WhatIsPutIsGotInRanges) {
  const auto version = client_.Put("key", "0123456789");
  EXPECT_EQ(*version, "0x1");
  EXPECT_EQ(*client_.Get("key", 2, 3), "234");
  EXPECT_EQ(client_.Get("key", 10, 1).status().code(), StatusCode::kOutOfRange);
  const auto info = client_.Head("key");
  EXPECT_EQ(info->size_bytes, 10u);
  EXPECT_EQ(info->version, *version);
  EXPECT_TRUE(client_.Put("key", "x", PutPrecondition::IfVersion("0x1")).ok());
  EXPECT_EQ(server_.requests().back().Header("if-match"), "\"0x1\"");
  EXPECT_EQ(client_.Delete("key"), Status::Ok());
  EXPECT_EQ(client_.Delete("key"), Status::Ok());
}

struct ErrorCase {
  int status;
  const char* code;
  StatusCode of_get;
  StatusCode of_put;
};

TEST_F(AzureObjectStoreTest, EveryErrorHasItsMeaning) {
  using enum StatusCode;
  for (const ErrorCase& expected : std::initializer_list<ErrorCase>{
           {404, "BlobNotFound", kNotFound, kNotFound},
           {404, "ContainerNotFound", kIoError, kIoError},
           {404, "ResourceNotFound", kIoError, kIoError},
           {409, "ContainerBeingDeleted", kIoError, kIoError},
           {403, "AuthenticationFailed", kIoError, kIoError},
           {403, "AuthorizationFailure", kIoError, kIoError},
           {403, "AuthorizationPermissionMismatch", kIoError, kIoError},
           {403, "AccountIsDisabled", kIoError, kIoError},
           {401, "NoAuthenticationInformation", kIoError, kIoError},
           {400, "InvalidAuthenticationInfo", kIoError, kIoError},
           {409, "BlobImmutableDueToPolicy", kIoError, kIoError},
           {409, "BlobArchived", kIoError, kIoError},
           {409, "InvalidBlobType", kIoError, kIoError},
           {412, "LeaseIdMissing", kIoError, kIoError},
           {307, "", kIoError, kIoError},
           {409, "BlobAlreadyExists", kConflict, kConflict},
           {412, "ConditionNotMet", kConflict, kConflict},
           {416, "InvalidRange", kOutOfRange, kOutOfRange},
           {400, "Md5Mismatch", kUnavailable, kUnavailable},
           {400, "InvalidBlockList", kUnavailable, kUnavailable},
           {409, "SomethingPasses", kUnavailable, kUnavailable},
           {400, "InvalidHeaderValue", kInvalidArgument, kInvalidArgument},
           {413, "RequestBodyTooLarge", kInvalidArgument, kInvalidArgument},
           {503, "ServerBusy", kOverloaded, kOverloaded},
           {429, "TooManyRequests", kOverloaded, kOverloaded},
           {500, "InternalError", kUnavailable, kUnknown},
           {500, "OperationTimedOut", kUnavailable, kUnknown},
           {502, "", kUnavailable, kUnknown},
           {501, "NotImplemented", kUnsupported, kUnsupported}}) {
    const ServedReply reply =
        FakeAzure::Error(expected.status, expected.code, "some words");
    server_.FailNext(reply);
    const Status got = client_.Get("key").status();
    EXPECT_EQ(got.code(), expected.of_get) << got;
    EXPECT_THAT(got.message(),
                AllOf(HasSubstr("azblob:account/container/key"),
                      HasSubstr(expected.code), HasSubstr("some words"),
                      HasSubstr("REQUEST-7")));
    EXPECT_THAT(got.message(), Not(HasSubstr("Time:now")));
    server_.FailNext(reply);
    const Status put = client_.Put("key", "x").status();
    EXPECT_EQ(put.code(), expected.of_put) << put;
  }
}

TEST_F(AzureObjectStoreTest, ErrorWithoutWordsGoesByItsHttpStatus) {
  using enum StatusCode;
  for (const auto& [status, code] : {std::pair{403, kIoError},
                                     {404, kNotFound},
                                     {503, kOverloaded},
                                     {500, kUnavailable},
                                     {418, kInvalidArgument}}) {
    server_.FailNext({.status = status, .body = "<html>no error of Azure's"});
    EXPECT_EQ(CodeOfGet(), code);
  }
  // A proxy may have been impatient while the server acted.
  server_.FailNext({.status = 503});
  EXPECT_EQ(client_.Put("key", "x", PutPrecondition::Absent()).status().code(),
            kUnknown);
}

TEST_F(AzureObjectStoreTest, HeadTellsAnAbsentContainerFromAnAbsentBlob) {
  server_.FailNext(FakeAzure::Error(404, "ContainerNotFound"));
  const Status head = client_.Head("key").status();
  EXPECT_EQ(head.code(), StatusCode::kIoError);
  EXPECT_THAT(head.message(), HasSubstr("ContainerNotFound"));
  EXPECT_EQ(client_.Head("key").status().code(), StatusCode::kNotFound);
}

TEST_F(AzureObjectStoreTest, RetryAfterIsToldInTheStatus) {
  ServedReply slow = FakeAzure::Error(503, "ServerBusy");
  slow.headers.push_back({"Retry-After", "7"});
  server_.FailNext(slow);
  EXPECT_EQ(client_.Get("key").status().retry_after(), std::chrono::seconds(7));
}

TEST_F(AzureObjectStoreTest, SecretsAreInNoMessage) {
  const std::string key = ToBase64(AsBytes(kKey));
  server_.FailNext(
      FakeAzure::Error(403, "AuthenticationFailed", "you sent " + key + "."));
  EXPECT_THAT(client_.Get("key").status().message(),
              AllOf(Not(HasSubstr(key)), HasSubstr("you sent ....")));
  const auto store =
      Make({.account = {
                .credentials = {.key = {}, .sas = "sv=1&sig=a%2Bsecret"},
            }});
  ObjectStoreClient client(*store, *runtime_);
  server_.FailNext(
      FakeAzure::Error(403, "AuthenticationFailed", "a+secret a%2Bsecret"));
  EXPECT_THAT(client.Get("key").status().message(), Not(HasSubstr("secret")));
  server_.FailNext(Kind::kResetBefore);
  EXPECT_THAT(client.Get("key").status().message(), Not(HasSubstr("secret")));
  EXPECT_THAT(store->Describe(), Not(HasSubstr("secret")));
}

TEST_F(AzureObjectStoreTest, LostAnswerOfAChangeIsUnknown) {
  for (const Kind kind : {Kind::kResetBefore, Kind::kResetAfter}) {
    server_.FailNext(kind);
    EXPECT_EQ(client_.Put("key", "x").status().code(), StatusCode::kUnknown);
    server_.FailNext(kind);
    EXPECT_EQ(client_.Delete("key").code(), StatusCode::kUnknown);
    server_.FailNext(kind);
    EXPECT_EQ(CodeOfGet(), StatusCode::kUnavailable);
  }
}

TEST_F(AzureObjectStoreTest,
       ConditionalPutWhoseAnswerWasLostIsUnknownNotConflict) {
  ASSERT_TRUE(client_.Put("warm-up", "x").ok());
  for (const std::string body : {"", "x"}) {
    const std::string key = "key" + body;
    server_.FailNext(Kind::kResetAfter);
    EXPECT_EQ(client_.Put(key, body, PutPrecondition::Absent()).status().code(),
              StatusCode::kUnknown);
    EXPECT_TRUE(azure_.blobs().contains(kPath + key));
  }
}

TEST_F(AzureObjectStoreTest, PutWithoutAVersionIsUnknown) {
  server_.FailNext({.status = 201});
  EXPECT_EQ(client_.Put("key", "x").status().code(), StatusCode::kUnknown);
}

TEST_F(AzureObjectStoreTest, ServerThatIsNotThereIsUnavailable) {
  auto store =
      MakeAzureObjectStore({.account = {.name = "a",
                                        .endpoint = "http://127.0.0.1:1/a",
                                        .credentials = {.key = kKey}},
                            .container = "c"},
                           http_, std::make_shared<SystemRandom>());
  ObjectStoreClient client(**store, *runtime_);
  EXPECT_EQ(client.Put("key", "x").status().code(), StatusCode::kUnavailable);
}

TEST_F(AzureObjectStoreTest, DeadlineOfAReadAndOfAChange) {
  client_.request.timeout = std::chrono::milliseconds(100);
  server_.FailNext(Kind::kHang);
  EXPECT_EQ(CodeOfGet(), StatusCode::kDeadlineExceeded);
  server_.FailNext(Kind::kHang);
  EXPECT_EQ(client_.Put("key", "x").status().code(), StatusCode::kUnknown);
}

TEST_F(AzureObjectStoreTest, CancelOfAReadAndOfAChange) {
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

TEST_F(AzureObjectStoreTest, DamageOfAWholeObjectIsSeen) {
  ASSERT_TRUE(client_.Put("key", "0123456789").ok());
  server_.FailNext(Kind::kCorrupt);
  const Status got = client_.Get("key").status();
  EXPECT_EQ(got.code(), StatusCode::kUnavailable);
  EXPECT_THAT(got.message(), HasSubstr("crc32c"));
  EXPECT_EQ(*client_.Get("key"), "0123456789");
}

TEST_F(AzureObjectStoreTest, ShortAnswersAreUnavailable) {
  ASSERT_TRUE(client_.Put("key", "0123456789").ok());
  server_.FailNext(Kind::kTruncate);
  EXPECT_EQ(CodeOfGet(), StatusCode::kUnavailable);
  server_.FailNext(Kind::kDrip);
  EXPECT_EQ(*client_.Get("key"), "0123456789");
}

TEST_F(AzureObjectStoreTest, EmptyAnswerToARangeBehindTheEndIsOutOfRange) {
  for (const auto& [position, range] :
       {std::pair{10, "bytes 10-9/10"}, {0, "bytes 0--1/0"}}) {
    server_.FailNext({.status = 206, .headers = {{"Content-Range", range}}});
    EXPECT_EQ(
        client_.Get("key", static_cast<uint64_t>(position), 1).status().code(),
        StatusCode::kOutOfRange)
        << range;
  }
}

// --- With repetition ---

class AzureRetryTest : public AzureObjectStoreTest {
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

TEST_F(AzureRetryTest, EveryPassingFaultIsOvercome) {
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
}

TEST_F(AzureRetryTest, ConditionalPutWhoseAnswerWasLostIsNotRepeated) {
  server_.FailNext(Kind::kResetAfter);
  EXPECT_EQ(again_.Put("key", "x", PutPrecondition::Absent()).status().code(),
            StatusCode::kUnknown);
  EXPECT_EQ(server_.requests().size(), 1u);
  server_.FailNext(FakeAzure::Error(503, "ServerBusy"));
  EXPECT_TRUE(again_.Put("new", "x", PutPrecondition::Absent()).ok());
}

TEST(AzureOptionsTest, WhatCannotBeIsRefused) {
  const auto http = MakeCurlHttpClient();
  const auto random = std::make_shared<SystemRandom>();
  const AzureAccount account{.name = "acc", .credentials = {.key = "k"}};
  const AzureAccount both{.name = "acc",
                          .credentials = {.key = "k", .sas = "sig=s"}};
  const AzureAccount elsewhere{
      .name = "acc", .endpoint = "host", .credentials = {.key = "k"}};
  for (const AzureOptions& options : std::initializer_list<AzureOptions>{
           {},
           {.account = account},
           {.account = {.name = "acc"}, .container = "c"},
           {.account = {.credentials = {.key = "k"}}, .container = "c"},
           {.account = {.name = "a/b", .credentials = {.key = "k"}},
            .container = "c"},
           {.account = both, .container = "c"},
           {.account = elsewhere, .container = "c"},
           {.account = account, .container = "C"},
           {.account = account, .container = "a/b"},
           {.account = account, .container = "c", .block_bytes = 0},
           {.account = account, .container = "c", .blocks_at_once = 0}}) {
    EXPECT_EQ(MakeAzureObjectStore(options, http, random).status().code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(
      MakeAzureObjectStore({.account = account, .container = "c"}, http, random)
          .ok());
}

}  // namespace
}  // namespace strata
