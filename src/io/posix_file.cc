#include "io/posix_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/posix_error.h"
#include "io/posix_mapping.h"

namespace strata {
namespace {

// Thread-safe.
class PosixFile final : public File {
 public:
  PosixFile(UniqueFd fd, std::string path)
      : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<size_t> Read(uint64_t position, std::span<std::byte> out) override {
    size_t done = 0;
    while (done < out.size()) {
      const uint64_t at = position + done;
      ssize_t n = RetryOnEintr([&] {
        return ::pread(fd_.get(), out.data() + done, out.size() - done,
                       static_cast<off_t>(at));
      });
      if (n < 0) return Failed("read", at);
      if (n == 0) break;  // the file's end
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Status Write(uint64_t position, ByteSpan data) override {
    while (!data.empty()) {
      ssize_t n = RetryOnEintr([&] {
        return ::pwrite(fd_.get(), data.data(), data.size(),
                        static_cast<off_t>(position));
      });
      if (n == 0) errno = EIO;
      if (n <= 0) return Failed("write", position);
      position += static_cast<size_t>(n);
      data = data.subspan(static_cast<size_t>(n));
    }
    return Status::Ok();
  }

  Status Sync() override {
    if (RetryOnEintr([&] { return ::fdatasync(fd_.get()); }) == 0) {
      return Status::Ok();
    }
    return ErrnoStatus("sync", path_, errno);
  }

  Status Truncate(uint64_t size_bytes) override {
    int result = RetryOnEintr(
        [&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size_bytes)); });
    return result == 0 ? Status::Ok() : Failed("truncate", size_bytes);
  }

  Result<uint64_t> Size() override {
    struct stat stat;
    if (::fstat(fd_.get(), &stat) != 0) {
      return ErrnoStatus("stat", path_, errno);
    }
    return static_cast<uint64_t>(stat.st_size);
  }

  Result<std::shared_ptr<Mapping>> Map() override {
    STRATA_ASSIGN_OR_RETURN(uint64_t size_bytes, Size());
    return MapFile(fd_.get(), size_bytes, path_);
  }

 private:
  Status Failed(std::string_view operation, uint64_t position) const {
    const int error = errno;
    return ErrnoStatus(operation, fmt::format("{} at {}", path_, position),
                       error);
  }

  const UniqueFd fd_;
  const std::string path_;
};

}  // namespace

std::unique_ptr<File> NewPosixFile(UniqueFd fd, std::string path) {
  return std::make_unique<PosixFile>(std::move(fd), std::move(path));
}

}  // namespace strata
