// Golden files: the bytes of a format, frozen as a hex dump that its document
// shows too, so that code and document cannot drift apart.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace strata {

// The text of a file of the source tree; empty, with a test failure, when it
// cannot be read.
inline std::string ReadSourceFile(const std::string& path) {
  std::ifstream file(std::string(STRATA_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// The bytes of a dump of lines "<position>  <byte> <byte> ...", all in hex.
inline std::string BytesOfHexDump(const std::string& dump) {
  std::string bytes;
  std::istringstream lines(dump);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    EXPECT_EQ(std::stoul(word, nullptr, 16), bytes.size()) << line;
    while (words >> word) {
      bytes.push_back(static_cast<char>(std::stoul(word, nullptr, 16)));
    }
  }
  return bytes;
}

// The bytes of testing/golden/<name>, which is a dump.
inline std::string GoldenBytes(const std::string& name) {
  return BytesOfHexDump(ReadSourceFile("testing/golden/" + name));
}

}  // namespace strata
