#include "io/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "io/posix_error.h"
#include "io/posix_file.h"
#include "io/unique_fd.h"

namespace strata {
namespace {

constexpr mode_t kFileMode = 0644;       // before the umask
constexpr mode_t kDirectoryMode = 0755;  // before the umask
constexpr size_t kMaxNoteBytes = 512;    // of a lock's note in a message

// Thread-safe: the descriptor's lock goes with the descriptor.
class PosixLock final : public FileLock {
 public:
  explicit PosixLock(UniqueFd fd) : fd_(std::move(fd)) {}

 private:
  const UniqueFd fd_;
};

uint64_t Nanoseconds(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(time.tv_nsec);
}

int OpenAt(int directory, const std::string& name, int flags) {
  return RetryOnEintr([&] {
    return ::openat(directory, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC,
                    kFileMode);
  });
}

Status SyncFd(int fd, std::string_view path) {
  if (RetryOnEintr([&] { return ::fsync(fd); }) == 0) return Status::Ok();
  return ErrnoStatus("sync directory", path, errno);
}

// Thread-safe: holds nothing but the root's descriptor.
class PosixFileSystem final : public FileSystem {
 public:
  PosixFileSystem(UniqueFd root, std::string name)
      : root_(std::move(root)), name_(std::move(name)) {}

  std::string Describe() const override { return name_; }

  Result<std::unique_ptr<File>> Open(std::string_view path,
                                     OpenMode mode) override {
    STRATA_ASSIGN_OR_RETURN(Place place, Locate("open", path));
    int flags = mode == OpenMode::kRead ? O_RDONLY : O_RDWR;
    if (mode == OpenMode::kCreate) flags |= O_CREAT | O_EXCL;
    STRATA_ASSIGN_OR_RETURN(UniqueFd fd,
                            OpenRegular("open", place, path, flags));
    return NewPosixFile(std::move(fd), Full(path));
  }

  Status Rename(std::string_view from, std::string_view to) override {
    STRATA_ASSIGN_OR_RETURN(Place source, Locate("rename", from));
    STRATA_ASSIGN_OR_RETURN(Place target, Locate("rename to", to));
    int result = ::renameat(source.directory.get(), source.name.c_str(),
                            target.directory.get(), target.name.c_str());
    return result == 0 ? Status::Ok() : Failed("rename", Pair(from, to));
  }

  Status Link(std::string_view from, std::string_view to) override {
    STRATA_ASSIGN_OR_RETURN(Place source, Locate("link", from));
    STRATA_ASSIGN_OR_RETURN(Place target, Locate("link to", to));
    int result = ::linkat(source.directory.get(), source.name.c_str(),
                          target.directory.get(), target.name.c_str(), 0);
    return result == 0 ? Status::Ok() : Failed("link", Pair(from, to));
  }

  Status Remove(std::string_view path) override {
    return Unlink("remove", path, 0);
  }

  Status RemoveDirectory(std::string_view path) override {
    return Unlink("remove directory", path, AT_REMOVEDIR);
  }

  Status CreateDirectory(std::string_view path) override {
    constexpr std::string_view kOperation = "create directory";
    if (path.empty()) return Status::Ok();
    STRATA_RETURN_IF_ERROR(ValidatePath(path));
    STRATA_ASSIGN_OR_RETURN(UniqueFd parent, OpenDirectory(kOperation, ""));
    for (size_t begin = 0; begin < path.size();) {
      size_t end = std::min(path.find('/', begin), path.size());
      std::string name(path.substr(begin, end - begin));
      if (::mkdirat(parent.get(), name.c_str(), kDirectoryMode) != 0 &&
          errno != EEXIST) {
        return Failed(kOperation, path.substr(0, end));
      }
      // When it exists too: who created it may have died before the sync.
      STRATA_RETURN_IF_ERROR(SyncFd(parent.get(), Full(path.substr(0, end))));
      UniqueFd next(OpenAt(parent.get(), name, O_RDONLY | O_DIRECTORY));
      if (!next.valid()) return Failed(kOperation, path.substr(0, end));
      parent = std::move(next);
      begin = end + 1;
    }
    return Status::Ok();
  }

  Status SyncDirectory(std::string_view path) override {
    STRATA_ASSIGN_OR_RETURN(UniqueFd fd, OpenDirectory("sync directory", path));
    return SyncFd(fd.get(), Full(path));
  }

