// What goes to standard error, and what a terminal can show.
#pragma once

#include <string>
#include <string_view>

namespace strata::cli {

// A terminal that shows colours: NO_COLOR and TERM=dumb are respected.
bool HasColours(int fd);

// Columns of the terminal at `fd`; 80 when that cannot be told.
size_t TerminalWidth(int fd);

// `text`, in bold or red when `fd` has colours.
std::string Bold(int fd, std::string_view text);
std::string Red(int fd, std::string_view text);

// Prints "strata: <message>" as one line to standard error. Thread-safe.
void PrintError(std::string_view message);
void PrintNote(std::string_view message);

// Writes `text` to standard error by one write. Thread-safe.
void WriteStderr(std::string_view text);

}  // namespace strata::cli
