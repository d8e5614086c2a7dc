// Fuzzes what reads the answers of Azure Blob and what users give for its
// account: XML, connection strings, SAS tokens. What a list is made of must
// have keys in order; no message may repeat a credential.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "object_store/azure/azure_account.h"
#include "object_store/azure/azure_error.h"
#include "object_store/azure/azure_xml.h"
#include "object_store/http_range.h"

namespace strata {
namespace {

void CheckList(const std::string& xml) {
  const auto list = ParseAzureList(xml);
  if (!list.ok()) return;
  std::string before;
  for (const ObjectInfo& object : list->objects) {
    STRATA_CHECK(object.key > before);
    before = object.key;
  }
}

void CheckAccount(const std::string& text) {
  const auto sas = ParseSasToken(text);
  if (sas.ok()) {
    STRATA_CHECK(ParseSasToken(sas->sas)->sas == sas->sas);
    STRATA_CHECK(sas->key.empty() && !sas->sas.empty());
  }
  const auto key = ParseAzureKey(text);
  if (key.ok()) STRATA_CHECK(!key->key.empty() && key->sas.empty());
  const auto account = ParseAzureConnectionString(text);
  if (account.ok()) {
    const AzureCredentials& credentials = account->credentials;
    STRATA_CHECK(credentials.key.empty() != credentials.sas.empty());
    STRATA_CHECK(!account->endpoint.empty());
  }
  // Long enough to be no word of the message by chance.
  for (const Status& status : {sas.status(), key.status(), account.status()}) {
    STRATA_CHECK(text.size() < 24 || status.ok() ||
                 status.message().find(text) == std::string::npos);
  }
}

void CheckAnswers(const std::string& text) {
  HttpOutcome outcome;
  outcome.response.status = 400;
  outcome.response.body = text;
  STRATA_CHECK(!AzureMeaningOf({.what = "azblob:a/c"}, outcome).ok());
  outcome.response.status = 206;
  outcome.response.headers = {{"content-range", text}};
  std::byte out[8] = {};
  for (const size_t filled : {size_t{0}, size_t{5}, sizeof(out)}) {
    outcome.response.filled = filled;
    const auto got = CheckRange({.what = "azblob:a/c/k",
                                 .checksum_header = "x-ms-meta-crc32c",
                                 .position = 3,
                                 .out = out},
                                outcome.response);
    STRATA_CHECK(!got.ok() || *got == filled);
  }
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace strata;
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckList(text);
  CheckAccount(text);
  CheckAnswers(text);
  return 0;
}
