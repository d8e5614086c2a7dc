// -o, --output: a command's answer as text for people or as one JSON document.
// Field names and units are those of the public structs, and stay.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "strata/settings.h"

namespace strata::cli {

using Json = nlohmann::ordered_json;

enum class OutputFormat { kTable, kJson };

// Adds -o, --output.
void AddOutput(CLI::App& command, OutputFormat& output);

// The text of a setting as JSON: numbers and booleans as such, sizes in bytes,
// durations and the rest as text.
Json SettingToJson(SettingKind kind, const std::string& text);

// Prints the document, indented, with a newline. Bytes that are not UTF-8 are
// replaced.
Status PrintJson(const Json& document);

}  // namespace strata::cli
