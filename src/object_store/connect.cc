#include "object_store/connect.h"

#include <utility>

#include "base/check.h"
#include "net/curl_http_client.h"
#include "object_store/azure/azure_object_store.h"
#include "object_store/prefixed_object_store.h"
#include "object_store/s3/credentials_chain.h"
#include "object_store/s3/s3_object_store.h"
#include "runtime/system_random.h"

namespace strata {
namespace {

using StorePtr = std::shared_ptr<ObjectStore>;

std::shared_ptr<HttpClient> MakeClient(const std::filesystem::path& ca_bundle) {
  return MakeCurlHttpClient({.ca_bundle = ca_bundle.native()});
}

Result<StorePtr> Beneath(const std::string& prefix, Result<StorePtr> store) {
  if (!store.ok() || prefix.empty()) return store;
  STRATA_RETURN_IF_ERROR(ValidateObjectKey(prefix).WithContext("prefix"));
  return StorePtr(
      std::make_shared<PrefixedObjectStore>(*std::move(store), prefix + "/"));
}

// Both or none.
Result<std::optional<Credentials>> Keys(
    const std::optional<std::string>& access,
    const std::optional<std::string>& secret,
    const std::optional<std::string>& token) {
  if (access.has_value() != secret.has_value()) {
    return Status(StatusCode::kInvalidArgument,
                  "access key and secret key: only one of them is given");
  }
  if (!access) return std::optional<Credentials>();
  return std::optional(Credentials{.access_key = *access,
                                   .secret_key = *secret,
                                   .session_token = token.value_or("")});
}

Result<StorePtr> Connect(const cold::S3& s3, const Environment& environment) {
  STRATA_ASSIGN_OR_RETURN(std::optional<Credentials> keys,
                          Keys(s3.access_key, s3.secret_key, s3.session_token));
  const std::shared_ptr<HttpClient> http = MakeClient(s3.ca_bundle);
  S3Options options{.endpoint = s3.endpoint,
                    .bucket = s3.bucket,
                    .path_style = s3.use_path_style,
                    .server_side_encryption = s3.server_side_encryption,
                    .kms_key_id = s3.kms_key_id,
                    .storage_class = s3.storage_class};
  if (!s3.region.empty()) options.region = s3.region;
  return Beneath(
      s3.prefix,
      MakeS3ObjectStore(
          std::move(options),
          MakeCredentialsChain(std::move(keys), environment, http), http));
}

Result<StorePtr> Connect(const cold::Gcs& gcs, const Environment& environment) {
  auto access = gcs.access_key;
  auto secret = gcs.secret_key;
  if (!access && !secret) {
    access = environment("GOOGLE_HMAC_ACCESS_KEY_ID");
    secret = environment("GOOGLE_HMAC_SECRET");
  }
  STRATA_ASSIGN_OR_RETURN(std::optional<Credentials> keys,
                          Keys(access, secret, std::nullopt));
  if (!keys) {
    return Status(StatusCode::kInvalidArgument,
                  "Google Cloud Storage wants an HMAC key: "
                  "cold_storage.access_key and secret_key, or "
                  "GOOGLE_HMAC_ACCESS_KEY_ID and GOOGLE_HMAC_SECRET");
  }
  return Beneath(gcs.prefix,
                 MakeS3ObjectStore({.dialect = S3Dialect::kGoogle,
                                    .endpoint = gcs.endpoint,
                                    .region = "auto",
                                    .bucket = gcs.bucket,
                                    .path_style = true},
                                   MakeStaticCredentials(*std::move(keys)),
                                   MakeClient(gcs.ca_bundle)));
}

// Of the configuration, or else of the environment.
Result<AzureAccount> AccountOf(const cold::AzureBlob& azure,
                               const Environment& environment) {
  using Text = std::optional<std::string>;
  const auto one_of = [](const Text& connection, const Text& key,
                         const Text& sas) -> Result<AzureAccount> {
    if (connection) return ParseAzureConnectionString(*connection);
    AzureAccount account;
    STRATA_ASSIGN_OR_RETURN(account.credentials,
                            key ? ParseAzureKey(*key) : ParseSasToken(*sas));
    return account;
  };
  const int given = azure.connection_string.has_value() +
                    azure.access_key.has_value() + azure.sas_token.has_value();
  if (given > 1) {
    return Status(StatusCode::kInvalidArgument,
                  "cold_storage.access_key, sas_token and connection_string: "
                  "only one of them may be given");
  }
  if (given == 1) {
    return one_of(azure.connection_string, azure.access_key, azure.sas_token);
  }
  const auto variable = [&](const char* name) {
    Text value = environment(name);
    return value && value->empty() ? std::nullopt : value;
  };
  const Text connection = variable("AZURE_STORAGE_CONNECTION_STRING");
  const Text key = variable("AZURE_STORAGE_KEY");
  const Text sas = variable("AZURE_STORAGE_SAS_TOKEN");
  if (connection || key || sas) return one_of(connection, key, sas);
  return Status(StatusCode::kInvalidArgument,
                "Azure Blob wants cold_storage.access_key, sas_token or "
                "connection_string, or one of AZURE_STORAGE_KEY, "
                "AZURE_STORAGE_SAS_TOKEN and AZURE_STORAGE_CONNECTION_STRING");
}

Result<StorePtr> Connect(const cold::AzureBlob& azure,
                         const Environment& environment) {
  STRATA_ASSIGN_OR_RETURN(AzureAccount account, AccountOf(azure, environment));
  // A string for another account would send the data elsewhere.
  if (!account.name.empty() && !azure.account.empty() &&
      account.name != azure.account) {
    return Status(StatusCode::kInvalidArgument,
                  "the connection string is of account " + account.name +
                      ", cold storage is to be in account " + azure.account);
  }
  if (!azure.account.empty()) account.name = azure.account;
  if (!azure.endpoint.empty()) account.endpoint = azure.endpoint;
  return Beneath(
      azure.prefix,
      MakeAzureObjectStore(
          {.account = std::move(account), .container = azure.container},
          MakeClient(azure.ca_bundle), std::make_shared<SystemRandom>()));
}

template <typename Local>
Result<StorePtr> Connect(const Local&, const Environment&) {
  STRATA_CHECK(false);
  return StorePtr();
}

}  // namespace

Result<StorePtr> ConnectObjectStore(const ColdStorageConfig& cold,
                                    const Environment& environment) {
  return std::visit([&](const auto& one) { return Connect(one, environment); },
                    cold);
}

}  // namespace strata
