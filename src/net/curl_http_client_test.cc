#include "net/curl_http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "testing/faulty_http_server.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using Kind = ServerFault::Kind;

class CurlHttpClientTest : public ::testing::Test {
 protected:
  HttpRequest To(HttpMethod method, const std::string& target) {
    return {.method = method, .url = server_.url() + target};
  }
  HttpRequest WithBody(HttpMethod method, const std::string& target,
                       std::string body) {
    HttpRequest request = To(method, target);
    request.body_length = body.size();
    request.body = MakeStringSource(std::move(body));
    return request;
  }
  std::future<HttpOutcome> Start(HttpRequest request) {
    auto promise = std::make_shared<std::promise<HttpOutcome>>();
    auto future = promise->get_future();
    client_->Send(std::move(request), [promise](HttpOutcome outcome) {
      promise->set_value(std::move(outcome));
    });
    return future;
  }
  HttpOutcome Send(HttpRequest request) {
    return Start(std::move(request)).get();
  }
  MonotonicTime In(Duration duration) {
    return client_->clock().Now() + duration;
  }

  // Answers what it was sent.
  FaultyHttpServer server_{[](const ServedRequest& request) {
    return ServedReply{
        .status = 200,
        .headers = {{"X-Echo", request.target}},
        .body = request.body.empty() ? "0123456789" : request.body};
  }};
  std::shared_ptr<HttpClient> client_ = MakeCurlHttpClient();
};

TEST_F(CurlHttpClientTest, AnswerHasStatusHeadersAndBody) {
  const HttpOutcome got = Send(To(HttpMethod::kGet, "/a%20b/../c?d=e"));
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.response.status, 200);
  EXPECT_EQ(got.response.body, "0123456789");
  EXPECT_EQ(*got.response.Find("x-echo"), "/a%20b/../c?d=e");
}

TEST_F(CurlHttpClientTest, MethodHeadersAndBodyAreSent) {
  HttpRequest put = WithBody(HttpMethod::kPut, "/key", "the body");
  put.headers = {{"X-Some", "value"}, {"X-Empty", ""}};
  ASSERT_TRUE(Send(std::move(put)).status.ok());
  ASSERT_TRUE(Send(WithBody(HttpMethod::kPost, "/p", "more")).status.ok());
  ASSERT_TRUE(Send(WithBody(HttpMethod::kPut, "/e", "")).status.ok());
  ASSERT_TRUE(Send(To(HttpMethod::kDelete, "/key")).status.ok());
  ASSERT_TRUE(Send(To(HttpMethod::kHead, "/key")).status.ok());
  const auto served = server_.requests();
  ASSERT_EQ(served.size(), 5u);
  EXPECT_EQ(served[0].method, "PUT");
  EXPECT_EQ(served[0].body, "the body");
  EXPECT_EQ(served[0].Header("x-some"), "value");
  EXPECT_NE(FindHeader(served[0].headers, "x-empty"), nullptr);
  EXPECT_EQ(FindHeader(served[0].headers, "expect"), nullptr);
  EXPECT_EQ(served[0].Header("content-length"), "8");
  EXPECT_EQ(served[1].method, "POST");
  EXPECT_EQ(served[2].Header("content-length"), "0");
  EXPECT_EQ(served[3].method, "DELETE");
  EXPECT_EQ(served[4].method, "HEAD");
  EXPECT_EQ(served[4].connection, 0u) << "connections are used again";
}

TEST_F(CurlHttpClientTest, PartOfASourceThatIsNotContiguousIsSent) {
  struct Source final : ObjectSource {
    uint64_t size() const override { return 10'000'000; }
    Status ReadAt(uint64_t position, std::span<std::byte> out) override {
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<std::byte>((position + i) / 1000);
      }
      return Status::Ok();
    }
  };
  HttpRequest put = To(HttpMethod::kPut, "/key");
  put.body = std::make_shared<Source>();
  put.body_position = 1'000'000;
  put.body_length = 3'000'000;
  put.max_body_bytes = 3'000'000;
  ASSERT_TRUE(Send(std::move(put)).status.ok());
  const std::string body = server_.requests()[0].body;
  ASSERT_EQ(body.size(), 3'000'000u);
  for (size_t i = 0; i < body.size(); i += 997) {
    ASSERT_EQ(body[i], static_cast<char>((1'000'000 + i) / 1000)) << i;
  }
}

