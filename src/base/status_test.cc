#include "strata/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <sstream>

namespace strata {
namespace {

Status NotThere() { return Status(StatusCode::kNotFound, "topic t"); }

TEST(StatusTest, DefaultIsOk) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(Status(), Status::Ok());
  EXPECT_EQ(Status().ToString(), "Ok");
}

TEST(StatusTest, TextNamesCodeAndMessage) {
  EXPECT_FALSE(NotThere().ok());
  EXPECT_EQ(NotThere().ToString(), "NotFound: topic t");
  EXPECT_EQ(Status(StatusCode::kClosed, "").ToString(), "Closed");
  std::ostringstream out;
  out << NotThere();
  EXPECT_EQ(out.str(), "NotFound: topic t");
}

TEST(StatusTest, ContextStandsInFrontAndKeepsTheCode) {
  const Status status = NotThere().WithContext("open");
  EXPECT_EQ(status, Status(StatusCode::kNotFound, "open: topic t"));
  EXPECT_EQ(Status::Ok().WithContext("open"), Status::Ok());
}

TEST(StatusTest, WaitAskedForIsKept) {
  const Status status = Status(StatusCode::kOverloaded, "slow down")
                            .WithRetryAfter(std::chrono::seconds(2));
  EXPECT_EQ(status.code(), StatusCode::kOverloaded);
  EXPECT_EQ(status.WithContext("here").retry_after(), std::chrono::seconds(2));
  EXPECT_EQ(Status().retry_after().count(), 0);
}

TEST(StatusTest, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(StatusCode::kClosed);
  for (int code = 0; code <= last; ++code) {
    names.insert(StatusCodeName(static_cast<StatusCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(last) + 1);
  EXPECT_FALSE(names.contains("InvalidCode"));
  EXPECT_EQ(StatusCodeName(static_cast<StatusCode>(last + 1)), "InvalidCode");
}

TEST(ResultTest, HoldsAValue) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(4);
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(result.status().ok());
  EXPECT_EQ(**result, 4);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 4);
}

TEST(ResultTest, HoldsAStatus) {
  const Result<int> result = NotThere();
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.status(), NotThere());
}

TEST(ResultDeathTest, ValueOfAFailureAborts) {
  const Result<int> result = NotThere();
  EXPECT_DEATH((void)result.value(), "");
}

TEST(ResultDeathTest, OkWithoutAValueAborts) {
  EXPECT_DEATH((void)Result<int>(Status::Ok()), "");
}

Result<int> Half(int n) {
  if (n % 2 != 0) return Status(StatusCode::kInvalidArgument, "odd");
  return n / 2;
}
Result<int> Quarter(int n) {
  STRATA_ASSIGN_OR_RETURN(const int half, Half(n));
  STRATA_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}
Status CheckEven(int n) {
  STRATA_RETURN_IF_ERROR(Half(n).status());
  return Status::Ok();
}

TEST(StatusMacrosTest, FailureReturnsFromTheFunction) {
  EXPECT_EQ(Quarter(12).value(), 3);
  EXPECT_EQ(Quarter(5).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Quarter(6).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckEven(2), Status::Ok());
  EXPECT_EQ(CheckEven(3).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace strata
