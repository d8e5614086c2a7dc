// The man page and the completion know what --help knows.
#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "testing/cli_fixture.h"

namespace strata {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;
using ::testing::Not;

class CliReferenceTest : public CliTest {
 protected:
  std::string Print(Arguments arguments) {
    arguments.insert(arguments.begin(), kProgram);
    const Ran ran = RunCommand(arguments);
    EXPECT_EQ(ran.exit, 0) << ::testing::PrintToString(arguments) << ran.err;
    return ran.out;
  }

  // The commands below `words`, from the end of its help.
  std::vector<std::string> Below(const Arguments& words) {
    Arguments command = words;
    command.push_back("--help");
    const std::string help = Print(command);
    std::vector<std::string> names;
    const size_t at = help.find("\nSubcommands:\n");
    if (at == std::string::npos) return names;
    static const std::regex kName(R"(\n  ([a-z]+) )");
    const std::string list = help.substr(at);
    for (std::sregex_iterator i(list.begin(), list.end(), kName), end; i != end;
         ++i) {
      names.push_back((*i)[1]);
    }
    return names;
  }

  // Every command, with the words that call it.
  std::vector<Arguments> Commands() {
    std::vector<Arguments> all = {{}};
    for (size_t i = 0; i < all.size(); ++i) {
      const Arguments words = all[i];
      for (const std::string& name : Below(words)) {
        all.push_back(words);
        all.back().push_back(name);
      }
    }
    return all;
  }

  // The options that the command's help lists.
  std::vector<std::string> Options(Arguments words) {
    words.push_back("--help");
    const std::string help = Print(words);
    static const std::regex kOption(R"(\n  (?:-[a-z],)?(--[a-z-]+))");
    std::vector<std::string> options;
    for (std::sregex_iterator i(help.begin(), help.end(), kOption), end;
         i != end; ++i) {
      options.push_back((*i)[1]);
    }
    return options;
  }

  // What bash proposes for the last of `words`.
  std::vector<std::string> Complete(const std::string& words) {
    const std::string script =
        "source <(" + std::string(kProgram) +
        " completion bash)\nCOMP_WORDS=(" + words +
        ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_strata\n" +
        "printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    const Ran ran = RunCommand({"/bin/bash", "-c", script});
    EXPECT_EQ(ran.err, "");
    std::vector<std::string> proposed;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) proposed.push_back(line);
    }
    return proposed;
  }
};

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

// roff without its escapes.
std::string Plain(std::string text) {
  text = std::regex_replace(text, std::regex(R"(\\f[BIR])"), "");
  return std::regex_replace(text, std::regex(R"(\\-)"), "-");
}

TEST_F(CliReferenceTest, EveryCommandAndOptionIsInTheManPage) {
  const std::string page = Plain(Print({"man"}));
  const std::vector<Arguments> commands = Commands();
  EXPECT_GT(commands.size(), 18u);
  for (const Arguments& words : commands) {
    const std::string name = Joined(words);
    const size_t begin =
        page.find(words.empty() ? "\n.SH OPTIONS\n" : "\n.SS " + name + "\n");
    ASSERT_NE(begin, std::string::npos) << name;
    const size_t end = page.find("\n.S", begin + 1);
    const std::string section = page.substr(begin, end - begin);
    const std::vector<std::string> options = Options(words);
    EXPECT_FALSE(options.empty());
    for (const std::string& option : options) {
      EXPECT_THAT(section, HasSubstr(option)) << name;
    }
  }
}

TEST_F(CliReferenceTest, EveryCommandAndOptionIsCompleted) {
  for (const Arguments& words : Commands()) {
    const std::string name = Joined(words);
    EXPECT_THAT(Options(words), IsSubsetOf(Complete("strata " + name + " --")))
        << name;
    EXPECT_THAT(Below(words), IsSubsetOf(Complete("strata " + name + " ''")))
        << name;
  }
}

TEST_F(CliReferenceTest, CompletionKnowsWhereItIs) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(Complete("strata pro"), (Words{"produce", "promote"}));
  EXPECT_EQ(Complete("strata topics cr"), Words{"create"});
  EXPECT_EQ(Complete("strata -d x topics create --part"),
            Words{"--partitions"});
  EXPECT_EQ(Complete("strata demote t --to ''"), (Words{"warm", "cold"}));
  EXPECT_EQ(Complete("strata promote t --to h"), Words{"hot"});
  EXPECT_EQ(Complete("strata consume t --from e"), Words{"earliest"});
  // Left to bash, which knows the files.
  EXPECT_EQ(Complete("strata dump ''"), Words{});
}

TEST_F(CliReferenceTest, TopicsOfTheStoreAreCompleted) {
  using Words = std::vector<std::string>;
  Good({"topics", "create", "access"});
  Good({"topics", "create", "audit"});
  Good({"topics", "create", "errors"});
  const std::string at = fmt::format("{} -d {} ", kProgram, Data().native());
  EXPECT_EQ(Complete(at + "consume ''"), (Words{"access", "audit", "errors"}));
  EXPECT_EQ(Complete(at + "topics describe a"), (Words{"access", "audit"}));
  EXPECT_EQ(Complete(at + "demote --to cold e"), Words{"errors"});
  EXPECT_EQ(Complete(fmt::format("{} consume --data-dir = {} au", kProgram,
                                 Data().native())),
            Words{"audit"});
  // A new topic, a second argument, no store.
  EXPECT_EQ(Complete(at + "topics create a"), Words{});
  EXPECT_EQ(Complete(at + "produce audit a"), Words{});
  EXPECT_EQ(Complete(fmt::format("{} -d {} consume ''", kProgram,
                                 Path("absent").native())),
            Words{});
}

TEST_F(CliReferenceTest, CommittedManPageIsWhatTheProgramPrints) {
  EXPECT_EQ(Print({"man"}), ReadAll(STRATA_SOURCE_DIR "/docs/man/strata.1"))
      << "strata man >docs/man/strata.1";
}

TEST_F(CliReferenceTest, EveryHelpHasExamples) {
  for (const Arguments& words : Commands()) {
    Arguments help = words;
    help.push_back("--help");
    const std::string text = Print(help);
    if (text.find("\nSubcommands:\n") != std::string::npos) continue;
    EXPECT_THAT(text, AllOf(HasSubstr("Examples:\n  "), Not(HasSubstr("\x1b"))))
        << Joined(words);
  }
}

}  // namespace
}  // namespace strata
