#include "cli/effective_config.h"

#include <fmt/format.h>

#include <cstdlib>
#include <iterator>

namespace strata::cli {
namespace {

// The last one of a name wins.
using Given = std::map<std::string, GivenSetting, std::less<>>;

constexpr std::string_view kColdUrl = "cold_storage.url";

// Who names the place of cold storage anew does not mean a part of the old one.
void DropOlderPlace(const std::vector<GivenSetting>& settings, Given& given) {
  for (const GivenSetting& setting : settings) {
    if (setting.name == "cold_storage.type") given.erase(std::string(kColdUrl));
    if (setting.name != kColdUrl) continue;
    std::erase_if(given, [](const auto& older) {
      return older.first.starts_with("cold_storage.");
    });
  }
}

void Take(std::vector<GivenSetting> settings, Given& given) {
  DropOlderPlace(settings, given);
  for (GivenSetting& setting : settings) {
    std::string name = setting.name;
    given.insert_or_assign(std::move(name), std::move(setting));
  }
}

std::vector<GivenSetting> FromEnvironment() {
  std::vector<GivenSetting> settings;
  for (const StoreSetting& setting : StoreSettings()) {
    std::string variable = EnvironmentName(setting.name);
    if (const char* text = std::getenv(variable.c_str())) {
      settings.push_back(
          {std::string(setting.name), text, std::move(variable)});
    }
  }
  return settings;
}

// A refusal by Validate begins with the setting's name: tells who set it.
Status WithSource(const EffectiveConfig& effective, Status status) {
  const std::string& message = status.message();
  const auto source =
      effective.sources.find(message.substr(0, message.find(' ')));
  return source == effective.sources.end() ? status
                                           : status.WithContext(source->second);
}

}  // namespace

TieredStorageConfig ProgramDefaults() {
  TieredStorageConfig config;
  config.data_dir = "./strata-data";
  config.wal_file_bytes = 16 * kMiB;
  config.max_batch_bytes = 8 * kMiB;
  return config;
}

std::string EnvironmentName(std::string_view setting) {
  std::string name = "STRATA_";
  for (const char c : setting) {
    name += c == '.'               ? '_'
            : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A')
                                   : c;
  }
  return name;
}

std::string_view EffectiveConfig::SourceOf(const StoreSetting& setting) const {
  const auto found = sources.find(setting.name);
  return found == sources.end() ? "default" : std::string_view(found->second);
}

Result<EffectiveConfig> Resolve(const Invocation& invocation) {
  Given given;
  if (!invocation.config_file.empty()) {
    STRATA_ASSIGN_OR_RETURN(std::vector<GivenSetting> settings,
                            ReadConfigFile(invocation.config_file));
    Take(std::move(settings), given);
  }
  Take(FromEnvironment(), given);
  Take(invocation.flags, given);

  EffectiveConfig effective{.config = ProgramDefaults(), .sources = {}};
  // In the table's order, so that a field's owner is there before it.
  for (const StoreSetting& setting : StoreSettings()) {
    const auto found = given.find(setting.name);
    if (found == given.end()) continue;
    const GivenSetting& by = found->second;
    STRATA_RETURN_IF_ERROR(
        setting.Set(effective.config, by.text).WithContext(by.source));
    effective.sources.insert_or_assign(std::string(setting.name), by.source);
    if (setting.name != kColdUrl) continue;
    // The parts of the place come with it; what gives one anew is behind it in
    // the table.
    for (const StoreSetting& part : StoreSettings()) {
      if (part.name.starts_with("cold_storage.")) {
        effective.sources.insert_or_assign(std::string(part.name), by.source);
      }
    }
  }
  STRATA_RETURN_IF_ERROR(WithSource(effective, effective.config.Validate()));
  return effective;
}

}  // namespace strata::cli
