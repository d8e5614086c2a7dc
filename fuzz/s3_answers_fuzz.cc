// Fuzzes what reads the answers of object stores: XML of S3, JSON of metadata
// services, credentials files, URLs. What a list is made of must have keys in
// order; encodings must come back as they were.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/uri.h"
#include "net/digest.h"
#include "object_store/s3/credentials_format.h"
#include "object_store/s3/s3_error.h"
#include "object_store/s3/s3_xml.h"

namespace strata {
namespace {

void CheckList(const std::string& xml) {
  const auto list = ParseS3List(xml, S3VersionField::kETag);
  if (!list.ok()) return;
  std::string before;
  for (const ObjectInfo& object : list->page.objects) {
    STRATA_CHECK(object.key > before);
    before = object.key;
  }
}

void CheckEncodings(const std::string& text) {
  STRATA_CHECK(PercentDecode(PercentEncode(text), PlusSign::kPlus) == text);
  STRATA_CHECK(FromHex(ToHex(AsBytes(text))) == text);
  STRATA_CHECK(FromBase64(ToBase64(AsBytes(text))) == text);
  (void)PercentDecode(text, PlusSign::kSpace);
  (void)FromBase64(text);
  if (const auto endpoint = ParseEndpoint(text)) {
    STRATA_CHECK(ParseEndpoint(endpoint->Origin()).has_value());
  }
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace strata;
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckList(text);
  CheckEncodings(text);
  (void)ParseS3UploadId(text).ok();
  (void)ParseS3Completed(text).ok();
  (void)ParseMetadataCredentials(text).ok();
  (void)ParseCredentialsFile(text, "default").ok();
  HttpOutcome outcome;
  outcome.response.status = 400;
  outcome.response.body = text;
  STRATA_CHECK(!MeaningOf({.what = "s3:b"}, outcome).status.ok());
  return 0;
}
