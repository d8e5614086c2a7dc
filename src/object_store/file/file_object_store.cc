#include "object_store/file/file_object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <utility>
#include <vector>

#include "object_store/blocking_object_store.h"
#include "object_store/file/file_lister.h"

// A Put writes a file of a name of its own in .tmp, syncs it, gives it the
// final name and syncs the directory of that name. All that changes what a
// name stands for happens under the lock file, so that comparing a version and
// replacing the file are one step, for other processes too.
//
//   dies before the final name   a leftover in .tmp, removed a day later
//   dies before the sync         the object is there whole, or is not
namespace strata {
namespace {

constexpr size_t kPieceBytes = 1 << 20;
constexpr size_t kTemporaryNameBytes = 32;  // hex digits
// Nobody writes one object for so long: who made the leftover is dead.
constexpr int64_t kLeftoverAgeNs = int64_t{24} * 3600 * 1'000'000'000;

std::string_view ParentOf(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == key.npos ? "" : key.substr(0, slash);
}

bool IsTemporaryName(std::string_view name) {
  return name.size() == kTemporaryNameBytes &&
         name.find_first_not_of("0123456789abcdef") == name.npos;
}

// Of the step that gives the final name: only these codes say that it did not
// happen.
Status OutcomeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kNoSpace: return status;
    default: return {StatusCode::kUnknown, status.message()};
  }
}

// Thread-safe.
class FileObjectStore final : public BlockingObjectStore {
 public:
  FileObjectStore(std::shared_ptr<FileSystem> files, Runtime& runtime)
      : BlockingObjectStore(runtime), files_(std::move(files)) {}

  std::string Describe() const override { return "file:" + files_->Describe(); }
  ObjectStoreCapabilities Capabilities() const override {
    return {.put_if_absent = true,
            .put_if_version = true,
            .max_object_bytes = uint64_t{1} << 40,
            .multipart_above_bytes = 0};
  }

 private:
  Result<ObjectVersion> PutNow(const std::string& key, ObjectSource& source,
                               const PutPrecondition& condition) override {
    STRATA_RETURN_IF_ERROR(CheckKey(key));
    STRATA_RETURN_IF_ERROR(CheckPlace(key));
    if (!cleaned_.exchange(true, std::memory_order_relaxed)) RemoveLeftovers();
    STRATA_RETURN_IF_ERROR(files_->CreateDirectory(kTemporaryDirectory));
    STRATA_RETURN_IF_ERROR(files_->CreateDirectory(ParentOf(key)));
    const std::string temporary =
        fmt::format("{}/{:016x}{:016x}", kTemporaryDirectory,
                    runtime().random().Next(), runtime().random().Next());
    Status written = Write(temporary, source);
    Result<ObjectVersion> version =
        written.ok() ? Publish(temporary, key, condition)
                     : Result<ObjectVersion>(std::move(written));
    // Fails where the temporary was renamed, which is well.
    if (!version.ok()) (void)files_->Remove(temporary);
    if (!version.ok()) return version;
    Status synced = files_->SyncDirectory(ParentOf(key));
    if (!synced.ok()) return Status(StatusCode::kUnknown, synced.message());
    return version;
  }

