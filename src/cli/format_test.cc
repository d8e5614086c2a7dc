#include "cli/format.h"

#include <gtest/gtest.h>

namespace strata::cli {
namespace {

Record Sample() {
  Record record;
  record.offset = Offset(42);
  record.timestamp = 1700;
  record.key = AsBytes("the-key");
  record.value = AsBytes("the value");
  record.headers = {{"a", AsBytes("1")}, {"b", std::nullopt}};
  return record;
}

std::string Printed(std::string_view format, const Record& record = Sample()) {
  Result<Format> parsed = Format::Parse(format);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  std::string out;
  if (parsed.ok()) parsed->Print("topic", 3, record, out);
  return out;
}

TEST(FormatTest, EveryFieldPrints) {
  EXPECT_EQ(Printed("%t|%p|%o|%T|%k|%v|%s|%h|%K|%S"),
            "topic|3|42|1700|the-key|the value|the value|a=1,b=NULL|7|9");
}

TEST(FormatTest, EscapesBecomeBytes) {
  EXPECT_EQ(Printed("a\\nb\\tc\\rd\\\\e\\x41\\0f"),
            std::string("a\nb\tc\rd\\eA\0f", 12));
}

TEST(FormatTest, DoubledPercentIsOne) { EXPECT_EQ(Printed("100%%"), "100%"); }

TEST(FormatTest, EmptyFormatPrintsNothing) { EXPECT_EQ(Printed(""), ""); }

TEST(FormatTest, AbsentKeyAndValuePrintAsNothingWithLengthMinusOne) {
  Record record;
  EXPECT_EQ(Printed("[%k][%v][%K][%S][%h]", record), "[][][-1][-1][]");
}

TEST(FormatTest, EmptyValueHasLengthZero) {
  Record record;
  record.value = AsBytes("");
  EXPECT_EQ(Printed("%S", record), "0");
}

TEST(FormatTest, BinaryBytesPrintUnchanged) {
  const std::string bytes("\0\xff\n%v", 5);
  Record record;
  record.value = AsBytes(bytes);
  EXPECT_EQ(Printed("%v", record), bytes);
}

TEST(FormatTest, UnknownFieldIsRefusedWithPosition) {
  const Status status = Format::Parse("ab%z").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("'%z' at position 2"), std::string::npos)
      << status;
}

TEST(FormatTest, UnfinishedTokensAreRefused) {
  for (const char* text : {"%", "\\", "\\x", "\\x4", "\\xg1", "\\x4g", "\\q"}) {
    EXPECT_EQ(Format::Parse(text).status().code(), StatusCode::kInvalidArgument)
        << text;
  }
}

}  // namespace
}  // namespace strata::cli
