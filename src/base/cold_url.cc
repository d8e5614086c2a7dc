#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/setting_text.h"
#include "base/uri.h"
#include "strata/config.h"

namespace strata {
namespace {

Status Refused(std::string_view what) {
  return {StatusCode::kInvalidArgument,
          fmt::format("cold storage URL: {}", what)};
}

// A URL taken apart, everything decoded.
struct Parts {
  std::string scheme;
  std::string authority;
  std::string path;  // without the '/' around it
  QueryParameters query;
};

Result<std::string> Decode(std::string_view text) {
  std::optional<std::string> decoded = PercentDecode(text, PlusSign::kPlus);
  if (!decoded) return Refused("a '%' is not followed by two hex digits");
  if (decoded->find('\0') != std::string::npos) {
    return Refused("it holds a NUL byte");
  }
  return *std::move(decoded);
}

Result<QueryParameters> SplitQuery(std::string_view text) {
  QueryParameters query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    STRATA_ASSIGN_OR_RETURN(std::string name, Decode(pair.substr(0, equals)));
    STRATA_ASSIGN_OR_RETURN(
        std::string value,
        Decode(pair.substr(std::min(equals + 1, pair.size()))));
    query.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

Result<Parts> Split(std::string_view url) {
  Parts parts;
  const size_t colon = url.find(':');
  if (colon == std::string_view::npos) {
    return Refused("expected s3://, azblob://, gs://, file:// or disabled:");
  }
  parts.scheme = url.substr(0, colon);
  std::string_view rest = url.substr(colon + 1);
  if (rest.find('#') != std::string_view::npos) {
    return Refused("'#' has no meaning in it; write %23");
  }
  const size_t question = std::min(rest.find('?'), rest.size());
  STRATA_ASSIGN_OR_RETURN(
      parts.query,
      SplitQuery(rest.substr(std::min(question + 1, rest.size()))));
  rest = rest.substr(0, question);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const size_t slash = std::min(rest.find('/'), rest.size());
    if (rest.substr(0, slash).find('@') != std::string_view::npos) {
      return Refused(
          "credentials belong into the environment or the configuration file");
    }
    STRATA_ASSIGN_OR_RETURN(parts.authority, Decode(rest.substr(0, slash)));
    rest.remove_prefix(slash);
  }
  STRATA_ASSIGN_OR_RETURN(parts.path, Decode(rest));
  return parts;
}

std::string WithoutSlashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

// One parameter that a kind of cold storage knows.
struct Parameter {
  std::string_view name;
  std::string* text = nullptr;
  std::filesystem::path* path = nullptr;
  std::optional<bool>* flag = nullptr;
};

bool IsSecret(std::string_view name) {
  return name.find("key") != std::string_view::npos ||
         name.find("secret") != std::string_view::npos ||
         name.find("token") != std::string_view::npos ||
         name.find("sas") != std::string_view::npos || name == "sig" ||
         name == "connection_string";
}

Status TakeQuery(const QueryParameters& query,
                 const std::vector<Parameter>& known) {
  for (const auto& [name, value] : query) {
    const auto found = std::ranges::find(known, name, &Parameter::name);
    if (found == known.end()) {
      if (IsSecret(name)) {
        return Refused(
            fmt::format("'{}': credentials belong into the environment or the "
                        "configuration file",
                        name));
      }
      std::string names;
      for (const Parameter& one : known) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", one.name);
      }
      return Refused(fmt::format("no parameter '{}' here; there {}", name,
                                 names.empty() ? "is none" : "are " + names));
    }
    if (found->text != nullptr) *found->text = value;
    if (found->path != nullptr) *found->path = value;
    if (found->flag != nullptr) {
      *found->flag = ParseBool(value);
      if (!*found->flag) {
        return Refused(
            fmt::format("{} = '{}': expected true or false", name, value));
      }
    }
  }
  return Status::Ok();
}

Status CheckBucket(std::string_view what, const std::string& name) {
  if (!name.empty()) return Status::Ok();
  return Refused(fmt::format("it names no {}", what));
}

Result<ColdStorageConfig> ParseS3(const Parts& parts) {
  cold::S3 s3{.endpoint = {},
              .bucket = parts.authority,
              .region = {},
              .access_key = {},
              .secret_key = {},
              .prefix = WithoutSlashes(parts.path)};
  std::optional<bool> path_style;
  STRATA_RETURN_IF_ERROR(CheckBucket("bucket", s3.bucket));
  STRATA_RETURN_IF_ERROR(TakeQuery(
      parts.query, {{.name = "endpoint", .text = &s3.endpoint},
                    {.name = "region", .text = &s3.region},
                    {.name = "path_style", .flag = &path_style},
                    {.name = "sse", .text = &s3.server_side_encryption},
                    {.name = "kms_key_id", .text = &s3.kms_key_id},
                    {.name = "storage_class", .text = &s3.storage_class},
                    {.name = "ca_bundle", .path = &s3.ca_bundle}}));
  s3.use_path_style = path_style.value_or(!s3.endpoint.empty());
  return ColdStorageConfig(std::move(s3));
}

Result<ColdStorageConfig> ParseGcs(const Parts& parts) {
  cold::Gcs gcs{.bucket = parts.authority,
                .access_key = {},
                .secret_key = {},
                .prefix = WithoutSlashes(parts.path)};
  STRATA_RETURN_IF_ERROR(CheckBucket("bucket", gcs.bucket));
  STRATA_RETURN_IF_ERROR(
      TakeQuery(parts.query, {{.name = "endpoint", .text = &gcs.endpoint},
                              {.name = "ca_bundle", .path = &gcs.ca_bundle}}));
  return ColdStorageConfig(std::move(gcs));
}

Result<ColdStorageConfig> ParseAzure(const Parts& parts) {
  const std::string path = WithoutSlashes(parts.path);
  const size_t slash = std::min(path.find('/'), path.size());
  cold::AzureBlob azure{
      .account = parts.authority,
      .container = path.substr(0, slash),
      .access_key = {},
      .prefix = WithoutSlashes(std::string_view(path).substr(slash))};
  STRATA_RETURN_IF_ERROR(CheckBucket("account", azure.account));
  STRATA_RETURN_IF_ERROR(CheckBucket("container", azure.container));
  STRATA_RETURN_IF_ERROR(TakeQuery(
      parts.query, {{.name = "endpoint", .text = &azure.endpoint},
                    {.name = "ca_bundle", .path = &azure.ca_bundle}}));
  return ColdStorageConfig(std::move(azure));
}

Result<ColdStorageConfig> ParseFile(const Parts& parts) {
  STRATA_RETURN_IF_ERROR(TakeQuery(parts.query, {}));
  if (parts.authority.empty() && parts.path.empty()) {
    return ColdStorageConfig(cold::LocalFs{});
  }
  if (!parts.authority.empty() || !parts.path.starts_with('/')) {
    return Refused("a directory is file:///from/the/root");
  }
  return ColdStorageConfig(cold::LocalFs{.path = parts.path});
}

// ---- the other way --------------------------------------------------------

std::string Url(std::string_view scheme, std::string_view authority,
                std::string_view path, QueryParameters query) {
  std::erase_if(query, [](const auto& pair) { return pair.second.empty(); });
  std::string url = fmt::format("{}://{}", scheme, PercentEncode(authority));
  if (!path.empty()) url += "/" + PercentEncodePath(path);
  if (!query.empty()) url += "?" + EncodeQuery(query);
  return url;
}

std::string UrlOf(const cold::LocalFs& local) {
  if (local.path.empty()) return "file:";
  return "file://" + PercentEncodePath(local.path.native());
}
std::string UrlOf(const cold::S3& s3) {
  std::string path_style;
  if (s3.use_path_style != !s3.endpoint.empty()) {
    path_style = s3.use_path_style ? "true" : "false";
  }
  return Url("s3", s3.bucket, s3.prefix,
             {{"endpoint", s3.endpoint},
              {"region", s3.region},
              {"path_style", path_style},
              {"sse", s3.server_side_encryption},
              {"kms_key_id", s3.kms_key_id},
              {"storage_class", s3.storage_class},
              {"ca_bundle", s3.ca_bundle.native()}});
}
std::string UrlOf(const cold::AzureBlob& azure) {
  std::string path = azure.container;
  if (!azure.prefix.empty()) path += "/" + azure.prefix;
  return Url(
      "azblob", azure.account, path,
      {{"endpoint", azure.endpoint}, {"ca_bundle", azure.ca_bundle.native()}});
}
std::string UrlOf(const cold::Gcs& gcs) {
  return Url(
      "gs", gcs.bucket, gcs.prefix,
      {{"endpoint", gcs.endpoint}, {"ca_bundle", gcs.ca_bundle.native()}});
}
std::string UrlOf(const cold::Disabled&) { return "disabled:"; }

}  // namespace

Result<ColdStorageConfig> ParseColdUrl(std::string_view url) {
  STRATA_ASSIGN_OR_RETURN(const Parts parts, Split(url));
  if (parts.scheme == "s3") return ParseS3(parts);
  if (parts.scheme == "azblob") return ParseAzure(parts);
  if (parts.scheme == "gs") return ParseGcs(parts);
  if (parts.scheme == "file") return ParseFile(parts);
  if (parts.scheme == "disabled") {
    STRATA_RETURN_IF_ERROR(TakeQuery(parts.query, {}));
    if (parts.authority.empty() && parts.path.empty()) {
      return ColdStorageConfig(cold::Disabled());
    }
    return Refused("nothing follows disabled:");
  }
  return Refused(fmt::format(
      "unknown scheme '{}'; expected s3, azblob, gs, file or disabled",
      parts.scheme));
}

std::string ColdUrl(const ColdStorageConfig& cold) {
  return std::visit([](const auto& one) { return UrlOf(one); }, cold);
}

}  // namespace strata
