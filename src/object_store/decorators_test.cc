// What the decorators of object stores do about answers and limits, on a clock
// that only moves when the test says.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "object_store/adaptive_object_store.h"
#include "object_store/memory/memory_object_store.h"
#include "object_store/rate_limited_object_store.h"
#include "object_store/retrying_object_store.h"
#include "testing/object_store_client.h"
#include "testing/scripted_object_store.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DecoratorTest : public ::testing::Test {
 protected:
  static Status Failure(StatusCode code) { return {code, "scripted"}; }

  SimRuntime runtime_{7};
  const std::shared_ptr<ScriptedObjectStore> below_ =
      std::make_shared<ScriptedObjectStore>(MakeMemoryObjectStore(runtime_),
                                            runtime_);
};

class RetryTest : public DecoratorTest {
 protected:
  size_t tries() const { return below_->times().size(); }

  const std::shared_ptr<ObjectStore> store_ =
      MakeRetryingObjectStore(below_,
                              {.max_attempts = 4,
                               .first_pause = milliseconds(100),
                               .max_pause = seconds(1),
                               .attempt_timeout = seconds(5)},
                              runtime_);
  ObjectStoreClient client_{*store_, runtime_};
};

TEST_F(RetryTest, WhatPassesIsTriedAgain) {
  for (const StatusCode code :
       {StatusCode::kUnavailable, StatusCode::kOverloaded}) {
    below_->AnswerNext(Failure(code));
    EXPECT_TRUE(client_.Put("key", "x").ok());
    below_->AnswerNext(Failure(code));
    EXPECT_EQ(*client_.Get("key"), "x");
    below_->AnswerNext(Failure(code));
    EXPECT_TRUE(client_.Head("key").ok());
    below_->AnswerNext(Failure(code));
    EXPECT_EQ(client_.Keys().size(), 1u);
    below_->AnswerNext(Failure(code));
    EXPECT_TRUE(client_.Delete("key").ok());
  }
  EXPECT_EQ(tries(), 20u);
}

TEST_F(RetryTest, WhatDoesNotPassIsAnsweredAtOnce) {
  for (const StatusCode code :
       {StatusCode::kNotFound, StatusCode::kConflict, StatusCode::kIoError,
        StatusCode::kInvalidArgument, StatusCode::kOutOfRange,
        StatusCode::kCancelled, StatusCode::kUnsupported,
        StatusCode::kDataLoss}) {
    below_->AnswerNext(Failure(code));
    EXPECT_EQ(client_.Put("key", "x").status().code(), code);
  }
  EXPECT_EQ(tries(), 8u);
}

TEST_F(RetryTest, PlainChangeOfUnknownOutcomeIsRepeated) {
  below_->AnswerNext(Failure(StatusCode::kUnknown), Scripted::kDone);
  EXPECT_TRUE(client_.Put("key", "x").ok());
  below_->AnswerNext(Failure(StatusCode::kUnknown), Scripted::kDone);
  EXPECT_TRUE(client_.Delete("key").ok());
  EXPECT_EQ(tries(), 4u);
}

TEST_F(RetryTest, ConditionalPutOfUnknownOutcomeIsNotRepeated) {
  below_->AnswerNext(Failure(StatusCode::kUnknown), Scripted::kDone);
  EXPECT_EQ(client_.Put("key", "x", PutPrecondition::Absent()).status().code(),
            StatusCode::kUnknown);
  EXPECT_EQ(tries(), 1u);
}

TEST_F(RetryTest, ConditionalPutThatWasNotDoneIsRepeated) {
  below_->AnswerNext(Failure(StatusCode::kUnavailable));
  EXPECT_TRUE(client_.Put("key", "x", PutPrecondition::Absent()).ok());
  EXPECT_EQ(tries(), 2u);
}

TEST_F(RetryTest, OverloadedInTheEndIsUnavailable) {
  for (int i = 0; i < 4; ++i) {
    below_->AnswerNext(Failure(StatusCode::kOverloaded));
  }
  const Status got = client_.Get("key").status();
  EXPECT_EQ(got.code(), StatusCode::kUnavailable);
  EXPECT_NE(got.message().find("4 tries"), std::string::npos) << got;
}

