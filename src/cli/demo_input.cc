#include "cli/demo_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "cli/demo_history.h"
#include "cli/terminal.h"
#include "strata/config.h"
#include "strata/tiered_storage.h"

namespace strata::cli {
namespace {

constexpr size_t kMaxLineBytes = 64 * kKiB;
constexpr size_t kBatchRecords = 100;
constexpr size_t kBatchBytes = 128 * kKiB;
// Each costs a sync when there is nobody to share it with.
constexpr uint64_t kMostBatches = 4'000;
// All of it is held in memory.
constexpr uint64_t kMaxSourceBytes = 12 * kMiB;
constexpr uint64_t kMaxGivenBytes = 64 * kMiB;
constexpr size_t kMaxTopicBytes = 200;

// Appends the file to `text`, at most up to `limit` bytes of it in all.
Status ReadFile(const std::string& path, uint64_t limit,
                std::vector<char>& text) {
  const auto failed = [&] {
    return Status(
        errno == ENOENT ? StatusCode::kNotFound : StatusCode::kIoError,
        fmt::format("{}: {}", path, std::strerror(errno)));
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed();
  Status status;
  while (text.size() < limit) {
    const size_t held = text.size();
    text.resize(std::min<uint64_t>(held + kMiB, limit));
    const ssize_t got = ::read(fd, text.data() + held, text.size() - held);
    if (got < 0 && errno != EINTR) status = failed();
    text.resize(held + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || !status.ok()) break;
  }
  ::close(fd);
  return status;
}

// Regular files below `directory` whose names end with `suffix`, by name.
std::vector<std::string> FilesIn(const std::string& directory,
                                 std::string_view suffix) {
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end;
       !error && it != end; it.increment(error)) {
    std::error_code ignored;  // what cannot be looked at is left out
    if (it->is_regular_file(ignored) && !it->is_symlink(ignored) &&
        it->path().native().ends_with(suffix)) {
      found.push_back(it->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// One topic of those files that can be read; left out when there is nothing.
void AddSystemSource(const char* topic, const std::vector<std::string>& files,
                     std::vector<DemoSource>& sources) {
  std::vector<char> text;
  for (const std::string& file : files) {
    const Status read = ReadFile(file, kMaxSourceBytes, text);
    (void)read.ok();  // what cannot be read is left out
  }
  if (!text.empty()) sources.emplace_back(topic, std::move(text));
}

std::vector<DemoSource> ReadSystemFiles() {
  std::vector<DemoSource> sources;
  AddSystemSource("dpkg-status",
                  {"/var/lib/dpkg/status", "/var/lib/dpkg/available"}, sources);
  AddSystemSource("dpkg-files", FilesIn("/var/lib/dpkg/info", ".list"),
                  sources);
  AddSystemSource("dpkg-checksums", FilesIn("/var/lib/dpkg/info", ".md5sums"),
                  sources);
  AddSystemSource("licenses", FilesIn("/usr/share/common-licenses", ""),
                  sources);
  AddSystemSource("words", {"/usr/share/dict/words"}, sources);
  return sources;
}

Result<std::vector<DemoSource>> ReadGivenFiles(
    const std::vector<std::string>& files) {
  std::vector<DemoSource> sources;
  std::set<std::string> taken = {std::string(kRunsTopic)};
  uint64_t left = kMaxGivenBytes;
  for (const std::string& file : files) {
    const std::string name = TopicNameFor(file);
    std::string topic = name;
    for (int n = 2; !taken.insert(topic).second; ++n) {
      topic = fmt::format("{}-{}", name, n);
    }
    std::vector<char> text;
    STRATA_RETURN_IF_ERROR(ReadFile(file, left, text));
    left -= text.size();
    if (left == 0) {
      PrintNote(
          fmt::format("only {} MiB are taken, {} and what follows it "
                      "not as a whole",
                      kMaxGivenBytes / kMiB, file));
    }
    if (!text.empty()) sources.emplace_back(topic, std::move(text));
    if (left == 0) break;
  }
  return sources;
}

}  // namespace

DemoSource::DemoSource(std::string topic_name, std::vector<char> bytes)
    : topic(std::move(topic_name)), text(std::move(bytes)) {
  for (std::string_view rest(text.data(), text.size()); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const std::string_view piece = line.substr(0, kMaxLineBytes);
    lines.push_back(piece);
    const bool whole = piece.size() == line.size();
    rest.remove_prefix(std::min(rest.size(), piece.size() + (whole ? 1 : 0)));
  }
  for (size_t begin = 0; begin < lines.size();) {
    size_t end = begin;
    for (size_t size = 0; end < lines.size() && end - begin < kBatchRecords;
         ++end) {
      size += lines[end].size();
      if (end > begin && size > kBatchBytes) break;
    }
    batches.push_back({begin, end});
    begin = end;
  }
}

std::string TopicNameFor(const std::string& path) {
  std::string name = std::filesystem::path(path).filename();
  name.resize(std::min(name.size(), kMaxTopicBytes));
  for (char& c : name) {
    if (!ValidateTopicName({&c, 1}).ok() && c != '.') c = '-';
  }
  return ValidateTopicName(name).ok() ? name : "file";
}

Result<DemoInput> ReadDemoInput(const std::vector<std::string>& files,
                                uint64_t wanted_bytes) {
  DemoInput input;
  if (files.empty()) {
    input.sources = ReadSystemFiles();
  } else {
    STRATA_ASSIGN_OR_RETURN(input.sources, ReadGivenFiles(files));
  }
  uint64_t records = 0;
  uint64_t batches = 0;
  for (const DemoSource& source : input.sources) {
    batches += source.batches.size();
    for (const std::string_view line : source.lines) input.bytes += line.size();
    records += source.lines.size();
  }
  if (records == 0) {
    return Status(StatusCode::kInvalidArgument,
                  "there is not one line in the input");
  }
  // A record costs about ten bytes beside its line.
  const uint64_t pass_bytes = input.bytes + 10 * records;
  const uint64_t times = (wanted_bytes + pass_bytes - 1) / pass_bytes;
  input.repeats = static_cast<uint32_t>((times * batches + kMostBatches - 1) /
                                        kMostBatches);
  input.passes =
      static_cast<uint32_t>((times + input.repeats - 1) / input.repeats);
  return input;
}

}  // namespace strata::cli
