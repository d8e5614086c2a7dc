// AzureAccount: a storage account, and by what right we ask it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "strata/status.h"

namespace strata {

// By a key or by a shared access signature; one of them is set.
struct AzureCredentials {
  std::string key{};  // the account's, decoded
  std::string sas{};  // as it goes into URLs, without '?'
};

struct AzureAccount {
  std::string name{};
  std::string endpoint{};  // "http[s]://host[:port][/path]"
  AzureCredentials credentials{};
};

// None of these repeats what it was given in a message.

// kInvalidArgument unless `text` is base64.
Result<AzureCredentials> ParseAzureKey(std::string_view text);

// "sv=...&sig=...", with or without a '?' before it. kInvalidArgument for what
// cannot stand in a URL or has no signature.
Result<AzureCredentials> ParseSasToken(std::string_view text);

// "AccountName=...;AccountKey=...;EndpointSuffix=...", also with BlobEndpoint
// and SharedAccessSignature, or "UseDevelopmentStorage=true". The name is empty
// when the string has none. kInvalidArgument when it names neither a key nor a
// signature, or not where the account is.
Result<AzureAccount> ParseAzureConnectionString(std::string_view text);

// Where Azure itself has the account.
std::string DefaultAzureEndpoint(std::string_view account);

}  // namespace strata
