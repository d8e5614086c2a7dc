#include "object_store/azure/azure_connection.h"

#include <algorithm>
#include <utility>

#include "net/digest.h"
#include "object_store/azure/azure_error.h"
#include "object_store/azure/shared_key.h"
#include "object_store/read_through.h"

namespace strata {
namespace {

// Known to Azure and to Azurite 3.35. From 2021-02-12 on names in lists are
// encoded where XML cannot hold them.
constexpr char kApiVersion[] = "2021-12-02";

// The signature in a SAS token, as it is written there.
std::string_view SignatureOf(std::string_view sas) {
  const size_t at = sas.starts_with("sig=") ? 0 : sas.find("&sig=");
  if (at == sas.npos) return {};
  sas.remove_prefix(sas.find('=', at) + 1);
  return sas.substr(0, sas.find('&'));
}

}  // namespace

AzureConnection::AzureConnection(AzureOptions options, Endpoint endpoint,
                                 std::shared_ptr<HttpClient> http,
                                 std::shared_ptr<Random> random)
    : options_(std::move(options)),
      endpoint_(std::move(endpoint)),
      sas_signature_(
          PercentDecode(SignatureOf(options_.account.credentials.sas),
                        PlusSign::kPlus)
              .value_or("")),
      http_(std::move(http)),
      random_(std::move(random)) {}

std::string AzureConnection::Describe(std::string_view key) const {
  std::string text =
      "azblob:" + options_.account.name + "/" + options_.container;
  if (!key.empty()) text.append("/").append(key);
  return text;
}

HttpRequest AzureConnection::Authorized(HttpCall& call) const {
  const AzureCredentials& credentials = options_.account.credentials;
  // Of Azurite and other emulators the endpoint's path is the account, which
  // so stands twice in what is signed.
  std::string path = endpoint_.path + "/" + options_.container;
  if (!call.key.empty()) path += "/" + PercentEncodePath(call.key);
  HttpHeaders headers = std::move(call.headers);
  headers.push_back({"x-ms-date", HttpDate(http_->clock().WallNow())});
  headers.push_back({"x-ms-version", kApiVersion});

  std::string url = endpoint_.Origin() + path;
  std::string query = EncodeQuery(call.query);
  if (!credentials.sas.empty()) {
    query += (query.empty() ? "" : "&") + credentials.sas;
  } else {
    SharedKeyRequest to_sign{.method = HttpMethodName(call.method),
                             .path = std::move(path),
                             .query = std::move(call.query),
                             .headers = headers,
                             .body_length = call.body_length};
    headers.push_back(
        {"Authorization", SharedKeyAuthorization(to_sign, options_.account.name,
                                                 credentials.key)});
  }
  if (!query.empty()) url += "?" + query;
  return MakeRequest(call, std::move(url), std::move(headers));
}

Status AzureConnection::Redact(const Status& status) const {
  if (status.ok()) return status;
  const AzureCredentials& credentials = options_.account.credentials;
  return Status(status.code(),
                Redacted(status.message(),
                         {ToBase64(AsBytes(credentials.key)),
                          SignatureOf(credentials.sas), sas_signature_}))
      .WithRetryAfter(status.retry_after());
}

void AzureConnection::Send(HttpCall call, Done done, size_t max_body_bytes) {
  StoreQuestion question = QuestionOf(call, Describe(call.key));
  HttpRequest request = Authorized(call);
  request.max_body_bytes = max_body_bytes;
  http_->Send(std::move(request),
              [self = shared_from_this(), question = std::move(question),
               done = std::move(done)](HttpOutcome outcome) {
                Status status = self->Redact(AzureMeaningOf(question, outcome));
                done({std::move(status), std::move(outcome.response)});
              });
}

Result<std::string> ContentMd5(ObjectSource& source, uint64_t position,
                               uint64_t length,
                               const std::function<void(ByteSpan)>& also) {
  Md5Stream md5;
  STRATA_RETURN_IF_ERROR(
      ReadThrough(source, position, length, [&](ByteSpan bytes) {
        md5.Update(bytes);
        also(bytes);
      }));
  return ToBase64(md5.Finish());
}

}  // namespace strata
