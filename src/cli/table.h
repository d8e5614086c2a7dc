// Table: text in aligned columns. And numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strata::cli {

// Thread-compatible.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kRight;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell per column.
  void AddRow(std::vector<std::string> cells);

  // Title and rows, each a line, two blanks between columns, none at the end
  // of a line; kBold adds the terminal's codes around the title. Wider than
  // `max_width`, each cell gets a line of its own behind its column's title,
  // with an empty line between the rows.
  enum class Title { kPlain, kBold };
  std::string Render(Title title, size_t max_width = std::string::npos) const;
  // For standard output: bold if that is a terminal with colours, as wide as
  // the terminal if it is one.
  std::string Render() const;

 private:
  std::string RenderRow(const std::vector<std::string>& cells,
                        const std::vector<size_t>& widths) const;
  std::string RenderStacked(Title title) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "1,234,567".
std::string FormatCount(uint64_t count);
// "1 batch", "1,234 batches".
std::string Counted(uint64_t count, std::string_view noun,
                    std::string_view plural_ending = "s");
// "512 B", "1.5 KiB", "64.0 MiB".
std::string FormatBytes(uint64_t bytes);
// The two largest units at most: "45s", "3m 20s", "2h 5m", "8d 4h".
std::string FormatAge(uint64_t seconds);
// "7.3 us", "1.25 ms", "2.00 s".
std::string FormatMicros(double micros);

}  // namespace strata::cli
