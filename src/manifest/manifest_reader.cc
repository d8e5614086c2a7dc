#include "manifest/manifest_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "manifest/manifest_log.h"

namespace strata {
namespace {

Result<std::string> ReadWhole(FileSystem& files, const std::string& path) {
  STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                          files.Open(path, OpenMode::kRead));
  STRATA_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string bytes(size, '\0');
  STRATA_ASSIGN_OR_RETURN(
      const size_t read,
      file->Read(0, std::as_writable_bytes(std::span(bytes))));
  bytes.resize(read);
  return bytes;
}

// The number in "MANIFEST-<20 digits>" + `suffix`.
std::optional<uint64_t> NumberIn(std::string_view name,
                                 std::string_view suffix) {
  constexpr std::string_view kPrefix = "MANIFEST-";
  constexpr size_t kDigits = 20;
  if (name.size() != kPrefix.size() + kDigits + suffix.size() ||
      !name.starts_with(kPrefix) || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  uint64_t number = 0;
  for (const char c : name.substr(kPrefix.size(), kDigits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

}  // namespace

Result<ManifestRead> ReadNewestManifest(FileSystem& files) {
  uint64_t missed = 0;
  while (true) {
    STRATA_ASSIGN_OR_RETURN(const ManifestFiles found,
                            ListManifestFiles(files));
    // Each file that vanished made way for a newer one.
    if (found.whole.empty() || found.whole.back() == missed) {
      return Status(StatusCode::kNotFound,
                    fmt::format("no manifest in {}/{}", files.Describe(),
                                kManifestDirectory));
    }
    Result<ManifestRead> read = ReadManifestFile(files, found.whole.back());
    if (read.status().code() != StatusCode::kNotFound) return read;
    missed = found.whole.back();
  }
}

Result<ManifestFiles> ListManifestFiles(FileSystem& files) {
  STRATA_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          files.List(kManifestDirectory));
  ManifestFiles found;
  for (const std::string& name : names) {
    const auto whole = NumberIn(name, "");
    const auto temporary = NumberIn(name, ".tmp");
    if (whole) found.whole.push_back(*whole);
    if (temporary) found.temporary.push_back(*temporary);
    found.next_number =
        std::max(found.next_number, std::max(whole, temporary).value_or(0) + 1);
  }
  return found;
}

Result<ManifestRead> ReadManifestFile(FileSystem& files, uint64_t number) {
  const std::string path = ManifestPath(number);
  STRATA_ASSIGN_OR_RETURN(const std::string bytes, ReadWhole(files, path));
  ManifestRead read;
  Result<ManifestTail> tail =
      ReadManifest(AsBytes(bytes), [&](const ManifestEdit& edit) {
        const Status status = read.state.Apply(edit);
        return status.ok() ? status
                           : Status(StatusCode::kDataLoss, status.message());
      });
  if (!tail.ok()) return tail.status().WithContext(path);
  read.tail = *std::move(tail);
  if (read.tail.header.number != number) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{} at 0: expected number {}, found {}", path,
                              number, read.tail.header.number));
  }
  return read;
}

}  // namespace strata
