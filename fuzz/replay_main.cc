// Stands in for a fuzzer where there is none: runs the target on given inputs
// and on mutations of them, the same in every run.
//
//   wal_fuzz FOLDER     each file of the folder, then mutations of them
//   wal_fuzz FILE...    each file, for one that failed
//
// The input under way lies in <program>.input, in the current directory, so
// that it is there however the process ends.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/xoshiro.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr int kMutants = 3000;
constexpr uint64_t kSeed = 1;
// Grown inputs cost time and show nothing new.
constexpr size_t kMaxInputBytes = 64 << 10;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Makes inputs from those of a corpus. Thread-compatible.
class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string Next() {
    std::string input = Any();
    for (uint64_t changes = 1 + Below(4); changes > 0; --changes) {
      Change(input);
    }
    input.resize(std::min(input.size(), kMaxInputBytes));
    return input;
  }

 private:
  uint64_t Below(uint64_t bound) { return random_.Next() % bound; }
  const std::string& Any() { return corpus_[Below(corpus_.size())]; }

  void Change(std::string& input) {
    const size_t at = Below(input.size() + 1);
    if (at == input.size()) {
      input.push_back(static_cast<char>(random_.Next()));
      return;
    }
    // Lengths and counts are near the front of what they count.
    const size_t length = 1 + Below(std::min<size_t>(input.size() - at, 16));
    switch (Below(8)) {
      case 0: input.resize(at); break;
      case 1: input.erase(at, length); break;
      case 2: input.insert(at, input.substr(at, length)); break;
      case 3: input.replace(at, length, length, Extreme()); break;
      case 4: Splice(input, at); break;
      case 5: input[at] = static_cast<char>(random_.Next()); break;
      default: input[at] ^= static_cast<char>(1 << Below(8)); break;
    }
  }

  char Extreme() { return "\x00\x7f\x80\xff"[Below(4)]; }

  // The tail of another input, from the same place or any.
  void Splice(std::string& input, size_t at) {
    const std::string& other = Any();
    const size_t from = Below(2) == 0 ? at : Below(other.size() + 1);
    input.resize(at);
    if (from < other.size()) input.append(other, from);
  }

  const std::vector<std::string>& corpus_;
  Xoshiro256 random_{kSeed};
};

// Thread-compatible.
class Replay {
 public:
  explicit Replay(const fs::path& program)
      : path_(fs::absolute(program.filename().string() + ".input")) {
    fmt::print(stderr, "a failing input stays in a file; run it alone: {} {}\n",
               program.string(), path_.string());
  }

  void Run(std::string_view input) {
    if (!file_.is_open()) file_.open(path_, std::ios::binary);
    // Kept open: some file systems write a file out whenever it is replaced.
    file_.seekp(0) << input << std::flush;
    fs::resize_file(path_, input.size());
    // A copy of its very size: a read beyond it shows.
    const std::vector<uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++runs_;
  }

  void RunCorpus(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      files.push_back(entry.path());
    }
    std::ranges::sort(files);
    std::vector<std::string> corpus;
    for (const fs::path& file : files) {
      corpus.push_back(ReadFile(file));
      Run(corpus.back());
    }
    if (corpus.empty()) return;
    Mutator mutator(corpus);
    for (int i = 0; i < kMutants; ++i) Run(mutator.Next());
  }

  // 1 when there was nothing to run.
  int Finish() {
    fs::remove(path_);
    fmt::print(stderr, "{} inputs\n", runs_);
    return runs_ == 0 ? 1 : 0;
  }

 private:
  const fs::path path_;
  std::ofstream file_;
  int runs_ = 0;
};

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: {} FOLDER | FILE...\n", argv[0]);
    return 2;
  }
  strata::Replay replay(argv[0]);
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path path = argv[i];
    if (is_directory(path)) {
      replay.RunCorpus(path);
    } else if (is_regular_file(path)) {
      replay.Run(strata::ReadFile(path));
    } else {
      fmt::print(stderr, "{}: neither a file nor a folder\n", path.string());
      return 2;
    }
  }
  return replay.Finish();
}
