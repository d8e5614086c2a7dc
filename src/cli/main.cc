// strata: produce, consume and look after a log store from the command line.
#include <fmt/format.h>

#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/suggest.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

void AddAll(CLI::App& app, Invocation& invocation) {
  AddProduce(app, invocation);
  AddConsume(app, invocation);
  AddTopics(app, invocation);
  AddTrim(app, invocation);
  AddSegments(app, invocation);
  AddStats(app, invocation);
  AddTiers(app, invocation);
  AddVerify(app, invocation);
  AddBucket(app, invocation);
  AddDump(app, invocation);
  AddConfig(app, invocation);
  AddDemo(app, invocation);
  AddManual(app, invocation);
}

int Report(const Status& status) {
  if (!status.ok() && status.code() != StatusCode::kCancelled) {
    PrintError(status.message());
  }
  if (Interrupted()) return kExitInterrupted;
  return status.ok() ? kExitOk : kExitFailure;
}

// The command that was called, as far as it was understood.
const CLI::App& Called(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// "strata topics create".
std::string CommandLine(const CLI::App& app) {
  std::string words = app.get_name();
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    words += " " + at->get_name();
  }
  return words;
}

std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& called = Called(app);
  const std::vector<std::string> unknown = app.remaining(true);
  std::vector<std::string> known;
  if (!unknown.empty() && unknown.front().starts_with("-")) {
    for (const CLI::Option* option : called.get_options({})) {
      for (const std::string& name : option->get_lnames()) {
        known.push_back("--" + name);
      }
    }
  } else {
    for (const CLI::App* command : called.get_subcommands({})) {
      known.push_back(command->get_name());
    }
  }
  if (unknown.empty() && error.get_name() == "RequiredError" &&
      !known.empty()) {
    return fmt::format("a command is required, one of {}",
                       fmt::join(known, ", "));
  }
  if (unknown.empty() || known.empty()) return error.what();
  std::string word = unknown.front();
  // CLI11 misses the command before it looks at what stands there instead.
  const std::string what = word.starts_with("-")
                               ? error.what()
                               : fmt::format("there is no command '{}'", word);
  return what + DidYouMean(word.substr(0, word.find('=')), known);
}

// Help and version were asked for, the rest is wrong usage.
int Explain(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {
    app.exit(error);
    return std::cout.flush() ? kExitOk : kExitFailure;
  }
  PrintError(WhatIsWrong(app, error));
  PrintNote(fmt::format("{} --help tells more", CommandLine(app)));
  return kExitUsage;
}

int Main(int argc, char** argv) {
  Invocation invocation;
  invocation.program = argc > 0 ? argv[0] : "strata";
  CLI::App app("A log store in three tiers: memory, local files, object store.",
               "strata");
  app.set_version_flag("--version", "strata " STRATA_VERSION);
  app.require_subcommand(1);
  app.footer(
      "strata COMMAND --help shows a command's options and examples.\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.");
  app.formatter(std::make_shared<HelpFormatter>());
  AddStoreOptions(app, invocation);
  AddAll(app, invocation);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return Explain(app, error);
  }
  // What the lock of a store says of who holds it.
  const std::string command = CommandLine(app);
  program_invocation_name = const_cast<char*>(command.c_str());
  CatchInterrupts(OnInterrupt::kClose);
  return Report(invocation.run());
}

}  // namespace
}  // namespace strata::cli

int main(int argc, char** argv) {
  try {
    return strata::cli::Main(argc, argv);
  } catch (const std::exception& error) {  // out of memory, of the libraries
    strata::cli::PrintError(error.what());
    return strata::cli::kExitFailure;
  }
}
