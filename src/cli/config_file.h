// Settings out of a TOML file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "strata/status.h"

namespace strata::cli {

// A setting as somebody gave it.
struct GivenSetting {
  std::string name;    // of the table in strata/settings.h
  std::string text;    // the value
  std::string source;  // "strata.toml:3:1", "STRATA_DATA_DIR", "--data-dir"
};

// The settings of TOML text that is called `name` in sources and errors.
// kInvalidArgument naming file, line and column of what is no TOML, of a key
// that is no setting, and of a value of the wrong type.
Result<std::vector<GivenSetting>> ParseConfig(std::string_view text,
                                              const std::string& name);

// The same of a file; kNotFound, kIoError.
Result<std::vector<GivenSetting>> ReadConfigFile(
    const std::filesystem::path& file);

}  // namespace strata::cli
