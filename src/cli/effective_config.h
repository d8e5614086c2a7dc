// What is configured, and by whom.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "strata/config.h"
#include "strata/settings.h"

namespace strata::cli {

// Where every command begins: the library's defaults, with a data directory
// here and WAL files small enough for commands that are over soon.
TieredStorageConfig ProgramDefaults();

// "STRATA_COLD_STORAGE_TYPE".
std::string EnvironmentName(std::string_view setting);

struct EffectiveConfig {
  TieredStorageConfig config;
  // Who set what is not as in ProgramDefaults; see GivenSetting::source.
  std::map<std::string, std::string, std::less<>> sources;

  // "default" for what nobody set.
  std::string_view SourceOf(const StoreSetting& setting) const;
};

// Flags go before the environment, this before the file, all before the
// defaults. kInvalidArgument naming setting, source, expected and found;
// errors of ReadConfigFile.
Result<EffectiveConfig> Resolve(const Invocation& invocation);

}  // namespace strata::cli
