// What tests know of a server: that which ctest started for them, or one that
// the environment names.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

extern char** environ;

namespace strata {

// By the names behind the prefix: "URL" for STRATA_TEST_S3_URL.
class TestServerSettings {
 public:
  void Take(const std::string& line, const std::string& prefix) {
    const size_t equals = line.find('=');
    if (!line.starts_with(prefix) || equals == line.npos) return;
    values_[line.substr(prefix.size(), equals - prefix.size())] =
        line.substr(equals + 1);
  }
  // Empty when there is none.
  std::string operator[](const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string() : found->second;
  }

 private:
  std::map<std::string, std::string> values_;
};

// Without "URL" when the environment names no server.
inline TestServerSettings ServerOfEnvironment(const std::string& prefix) {
  TestServerSettings settings;
  for (char** line = environ; *line != nullptr; ++line) {
    settings.Take(*line, prefix);
  }
  return settings;
}

// Of the server that testing/servers/`name` started; fails the test when there
// is none.
inline TestServerSettings ServerOfFixture(const std::string& name,
                                          const std::string& prefix) {
  const std::string directory = STRATA_BINARY_DIR "/servers/" + name;
  std::ifstream file(directory + "/env");
  EXPECT_TRUE(file.is_open())
      << directory << "/env is not there: no server is running. ctest starts "
      << "it (test server:" << name << ":start); by hand: testing/servers/"
      << name << " start " << directory;
  TestServerSettings settings;
  for (std::string line; std::getline(file, line);) settings.Take(line, prefix);
  return settings;
}

}  // namespace strata
