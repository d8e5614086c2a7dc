#include "object_store/azure/azure_options.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/uri.h"

namespace strata {
namespace {

bool IsName(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
             name.npos;
}

}  // namespace

Status CheckAzureOptions(const AzureOptions& options) {
  const auto wrong = [](std::string text) {
    return Status(StatusCode::kInvalidArgument, "azure: " + std::move(text));
  };
  const AzureAccount& account = options.account;
  if (!IsName(account.name)) {
    return wrong(fmt::format("account '{}': not a name of one", account.name));
  }
  if (!IsName(options.container)) {
    return wrong(
        fmt::format("container '{}': not a name of one", options.container));
  }
  if (!ParseEndpoint(account.endpoint)) {
    return wrong("endpoint: expected http[s]://host[:port][/path]");
  }
  if (account.credentials.key.empty() == account.credentials.sas.empty()) {
    return wrong("either a key or a SAS token is wanted");
  }
  if (options.block_bytes < 1 || options.block_bytes > kMaxAzureBlockBytes ||
      options.blocks_at_once < 1) {
    return wrong(fmt::format(
        "block_bytes = {}: must be in [1, {}]; blocks_at_once = {}: at least 1",
        options.block_bytes, kMaxAzureBlockBytes, options.blocks_at_once));
  }
  if (options.blocks_above_bytes > kMaxAzurePutBytes) {
    return wrong(fmt::format("blocks_above_bytes = {}: must be at most {}",
                             options.blocks_above_bytes, kMaxAzurePutBytes));
  }
  return Status::Ok();
}

}  // namespace strata
