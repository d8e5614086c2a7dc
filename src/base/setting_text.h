// Values of settings as text, and back. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace strata {

// An integer of bytes with or without a unit: "4096", "64MiB", "64 MiB".
// Nothing if the text is no such size or does not fit.
std::optional<uint64_t> ParseBytes(std::string_view text);
// In the largest unit that holds it exactly: "64MiB", "1000".
std::string PrintBytes(uint64_t bytes);

// An integer with its unit: "250ms", "30s", "5m", "2h", "7d".
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// In the largest unit that holds it exactly.
std::string PrintDuration(std::chrono::milliseconds duration);

// All of `text` as a number; Number: an unsigned integer or double.
template <typename Number>
std::optional<Number> ParseNumber(std::string_view text);

std::optional<bool> ParseBool(std::string_view text);

}  // namespace strata
