// The S3 servers that tests run against: that of the ctest fixture, or one that
// the environment names.
#pragma once

#include <string>

#include "object_store/s3/s3_object_store.h"
#include "testing/test_server.h"

namespace strata {

// STRATA_TEST_S3_URL ("http://host:port/bucket") and what goes with it: _REGION
// (us-east-1), _ACCESS_KEY, _SECRET_KEY, _CA, _TLS_URL.
inline constexpr char kS3Settings[] = "STRATA_TEST_S3_";

// Options of a bucket given as "scheme://host:port/bucket".
inline S3Options S3OptionsOf(const std::string& url,
                             const TestServerSettings& settings) {
  S3Options options;
  const size_t slash = url.rfind('/');
  options.endpoint = url.substr(0, slash);
  options.bucket = url.substr(slash + 1);
  options.path_style = true;
  if (!settings["REGION"].empty()) options.region = settings["REGION"];
  return options;
}

}  // namespace strata