TEST_F(RetryTest, ChangeThatMayHaveBeenDoneStaysUnknown) {
  below_->AnswerNext(Failure(StatusCode::kUnknown));
  for (int i = 0; i < 3; ++i) {
    below_->AnswerNext(Failure(StatusCode::kUnavailable));
  }
  EXPECT_EQ(client_.Put("key", "x").status().code(), StatusCode::kUnknown);
}

TEST_F(RetryTest, PausesGrowAndVary) {
  for (int i = 0; i < 3; ++i) {
    below_->AnswerNext(Failure(StatusCode::kUnavailable));
  }
  EXPECT_TRUE(client_.Put("key", "x").ok());
  const auto times = below_->times();
  for (size_t i = 1; i < times.size(); ++i) {
    const Duration most = milliseconds(100) * (1 << (i - 1));
    EXPECT_GE(times[i] - times[i - 1], most / 2);
    EXPECT_LE(times[i] - times[i - 1], most);
  }
}

TEST_F(RetryTest, WaitThatTheServerAskedForIsWaited) {
  below_->AnswerNext(
      Failure(StatusCode::kOverloaded).WithRetryAfter(seconds(30)));
  EXPECT_TRUE(client_.Put("key", "x").ok());
  const auto times = below_->times();
  EXPECT_EQ(times[1] - times[0], Duration(seconds(30)));
}

