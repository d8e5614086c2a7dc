// Listing after a key where the service knows markers only.
#include "object_store/azure/azure_list.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "net/curl_http_client.h"
#include "object_store/azure/azure_object_store.h"
#include "runtime/system_random.h"
#include "runtime/thread_runtime.h"
#include "testing/fake_azure.h"
#include "testing/object_store_client.h"

namespace strata {
namespace {

using Keys = std::vector<std::string>;

TEST(AzureMarkersTest, MarkerBeforeAKeyIsTheLastOneNotBehindIt) {
  AzureMarkers markers;
  EXPECT_EQ(markers.Before("p", "k"), "");
  markers.Remember("p", "b", "at b");
  markers.Remember("p", "d", "at d");
  markers.Remember("q", "a", "of q");
  EXPECT_EQ(markers.Before("p", ""), "");
  EXPECT_EQ(markers.Before("p", "a"), "");
  EXPECT_EQ(markers.Before("p", "b"), "at b");
  EXPECT_EQ(markers.Before("p", "c"), "at b");
  EXPECT_EQ(markers.Before("p", "e"), "at d");
  EXPECT_EQ(markers.Before("o", "e"), "");
  EXPECT_EQ(markers.Before("q", "z"), "of q");
  markers.Remember("p", "d", "newer");
  EXPECT_EQ(markers.Before("p", "d"), "newer");
}

TEST(AzureMarkersTest, OldestAreForgotten) {
  AzureMarkers markers;
  for (int i = 0; i < 300; ++i) {
    markers.Remember("", fmt::format("{:03}", i), std::to_string(i));
  }
  EXPECT_EQ(markers.Before("", "043"), "");
  EXPECT_EQ(markers.Before("", "044"), "44");
  EXPECT_EQ(markers.Before("", "299"), "299");
}

class AzureListTest : public ::testing::Test {
 protected:
  AzureListTest() {
    for (int i = 0; i < 100; ++i) keys_.push_back(fmt::format("k{:03}", i));
    for (const std::string& key : keys_) {
      EXPECT_TRUE(client_.Put(key, "x").ok());
    }
  }
  std::shared_ptr<ObjectStore> Make() {
    return *MakeAzureObjectStore({.account = {.name = "a",
                                              .endpoint = server_.url() + "/a",
                                              .credentials = {.key = "k"}},
                                  .container = "c"},
                                 MakeCurlHttpClient(),
                                 std::make_shared<SystemRandom>());
  }
  static Keys KeysOf(const Result<ListPage>& page) {
    Keys keys;
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return keys;
    for (const ObjectInfo& object : page->objects) keys.push_back(object.key);
    return keys;
  }

  FakeAzure azure_;
  FaultyHttpServer server_{
      [this](const ServedRequest& request) { return azure_.Serve(request); }};
  const std::unique_ptr<Runtime> runtime_ = MakeThreadRuntime();
  const std::shared_ptr<ObjectStore> store_ = Make();
  ObjectStoreClient client_{*store_, *runtime_};
  Keys keys_;
};

TEST_F(AzureListTest, PageAfterPageCostsTwoRequestsEach) {
  const size_t before = server_.requests().size();
  EXPECT_EQ(client_.Keys("", 10), keys_);
  EXPECT_LE(server_.requests().size() - before, 20u);
}

TEST_F(AzureListTest, KeyPutBehindTheEndOfAPageIsInTheNext) {
  auto page = client_.List("", "", 10);
  EXPECT_EQ(KeysOf(page).back(), "k009");
  page = client_.List("", "k009", 10);
  // Before the place to which the marker of this page leads.
  ASSERT_TRUE(client_.Put("k019x", "x").ok());
  EXPECT_EQ(KeysOf(client_.List("", "k019", 2)), (Keys{"k019x", "k020"}));
}

TEST_F(AzureListTest, KeyThatNothingIsRememberedOfIsReachedInGrowingSteps) {
  const size_t before = server_.requests().size();
  EXPECT_EQ(KeysOf(client_.List("", "k090", 2)), (Keys{"k091", "k092"}));
  EXPECT_LE(server_.requests().size() - before, 7u);
  EXPECT_EQ(KeysOf(client_.List("", "k099", 2)), Keys{});
}

TEST_F(AzureListTest, EmptyPagesThatGoOnAreFollowed) {
  server_.FailNext({.body = "<EnumerationResults><Blobs/><NextMarker>at:k050"
                            "</NextMarker></EnumerationResults>"});
  EXPECT_EQ(KeysOf(client_.List("", "", 1)), Keys{"k050"});
}

TEST_F(AzureListTest, PagesOutOfOrderAreRefused) {
  server_.FailNext(
      {.body = "<EnumerationResults><Blobs><Blob><Name>k050</Name><Properties>"
               "<Content-Length>1</Content-Length></Properties></Blob></Blobs>"
               "<NextMarker>at:k010</NextMarker></EnumerationResults>"});
  EXPECT_EQ(client_.List("", "k060", 1).status().code(),
            StatusCode::kUnavailable);
}

TEST_F(AzureListTest, WhatIsNoListIsRefused) {
  server_.FailNext({.body = "<html/>"});
  const Status status = client_.List("", "", 1).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("azblob:a/c"), std::string::npos);
}

}  // namespace
}  // namespace strata
