// How --help looks: as CLI11 has it, but no wider than the terminal.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace strata::cli {

// `text` with a newline in place of a blank wherever a line would get longer
// than `width`; a longer word stays whole.
std::string Wrapped(const std::string& text, size_t width);

// Immutable.
class HelpFormatter : public CLI::Formatter {
 public:
  // As wide as the terminal at standard output, or 80 columns.
  HelpFormatter();

  std::string make_option(const CLI::Option* option,
                          bool positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_description(const CLI::App* app) const override;

 private:
  std::string Row(const std::string& name,
                  const std::string& description) const;

  size_t width_;
};

}  // namespace strata::cli
