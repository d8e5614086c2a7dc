#include "cli/json.h"

#include "base/setting_text.h"
#include "cli/output.h"

namespace strata::cli {

void AddOutput(CLI::App& command, OutputFormat& output) {
  AddChoice(command, "--output,-o", output,
            {{"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}},
            "For people (default) or for programs");
}

Json SettingToJson(SettingKind kind, const std::string& text) {
  switch (kind) {
    case SettingKind::kBytes: return *ParseBytes(text);
    case SettingKind::kCount: return *ParseNumber<uint64_t>(text);
    case SettingKind::kRatio: return *ParseNumber<double>(text);
    case SettingKind::kBool: return *ParseBool(text);
    default: return text;
  }
}

Status PrintJson(const Json& document) {
  return Print(document.dump(2, ' ', false, Json::error_handler_t::replace) +
               "\n");
}

}  // namespace strata::cli
