#include "object_store/file/file_lister.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace strata {
namespace {

// One entry of a directory. A directory's path ends with '/', so that paths
// sort as the keys do: "a.b" before "a/b".
struct Entry {
  std::string path;
  FileStat stat;
};

// Owned by one thread.
class FileLister {
 public:
  FileLister(FileSystem& files, const std::string& prefix,
             const std::string& after, size_t limit)
      : files_(files), prefix_(prefix), after_(after), limit_(limit) {}

  // Adds what lies in `directory` ("" or ending with '/') until the page is
  // full. As deep as a key has parts: at most 512.
  Status Walk(const std::string& directory) {
    STRATA_ASSIGN_OR_RETURN(const std::vector<Entry> entries,
                            Entries(directory));
    for (const Entry& entry : entries) {
      if (page_.more) break;
      if (entry.stat.is_directory) {
        STRATA_RETURN_IF_ERROR(Walk(entry.path));
      } else if (page_.objects.size() == limit_) {
        page_.more = true;
      } else {
        page_.objects.push_back(
            {entry.path, entry.stat.size_bytes, VersionOf(entry.stat)});
      }
    }
    return Status::Ok();
  }

  ListPage TakePage() { return std::move(page_); }

 private:
  // The entries that are, or may hold, keys to be listed; ascending.
  Result<std::vector<Entry>> Entries(const std::string& directory) {
    std::vector<Entry> entries;
    const Result<std::vector<std::string>> names =
        files_.List(directory.substr(0, directory.size() - !directory.empty()));
    // Removed since its parent was listed, or an empty store.
    if (names.status().code() == StatusCode::kNotFound) return entries;
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      const std::string path = directory + name;
      if (!MayMatch(path)) continue;
      Result<FileStat> stat = files_.Stat(path);
      if (stat.status().code() == StatusCode::kNotFound) continue;
      if (!stat.ok()) return stat.status();
      Entry entry{stat->is_directory ? path + '/' : path, *stat};
      if (IsWanted(entry)) entries.push_back(std::move(entry));
    }
    std::ranges::sort(entries, {}, &Entry::path);
    return entries;
  }

  bool MayMatch(const std::string& path) const {
    return path != kTemporaryDirectory && path != kLockFile &&
           ValidateObjectKey(path).ok() &&
           (path.starts_with(prefix_) || prefix_.starts_with(path));
  }

  bool IsWanted(const Entry& entry) const {
    if (!entry.stat.is_directory) {
      return entry.path.starts_with(prefix_) && entry.path > after_;
    }
    const bool below_prefix =
        entry.path.starts_with(prefix_) || prefix_.starts_with(entry.path);
    return below_prefix &&
           (entry.path > after_ || after_.starts_with(entry.path));
  }

  FileSystem& files_;
  const std::string& prefix_;
  const std::string& after_;
  const size_t limit_;
  ListPage page_;
};

}  // namespace

ObjectVersion VersionOf(const FileStat& stat) {
  return fmt::format("{}-{}-{}", stat.inode, stat.change_time_ns,
                     stat.size_bytes);
}

Result<ListPage> ListFiles(FileSystem& files, const std::string& prefix,
                           const std::string& after, size_t limit) {
  FileLister lister(files, prefix, after, limit);
  STRATA_RETURN_IF_ERROR(lister.Walk(""));
  return lister.TakePage();
}

}  // namespace strata
