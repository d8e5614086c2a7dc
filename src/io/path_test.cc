#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "io/file_system.h"

namespace strata {
namespace {

TEST(ValidatePath, RelativePathsAreAccepted) {
  for (const char* path : {"a", "wal/0001.wal", "a/b/c", "v1..v2", ".hidden",
                           "...", "a b", "\xc3\xa9"}) {
    EXPECT_EQ(ValidatePath(path), Status::Ok()) << path;
  }
}

TEST(ValidatePath, FaultIsNamed) {
  struct Case {
    std::string path;
    const char* fault;
  };
  const Case cases[] = {
      {"", "empty"},
      {"/a", "absolute"},
      {"/", "absolute"},
      {"a//b", "empty component"},
      {"a/", "empty component"},
      {"..", "component '..'"},
      {"a/../b", "component '..'"},
      {".", "component '.'"},
      {"a/.", "component '.'"},
      {std::string("a\0b", 3), "NUL"},
      {std::string(256, 'x'), "255 bytes"},
      {std::string(3001, '/'), "too long"},
  };
  for (const Case& c : cases) {
    Status status = ValidatePath(c.path);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << c.path;
    EXPECT_THAT(status.message(), testing::HasSubstr(c.fault));
  }
}

TEST(ValidatePath, LongestNameIsAccepted) {
  EXPECT_EQ(ValidatePath(std::string(255, 'x')), Status::Ok());
}

TEST(ValidatePath, ControlBytesDoNotReachTheMessage) {
  EXPECT_EQ(ValidatePath("/\na\x1b").message(), "path '/?a?': absolute");
}

}  // namespace
}  // namespace strata
