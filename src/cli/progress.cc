#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/table.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{80};
constexpr std::chrono::milliseconds kLineInterval{1000};
constexpr size_t kBarCells = 20;
constexpr std::string_view kBackToLineStart = "\r\x1b[K";

}  // namespace

Progress::Progress(std::string label, uint64_t total)
    : label_(std::move(label)),
      total_(total),
      terminal_(::isatty(STDERR_FILENO) != 0),
      begin_(Clock::now()),
      next_(begin_ + (terminal_ ? kTerminalInterval : kLineInterval)) {}

Progress::~Progress() {
  if (shown_) WriteStderr(kBackToLineStart);
}

bool Progress::IsDue() const { return Clock::now() >= next_; }

void Progress::Update(uint64_t done, std::string_view note) {
  if (IsDue()) Show(done, note, false);
}

void Progress::Finish(uint64_t done, std::string_view note) {
  Show(done, note, true);
}

void Progress::Show(uint64_t done, std::string_view note, bool last) {
  std::string line = Line(done, note);
  if (terminal_) {
    line.resize(std::min(line.size(), TerminalWidth(STDERR_FILENO) - 1));
    line.insert(0, kBackToLineStart);
  }
  if (last || !terminal_) line += '\n';
  shown_ = terminal_ && !last;
  next_ = Clock::now() + (terminal_ ? kTerminalInterval : kLineInterval);
  WriteStderr(line);
}

std::string Progress::Line(uint64_t done, std::string_view note) const {
  const double seconds =
      std::chrono::duration<double>(Clock::now() - begin_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string line = label_;
  if (total_ > 0) {
    const double part =
        std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const auto cells = static_cast<size_t>(part * kBarCells);
    line += fmt::format(" [{:#<{}}{:-<{}}] {:3.0f} %", "", cells, "",
                        kBarCells - cells, part * 100);
  }
  line += fmt::format(" {} {}/s", FormatBytes(done),
                      FormatBytes(static_cast<uint64_t>(rate)));
  if (!note.empty()) line += fmt::format("  {}", note);
  return line;
}

}  // namespace strata::cli
