#include "object_store/azure/azure_account.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "net/digest.h"

namespace strata {
namespace {

// Of the emulators, the same everywhere: no secret.
constexpr std::string_view kDevelopmentAccount = "devstoreaccount1";
constexpr std::string_view kDevelopmentKey =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/"
    "K1SZFPTOtr/KBHBeksoGMGw==";
constexpr std::string_view kDevelopmentEndpoint =
    "http://127.0.0.1:10000/devstoreaccount1";

Status Refused(std::string_view what, std::string_view fault) {
  return {StatusCode::kInvalidArgument, fmt::format("{}: {}", what, fault)};
}

std::string_view Trim(std::string_view text) {
  const auto space = [](char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

using Fields = std::map<std::string, std::string, std::less<>>;

Result<Fields> Split(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (Trim(pair).empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == pair.npos) {
      return Refused("connection string", "a part of it has no '='");
    }
    fields.emplace(Trim(pair.substr(0, equals)), Trim(pair.substr(equals + 1)));
  }
  return fields;
}

}  // namespace

Result<AzureCredentials> ParseAzureKey(std::string_view text) {
  auto key = FromBase64(Trim(text));
  if (!key || key->empty()) return Refused("account key", "it is no base64");
  return AzureCredentials{.key = *std::move(key)};
}

Result<AzureCredentials> ParseSasToken(std::string_view text) {
  text = Trim(text);
  if (text.starts_with('?')) text.remove_prefix(1);
  const bool odd = std::ranges::any_of(
      text, [](char c) { return c <= ' ' || c > '~' || c == '#' || c == '?'; });
  if (odd) return Refused("SAS token", "it cannot stand in a URL");
  const bool is_signed =
      text.starts_with("sig=") || text.find("&sig=") != text.npos;
  if (!is_signed) return Refused("SAS token", "it has no signature (sig=)");
  return AzureCredentials{.sas = std::string(text)};
}

Result<AzureAccount> ParseAzureConnectionString(std::string_view text) {
  STRATA_ASSIGN_OR_RETURN(Fields fields, Split(text));
  const auto take = [&](std::string_view name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  if (take("UseDevelopmentStorage") == "true") {
    fields = {{"AccountName", std::string(kDevelopmentAccount)},
              {"AccountKey", std::string(kDevelopmentKey)},
              {"BlobEndpoint", std::string(kDevelopmentEndpoint)}};
  }
  AzureAccount account{.name = take("AccountName"),
                       .endpoint = take("BlobEndpoint")};
  const std::string key = take("AccountKey");
  const std::string sas = take("SharedAccessSignature");
  if (!key.empty()) {
    STRATA_ASSIGN_OR_RETURN(account.credentials, ParseAzureKey(key));
  } else if (!sas.empty()) {
    STRATA_ASSIGN_OR_RETURN(account.credentials, ParseSasToken(sas));
  } else {
    return Refused("connection string",
                   "neither AccountKey nor SharedAccessSignature is in it");
  }
  if (account.endpoint.empty()) {
    if (account.name.empty()) {
      return Refused("connection string",
                     "neither AccountName nor BlobEndpoint is in it");
    }
    std::string scheme = take("DefaultEndpointsProtocol");
    std::string suffix = take("EndpointSuffix");
    if (scheme.empty()) scheme = "https";
    if (suffix.empty()) suffix = "core.windows.net";
    account.endpoint =
        fmt::format("{}://{}.blob.{}", scheme, account.name, suffix);
  }
  return account;
}

std::string DefaultAzureEndpoint(std::string_view account) {
  return fmt::format("https://{}.blob.core.windows.net", account);
}

}  // namespace strata