TEST_F(RetryTest, WaitBeyondTheDeadlineIsNotBegun) {
  below_->AnswerNext(
      Failure(StatusCode::kOverloaded).WithRetryAfter(seconds(30)));
  client_.request.timeout = seconds(20);
  const MonotonicTime begun = runtime_.clock().Now();
  EXPECT_EQ(client_.Get("key").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(runtime_.clock().Now(), begun);
}

TEST_F(RetryTest, TryThatHangsIsGivenUpForAnother) {
  below_->AnswerNext(Failure(StatusCode::kDeadlineExceeded));
  client_.request.timeout = seconds(20);
  EXPECT_TRUE(client_.Put("key", "x").ok());
  const auto times = below_->times();
  EXPECT_GE(times[1] - times[0], Duration(seconds(5)));
  EXPECT_LT(times[1] - times[0], Duration(seconds(6)));
}

TEST_F(RetryTest, DeadlineOfTheRequestEndsItsTries) {
  for (int i = 0; i < 4; ++i) {
    below_->AnswerNext(Failure(StatusCode::kDeadlineExceeded));
  }
  client_.request.timeout = seconds(12);
  const MonotonicTime begun = runtime_.clock().Now();
  EXPECT_EQ(client_.Get("key").status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_LE(runtime_.clock().Now() - begun, Duration(seconds(12)));
}

TEST_F(RetryTest, CancelEndsAPause) {
  below_->AnswerNext(
      Failure(StatusCode::kOverloaded).WithRetryAfter(seconds(30)));
  std::stop_source stop;
  client_.request.cancel = stop.get_token();
  runtime_.job_executor().PostAfter(seconds(1),
                                    [&stop] { stop.request_stop(); });
  const MonotonicTime begun = runtime_.clock().Now();
  EXPECT_EQ(client_.Get("key").status().code(), StatusCode::kCancelled);
  EXPECT_EQ(runtime_.clock().Now() - begun, Duration(seconds(1)));
  EXPECT_EQ(tries(), 1u);
}

class AdaptiveTest : public DecoratorTest {
 protected:
  // Starts `count` requests and lets all be answered; how many were Ok.
  int Ask(int count) {
    int good = 0;
    for (int i = 0; i < count; ++i) {
      store_.store()->Head("key", request_, [&](const Result<ObjectInfo>& got) {
        good += got.status().code() == StatusCode::kNotFound;
        ++answers_[got.status().code()];
      });
    }
    runtime_.RunFor(seconds(3600));
    return good;
  }

  ObjectRequest request_;
  std::map<StatusCode, int> answers_;
  AdaptiveObjectStore store_{
      below_, {.min = 2, .max = 20, .start = 9, .max_waiting = 1000}, runtime_};
};

TEST_F(AdaptiveTest, NoMoreThanTheLimitAreUnderWay) {
  below_->SetLatency(milliseconds(10));
  EXPECT_EQ(Ask(9), 9);
  EXPECT_EQ(below_->most_at_once(), 9u);
}

TEST_F(AdaptiveTest, SuccessRaisesTheLimitToItsMost) {
  EXPECT_EQ(Ask(500), 500);
  EXPECT_EQ(store_.limit(), 20u);
  EXPECT_LE(below_->most_at_once(), 20u);
}

TEST_F(AdaptiveTest, SlowDownLowersTheLimitOncePerRound) {
  below_->SetLatency(milliseconds(10));
  for (int i = 0; i < 9; ++i) {
    below_->AnswerNext(Failure(StatusCode::kOverloaded));
  }
  EXPECT_EQ(Ask(9), 0);
  EXPECT_EQ(store_.limit(), 6u);
}

TEST_F(AdaptiveTest, LimitFallsToItsLeastAndRecovers) {
  for (int i = 0; i < 100; ++i) {
    below_->AnswerNext(Failure(StatusCode::kOverloaded));
    Ask(1);
  }
  EXPECT_EQ(store_.limit(), 2u);
  EXPECT_EQ(Ask(500), 500);
  EXPECT_EQ(store_.limit(), 20u);
}

TEST_F(AdaptiveTest, TooManyThatWaitAreRefused) {
  below_->SetLatency(milliseconds(10));
  EXPECT_LT(Ask(2000), 2000);
  EXPECT_EQ(Ask(10), 10);
}

TEST_F(AdaptiveTest, RequestWhoseDeadlinePassedInTheQueueIsNotSent) {
  below_->SetLatency(seconds(10));
  request_.timeout = seconds(5);
  Ask(10);
  EXPECT_EQ(below_->times().size(), 9u);
  EXPECT_EQ(answers_[StatusCode::kDeadlineExceeded], 1);
}

TEST_F(DecoratorTest, RequestsASecondAreBounded) {
  const auto store =
      MakeRateLimitedObjectStore(below_, {.requests_per_second = 10}, runtime_);
  ObjectStoreClient client(*store, runtime_);
  const MonotonicTime begun = runtime_.clock().Now();
  for (int i = 0; i < 111; ++i) (void)client.Head("key");
  // A second's worth goes at once.
  EXPECT_GE(runtime_.clock().Now() - begun, Duration(milliseconds(9'900)));
  EXPECT_LE(runtime_.clock().Now() - begun, Duration(milliseconds(10'100)));
}

TEST_F(DecoratorTest, BytesASecondAreBounded) {
  const auto store =
      MakeRateLimitedObjectStore(below_, {.bytes_per_second = 1000}, runtime_);
  ObjectStoreClient client(*store, runtime_);
  const MonotonicTime begun = runtime_.clock().Now();
  for (int i = 0; i < 12; ++i) {
    EXPECT_TRUE(client.Put("key", std::string(500, 'x')).ok());
  }
  EXPECT_EQ(client.Get("key", 0, 500)->size(), 500u);
  EXPECT_GE(runtime_.clock().Now() - begun, Duration(milliseconds(5'000)));
  EXPECT_LE(runtime_.clock().Now() - begun, Duration(milliseconds(5'500)));
}

TEST_F(DecoratorTest, RequestWhoseDeadlinePassedAtTheLimiterIsNotSent) {
  const auto store =
      MakeRateLimitedObjectStore(below_, {.requests_per_second = 1}, runtime_);
  ObjectStoreClient client(*store, runtime_);
  for (int i = 0; i < 2; ++i) (void)client.Head("key");
  client.request.timeout = milliseconds(10);
  EXPECT_EQ(client.Head("key").status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(below_->times().size(), 2u);
}

}  // namespace
}  // namespace strata
