#include "base/setting_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace strata {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Ascending; the first is one.
constexpr std::array<Unit, 5> kByteUnits = {{{"B", 1},
                                             {"KiB", uint64_t{1} << 10},
                                             {"MiB", uint64_t{1} << 20},
                                             {"GiB", uint64_t{1} << 30},
                                             {"TiB", uint64_t{1} << 40}}};
constexpr std::array<Unit, 5> kTimeUnits = {{{"ms", 1},
                                             {"s", 1000},
                                             {"m", 60'000},
                                             {"h", 3'600'000},
                                             {"d", 86'400'000}}};

// An integer with the name of a unit, blanks between them allowed, as a number
// of the first unit that is at most `most`.
template <size_t N>
std::optional<uint64_t> ParseWithUnit(std::string_view text,
                                      const std::array<Unit, N>& units,
                                      uint64_t most) {
  const size_t digits =
      std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = ParseNumber<uint64_t>(text.substr(0, digits));
  std::string_view name = text.substr(digits);
  name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
  for (const Unit& unit : units) {
    if (name != unit.name) continue;
    if (!number || *number > most / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

template <size_t N>
const Unit& LargestUnit(uint64_t value, const std::array<Unit, N>& units) {
  size_t i = units.size() - 1;
  while (i > 0 && (value == 0 || value % units[i].factor != 0)) --i;
  return units[i];
}

}  // namespace

std::optional<uint64_t> ParseBytes(std::string_view text) {
  const auto plain = ParseNumber<uint64_t>(text);
  return plain ? plain
               : ParseWithUnit(text, kByteUnits,
                               std::numeric_limits<uint64_t>::max());
}

std::string PrintBytes(uint64_t bytes) {
  const Unit& unit = LargestUnit(bytes, kByteUnits);
  if (unit.factor == 1) return fmt::format("{}", bytes);
  return fmt::format("{}{}", bytes / unit.factor, unit.name);
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  using Rep = std::chrono::milliseconds::rep;
  const auto ms = ParseWithUnit(text, kTimeUnits,
                                uint64_t{std::numeric_limits<Rep>::max()});
  if (!ms) return std::nullopt;
  return std::chrono::milliseconds(static_cast<Rep>(*ms));
}

std::string PrintDuration(std::chrono::milliseconds duration) {
  if (duration.count() < 0) return fmt::format("{}ms", duration.count());
  const auto ms = static_cast<uint64_t>(duration.count());
  const Unit& unit = LargestUnit(ms, kTimeUnits);
  return fmt::format("{}{}", ms / unit.factor, unit.name);
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}
template std::optional<uint32_t> ParseNumber(std::string_view);
template std::optional<uint64_t> ParseNumber(std::string_view);
template std::optional<double> ParseNumber(std::string_view);

std::optional<bool> ParseBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

}  // namespace strata
