#include "cli/config_text.h"

#include <fmt/format.h>

#include "cli/effective_config.h"
#include "strata/settings.h"

namespace strata::cli {
namespace {

constexpr size_t kLineWidth = 78;

// `text` as comment lines.
std::string Comment(std::string_view text) {
  std::string lines, line = "#";
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (line.size() + 1 + end > kLineWidth) {
      lines += line + "\n";
      line = "#";
    }
    line += fmt::format(" {}", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + line + "\n";
}

// A TOML basic string.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string TomlValue(const StoreSetting& setting, const std::string& text) {
  switch (setting.kind) {
    case SettingKind::kCount:
    case SettingKind::kRatio:
    case SettingKind::kBool: return text;
    default: return Quoted(text);
  }
}

// "cold_storage.path" is "path" in the table "cold_storage".
struct TomlName {
  std::string_view table;
  std::string_view key;
};
TomlName Split(std::string_view name) {
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

// The kind's name in the reference.
std::string_view KindName(SettingKind kind) {
  switch (kind) {
    case SettingKind::kBytes: return "size";
    case SettingKind::kDuration: return "duration";
    case SettingKind::kCount: return "number";
    case SettingKind::kRatio: return "ratio";
    case SettingKind::kBool: return "boolean";
    case SettingKind::kText: return "text";
    case SettingKind::kChoice: return "choice";
  }
  return "";
}

// A cell of the reference: `text` as code, a dash if there is none.
std::string Cell(const std::optional<std::string>& text) {
  if (!text) return "-";
  return fmt::format("`{}`", text->empty() ? "\"\"" : *text);
}

constexpr std::string_view kIntroduction =
    R"(# Configuration

Written by `strata config --markdown` from the table of settings
(`include/strata/settings.h`); a test compares the two.

Programs that embed the library set the fields of `TieredStorageConfig`
(`include/strata/config.h`). The program `strata` takes each setting from, first
to last:

1. flags: `--data-dir DIR`, `--set NAME=VALUE`;
2. the environment: `STRATA_` and the name in capitals, a dot as `_`
   (`STRATA_WAL_FILE_BYTES`, `STRATA_COLD_STORAGE_PATH`);
3. the file of `--config FILE`, in TOML: `strata config --defaults` prints one;
4. the defaults.

`strata config` shows what is in force and who set it. A size is an integer of
bytes or text with a unit (`"64MiB"`; B, KiB, MiB, GiB, TiB), a duration text
with a unit (`"30s"`; ms, s, m, h, d). Relative paths are relative to the
directory in which the program runs. What is not a setting, of the wrong type or
impossible is an error with file, line and column; nothing is opened then.

## Of a store

| setting | kind | default | what it is |
|---|---|---|---|
)";

constexpr std::string_view kTopics = R"(
## Of a topic

`strata topics create TOPIC --config NAME=VALUE`, or `TopicSettings`. What is
not set follows the store.

| setting | kind | what it is |
|---|---|---|
)";

}  // namespace

std::string ToToml(const TieredStorageConfig& config) {
  std::string text = Comment(
      "Settings of a Strata store, for --config FILE. Sizes are integers of "
      "bytes or text with a unit (B, KiB, MiB, GiB, TiB), durations text with "
      "a unit (ms, s, m, h, d).");
  std::string_view table;
  for (const StoreSetting& setting : StoreSettings()) {
    const TomlName name = Split(setting.name);
    text += "\n";
    if (name.table != table) text += fmt::format("[{}]\n\n", name.table);
    table = name.table;
    text += Comment(setting.description);
    const auto value = setting.Get(config);
    text += value && !setting.secret
                ? fmt::format("{} = {}\n", name.key, TomlValue(setting, *value))
                : fmt::format(
                      "# {} = {}\n", name.key,
                      setting.kind == SettingKind::kBool ? "false" : "\"\"");
  }
  return text;
}

std::string ToMarkdown() {
  const TieredStorageConfig library, program = ProgramDefaults();
  std::string text(kIntroduction);
  for (const StoreSetting& setting : StoreSettings()) {
    const auto usual = setting.Get(library), here = setting.Get(program);
    std::string value = Cell(usual);
    if (usual != here) value += fmt::format("; `strata`: {}", Cell(here));
    text += fmt::format("| `{}` | {} | {} | {} |\n", setting.name,
                        KindName(setting.kind), value, setting.description);
  }
  text += kTopics;
  for (const TopicSetting& setting : TopicSettingTable()) {
    text += fmt::format("| `{}` | {} | {} |\n", setting.name,
                        KindName(setting.kind), setting.description);
  }
  return text;
}

}  // namespace strata::cli
