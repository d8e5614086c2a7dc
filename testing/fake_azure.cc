#include "testing/fake_azure.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

#include "base/uri.h"
#include "net/digest.h"

namespace strata {
namespace {

// The value of a query parameter, decoded; empty when there is none.
std::string Parameter(const ServedRequest& request, const std::string& name) {
  for (const char* before : {"?", "&"}) {
    const size_t at = request.target.find(before + name + "=");
    if (at == std::string::npos) continue;
    const size_t value = at + 1 + name.size() + 1;
    const size_t end = request.target.find('&', value);
    return PercentDecode(request.target.substr(value, end - value),
                         PlusSign::kPlus)
        .value_or("");
  }
  return {};
}

}  // namespace

ServedReply FakeAzure::Error(int status, const std::string& code,
                             const std::string& message) {
  return {
      .status = status,
      .headers = {{"x-ms-request-id", "REQUEST-7"}, {"x-ms-error-code", code}},
      .body = fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code>"
                          "<Message>{}\nTime:now</Message></Error>",
                          code, message)};
}

ServedReply FakeAzure::Serve(const ServedRequest& request) {
  MutexLock lock(mu_);
  if (Parameter(request, "comp") == "list") return List(request);
  if (request.method == "PUT") return Put(request);
  if (request.method == "DELETE") {
    if (blobs_.erase(request.Path()) == 0) return Error(404, "BlobNotFound");
    return {.status = 202};
  }
  return Get(request);
}

ServedReply FakeAzure::Put(const ServedRequest& request) {
  const std::string md5 = request.Header("content-md5");
  if (!md5.empty() && md5 != ToBase64(Md5(AsBytes(request.body)))) {
    return Error(400, "Md5Mismatch");
  }
  const std::string comp = Parameter(request, "comp");
  if (comp == "block") {
    staged_[request.Path()][Parameter(request, "blockid")] = request.body;
    return {.status = 201};
  }
  if (comp == "blocklist") return Commit(request);
  return Store(request, request.body);
}

ServedReply FakeAzure::Commit(const ServedRequest& request) {
  pugi::xml_document document;
  document.load_string(request.body.c_str());
  const auto& staged = staged_[request.Path()];
  std::string bytes;
  for (const auto& id : document.child("BlockList").children("Uncommitted")) {
    const auto block = staged.find(id.child_value());
    if (block == staged.end()) return Error(400, "InvalidBlockList");
    bytes += block->second;
  }
  return Store(request, std::move(bytes));
}

ServedReply FakeAzure::Store(const ServedRequest& request, std::string bytes) {
  const auto found = blobs_.find(request.Path());
  if (request.Header("if-none-match") == "*" && found != blobs_.end()) {
    return Error(409, "BlobAlreadyExists");
  }
  const std::string wanted = request.Header("if-match");
  if (!wanted.empty() &&
      (found == blobs_.end() || found->second.etag != wanted)) {
    return Error(412, "ConditionNotMet");
  }
  Blob blob{.bytes = std::move(bytes),
            .etag = fmt::format("\"0x{:X}\"", ++etags_),
            .headers = {}};
  std::ranges::copy_if(request.headers, std::back_inserter(blob.headers),
                       [](const HttpHeader& header) {
                         return header.name.starts_with("x-ms-meta-");
                       });
  ServedReply reply{.status = 201, .headers = {{"ETag", blob.etag}}};
  blobs_[request.Path()] = std::move(blob);
  staged_.erase(request.Path());
  return reply;
}

ServedReply FakeAzure::Get(const ServedRequest& request) {
  const auto found = blobs_.find(request.Path());
  if (found == blobs_.end()) return Error(404, "BlobNotFound");
  const std::string& bytes = found->second.bytes;
  ServedReply reply{.headers = found->second.headers, .body = bytes};
  reply.headers.push_back({"ETag", found->second.etag});
  const std::string range = request.Header("range");
  if (range.starts_with("bytes=")) {
    const size_t first = std::stoul(range.substr(6));
    if (first >= bytes.size()) return Error(416, "InvalidRange");
    const size_t last = std::min(std::stoul(range.substr(range.find('-') + 1)),
                                 bytes.size() - 1);
    reply.status = 206;
    reply.body = bytes.substr(first, last + 1 - first);
    reply.headers.push_back(
        {"Content-Range",
         fmt::format("bytes {}-{}/{}", first, last, bytes.size())});
  }
  return reply;
}

// A marker is the key at which the next page begins, as the service has it.
ServedReply FakeAzure::List(const ServedRequest& request) {
  const std::string prefix = Parameter(request, "prefix");
  std::string marker = Parameter(request, "marker");
  if (marker.starts_with("at:")) marker = marker.substr(3);
  size_t left = std::stoul(Parameter(request, "maxresults"));
  std::string xml = "<EnumerationResults><Blobs>";
  std::string next;
  for (const auto& [path, blob] : blobs_) {
    if (!path.starts_with(request.Path() + "/")) continue;
    const std::string key = path.substr(request.Path().size() + 1);
    if (!key.starts_with(prefix) || key < marker) continue;
    if (left-- == 0) {
      next = "at:" + key;
      break;
    }
    xml += fmt::format(
        "<Blob><Name>{}</Name><Properties><Etag>{}</Etag>"
        "<Content-Length>{}</Content-Length></Properties></Blob>",
        key, blob.etag.substr(1, blob.etag.size() - 2), blob.bytes.size());
  }
  return {.body = xml + "</Blobs><NextMarker>" + next +
                  "</NextMarker></EnumerationResults>"};
}

}  // namespace strata
