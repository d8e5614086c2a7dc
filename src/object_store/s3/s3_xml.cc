#include "object_store/s3/s3_xml.h"

#include <fmt/format.h>

#include <charconv>
#include <pugixml.hpp>

#include "base/uri.h"
#include "net/digest.h"
#include "object_store/http_meaning.h"
#include "object_store/xml_answer.h"

namespace strata {
namespace {

Result<std::string> TextOf(std::string_view xml, const char* root_name,
                           const char* child) {
  pugi::xml_document document;
  STRATA_ASSIGN_OR_RETURN(const pugi::xml_node root,
                          XmlRoot(document, xml, root_name));
  std::string text = root.child_value(child);
  if (text.empty())
    return MalformedAnswer(root_name, "no " + std::string(child));
  return text;
}

Result<ObjectInfo> ParseEntry(const pugi::xml_node& entry,
                              S3VersionField version, bool encoded) {
  ObjectInfo info;
  info.key = entry.child_value("Key");
  if (encoded) {
    auto key = PercentDecode(info.key, PlusSign::kSpace);
    if (!key) return MalformedAnswer("list", "a key is not encoded as it says");
    info.key = *std::move(key);
  }
  const std::string_view size = entry.child_value("Size");
  const auto [end, error] =
      std::from_chars(size.data(), size.data() + size.size(), info.size_bytes);
  if (info.key.empty() || error != std::errc() ||
      end != size.data() + size.size()) {
    return MalformedAnswer("list", "an object without key or size");
  }
  info.version = version == S3VersionField::kGeneration
                     ? std::string_view(entry.child_value("Generation"))
                     : Unquoted(entry.child_value("ETag"));
  return info;
}

}  // namespace

std::optional<S3ErrorDocument> ParseS3Error(std::string_view xml) {
  pugi::xml_document document;
  const auto root = XmlRoot(document, xml, "Error");
  if (!root.ok()) return std::nullopt;
  S3ErrorDocument error;
  error.code = root->child_value("Code");
  error.message = root->child_value("Message");
  error.request_id = root->child_value("RequestId");
  error.region = root->child_value("Region");
  return error;
}

Result<S3ListPage> ParseS3List(std::string_view xml, S3VersionField version) {
  pugi::xml_document document;
  STRATA_ASSIGN_OR_RETURN(const pugi::xml_node root,
                          XmlRoot(document, xml, "ListBucketResult"));
  S3ListPage list;
  const bool encoded =
      std::string_view(root.child_value("EncodingType")) == "url";
  for (const pugi::xml_node& entry : root.children("Contents")) {
    STRATA_ASSIGN_OR_RETURN(ObjectInfo info,
                            ParseEntry(entry, version, encoded));
    auto& objects = list.page.objects;
    if (!objects.empty() && objects.back().key >= info.key) {
      return MalformedAnswer("list", "its keys are not in order");
    }
    objects.push_back(std::move(info));
  }
  list.page.more = std::string_view(root.child_value("IsTruncated")) == "true";
  list.continuation = root.child_value("NextContinuationToken");
  return list;
}

Result<std::string> ParseS3UploadId(std::string_view xml) {
  return TextOf(xml, "InitiateMultipartUploadResult", "UploadId");
}

Result<std::string> ParseS3Completed(std::string_view xml) {
  pugi::xml_document document;
  STRATA_ASSIGN_OR_RETURN(
      const pugi::xml_node root,
      XmlRoot(document, xml, "CompleteMultipartUploadResult"));
  return std::string(Unquoted(root.child_value("ETag")));
}

std::optional<std::string> EtagOfParts(const std::vector<std::string>& etags) {
  std::string digests;
  for (const std::string& etag : etags) {
    const auto digest = FromHex(etag);
    if (!digest || digest->size() != 16) return std::nullopt;
    digests += *digest;
  }
  return fmt::format("{}-{}", ToHex(Md5(AsBytes(digests))), etags.size());
}

std::string MakeS3Complete(const std::vector<std::string>& etags) {
  std::string xml = "<CompleteMultipartUpload>";
  for (size_t i = 0; i < etags.size(); ++i) {
    // ETags are the server's own; what it may have put in is made harmless.
    std::string etag;
    for (char c : etags[i]) {
      if (c != '<' && c != '>' && c != '&') etag.push_back(c);
    }
    xml += fmt::format(
        "<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag></Part>",
        i + 1, etag);
  }
  return xml + "</CompleteMultipartUpload>";
}

}  // namespace strata
