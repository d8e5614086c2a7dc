#include "object_store/azure/azure_xml.h"

#include <algorithm>
#include <pugixml.hpp>
#include <utility>

#include "base/uri.h"
#include "object_store/http_meaning.h"
#include "object_store/http_range.h"
#include "object_store/xml_answer.h"

namespace strata {
namespace {

Result<ObjectInfo> ParseBlob(const pugi::xml_node& blob) {
  ObjectInfo info;
  const pugi::xml_node name = blob.child("Name");
  info.key = name.child_value();
  // Names that XML could not hold otherwise.
  if (name.attribute("Encoded").as_bool()) {
    auto key = PercentDecode(info.key, PlusSign::kPlus);
    if (!key) return MalformedAnswer("list", "a name is not encoded");
    info.key = *std::move(key);
  }
  const pugi::xml_node properties = blob.child("Properties");
  const auto size = ParseDecimal(properties.child_value("Content-Length"));
  if (info.key.empty() || !size) {
    return MalformedAnswer("list", "a blob without name or length");
  }
  info.size_bytes = *size;
  info.version = Unquoted(properties.child_value("Etag"));
  return info;
}

}  // namespace

AzureErrorDocument ParseAzureError(std::string_view xml) {
  pugi::xml_document document;
  const auto root = XmlRoot(document, xml, "Error");
  if (!root.ok()) return {};
  AzureErrorDocument error{.code = root->child_value("Code"),
                           .message = root->child_value("Message")};
  error.message.resize(
      std::min(error.message.find('\n'), error.message.size()));
  return error;
}

Result<AzureListPage> ParseAzureList(std::string_view xml) {
  pugi::xml_document document;
  STRATA_ASSIGN_OR_RETURN(const pugi::xml_node root,
                          XmlRoot(document, xml, "EnumerationResults"));
  AzureListPage page;
  for (const pugi::xml_node& blob : root.child("Blobs").children("Blob")) {
    STRATA_ASSIGN_OR_RETURN(ObjectInfo info, ParseBlob(blob));
    if (!page.objects.empty() && page.objects.back().key >= info.key) {
      return MalformedAnswer("list", "its keys are not in order");
    }
    page.objects.push_back(std::move(info));
  }
  page.next_marker = root.child_value("NextMarker");
  return page;
}

std::string MakeAzureBlockList(const std::vector<std::string>& ids) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (const std::string& id : ids) {
    xml += "<Uncommitted>" + id + "</Uncommitted>";
  }
  return xml + "</BlockList>";
}

}  // namespace strata
