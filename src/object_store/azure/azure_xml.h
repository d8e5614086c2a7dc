// The XML that Azure Blob Storage answers and takes. Pure: bytes in, values
// out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "strata/object_store.h"
#include "strata/status.h"

namespace strata {

// What an <Error> document says; empty where it is silent or `xml` is none.
struct AzureErrorDocument {
  std::string code;
  std::string message;  // its first line: the others repeat the request's id
};
AzureErrorDocument ParseAzureError(std::string_view xml);

struct AzureListPage {
  std::vector<ObjectInfo> objects;  // ascending by key
  std::string next_marker;          // empty at the end
};
// kUnavailable naming the fault when `xml` is no list of blobs.
Result<AzureListPage> ParseAzureList(std::string_view xml);

// <BlockList> of staged blocks, by their ids.
std::string MakeAzureBlockList(const std::vector<std::string>& ids);

}  // namespace strata
