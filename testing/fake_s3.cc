#include "testing/fake_s3.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/digest.h"

namespace strata {
namespace {

std::string EtagOf(const std::string& bytes) {
  return ToHex(Md5(AsBytes(bytes)));
}

// The value of a query parameter, as encoded; empty when there is none.
std::string Parameter(const ServedRequest& request, const std::string& name) {
  const size_t at = request.target.find(name + "=");
  if (at == std::string::npos) return {};
  const size_t value = at + name.size() + 1;
  return request.target.substr(value, request.target.find('&', value) - value);
}

}  // namespace

ServedReply FakeS3::Error(int status, const std::string& code,
                          const std::string& message) {
  return {.status = status,
          .headers = {{"x-amz-request-id", "REQUEST-7"}},
          .body = fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code>"
                              "<Message>{}</Message></Error>",
                              code, message)};
}

ServedReply FakeS3::Serve(const ServedRequest& request) {
  MutexLock lock(mu_);
  const bool multipart = request.target.find("upload") != std::string::npos;
  if (multipart) return Multipart(request);
  if (request.method == "PUT") return Put(request);
  if (request.method == "DELETE") {
    objects_.erase(request.Path());
    return {.status = 204};
  }
  return Get(request);
}

bool FakeS3::Holds(const ServedRequest& request) const {
  const auto found = objects_.find(request.Path());
  if (request.Header("if-none-match") == "*") return found == objects_.end();
  const std::string wanted = request.Header("if-match");
  if (wanted.empty()) return true;
  if (found == objects_.end()) return false;
  const std::string etag = EtagOf(found->second.bytes);
  return wanted == (bare_etags_ ? etag : '"' + etag + '"');
}

ServedReply FakeS3::Put(const ServedRequest& request) {
  if (!Holds(request)) return Error(412, "PreconditionFailed");
  Object object{.bytes = request.body, .headers = {}};
  std::ranges::copy_if(request.headers, std::back_inserter(object.headers),
                       [](const HttpHeader& header) {
                         return header.name.starts_with("x-amz-meta-");
                       });
  objects_[request.Path()] = std::move(object);
  return {.headers = {{"ETag", '"' + EtagOf(request.body) + '"'}}};
}

ServedReply FakeS3::Get(const ServedRequest& request) {
  const auto found = objects_.find(request.Path());
  if (found == objects_.end()) {
    // The bucket, which tests list only to see that it is there.
    if (request.Path() == "/bucket") {
      return {.body = "<ListBucketResult></ListBucketResult>"};
    }
    return Error(404, "NoSuchKey");
  }
  const std::string& bytes = found->second.bytes;
  ServedReply reply{.headers = found->second.headers, .body = bytes};
  reply.headers.push_back({"ETag", '"' + EtagOf(bytes) + '"'});
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

ServedReply FakeS3::Multipart(const ServedRequest& request) {
  if (request.target.find("uploads=") != std::string::npos) {
    const std::string id = fmt::format("id{}", next_upload_++);
    uploads_[id];
    return {.body = "<InitiateMultipartUploadResult><UploadId>" + id +
                    "</UploadId></InitiateMultipartUploadResult>"};
  }
  const auto upload = uploads_.find(Parameter(request, "uploadId"));
  if (upload == uploads_.end()) return Error(404, "NoSuchUpload");
  if (request.method == "PUT") {
    upload->second[std::stoi(Parameter(request, "partNumber"))] = request.body;
    return {.headers = {{"ETag", '"' + EtagOf(request.body) + '"'}}};
  }
  if (request.method == "POST") {
    Object object;
    for (const auto& [unused, bytes] : upload->second) object.bytes += bytes;
    objects_[request.Path()] = std::move(object);
  }
  uploads_.erase(upload);
  if (request.method == "DELETE") return {.status = 204};
  return {.body =
              "<CompleteMultipartUploadResult><ETag>\"e\"</ETag>"
              "</CompleteMultipartUploadResult>"};
}

}  // namespace strata
