#include "cli/table.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/check.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

std::string Emphasised(Table::Title title, const std::string& text) {
  return title == Table::Title::kBold ? "\x1b[1m" + text + "\x1b[0m" : text;
}

}  // namespace

void Table::AddRow(std::vector<std::string> cells) {
  STRATA_CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::RenderRow(const std::vector<std::string>& cells,
                             const std::vector<size_t>& widths) const {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += "  ";
    const std::string blanks(widths[i] - cells[i].size(), ' ');
    const bool left = columns_[i].align == Align::kLeft;
    line += left ? cells[i] + blanks : blanks + cells[i];
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string Table::RenderStacked(Title title) const {
  size_t width = 0;
  for (const Column& column : columns_) {
    width = std::max(width, column.title.size());
  }
  std::string text;
  for (const auto& row : rows_) {
    if (!text.empty()) text += '\n';
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string name = fmt::format("{:<{}}", columns_[i].title, width);
      text += fmt::format("{}  {}\n", Emphasised(title, name), row[i]);
    }
  }
  return text;
}

std::string Table::Render(Title title, size_t max_width) const {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    widths.push_back(column.title.size());
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  size_t total = 2 * (widths.size() - 1);
  for (const size_t width : widths) total += width;
  if (total > max_width && !rows_.empty()) return RenderStacked(title);
  std::string text = Emphasised(title, RenderRow(titles, widths)) + "\n";
  for (const auto& row : rows_) text += RenderRow(row, widths) + "\n";
  return text;
}

std::string Table::Render() const {
  return Render(HasColours(STDOUT_FILENO) ? Title::kBold : Title::kPlain,
                ::isatty(STDOUT_FILENO) != 0 ? TerminalWidth(STDOUT_FILENO)
                                             : std::string::npos);
}

std::string FormatCount(uint64_t count) {
  std::string text = std::to_string(count);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string Counted(uint64_t count, std::string_view noun,
                    std::string_view plural_ending) {
  return fmt::format("{} {}{}", FormatCount(count), noun,
                     count == 1 ? "" : plural_ending);
}

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB",
                                                      "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would be rounded to 1024.0.
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string FormatAge(uint64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) {
    return fmt::format("{}h {}m", seconds / 3600, seconds % 3600 / 60);
  }
  return fmt::format("{}d {}h", seconds / 86'400, seconds % 86'400 / 3600);
}

std::string FormatMicros(double micros) {
  if (micros < 1000) return fmt::format("{:.1f} us", micros);
  if (micros < 1'000'000) return fmt::format("{:.2f} ms", micros / 1000);
  return fmt::format("{:.2f} s", micros / 1'000'000);
}

}  // namespace strata::cli
