#include "io/posix_error.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(ErrnoStatus, CodeTellsWhatTheCallerDoes) {
  EXPECT_EQ(ErrnoStatus("op", "p", ENOENT).code(), StatusCode::kNotFound);
  EXPECT_EQ(ErrnoStatus("op", "p", EEXIST).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrnoStatus("op", "p", ENOSPC).code(), StatusCode::kNoSpace);
  EXPECT_EQ(ErrnoStatus("op", "p", EDQUOT).code(), StatusCode::kNoSpace);
  EXPECT_EQ(ErrnoStatus("op", "p", EIO).code(), StatusCode::kIoError);
  EXPECT_EQ(ErrnoStatus("op", "p", EACCES).code(), StatusCode::kIoError);
}

TEST(ErrnoStatus, MessageCarriesOperationPathAndErrno) {
  EXPECT_EQ(ErrnoStatus("sync", "/x/a", EIO).message(),
            "sync /x/a: Input/output error (errno 5)");
}

TEST(RetryOnEintr, RepeatsOnlyWhenInterrupted) {
  int calls = 0;
  int result = RetryOnEintr([&] {
    errno = ++calls < 3 ? EINTR : EIO;
    return -1;
  });
  EXPECT_EQ(result, -1);
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace strata
