#include "object_store/s3/s3_xml.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

std::string List(const std::string& inside) {
  return "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws."
         "com/doc/2006-03-01/\">" +
         inside + "</ListBucketResult>";
}

std::string Entry(const std::string& key, const std::string& size = "1") {
  return "<Contents><Key>" + key + "</Key><Size>" + size +
         "</Size><ETag>&quot;e&quot;</ETag><Generation>7</Generation>"
         "</Contents>";
}

TEST(S3XmlTest, ListHasItsObjects) {
  const auto list =
      ParseS3List(List("<IsTruncated>true</IsTruncated>"
                       "<NextContinuationToken>t</NextContinuationToken>" +
                       Entry("a%2Fb") + Entry("b", "18446744073709551615")),
                  S3VersionField::kETag);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_TRUE(list->page.more);
  EXPECT_EQ(list->continuation, "t");
  ASSERT_EQ(list->page.objects.size(), 2u);
  EXPECT_EQ(list->page.objects[0].key, "a%2Fb") << "not encoded";
  EXPECT_EQ(list->page.objects[0].version, "e");
  EXPECT_EQ(list->page.objects[1].size_bytes, UINT64_MAX);
}

TEST(S3XmlTest, EncodedKeysAreDecoded) {
  const auto list = ParseS3List(
      List("<EncodingType>url</EncodingType>" + Entry("a%2Fb+c%2B")),
      S3VersionField::kGeneration);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->page.objects[0].key, "a/b c+");
  EXPECT_EQ(list->page.objects[0].version, "7");
}

TEST(S3XmlTest, WhatIsNoListIsRefused) {
  for (const std::string& xml :
       {std::string(), std::string("<"), std::string("<html/>"),
        List(Entry("b") + Entry("a")), List(Entry("a") + Entry("a")),
        List(Entry("a", "")), List(Entry("a", "-1")),
        List(Entry("a", "18446744073709551616")), List(Entry("")),
        List("<EncodingType>url</EncodingType>" + Entry("%zz"))}) {
    EXPECT_EQ(ParseS3List(xml, S3VersionField::kETag).status().code(),
              StatusCode::kUnavailable)
        << xml;
  }
}

TEST(S3XmlTest, EntitiesOfADocumentAreNotExpanded) {
  const auto error = ParseS3Error(
      "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>"
      "<Error><Code>&b;</Code></Error>");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, "&b;");
}

// Worked out with md5sum: of the sixteen bytes of the MD5 of "a", twice.
TEST(S3XmlTest, EtagOfPartsIsThatOfTheirDigests) {
  const std::string a = "0cc175b9c0f1b6a831c399e269772661";
  EXPECT_EQ(EtagOfParts({a, a}), "7b3c799ee8b11a11c798c8b41bed8502-2");
  EXPECT_FALSE(EtagOfParts({a, "no digest"}).has_value());
}

TEST(S3XmlTest, EndOfAnUploadNamesItsPartsInOrder) {
  EXPECT_EQ(MakeS3Complete({"e1", "<e2>&"}),
            "<CompleteMultipartUpload>"
            "<Part><PartNumber>1</PartNumber><ETag>&quot;e1&quot;</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>&quot;e2&quot;</ETag></Part>"
            "</CompleteMultipartUpload>");
}

}  // namespace
}  // namespace strata
