#include "cli/json.h"

#include "cli/output.h"

namespace strata::cli {

void AddOutput(CLI::App& command, OutputFormat& output) {
  AddChoice(command, "--output,-o", output,
            {{"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}},
            "For people (default) or for programs");
}

Status PrintJson(const Json& document) {
  return Print(document.dump(2, ' ', false, Json::error_handler_t::replace) +
               "\n");
}

}  // namespace strata::cli
