// Environment: the variables that credentials are looked for in.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace strata {

// The value of an environment variable; nothing when it is not set.
using Environment =
    std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

}  // namespace strata
