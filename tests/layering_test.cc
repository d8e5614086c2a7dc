// tools/check-layering holds for this tree, and finds what it is there to
// find.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "testing/temp_dir.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

// A small tree that keeps the rules, to be broken by each test.
class LayeringTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write("tools/layering.txt",
          "# comment\nbase:\nruntime: base\nio: base runtime\n"
          "wal: base runtime io\n");
    Write("include/strata/a.h", "#include <sys/types.h>\n#include <vector>\n");
    Write("src/base/b.h", "#include \"strata/a.h\"\n");
    Write("src/runtime/r.cc", "std::thread t;\n");
    Write("src/wal/w.cc",
          "#include <fmt/format.h>\n#include \"io/f.h\"\n"
          "#include \"wal/w.h\"\n// a std::thread only in words\n");
    Write("src/wal/w_test.cc", "#include \"testing/x.h\"\nstd::thread t;\n");
  }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = dir_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  // The exit status of the script; what it prints goes to output_.
  int Run(const std::string& arguments) {
    const std::string output = (dir_.path() / "output").string();
    const std::string command = std::string(STRATA_SOURCE_DIR) +
                                "/tools/check-layering " + arguments + " > " +
                                output + " 2>&1";
    const int status = std::system(command.c_str());
    std::ifstream file(output);
    output_.assign(std::istreambuf_iterator<char>(file), {});
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int CheckPlanted() { return Run(dir_.path().string()); }

  void ExpectViolation(const std::string& line) {
    EXPECT_EQ(CheckPlanted(), 1);
    EXPECT_EQ(output_, line + "\n");
  }

  TempDir dir_;
  std::string output_;
};

TEST_F(LayeringTest, ThisTreeKeepsTheRules) {
  EXPECT_EQ(Run(STRATA_SOURCE_DIR), 0) << output_;
}

TEST_F(LayeringTest, TreeThatKeepsTheRulesPasses) {
  EXPECT_EQ(CheckPlanted(), 0) << output_;
  EXPECT_EQ(output_, "");
}

TEST_F(LayeringTest, IncludeAgainstTheArrowsIsFound) {
  Write("src/base/c.cc", "\n#include \"io/f.h\"\n");
  ExpectViolation("src/base/c.cc:2: base may not include io/f.h");
}

TEST_F(LayeringTest, IncludeAgainstTheArrowsInATestIsFound) {
  Write("src/io/f_test.cc", "#include \"wal/w.h\"\n");
  ExpectViolation("src/io/f_test.cc:1: io may not include wal/w.h");
}

TEST_F(LayeringTest, IncludeInAngleBracketsIsFoundToo) {
  Write("src/base/c.cc", "#include <io/f.h>\n");
  ExpectViolation("src/base/c.cc:1: base may not include io/f.h");
}

TEST_F(LayeringTest, RelativeIncludeIsFound) {
  Write("src/base/c.cc", "#include \"../io/f.h\"\n");
  ExpectViolation("src/base/c.cc:1: base may not include ../io/f.h");
}

TEST_F(LayeringTest, TestingOutsideOfTestsIsFound) {
  Write("src/io/f.cc", "#include \"testing/x.h\"\n");
  ExpectViolation("src/io/f.cc:1: io may not include testing/x.h");
}

TEST_F(LayeringTest, PublicHeaderThatIncludesSourcesIsFound) {
  Write("include/strata/b.h", "#include \"base/b.h\"\n");
  ExpectViolation(
      "include/strata/b.h:1: include/strata may not include base/b.h");
}

TEST_F(LayeringTest, PublicHeaderThatIncludesALibraryIsFound) {
  Write("include/strata/b.h", "#include <fmt/format.h>\n");
  ExpectViolation(
      "include/strata/b.h:1: include/strata may not include fmt/format.h");
}

TEST_F(LayeringTest, FolderOutsideOfTheTableIsFound) {
  Write("src/utils/u.cc", "int u;\n");
  ExpectViolation(
      "src/utils/u.cc:1: folder utils is not in tools/layering.txt");
}

TEST_F(LayeringTest, ThreadsWaitingAndClocksOutsideOfRuntimeAreFound) {
  for (const std::string word :
       {"std::thread", "std::condition_variable", "sleep_for",
        "system_clock::now", "steady_clock::now", "std::random_device",
        "std::this_thread"}) {
    Write("src/io/f.cc", "int a;\nauto x = " + word + "(); // comment\n");
    ExpectViolation("src/io/f.cc:2: " + word + " outside src/runtime");
  }
}

TEST_F(LayeringTest, ArrowThatPointsUpTheTableIsFound) {
  Write("tools/layering.txt", "base:\nruntime: base io\nio: base\nwal: io\n");
  ExpectViolation(
      "tools/layering.txt:2: runtime -> io: not the name of a folder above");
}

TEST_F(LayeringTest, TreeWithoutATableIsAnError) {
  std::filesystem::remove(dir_.path() / "tools/layering.txt");
  EXPECT_EQ(CheckPlanted(), 2);
}

TEST_F(LayeringTest, PicturesShowArrowsThatFollowFromNoOther) {
  EXPECT_EQ(Run("--mermaid " + dir_.path().string()), 0);
  EXPECT_EQ(output_,
            "graph TD\n  wal --> io\n  io --> runtime\n  runtime --> base\n");
  EXPECT_EQ(Run("--dot " + dir_.path().string()), 0);
  EXPECT_EQ(output_,
            "digraph layering {\n  wal -> io;\n  io -> runtime;\n"
            "  runtime -> base;\n}\n");
}

TEST_F(LayeringTest, UnknownOptionPrintsHowToUseIt) {
  EXPECT_EQ(Run("--help"), 2);
  EXPECT_THAT(output_, HasSubstr("--mermaid"));
}

}  // namespace
}  // namespace strata
