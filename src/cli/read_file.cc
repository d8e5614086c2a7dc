#include "cli/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace strata::cli {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

Status FileError(const std::filesystem::path& file, int error) {
  return {error == ENOENT ? StatusCode::kNotFound : StatusCode::kIoError,
          fmt::format("{}: {}", file.native(), std::strerror(error))};
}

Status ReadAll(int fd, const std::filesystem::path& file, std::string& bytes) {
  for (;;) {
    const size_t before = bytes.size();
    bytes.resize(before + kPieceBytes);
    const ssize_t got = ::read(fd, bytes.data() + before, kPieceBytes);
    const int error = errno;
    bytes.resize(before + static_cast<size_t>(got > 0 ? got : 0));
    if (got == 0) return Status::Ok();
    if (got < 0 && error != EINTR) return FileError(file, error);
  }
}

}  // namespace

Result<std::string> ReadFile(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(file, errno);
  std::string bytes;
  Status status = ReadAll(fd, file, bytes);
  ::close(fd);
  STRATA_RETURN_IF_ERROR(status);
  return bytes;
}

}  // namespace strata::cli
