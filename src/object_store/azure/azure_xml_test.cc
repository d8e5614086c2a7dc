#include "object_store/azure/azure_xml.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

std::string List(const std::string& blobs, const std::string& rest = "") {
  return "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>"
         "<EnumerationResults ContainerName=\"c\"><Blobs>" +
         blobs + "</Blobs>" + rest + "</EnumerationResults>";
}

std::string Blob(const std::string& name, const std::string& size = "1") {
  return "<Blob>" + name + "<Properties><Etag>0x8CBFF45D8A29A19</Etag>" +
         "<Content-Length>" + size + "</Content-Length></Properties></Blob>";
}

std::string Name(const std::string& name) {
  return "<Name>" + name + "</Name>";
}

TEST(AzureXmlTest, ListHasItsBlobs) {
  const auto list = ParseAzureList(
      List(Blob(Name("a%2Fb")) + Blob(Name("b"), "18446744073709551615"),
           "<NextMarker>2!76!abc--</NextMarker>"));
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->next_marker, "2!76!abc--");
  ASSERT_EQ(list->objects.size(), 2u);
  EXPECT_EQ(list->objects[0].key, "a%2Fb") << "not encoded";
  EXPECT_EQ(list->objects[0].version, "0x8CBFF45D8A29A19");
  EXPECT_EQ(list->objects[1].size_bytes, UINT64_MAX);
}

TEST(AzureXmlTest, EndOfAListHasNoMarker) {
  EXPECT_EQ(ParseAzureList(List("", "<NextMarker />"))->next_marker, "");
  EXPECT_EQ(ParseAzureList(List(""))->next_marker, "");
}

TEST(AzureXmlTest, EncodedNamesAreDecoded) {
  const auto list =
      ParseAzureList(List(Blob("<Name Encoded=\"true\">a%01b+c</Name>")));
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->objects[0].key,
            "a\x01"
            "b+c");
}

TEST(AzureXmlTest, WhatIsNoListIsRefused) {
  for (const std::string& xml :
       {std::string(), std::string("<"), std::string("<html/>"),
        List(Blob(Name("b")) + Blob(Name("a"))),
        List(Blob(Name("a")) + Blob(Name("a"))), List(Blob(Name("a"), "")),
        List(Blob(Name("a"), "-1")), List(Blob("")),
        List(Blob(Name("a"), "18446744073709551616")),
        List(Blob("<Name Encoded=\"true\">%zz</Name>"))}) {
    EXPECT_EQ(ParseAzureList(xml).status().code(), StatusCode::kUnavailable)
        << xml;
  }
}

TEST(AzureXmlTest, ErrorHasItsCodeAndFirstLine) {
  const auto error = ParseAzureError(
      "<?xml version=\"1.0\"?><Error><Code>ServerBusy</Code><Message>Slow."
      "\nRequestId:7\nTime:now</Message></Error>");
  EXPECT_EQ(error.code, "ServerBusy");
  EXPECT_EQ(error.message, "Slow.");
  EXPECT_EQ(ParseAzureError("<html/>").code, "");
  EXPECT_EQ(ParseAzureError("").message, "");
}

TEST(AzureXmlTest, BlockListNamesItsBlocks) {
  EXPECT_EQ(MakeAzureBlockList({"aa==", "bb=="}),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>"
            "<Uncommitted>aa==</Uncommitted><Uncommitted>bb==</Uncommitted>"
            "</BlockList>");
}

}  // namespace
}  // namespace strata
