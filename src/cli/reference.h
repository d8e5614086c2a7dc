// What the commands and options are, for other readers than people at
// --help: a man page and completion in bash. Both are made from the commands
// as they are.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace strata::cli {

// A man page, section 1, in roff.
std::string ManPage(const CLI::App& app);

// A script for bash that completes commands, options and choices.
std::string BashCompletion(const CLI::App& app);

}  // namespace strata::cli
