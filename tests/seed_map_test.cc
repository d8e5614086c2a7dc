// docs/seed-map.md names the test that shows each part of the Rust design and
// each of its faults. That table does not rot: what it names exists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The content of a file of the tree; nothing when it is not there.
using ReadSource =
    std::function<std::optional<std::string>(const std::string& path)>;

std::optional<std::string> ReadTree(const std::string& path) {
  std::ifstream file(std::filesystem::path(STRATA_SOURCE_DIR) / path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::smatch> FindAll(const std::string& text,
                                 const std::regex& what) {
  return {std::sregex_iterator(text.begin(), text.end(), what), {}};
}

bool HasTest(const std::string& source, const std::string& suite,
             const std::string& name) {
  return std::regex_search(
      source, std::regex("TEST(_F|_P)?\\(" + suite + ",\\s*" + name + "\\)"));
}

// What is wrong in one line of the map, in its order.
class LineCheck {
 public:
  LineCheck(const std::string& line, const ReadSource& read)
      : line_(line), read_(read) {
    CheckFiles();
    CheckTests();
    if (line_.starts_with("| ") && !line_.starts_with("| the Rust design") &&
        !line_.starts_with("|  |")) {
      CheckRow();
    }
  }

  std::vector<std::string> Findings() && { return std::move(findings_); }

 private:
  void CheckFiles() {
    static const std::regex kFile(
        R"((?:src|include|testing|tests|docs)/[\w/.-]*\.(?:h|cc|md|txt))");
    for (const std::smatch& file : FindAll(line_, kFile)) {
      if (!read_(file.str())) findings_.push_back(file.str() + ": no file");
    }
  }

  // `Suite.Name` (file)
  void CheckTests() {
    static const std::regex kTest(
        R"(`([A-Z]\w*)\.([A-Z]\w*)`(?: \(([\w/.-]+)\))?)");
    for (const std::smatch& test : FindAll(line_, kTest)) {
      const std::string name = test.str(1) + "." + test.str(2);
      tests_.push_back(name);
      const std::optional<std::string> source = read_(test.str(3));
      if (!test[3].matched) {
        findings_.push_back(name + ": without its file");
      } else if (source && !HasTest(*source, test.str(1), test.str(2))) {
        findings_.push_back(name + ": not in " + test.str(3));
      }
    }
  }

  // A row names a test or says why there is none; that of a fault, one that
  // has its number.
  void CheckRow() {
    static const std::regex kExcuse(
        R"(nothing to test|comes with the (records|object-store) work)");
    static const std::regex kFault(R"(^\| (D\d\d) \|)");
    if (line_.find("no test yet") != std::string::npos) {
      findings_.push_back(line_ + ": a part without a test");
    }
    if (std::regex_search(line_, kExcuse)) return;
    std::smatch fault;
    const bool is_fault = std::regex_search(line_, fault, kFault);
    const std::string wanted = is_fault ? fault.str(1) : "";
    for (const std::string& test : tests_) {
      if (test.find(wanted) != std::string::npos) return;
    }
    findings_.push_back((is_fault ? wanted : line_) + ": no test");
  }

  const std::string& line_;
  const ReadSource& read_;
  std::vector<std::string> tests_;
  std::vector<std::string> findings_;
};

std::vector<std::string> CheckMap(std::string_view map,
                                  const ReadSource& read) {
  std::vector<std::string> findings;
  while (!map.empty()) {
    const size_t end = std::min(map.find('\n'), map.size());
    const std::string line(map.substr(0, end));
    map.remove_prefix(std::min(end + 1, map.size()));
    std::vector<std::string> found = LineCheck(line, read).Findings();
    std::ranges::move(found, std::back_inserter(findings));
  }
  return findings;
}

std::optional<std::string> ReadPlanted(const std::string& path) {
  if (path != "src/a_test.cc") return std::nullopt;
  return "TEST(Plain, Holds) {}\nTEST_F(Fixture,\n       D01Holds) {}\n"
         "TYPED_TEST_P(Typed, Holds) {}\n";
}

std::vector<std::string> CheckPlanted(std::string_view line) {
  return CheckMap(line, ReadPlanted);
}

TEST(SeedMapTest, WhatTheMapNamesExists) {
  const std::optional<std::string> map = ReadTree("docs/seed-map.md");
  ASSERT_TRUE(map.has_value());
  EXPECT_THAT(CheckMap(*map, ReadTree), IsEmpty());
}

TEST(SeedMapTest, EveryFaultHasItsRow) {
  const std::optional<std::string> map = ReadTree("docs/seed-map.md");
  ASSERT_TRUE(map.has_value());
  for (int fault = 1; fault <= 37; ++fault) {
    const std::string number = (fault < 10 ? "0" : "") + std::to_string(fault);
    EXPECT_THAT(*map, HasSubstr("\n| D" + number + " | "));
  }
}

TEST(SeedMapTest, TestsOfEveryKindAreFound) {
  EXPECT_THAT(CheckPlanted("| a | b | `Plain.Holds` (src/a_test.cc); "
                           "`Fixture.D01Holds` (src/a_test.cc) |\n"
                           "| a | b | `Typed.Holds` (src/a_test.cc) |\n"
                           "| D01 | a | `Fixture.D01Holds` (src/a_test.cc) |"),
              IsEmpty());
}

TEST(SeedMapTest, TestThatIsNotThereIsFound) {
  EXPECT_THAT(CheckPlanted("| a | b | `Plain.Hold` (src/a_test.cc) |\n"),
              ElementsAre("Plain.Hold: not in src/a_test.cc"));
  EXPECT_THAT(CheckPlanted("| a | b | `Fixture.Holds` (src/a_test.cc) |\n"),
              ElementsAre("Fixture.Holds: not in src/a_test.cc"));
}

TEST(SeedMapTest, FileThatIsNotThereIsFound) {
  EXPECT_THAT(CheckPlanted("| a | b | `Plain.Holds` (src/b_test.cc) |\n"),
              ElementsAre("src/b_test.cc: no file"));
  EXPECT_THAT(CheckPlanted("Words of include/strata/a.h.\n"),
              ElementsAre("include/strata/a.h: no file"));
}

TEST(SeedMapTest, TestWithoutItsFileIsFound) {
  EXPECT_THAT(CheckPlanted("| a | b | `Plain.Holds` |\n"),
              ElementsAre("Plain.Holds: without its file"));
}

TEST(SeedMapTest, RowWithoutATestSaysWhy) {
  EXPECT_THAT(CheckPlanted("| a | b |  |\n"),
              ElementsAre("| a | b |  |: no test"));
  const std::string half =
      "| a | b | `Plain.Holds` (src/a_test.cc); the rest: no test yet |";
  EXPECT_THAT(CheckPlanted(half),
              ElementsAre(half + ": a part without a test"));
  EXPECT_THAT(CheckPlanted("| a | b | nothing to test |\n"
                           "| D03 | a | comes with the records work |\n"),
              IsEmpty());
}

TEST(SeedMapTest, FaultWithoutATestOfItsNumberIsFound) {
  EXPECT_THAT(CheckPlanted("| D02 | a | `Fixture.D01Holds` (src/a_test.cc) |"),
              ElementsAre("D02: no test"));
}

}  // namespace
}  // namespace strata