  Result<std::vector<std::string>> List(std::string_view path) override {
    STRATA_ASSIGN_OR_RETURN(UniqueFd fd, OpenDirectory("list", path));
    std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()),
                                               &::closedir);
    if (stream == nullptr) return Failed("list", path);
    fd.release();  // closedir closes it
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return Failed("list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<FileStat> Stat(std::string_view path) override {
    struct stat stat;
    int result;
    if (path.empty()) {
      result = ::fstat(root_.get(), &stat);
    } else {
      STRATA_ASSIGN_OR_RETURN(Place place, Locate("stat", path));
      result = ::fstatat(place.directory.get(), place.name.c_str(), &stat,
                         AT_SYMLINK_NOFOLLOW);
    }
    if (result != 0) return Failed("stat", path);
    if (!S_ISREG(stat.st_mode) && !S_ISDIR(stat.st_mode)) {
      return NotRegular("stat", path);
    }
    return FileStat{.size_bytes = static_cast<uint64_t>(stat.st_size),
                    .is_directory = S_ISDIR(stat.st_mode),
                    .inode = stat.st_ino,
                    .change_time_ns = Nanoseconds(stat.st_ctim)};
  }

  Result<std::unique_ptr<FileLock>> TryLock(std::string_view path,
                                            std::string_view note) override {
    STRATA_ASSIGN_OR_RETURN(UniqueFd fd, OpenLockFile(path));
    if (!SetLock(fd.get(), F_OFD_SETLK)) {
      if (errno == EAGAIN) return HeldByOther(fd.get(), path);
      return Failed("lock", path);
    }
    const int lock_fd = fd.get();
    auto lock = std::make_unique<PosixLock>(std::move(fd));
    if (::ftruncate(lock_fd, 0) != 0 ||
        ::pwrite(lock_fd, note.data(), note.size(), 0) < 0) {
      return Failed("write note of lock", path);
    }
    return std::unique_ptr<FileLock>(std::move(lock));
  }

  Result<bool> IsLocked(std::string_view path) override {
    STRATA_ASSIGN_OR_RETURN(Place place, Locate("lock", path));
    Result<UniqueFd> fd = OpenRegular("lock", place, path, O_RDONLY);
    if (fd.status().code() == StatusCode::kNotFound) return false;
    if (!fd.ok()) return std::move(fd).status();
    struct flock held = WholeFile();
    if (::fcntl(fd->get(), F_OFD_GETLK, &held) != 0) {
      return Failed("ask for lock", path);
    }
    return held.l_type != F_UNLCK;
  }

  Result<std::unique_ptr<FileLock>> Lock(std::string_view path) override {
    STRATA_ASSIGN_OR_RETURN(UniqueFd fd, OpenLockFile(path));
    if (!SetLock(fd.get(), F_OFD_SETLKW)) return Failed("lock", path);
    return std::unique_ptr<FileLock>(
        std::make_unique<PosixLock>(std::move(fd)));
  }

  Result<uint64_t> FreeBytes() override {
    struct statvfs stat;
    if (::fstatvfs(root_.get(), &stat) != 0) return Failed("statvfs", "");
    return uint64_t{stat.f_bavail} * stat.f_frsize;
  }

 private:
  // A name in an open directory.
  struct Place {
    UniqueFd directory;
    std::string name;
  };

  std::string Full(std::string_view path) const {
    return path.empty() ? name_ : fmt::format("{}/{}", name_, path);
  }
  std::string Pair(std::string_view from, std::string_view to) const {
    return fmt::format("{} -> {}", from, Full(to));
  }
  Status Failed(std::string_view operation, std::string_view path) const {
    const int error = errno;
    Status status = ErrnoStatus(operation, Full(path), error);
    if (error != ELOOP && error != ENOTDIR) return status;
    return {status.code(),
            status.message() + "; symbolic links are not followed"};
  }
  Status NotRegular(std::string_view operation, std::string_view path) const {
    return {StatusCode::kIoError,
            fmt::format("{} {}: not a regular file", operation, Full(path))};
  }

  Result<UniqueFd> OpenDirectory(std::string_view operation,
                                 std::string_view path) const {
    if (!path.empty()) STRATA_RETURN_IF_ERROR(ValidatePath(path));
    UniqueFd fd = Walk(path);
    if (!fd.valid()) return Failed(operation, path);
    return fd;
  }

