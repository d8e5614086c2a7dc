// The table of settings as documents.
#pragma once

#include <string>

#include "strata/config.h"

namespace strata::cli {

// A TOML file with the values of `config`, each with what it means; fields of
// other cold storages are there as comments. ParseConfig reads it. Secrets are
// left out.
std::string ToToml(const TieredStorageConfig& config);

// docs/operating/config.md.
std::string ToMarkdown();

}  // namespace strata::cli
