#include "cli/help.h"

#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "cli/terminal.h"

namespace strata::cli {
namespace {

// Of the names, in front of the descriptions.
constexpr size_t kNameColumns = 30;
constexpr size_t kMinDescriptionColumns = 20;
constexpr size_t kMaxColumns = 100;  // longer lines read badly

}  // namespace

std::string Wrapped(const std::string& text, size_t width) {
  std::istringstream words(text);
  std::string out;
  size_t column = 0;
  for (std::string word; words >> word;) {
    if (column > 0 && column + 1 + word.size() > width) {
      out += '\n';
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

HelpFormatter::HelpFormatter()
    : width_(std::min(TerminalWidth(STDOUT_FILENO), kMaxColumns)) {
  column_width(std::min(kNameColumns, width_ / 2));
}

std::string HelpFormatter::Row(const std::string& name,
                               const std::string& description) const {
  const size_t names = get_column_width();
  const size_t left =
      std::max(width_ - std::min(width_, names), kMinDescriptionColumns);
  std::ostringstream out;
  CLI::detail::format_help(out, name, Wrapped(description, left), names);
  return out.str();
}

std::string HelpFormatter::make_option(const CLI::Option* option,
                                       bool positional) const {
  return Row(make_option_name(option, positional) + make_option_opts(option),
             make_option_desc(option));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return Row(command->get_display_name(true), command->get_description());
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  const std::string text = app->get_description();
  return text.empty() ? "" : Wrapped(text, width_) + "\n";
}

}  // namespace strata::cli