  Result<Place> Locate(std::string_view operation,
                       std::string_view path) const {
    STRATA_RETURN_IF_ERROR(ValidatePath(path));
    size_t slash = path.rfind('/');
    size_t name = slash == path.npos ? 0 : slash + 1;
    UniqueFd fd = Walk(path.substr(0, name));
    if (!fd.valid()) return Failed(operation, path);
    return Place{std::move(fd), std::string(path.substr(name))};
  }

  // Opens the directory `path`, one component after the other from the root.
  // Not valid, with errno set, when one is missing or not a directory.
  UniqueFd Walk(std::string_view path) const {
    UniqueFd at(OpenAt(root_.get(), ".", O_RDONLY | O_DIRECTORY));
    for (size_t begin = 0; at.valid() && begin < path.size();) {
      size_t end = std::min(path.find('/', begin), path.size());
      std::string name(path.substr(begin, end - begin));
      at = UniqueFd(OpenAt(at.get(), name, O_RDONLY | O_DIRECTORY));
      begin = end + 1;
    }
    return at;
  }

  // O_NONBLOCK: a FIFO that somebody put there must not hold us up.
  Result<UniqueFd> OpenRegular(std::string_view operation, const Place& place,
                               std::string_view path, int flags) const {
    UniqueFd fd(OpenAt(place.directory.get(), place.name, flags | O_NONBLOCK));
    struct stat stat;
    if (!fd.valid() || ::fstat(fd.get(), &stat) != 0) {
      return Failed(operation, path);
    }
    if (!S_ISREG(stat.st_mode)) return NotRegular(operation, path);
    return fd;
  }

  Status Unlink(std::string_view operation, std::string_view path,
                int flags) const {
    STRATA_ASSIGN_OR_RETURN(Place place, Locate(operation, path));
    int result = ::unlinkat(place.directory.get(), place.name.c_str(), flags);
    return result == 0 ? Status::Ok() : Failed(operation, path);
  }

  Result<UniqueFd> OpenLockFile(std::string_view path) const {
    STRATA_ASSIGN_OR_RETURN(Place place, Locate("lock", path));
    return OpenRegular("lock", place, path, O_RDWR | O_CREAT);
  }
  static struct flock WholeFile() {
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return whole;
  }
  // A lock of the open file, as flock(2)'s, that can be asked for as well.
  static bool SetLock(int fd, int command) {
    struct flock whole = WholeFile();
    return RetryOnEintr([&] { return ::fcntl(fd, command, &whole); }) == 0;
  }
  Status HeldByOther(int fd, std::string_view path) const {
    std::array<char, kMaxNoteBytes> note;
    ssize_t n = ::pread(fd, note.data(), note.size(), 0);
    return {StatusCode::kConflict,
            fmt::format("lock {}: held by {}", Full(path),
                        std::string_view(note.data(),
                                         n > 0 ? static_cast<size_t>(n) : 0))};
  }

  const UniqueFd root_;
  const std::string name_;
};

// mkdir -p, each directory synced into its parent; one that exists too, since
// who created it may have died before the sync.
Status CreateRoot(const std::filesystem::path& root) {
  const std::filesystem::path parent = root.parent_path();
  int result = ::mkdir(root.c_str(), kDirectoryMode);
  if (result != 0 && errno == ENOENT && root != parent) {
    STRATA_RETURN_IF_ERROR(CreateRoot(parent));
    result = ::mkdir(root.c_str(), kDirectoryMode);
  }
  const bool existed = result != 0 && errno == EEXIST;
  if (result != 0 && !existed) {
    return ErrnoStatus("create directory", root.string(), errno);
  }
  UniqueFd fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) return SyncFd(fd.get(), parent.string());
  // A parent that we may not read is the business of who created the root.
  if (existed && errno == EACCES) return Status::Ok();
  return ErrnoStatus("open", parent.string(), errno);
}

}  // namespace

Result<std::unique_ptr<FileSystem>> OpenPosixFileSystem(
    const std::filesystem::path& root, bool create) {
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(root, error);
  if (error || root.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("root directory '{}'", root.string()));
  }
  if (!absolute.has_filename() && absolute.has_relative_path()) {
    absolute = absolute.parent_path();  // without the '/' at the end
  }
  if (create) STRATA_RETURN_IF_ERROR(CreateRoot(absolute));
  UniqueFd fd(::open(absolute.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    return ErrnoStatus("open directory", absolute.string(), errno);
  }
  return std::unique_ptr<FileSystem>(
      std::make_unique<PosixFileSystem>(std::move(fd), absolute.string()));
}

}  // namespace strata
