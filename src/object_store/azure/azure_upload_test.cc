// Blobs in blocks, against a server that fails by script.
#include "object_store/azure/azure_upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "net/curl_http_client.h"
#include "testing/azure_store_fixture.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using Kind = ServerFault::Kind;

class AzureUploadTest : public AzureStoreFixture {
 protected:
  static constexpr size_t kBlock = 100'000;

  static std::string Bytes() {
    std::string bytes(2 * kBlock + 12345, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>(i * 7 + i / 65'537);
    }
    return bytes;
  }
  bool Stored() const {
    const auto blobs = azure_.blobs();
    const auto found = blobs.find(std::string(kPath) + "key");
    return found != blobs.end() && found->second.bytes == Bytes();
  }

  const std::shared_ptr<ObjectStore> in_blocks_ =
      Make({.blocks_above_bytes = kBlock, .block_bytes = kBlock});
  ObjectStoreClient uploads_{*in_blocks_, *runtime_};
};

TEST_F(AzureUploadTest, BlocksBecomeOneBlob) {
  const auto put = uploads_.Put("key", Bytes());
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(*put, "0x1");
  EXPECT_TRUE(Stored());
  const auto served = server_.requests();
  ASSERT_EQ(served.size(), 4u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(served[i].target, HasSubstr("?blockid="));
    EXPECT_THAT(served[i].target, HasSubstr("&comp=block"));
    EXPECT_NE(served[i].Header("content-md5"), "");
    EXPECT_EQ(served[i].target.size(), served[0].target.size());
  }
  EXPECT_THAT(served[3].target, HasSubstr("?comp=blocklist"));
  EXPECT_NE(served[3].Header("x-ms-meta-crc32c"), "");
  EXPECT_EQ(uploads_.Get("key", 0, 300'000)->size(), Bytes().size());
}

TEST_F(AzureUploadTest, ConditionIsThatOfTheListOfBlocksAlone) {
  const auto put = uploads_.Put("key", Bytes(), PutPrecondition::Absent());
  ASSERT_TRUE(put.ok()) << put.status();
  const auto served = server_.requests();
  ASSERT_EQ(served.size(), 4u);
  EXPECT_EQ(served[0].Header("if-none-match"), "");
  EXPECT_EQ(served[3].Header("if-none-match"), "*");
  EXPECT_EQ(
      uploads_.Put("key", Bytes(), PutPrecondition::Absent()).status().code(),
      StatusCode::kConflict);
  EXPECT_TRUE(
      uploads_.Put("key", Bytes(), PutPrecondition::IfVersion(*put)).ok());
  EXPECT_EQ(uploads_.Put("key", Bytes(), PutPrecondition::IfVersion(*put))
                .status()
                .code(),
            StatusCode::kConflict);
}

TEST_F(AzureUploadTest, BlocksOfTwoUploadsHaveDifferentIds) {
  ASSERT_TRUE(uploads_.Put("key", Bytes()).ok());
  ASSERT_TRUE(uploads_.Put("key", Bytes()).ok());
  const auto served = server_.requests();
  std::vector<std::string> targets;
  for (const ServedRequest& request : served) {
    if (request.target.find("blockid") != request.target.npos) {
      targets.push_back(request.target);
    }
  }
  std::ranges::sort(targets);
  EXPECT_EQ(std::ranges::adjacent_find(targets), targets.end());
  EXPECT_EQ(targets.size(), 6u);
}

TEST_F(AzureUploadTest, BlockThatFailedIsSentAgain) {
  server_.FailNext(FakeAzure::Error(503, "ServerBusy"));
  server_.FailNext(Kind::kResetAfter);
  server_.FailNext(FakeAzure::Error(500, "InternalError"));
  EXPECT_TRUE(uploads_.Put("key", Bytes()).ok());
  EXPECT_TRUE(Stored());
}

TEST_F(AzureUploadTest, UploadThatFailsLeavesNothingToBeSeen) {
  server_.FailNext(FakeAzure::Error(403, "AuthorizationFailure"));
  EXPECT_EQ(uploads_.Put("key", Bytes()).status().code(), StatusCode::kIoError);
  EXPECT_EQ(client_.Get("key").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(client_.Keys().empty());
}

TEST_F(AzureUploadTest, EndWhoseAnswerIsLostIsUnknown) {
  for (const auto& condition :
       {PutPrecondition::None(), PutPrecondition::IfVersion("0x1")}) {
    for (int i = 0; i < 3; ++i) server_.FailNext(Kind::kDrip);
    server_.FailNext(Kind::kResetAfter);
    EXPECT_EQ(uploads_.Put("key", Bytes(), condition).status().code(),
              StatusCode::kUnknown);
    EXPECT_TRUE(Stored());
  }
}

// Who writes the blob meanwhile drops what was staged for it.
TEST_F(AzureUploadTest, BlocksThatAreGoneAtTheEndAreReasonToTryAgain) {
  for (int i = 0; i < 3; ++i) server_.FailNext(Kind::kDrip);
  server_.FailNext(FakeAzure::Error(400, "InvalidBlockList"));
  EXPECT_EQ(uploads_.Put("key", Bytes()).status().code(),
            StatusCode::kUnavailable);
}

}  // namespace
}  // namespace strata
