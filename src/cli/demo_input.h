// What the demo stores: lines of files, cut into batches.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "strata/status.h"

namespace strata::cli {

// The lines that go to one topic. Not copyable: the lines point into the text.
struct DemoSource {
  // Lines [begin, end), the records of one batch.
  struct Batch {
    size_t begin = 0;
    size_t end = 0;
  };

  DemoSource(std::string topic_name, std::vector<char> bytes);
  DemoSource(DemoSource&&) = default;

  std::string topic;
  std::vector<char> text;
  // Without newlines; longer ones are cut into pieces of 64 KiB.
  std::vector<std::string_view> lines;
  std::vector<Batch> batches;
};

struct DemoInput {
  std::vector<DemoSource> sources;
  uint64_t bytes = 0;  // of all lines
  // How often to go over all of it, and how often each batch has its lines: a
  // small input in single batches would be one sync after the other.
  uint32_t passes = 1;
  uint32_t repeats = 1;
};

// Reads `files`, a topic each; without any, what every Debian machine has.
// Goes over it as often as it takes to come to `wanted_bytes`. kNotFound,
// kIoError naming the file; kInvalidArgument when there is not one line.
Result<DemoInput> ReadDemoInput(const std::vector<std::string>& files,
                                uint64_t wanted_bytes);

// The name of the file as that of a topic: what is not allowed becomes '-'.
std::string TopicNameFor(const std::string& path);

}  // namespace strata::cli
