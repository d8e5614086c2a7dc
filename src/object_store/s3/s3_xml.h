// The XML that S3 answers and takes. Pure: bytes in, values out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "strata/object_store.h"
#include "strata/status.h"

namespace strata {

// What an <Error> document says; empty where it is silent.
struct S3ErrorDocument {
  std::string code;
  std::string message;
  std::string request_id;
  std::string region;  // where the bucket is, if that was the error
};
// Nothing unless `xml` is such a document.
std::optional<S3ErrorDocument> ParseS3Error(std::string_view xml);

struct S3ListPage {
  ListPage page;
  std::string continuation;  // when page.more
};
// Where the version of a listed object stands.
enum class S3VersionField { kETag, kGeneration };
// kUnavailable naming the fault when `xml` is no list of objects.
Result<S3ListPage> ParseS3List(std::string_view xml, S3VersionField version);

// The UploadId of an <InitiateMultipartUploadResult>.
Result<std::string> ParseS3UploadId(std::string_view xml);
// The ETag of a <CompleteMultipartUploadResult>; empty where the server leaves
// it so, as Ceph 16 does.
Result<std::string> ParseS3Completed(std::string_view xml);
// The ETag that S3 gives an object of these parts: the MD5 of their MD5s and
// their number. Nothing if the ETags of the parts are no MD5s.
std::optional<std::string> EtagOfParts(const std::vector<std::string>& etags);
// <CompleteMultipartUpload> of parts 1, 2, ... with these ETags.
std::string MakeS3Complete(const std::vector<std::string>& etags);

}  // namespace strata
