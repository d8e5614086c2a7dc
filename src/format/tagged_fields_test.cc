#include "format/tagged_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/bytes.h"
#include "testing/golden_file.h"

namespace strata {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

constexpr std::array<uint64_t, 2> kKnown{5, 7};

// The worked example of docs/formats/tagged-fields.md.
const TaggedFields kExample{{2, "abc"}, {5, ""}, {300, "\x01\x02"}};

TEST(TaggedFieldsTest, BytesAreThoseOfTheDocument) {
  const std::string dump = ReadSourceFile("testing/golden/tagged_fields.hex");
  EXPECT_EQ(EncodeTaggedFields(kExample), BytesOfHexDump(dump));
  EXPECT_THAT(ReadSourceFile("docs/formats/tagged-fields.md"), HasSubstr(dump));
}

TEST(TaggedFieldsTest, ReadsBackWhatWasWritten) {
  const std::string bytes = EncodeTaggedFields(kExample);
  const auto fields = DecodeTaggedFields(AsBytes(bytes), kKnown);
  ASSERT_TRUE(fields.ok()) << fields.status();
  EXPECT_EQ(*fields, kExample);
}

TEST(TaggedFieldsTest, EmptyBlockHasNoFields) {
  EXPECT_EQ(EncodeTaggedFields({}), "");
  EXPECT_EQ(DecodeTaggedFields({}).value(), TaggedFields());
}

TEST(TaggedFieldsTest, LargestTagReadsBack) {
  const TaggedFields fields{{std::numeric_limits<uint64_t>::max() - 1, "x"}};
  const std::string bytes = EncodeTaggedFields(fields);
  EXPECT_EQ(DecodeTaggedFields(AsBytes(bytes)).value(), fields);
}

TEST(TaggedFieldsTest, UnknownOptionalFieldIsKept) {
  const TaggedFields fields{{1000, "of a later version"}};
  const std::string bytes = EncodeTaggedFields(fields);
  EXPECT_EQ(DecodeTaggedFields(AsBytes(bytes), kKnown).value(), fields);
}

TEST(TaggedFieldsTest, UnknownRequiredFieldIsNamed) {
  const std::string bytes = EncodeTaggedFields({{5, ""}, {9, "new"}});
  const auto fields = DecodeTaggedFields(AsBytes(bytes), kKnown);
  EXPECT_EQ(fields.status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(fields.status().message(), HasSubstr("required feature 9"));
}

TEST(TaggedFieldsTest, TagsThatDoNotAscendAreRefused) {
  for (const std::string& bytes : {"\4\0\2\0"s, "\4\0\4\0"s, "\0\0\0\0"s}) {
    EXPECT_EQ(DecodeTaggedFields(AsBytes(bytes)).status().code(),
              StatusCode::kDataLoss);
  }
}

TEST(TaggedFieldsTest, EveryTruncationInsideAFieldIsReportedWithItsPosition) {
  const std::string bytes = EncodeTaggedFields(kExample);
  for (size_t n = 0; n < bytes.size(); ++n) {
    const auto fields = DecodeTaggedFields(AsBytes(bytes).first(n), kKnown);
    if (n == 0 || n == 5 || n == 7) {  // between fields: a shorter block
      EXPECT_TRUE(fields.ok()) << n;
      continue;
    }
    EXPECT_EQ(fields.status().code(), StatusCode::kDataLoss) << n;
    const size_t field = n < 5 ? 0 : n < 7 ? 5 : 7;
    EXPECT_THAT(fields.status().message(),
                HasSubstr("at " + std::to_string(field)));
  }
}

TEST(TaggedFieldsTest, FlippedBytesNeverReadPastTheBlock) {
  const std::string good = EncodeTaggedFields(kExample);
  for (size_t i = 0; i < good.size(); ++i) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      const auto fields = DecodeTaggedFields(AsBytes(bad), kKnown);
      // A block carries no checksum; what is around it does.
      EXPECT_FALSE(fields.ok() && *fields == kExample);
    }
  }
}

TEST(TaggedFieldsTest, MoreThan65536FieldsAreRefused) {
  TaggedFields fields;
  for (uint64_t i = 0; i < 65536; ++i) fields.emplace(2 * i, "");
  std::string bytes = EncodeTaggedFields(fields);
  EXPECT_TRUE(DecodeTaggedFields(AsBytes(bytes)).ok());
  fields.emplace(2 * 65536, "");
  bytes = EncodeTaggedFields(fields);
  EXPECT_EQ(DecodeTaggedFields(AsBytes(bytes)).status().code(),
            StatusCode::kDataLoss);
}

}  // namespace
}  // namespace strata
