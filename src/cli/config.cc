// config: what is configured, and by whom.
#include "cli/commands.h"
#include "cli/config_text.h"
#include "cli/effective_config.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/table.h"

namespace strata::cli {
namespace {

struct ConfigOptions {
  OutputFormat output = OutputFormat::kTable;
  bool defaults = false;
  bool markdown = false;
};

// The value as it is shown; nothing where the setting does not apply.
std::optional<std::string> Shown(const StoreSetting& setting,
                                 const TieredStorageConfig& config) {
  std::optional<std::string> text = setting.Get(config);
  return text && setting.secret ? "(secret)" : text;
}

Status Show(const Invocation& invocation, const ConfigOptions& options) {
  if (options.markdown) return Print(ToMarkdown());
  if (options.defaults) return Print(ToToml(ProgramDefaults()));
  STRATA_ASSIGN_OR_RETURN(const EffectiveConfig effective, Resolve(invocation));
  Table table({{"SETTING", Table::Align::kLeft},
               {"VALUE", Table::Align::kLeft},
               {"FROM", Table::Align::kLeft}});
  Json settings = Json::array();
  for (const StoreSetting& setting : StoreSettings()) {
    const auto text = Shown(setting, effective.config);
    if (!text) continue;
    const std::string_view source = effective.SourceOf(setting);
    table.AddRow({std::string(setting.name), text->empty() ? "\"\"" : *text,
                  std::string(source)});
    settings.push_back({{"name", setting.name},
                        {"value", SettingToJson(setting.kind, *text)},
                        {"source", source}});
  }
  return options.output == OutputFormat::kJson
             ? PrintJson({{"settings", std::move(settings)}})
             : Print(table.Render());
}

}  // namespace

void AddConfig(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "config",
      "The configuration in force, and who set each value",
      "  strata config --config strata.toml\n"
      "  STRATA_HOT_TIER_MAX_BYTES=2GiB strata config -o json\n"
      "  strata config --defaults >strata.toml\n\n"
      "A flag goes before the environment (STRATA_ and the setting's name in "
      "capitals,\na dot as _), this before the file, all before the "
      "defaults.");
  ConfigOptions& o = OnRun(command, invocation, Show);
  AddOutput(command, o.output);
  CLI::Option* defaults =
      command.add_flag("--defaults", o.defaults,
                       "Print a TOML file with all settings as they are "
                       "when nobody sets them");
  command
      .add_flag("--markdown", o.markdown, "Print the reference of all settings")
      ->excludes(defaults);
}

}  // namespace strata::cli