TEST_F(CurlHttpClientTest, SourceThatFailsIsTheOutcomeAndNothingIsSentWhole) {
  struct Source final : ObjectSource {
    uint64_t size() const override { return 10; }
    Status ReadAt(uint64_t, std::span<std::byte>) override {
      return {StatusCode::kDataLoss, "source is damaged"};
    }
  };
  HttpRequest put = To(HttpMethod::kPut, "/key");
  put.body = std::make_shared<Source>();
  put.body_length = 10;
  const HttpOutcome got = Send(std::move(put));
  EXPECT_EQ(got.status.code(), StatusCode::kDataLoss);
  EXPECT_FALSE(got.may_have_reached);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CurlHttpClientTest, BodyGoesWhereTheCallerWantsIt) {
  std::string out(16, '?');
  HttpRequest get = To(HttpMethod::kGet, "/key");
  get.out = std::as_writable_bytes(std::span(out));
  const HttpOutcome got = Send(std::move(get));
  EXPECT_EQ(got.response.filled, 10u);
  EXPECT_EQ(out, "0123456789??????");
  EXPECT_EQ(got.response.body, "");
}

TEST_F(CurlHttpClientTest, ErrorGoesIntoTheBodyNotToTheCallersMemory) {
  std::string out(16, '?');
  HttpRequest get = To(HttpMethod::kGet, "/key");
  get.out = std::as_writable_bytes(std::span(out));
  server_.FailNext({.status = 404, .body = "<Error/>"});
  const HttpOutcome got = Send(std::move(get));
  EXPECT_TRUE(got.status.ok());
  EXPECT_EQ(got.response.status, 404);
  EXPECT_EQ(got.response.body, "<Error/>");
  EXPECT_EQ(out, std::string(16, '?'));
}

TEST_F(CurlHttpClientTest, BodyThatIsTooLongIsRefused) {
  std::string out(9, '?');
  HttpRequest get = To(HttpMethod::kGet, "/key");
  get.out = std::as_writable_bytes(std::span(out));
  EXPECT_EQ(Send(std::move(get)).status.code(), StatusCode::kUnavailable);
  get = To(HttpMethod::kGet, "/key");
  get.max_body_bytes = 9;
  EXPECT_EQ(Send(std::move(get)).status.code(), StatusCode::kUnavailable);
}

