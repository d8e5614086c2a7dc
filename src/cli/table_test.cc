#include "cli/table.h"

#include <gtest/gtest.h>

namespace strata::cli {
namespace {

TEST(TableTest, ColumnsAreAligned) {
  Table table({{"NAME", Table::Align::kLeft}, {"SIZE"}});
  table.AddRow({"a", "1"});
  table.AddRow({"longer", "12345"});
  EXPECT_EQ(table.Render(Table::Title::kPlain),
            "NAME     SIZE\n"
            "a           1\n"
            "longer  12345\n");
}

TEST(TableTest, NoBlanksEndALine) {
  Table table({{"A", Table::Align::kLeft}, {"B", Table::Align::kLeft}});
  table.AddRow({"1", ""});
  table.AddRow({"2", "wide"});
  EXPECT_EQ(table.Render(Table::Title::kPlain), "A  B\n1\n2  wide\n");
}

TEST(TableTest, BoldTitleDoesNotShiftColumns) {
  Table table({{"A"}});
  table.AddRow({"22"});
  EXPECT_EQ(table.Render(Table::Title::kBold), "\x1b[1m A\x1b[0m\n22\n");
}

TEST(TableTest, TooWideForTheTerminalIsStacked) {
  Table table({{"NAME", Table::Align::kLeft}, {"BYTES"}});
  table.AddRow({"first", "123456"});
  table.AddRow({"b", "7"});
  const std::string wide = "NAME    BYTES\nfirst  123456\nb           7\n";
  EXPECT_EQ(table.Render(Table::Title::kPlain, 13), wide);
  EXPECT_EQ(table.Render(Table::Title::kPlain, 12),
            "NAME   first\nBYTES  123456\n\nNAME   b\nBYTES  7\n");
}

TEST(NumbersTest, CountsHaveCommas) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(Counted(1, "batch", "es"), "1 batch");
  EXPECT_EQ(Counted(1000, "record"), "1,000 records");
}

TEST(NumbersTest, BytesHaveTheUnitThatFits) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1024), "1.0 KiB");
  EXPECT_EQ(FormatBytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(FormatBytes(3 * 1024 * 1024 / 2), "1.5 MiB");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "16.0 EiB");
}

TEST(NumbersTest, AgesHaveTwoUnits) {
  EXPECT_EQ(FormatAge(59), "59s");
  EXPECT_EQ(FormatAge(200), "3m 20s");
  EXPECT_EQ(FormatAge(7500), "2h 5m");
  EXPECT_EQ(FormatAge(8 * 86'400 + 4 * 3600), "8d 4h");
}

TEST(NumbersTest, TimesHaveTheUnitThatFits) {
  EXPECT_EQ(FormatMicros(7.25), "7.2 us");
  EXPECT_EQ(FormatMicros(1250), "1.25 ms");
  EXPECT_EQ(FormatMicros(2'000'000), "2.00 s");
}

}  // namespace
}  // namespace strata::cli
