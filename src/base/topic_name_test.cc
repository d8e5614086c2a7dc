#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "strata/tiered_storage.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

TEST(TopicNameTest, OrdinaryNamesAreTaken) {
  for (const std::string& name :
       {std::string("a"), std::string("orders"), std::string("A.b_c-9"),
        std::string("..."), std::string("__consumer_offsets"),
        std::string(249, 'x')}) {
    EXPECT_EQ(ValidateTopicName(name), Status::Ok()) << name;
  }
}

TEST(TopicNameTest, D12NamesThatCouldLeadOutOfADirectoryAreRefused) {
  for (const std::string& name :
       {std::string("."), std::string(".."), std::string("../x"),
        std::string("a/b"), std::string("/etc"), std::string("a\\b"),
        std::string("a\0b", 3), std::string("\0", 1)}) {
    EXPECT_EQ(ValidateTopicName(name).code(), StatusCode::kInvalidArgument)
        << name;
  }
}

TEST(TopicNameTest, EveryOtherByteIsRefusedByPositionAndValue) {
  const std::string allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string name = std::string("ab") + static_cast<char>(byte);
    const bool ok = allowed.find(static_cast<char>(byte)) != std::string::npos;
    EXPECT_EQ(ValidateTopicName(name).ok(), ok) << byte;
  }
  EXPECT_THAT(ValidateTopicName("ab\n").message(),
              HasSubstr("byte 0x0a at position 2"));
}

TEST(TopicNameTest, LengthOutsideOneTo249IsRefused) {
  EXPECT_THAT(ValidateTopicName("").message(), HasSubstr("of 0 bytes"));
  EXPECT_THAT(ValidateTopicName(std::string(250, 'x')).message(),
              HasSubstr("of 250 bytes: 1 to 249"));
}

}  // namespace
}  // namespace strata