TEST_F(CurlHttpClientTest, HeadersThatAreTooLongAreRefused) {
  ServedReply reply;
  for (int i = 0; i < 50; ++i) {
    reply.headers.push_back({"X-Long", std::string(2000, 'x')});
  }
  server_.FailNext(reply);
  const HttpOutcome got = Send(To(HttpMethod::kGet, "/key"));
  EXPECT_EQ(got.status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(got.status.message(), HasSubstr("headers"));
}

TEST_F(CurlHttpClientTest, RedirectIsAnAnswer) {
  server_.FailNext(
      {.status = 307, .headers = {{"Location", server_.url() + "/other"}}});
  const HttpOutcome got = Send(To(HttpMethod::kGet, "/key"));
  EXPECT_EQ(got.response.status, 307);
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(CurlHttpClientTest, RefusedConnectionDidNotReach) {
  HttpRequest put = WithBody(HttpMethod::kPut, "/key", "x");
  // A port that was free a moment ago and that nobody listens on.
  put.url = "http://127.0.0.1:1/key";
  const HttpOutcome got = Send(std::move(put));
  EXPECT_EQ(got.status.code(), StatusCode::kUnavailable);
  EXPECT_FALSE(got.may_have_reached);
}

TEST_F(CurlHttpClientTest, MessageNamesNoPath) {
  server_.FailNext(Kind::kResetBefore);
  const HttpOutcome got = Send(To(HttpMethod::kGet, "/key?sig=secret"));
  EXPECT_THAT(got.status.message(), HasSubstr(server_.url()));
  EXPECT_THAT(got.status.message(), Not(HasSubstr("sig")));
}

TEST_F(CurlHttpClientTest, ResetAfterTheRequestMayHaveReached) {
  for (const Kind kind : {Kind::kResetBefore, Kind::kResetAfter}) {
    server_.FailNext(kind);
    const HttpOutcome got = Send(WithBody(HttpMethod::kPut, "/key", "x"));
    EXPECT_EQ(got.status.code(), StatusCode::kUnavailable);
    EXPECT_TRUE(got.may_have_reached);
  }
}

TEST_F(CurlHttpClientTest, ShortBodyIsAnError) {
  for (const Kind kind : {Kind::kTruncate, Kind::kWrongLength}) {
    server_.FailNext(kind);
    HttpRequest get = To(HttpMethod::kGet, "/key");
    if (kind == Kind::kWrongLength) {
      get.deadline = In(std::chrono::milliseconds(50));
    }
    const HttpOutcome got = Send(std::move(get));
    EXPECT_EQ(got.status.code(), kind == Kind::kTruncate
                                     ? StatusCode::kUnavailable
                                     : StatusCode::kDeadlineExceeded);
  }
}

// A body is not sent twice, whatever libcurl would do by itself.
TEST_F(CurlHttpClientTest, BrokenConnectionDoesNotRepeatAPut) {
  ASSERT_TRUE(Send(To(HttpMethod::kGet, "/warm-up")).status.ok());
  server_.FailNext(Kind::kResetAfter);
  const HttpOutcome got = Send(WithBody(HttpMethod::kPut, "/key", "x"));
  EXPECT_EQ(got.status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(got.may_have_reached);
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(CurlHttpClientTest, BrokenConnectionDoesNotRepeatWhatIsSentOnce) {
  ASSERT_TRUE(Send(To(HttpMethod::kGet, "/warm-up")).status.ok());
  server_.FailNext(Kind::kResetAfter);
  HttpRequest put = WithBody(HttpMethod::kPut, "/key", "");
  put.once = true;
  EXPECT_TRUE(Send(std::move(put)).may_have_reached);
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(CurlHttpClientTest, DeadlineEndsARequest) {
  server_.FailNext(Kind::kHang);
  HttpRequest put = WithBody(HttpMethod::kPut, "/key", "x");
  put.deadline = In(std::chrono::milliseconds(100));
  const HttpOutcome got = Send(std::move(put));
  EXPECT_EQ(got.status.code(), StatusCode::kDeadlineExceeded);
}

TEST_F(CurlHttpClientTest, DeadlineInThePastSendsNothing) {
  HttpRequest put = WithBody(HttpMethod::kPut, "/key", "x");
  put.deadline = In(Duration::zero());
  const HttpOutcome got = Send(std::move(put));
  EXPECT_EQ(got.status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(got.may_have_reached);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CurlHttpClientTest, CancelEndsARequest) {
  server_.FailNext(Kind::kHang);
  std::stop_source stop;
  HttpRequest put = WithBody(HttpMethod::kPut, "/key", "x");
  put.cancel = stop.get_token();
  auto got = Start(std::move(put));
  server_.WaitForRequests(1);
  stop.request_stop();
  const HttpOutcome outcome = got.get();
  EXPECT_EQ(outcome.status.code(), StatusCode::kCancelled);
  EXPECT_TRUE(outcome.may_have_reached);
}

TEST_F(CurlHttpClientTest, CancelledBeforeSendsNothing) {
  std::stop_source stop;
  stop.request_stop();
  HttpRequest get = To(HttpMethod::kGet, "/key");
  get.cancel = stop.get_token();
  EXPECT_EQ(Send(std::move(get)).status.code(), StatusCode::kCancelled);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CurlHttpClientTest, RequestsAboveTheLimitWaitForTheirTurn) {
  client_ = MakeCurlHttpClient({.loops = 2, .max_connections = 2});
  std::vector<std::future<HttpOutcome>> pending;
  for (int i = 0; i < 100; ++i) {
    pending.push_back(Start(To(HttpMethod::kGet, "/" + std::to_string(i))));
  }
  for (auto& got : pending) EXPECT_TRUE(got.get().status.ok());
  for (const ServedRequest& request : server_.requests()) {
    EXPECT_LT(request.connection, 4u);
  }
}

TEST_F(CurlHttpClientTest, DestructorAnswersWhatIsUnderWay) {
  server_.FailNext(Kind::kHang);
  auto got = Start(To(HttpMethod::kGet, "/key"));
  server_.WaitForRequests(1);
  client_.reset();
  EXPECT_EQ(got.get().status.code(), StatusCode::kClosed);
}

TEST_F(CurlHttpClientTest, LastOwnerMayBeAnAnswer) {
  std::promise<void> answered;
  HttpClient& client = *client_;
  client.Send(To(HttpMethod::kGet, "/key"),
              [owner = std::move(client_), &answered](HttpOutcome) mutable {
                owner.reset();
                answered.set_value();
              });
  answered.get_future().wait();
}

TEST_F(CurlHttpClientTest, BadUrlIsRefused) {
  HttpRequest get;
  for (const char* url : {"", "ftp://127.0.0.1/", "http://", "no url"}) {
    get.url = url;
    EXPECT_EQ(Send(get).status.code(), StatusCode::kInvalidArgument) << url;
  }
}

TEST_F(CurlHttpClientTest, DripOfBytesIsAWholeAnswer) {
  server_.FailNext(Kind::kDrip);
  EXPECT_EQ(Send(To(HttpMethod::kGet, "/key")).response.body, "0123456789");
}

}  // namespace
}  // namespace strata
