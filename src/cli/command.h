// What main.cc and the command groups share: the command line as parsed, and
// how a command is added to it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/config_file.h"
#include "strata/status.h"
#include "strata/tiered_storage.h"

namespace strata::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitInterrupted = 130,  // as a shell reports death by SIGINT
};

// Owned by main; outlives parsing and the command.
struct Invocation {
  std::string program;      // as it was called, for hints
  std::string config_file;  // empty: none
  // What --data-dir and --set gave, the last one of a name in force.
  std::vector<GivenSetting> flags;
  // The command chosen, set by parsing.
  std::function<Status()> run;
};

// Adds --data-dir, --config and --set, which stand in front of a command or
// behind it.
void AddStoreOptions(CLI::App& app, Invocation& invocation);

// "NAME=VALUE" as {NAME, VALUE}. Throws what CLI11 shows as wrong usage of
// `option`.
std::pair<std::string, std::string> SplitSetting(const std::string& option,
                                                 const std::string& text);

// Adds a command that takes options; `examples` is shown below its help.
CLI::App& AddCommand(CLI::App& parent, Invocation& invocation,
                     const std::string& name, const std::string& description,
                     const std::string& examples);

// Has parsing choose `run(options)` for `command`. Returns the options, for
// the command's flags to be bound to; they live as long as `command`.
template <typename Options>
Options& OnRun(CLI::App& command, Invocation& invocation,
               Status (*run)(const Invocation&, const Options&)) {
  auto options = std::make_shared<Options>();
  command.callback([&invocation, options, run] {
    invocation.run = [&invocation, options, run] {
      return run(invocation, *options);
    };
  });
  return *options;
}

// The required positional TOPIC, refused unless it is a topic name.
void AddTopic(CLI::App& command, std::string& topic);
// --partition, -p.
void AddPartition(CLI::App& command, std::optional<uint32_t>& partition,
                  const std::string& description);

// An option that takes one of the names of `choices`.
template <typename Value>
CLI::Option& AddChoice(CLI::App& command, const std::string& name, Value& value,
                       std::vector<std::pair<std::string, Value>> choices,
                       const std::string& description) {
  std::string names;
  for (const auto& [choice, _] : choices) {
    names += (names.empty() ? "" : "|") + choice;
  }
  const auto take = [&value, names, name,
                     choices = std::move(choices)](const std::string& text) {
    for (const auto& [choice, meaning] : choices) {
      if (text == choice) {
        value = meaning;
        return;
      }
    }
    throw CLI::ValidationError(name, "'" + text + "': expected " + names);
  };
  return *command.add_option_function<std::string>(name, take, description)
              ->type_name(names);
}

// A check for numbers, without CLI11's words for it in the help.
template <typename Number>
CLI::Validator InRange(Number min, Number max) {
  return CLI::Range(min, max).description("");
}

// A check for CLI::Option::check out of a function that returns a Status.
template <typename Check>
std::function<std::string(const std::string&)> Checked(Check check) {
  return [check](const std::string& text) {
    return std::string(check(text).message());
  };
}

}  // namespace strata::cli
