#include "cli/config_file.h"

#include <fmt/format.h>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <optional>

#include "cli/read_file.h"
#include "strata/settings.h"

namespace strata::cli {
namespace {

Status Wrong(const std::string& where, std::string_view what) {
  return {StatusCode::kInvalidArgument, fmt::format("{}: {}", where, what)};
}

std::string At(const std::string& file, const toml::source_position& position) {
  return fmt::format("{}:{}:{}", file, position.line, position.column);
}

// "the integer 5", "an array": for messages.
std::string Describe(const toml::node& node) {
  if (const auto* value = node.as_string()) {
    return fmt::format("the text '{}'", value->get());
  }
  if (const auto* value = node.as_integer()) {
    return fmt::format("the integer {}", value->get());
  }
  if (const auto* value = node.as_floating_point()) {
    return fmt::format("the number {}", value->get());
  }
  if (const auto* value = node.as_boolean()) {
    return fmt::format("{}", value->get());
  }
  return node.is_array()   ? "an array"
         : node.is_table() ? "a table"
                           : "a date or time";
}

// The value as the setting's text; nothing if TOML's type is another one.
std::optional<std::string> TextOf(const toml::node& node, SettingKind kind) {
  if (const auto* value = node.as_string()) {
    const bool is_text =
        kind == SettingKind::kBytes || kind == SettingKind::kDuration ||
        kind == SettingKind::kText || kind == SettingKind::kChoice;
    return is_text ? std::optional(value->get()) : std::nullopt;
  }
  if (const auto* value = node.as_integer()) {
    const bool is_number = kind == SettingKind::kBytes ||
                           kind == SettingKind::kCount ||
                           kind == SettingKind::kRatio;
    return is_number ? std::optional(fmt::format("{}", value->get()))
                     : std::nullopt;
  }
  if (const auto* value = node.as_floating_point()) {
    return kind == SettingKind::kRatio
               ? std::optional(fmt::format("{}", value->get()))
               : std::nullopt;
  }
  if (const auto* value = node.as_boolean()) {
    return kind == SettingKind::kBool
               ? std::optional(fmt::format("{}", value->get()))
               : std::nullopt;
  }
  return std::nullopt;
}

// Whether some setting is in the table of this name.
bool IsTable(std::string_view name) {
  for (const StoreSetting& setting : StoreSettings()) {
    if (setting.name.starts_with(fmt::format("{}.", name))) return true;
  }
  return false;
}

// Adds the settings of `table`, whose names begin with `prefix`.
Status Collect(const toml::table& table, const std::string& prefix,
               const std::string& file, std::vector<GivenSetting>& settings) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    const std::string where = At(file, key.source().begin);
    if (IsTable(name)) {
      if (!node.is_table()) {
        return Wrong(where, fmt::format("{}: expected a table, found {}", name,
                                        Describe(node)));
      }
      STRATA_RETURN_IF_ERROR(
          Collect(*node.as_table(), name + ".", file, settings));
      continue;
    }
    const StoreSetting* const setting = FindStoreSetting(name);
    if (setting == nullptr) {
      return Wrong(where, fmt::format("there is no setting '{}'; strata config "
                                      "--defaults shows all",
                                      name));
    }
    auto text = TextOf(node, setting->kind);
    if (!text) {
      return Wrong(At(file, node.source().begin),
                   fmt::format("{}: expected {}, found {}", name,
                               setting->expected, Describe(node)));
    }
    settings.push_back({name, *std::move(text), where});
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<GivenSetting>> ParseConfig(std::string_view text,
                                              const std::string& name) {
  const toml::parse_result parsed = toml::parse(text, name);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return Wrong(At(name, error.source().begin), error.description());
  }
  std::vector<GivenSetting> settings;
  STRATA_RETURN_IF_ERROR(Collect(parsed.table(), "", name, settings));
  return settings;
}

Result<std::vector<GivenSetting>> ReadConfigFile(
    const std::filesystem::path& file) {
  STRATA_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  return ParseConfig(text, file.native());
}

}  // namespace strata::cli
