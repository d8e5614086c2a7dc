// The S3 servers that tests run against: that of the ctest fixture, or one that
// the environment names.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "base/uri.h"
#include "object_store/s3/s3_object_store.h"

namespace strata {

// STRATA_TEST_S3_URL ("http://host:port/bucket") and what goes with it: _REGION
// (us-east-1), _ACCESS_KEY, _SECRET_KEY, _CA, _TLS_URL.
using S3TestSettings = std::map<std::string, std::string>;

// Of the environment; empty when it names no server.
inline S3TestSettings S3OfEnvironment() {
  S3TestSettings settings;
  for (const char* name : {"URL", "REGION", "ACCESS_KEY", "SECRET_KEY", "CA"}) {
    const char* value =
        std::getenv((std::string("STRATA_TEST_S3_") + name).c_str());
    if (value != nullptr) settings[name] = value;
  }
  return settings["URL"].empty() ? S3TestSettings() : settings;
}

// Of the server that testing/servers/ceph started for ctest; fails the test
// when there is none.
inline S3TestSettings S3OfFixture() {
  const std::string path = STRATA_BINARY_DIR "/servers/ceph/env";
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open())
      << path << " is not there: no Ceph is running. ctest starts it "
      << "(test server:ceph:start); by hand: testing/servers/ceph start "
      << STRATA_BINARY_DIR "/servers/ceph";
  S3TestSettings settings;
  const std::string prefix = "STRATA_TEST_S3_";
  for (std::string line; std::getline(file, line);) {
    const size_t equals = line.find('=');
    if (!line.starts_with(prefix) || equals == line.npos) continue;
    settings[line.substr(prefix.size(), equals - prefix.size())] =
        line.substr(equals + 1);
  }
  return settings;
}

// Options of a bucket given as "scheme://host:port/bucket".
inline S3Options S3OptionsOf(const std::string& url,
                             const S3TestSettings& settings) {
  S3Options options;
  const size_t slash = url.rfind('/');
  options.endpoint = url.substr(0, slash);
  options.bucket = url.substr(slash + 1);
  options.path_style = true;
  const auto region = settings.find("REGION");
  if (region != settings.end()) options.region = region->second;
  return options;
}

inline std::shared_ptr<CredentialsProvider> S3KeysOf(
    const S3TestSettings& settings) {
  const auto at = [&](const char* name) {
    const auto found = settings.find(name);
    return found == settings.end() ? std::string() : found->second;
  };
  return MakeStaticCredentials(
      {.access_key = at("ACCESS_KEY"), .secret_key = at("SECRET_KEY")});
}

}  // namespace strata