  Result<size_t> GetNow(const std::string& key, uint64_t position,
                        std::span<std::byte> out) override {
    STRATA_RETURN_IF_ERROR(FindObject(key).status());
    STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                            files_->Open(key, OpenMode::kRead));
    size_t filled = 0;
    while (filled < out.size()) {
      STRATA_ASSIGN_OR_RETURN(
          const size_t n, file->Read(position + filled, out.subspan(filled)));
      if (n == 0) break;
      filled += n;
    }
    if (filled == 0 && !out.empty()) {
      return Status(StatusCode::kOutOfRange,
                    fmt::format("{}/{}: position {} at or behind the end",
                                Describe(), key, position));
    }
    return filled;
  }

  Result<ObjectInfo> HeadNow(const std::string& key) override {
    STRATA_ASSIGN_OR_RETURN(const FileStat stat, FindObject(key));
    return ObjectInfo{key, stat.size_bytes, VersionOf(stat)};
  }

  Status DeleteNow(const std::string& key) override {
    const Status found = FindObject(key).status();
    if (found.code() == StatusCode::kNotFound) return Status::Ok();
    STRATA_RETURN_IF_ERROR(found);
    STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                            files_->Lock(kLockFile));
    const Status removed = OutcomeOf(files_->Remove(key));
    if (removed.code() == StatusCode::kNotFound) return Status::Ok();
    STRATA_RETURN_IF_ERROR(removed);
    const Status synced = files_->SyncDirectory(ParentOf(key));
    if (!synced.ok()) return {StatusCode::kUnknown, synced.message()};
    return Status::Ok();
  }

  Result<ListPage> ListNow(const std::string& prefix, const std::string& after,
                           size_t limit) override {
    return ListFiles(*files_, prefix, after, limit);
  }

  Status CheckKey(const std::string& key) {
    STRATA_RETURN_IF_ERROR(ValidatePath(key));
    const std::string_view first =
        std::string_view(key).substr(0, key.find('/'));
    if (first != kTemporaryDirectory && first != kLockFile) {
      return Status::Ok();
    }
    return {StatusCode::kInvalidArgument,
            fmt::format("{}/{}: reserved for the store", Describe(), key)};
  }

  // kInvalidArgument when `key` is a directory or lies beneath an object.
  Status CheckPlace(const std::string& key) {
    for (size_t slash = key.find('/');; slash = key.find('/', slash + 1)) {
      const std::string path = key.substr(0, slash);
      const Result<FileStat> stat = files_->Stat(path);
      if (stat.status().code() == StatusCode::kNotFound) return Status::Ok();
      if (!stat.ok()) return stat.status();
      const bool whole = slash == key.npos;
      if (stat->is_directory == whole) {
        return {StatusCode::kInvalidArgument,
                fmt::format("{}/{}: {} {}", Describe(), key, path,
                            whole ? "is a directory" : "is an object")};
      }
      if (whole) return Status::Ok();
    }
  }

  // kNotFound unless `key` is a file.
  Result<FileStat> FindObject(const std::string& key) {
    STRATA_RETURN_IF_ERROR(CheckKey(key));
    Result<FileStat> stat = files_->Stat(key);
    if (stat.ok() && !stat->is_directory) return stat;
    if (stat.ok() || CheckPlace(key).code() == StatusCode::kInvalidArgument) {
      return Status(StatusCode::kNotFound,
                    fmt::format("{}/{}: no such object", Describe(), key));
    }
    return stat;
  }

  Status Write(const std::string& path, ObjectSource& source) {
    STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                            files_->Open(path, OpenMode::kCreate));
    const uint64_t size = source.size();
    if (const std::optional<ByteSpan> bytes = source.Contiguous()) {
      STRATA_RETURN_IF_ERROR(file->Write(0, *bytes));
      return file->Sync();
    }
    std::vector<std::byte> piece(std::min<uint64_t>(size, kPieceBytes));
    for (uint64_t position = 0; position < size;) {
      const std::span<std::byte> out =
          std::span(piece).first(std::min(piece.size(), size - position));
      STRATA_RETURN_IF_ERROR(source.ReadAt(position, out));
      STRATA_RETURN_IF_ERROR(file->Write(position, out));
      position += out.size();
    }
    return file->Sync();
  }

  // Gives the file its final name if `condition` holds.
  Result<ObjectVersion> Publish(const std::string& temporary,
                                const std::string& key,
                                const PutPrecondition& condition) {
    STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                            files_->Lock(kLockFile));
    Status named;
    switch (condition.kind) {
      case PutPrecondition::Kind::kAbsent:
        named = files_->Link(temporary, key);
        if (named.code() == StatusCode::kAlreadyExists) {
          return Status(StatusCode::kConflict, named.message());
        }
        // Before the version is taken: it changes with the number of names.
        if (named.ok()) (void)files_->Remove(temporary);
        break;
      case PutPrecondition::Kind::kVersion:
        STRATA_RETURN_IF_ERROR(CheckVersion(key, condition.version));
        [[fallthrough]];
      case PutPrecondition::Kind::kNone:
        named = files_->Rename(temporary, key);
        break;
    }
    STRATA_RETURN_IF_ERROR(OutcomeOf(named));
    const Result<FileStat> stat = files_->Stat(key);
    if (!stat.ok()) {
      return Status(StatusCode::kUnknown, stat.status().message());
    }
    return VersionOf(*stat);
  }

  Status CheckVersion(const std::string& key, const ObjectVersion& expected) {
    const Result<FileStat> stat = FindObject(key);
    if (!stat.ok() && stat.status().code() != StatusCode::kNotFound) {
      return stat.status();
    }
    const std::string found = stat.ok() ? VersionOf(*stat) : "none";
    if (found == expected) return Status::Ok();
    return {StatusCode::kConflict,
            fmt::format("{}/{}: expected version {}, found {}", Describe(), key,
                        expected, found)};
  }

  // What cannot be removed now stays for the next process.
  void RemoveLeftovers() {
    const Result<std::vector<std::string>> names =
        files_->List(kTemporaryDirectory);
    if (!names.ok()) return;
    const int64_t now_ns = runtime().clock().WallNow() * 1'000'000;
    for (const std::string& name : *names) {
      const std::string path = fmt::format("{}/{}", kTemporaryDirectory, name);
      const Result<FileStat> stat = files_->Stat(path);
      if (!stat.ok() || !IsTemporaryName(name)) continue;
      const auto changed_ns = static_cast<int64_t>(stat->change_time_ns);
      if (now_ns - changed_ns > kLeftoverAgeNs) (void)files_->Remove(path);
    }
  }

  const std::shared_ptr<FileSystem> files_;
  std::atomic<bool> cleaned_{false};  // a flag alone: nothing pairs with it
};

}  // namespace

std::shared_ptr<ObjectStore> MakeFileObjectStore(
    std::shared_ptr<FileSystem> files, Runtime& runtime) {
  return std::make_shared<FileObjectStore>(std::move(files), runtime);
}

}  // namespace strata
