#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace strata::cli {
namespace {

constexpr size_t kDefaultWidth = 80;

std::string Styled(int fd, std::string_view code, std::string_view text) {
  if (!HasColours(fd)) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

// What takes away a progress line under the cursor.
std::string_view LineStart() {
  return ::isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : "";
}

}  // namespace

bool HasColours(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(fd) != 0 && (no_color == nullptr || *no_color == '\0') &&
         term != nullptr && std::string_view(term) != "dumb";
}

size_t TerminalWidth(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kDefaultWidth;
  }
  return size.ws_col;
}

std::string Bold(int fd, std::string_view text) {
  return Styled(fd, "1", text);
}
std::string Red(int fd, std::string_view text) {
  return Styled(fd, "31", text);
}

void PrintError(std::string_view message) {
  WriteStderr(fmt::format("{}{} {}\n", LineStart(),
                          Red(STDERR_FILENO, "strata:"), message));
}

void PrintNote(std::string_view message) {
  WriteStderr(fmt::format("{}strata: {}\n", LineStart(), message));
}

void WriteStderr(std::string_view text) {
  const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
  (void)ignored;  // there is nowhere else to tell
}

}  // namespace strata::cli
