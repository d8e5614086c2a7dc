#include "bench/raw_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace strata::bench {

namespace fs = std::filesystem;

std::string SizeName(uint64_t bytes) {
  if (bytes >= kMiB) return fmt::format("{} MiB", bytes / kMiB);
  if (bytes >= kKiB) return fmt::format("{} KiB", bytes / kKiB);
  return fmt::format("{} B", bytes);
}

Status Failed(std::string_view what, const fs::path& path) {
  const int error = errno;
  return {error == EINVAL ? StatusCode::kUnsupported : StatusCode::kIoError,
          fmt::format("{} {}: {}", what, path.native(),
                      std::generic_category().message(error))};
}

// ---- memory ---------------------------------------------------------------

Buffer::Buffer(uint64_t bytes)
    : size_((bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes),
      data_(static_cast<std::byte*>(std::aligned_alloc(kBlockBytes, size_)),
            &std::free) {
  std::memset(data_.get(), 0x5a, size_);
}

std::shared_ptr<Buffer> MakeBuffer(uint64_t bytes) {
  return std::make_shared<Buffer>(bytes);
}

// ---- files ----------------------------------------------------------------

Result<FilePtr> File::Open(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) return Failed("open", path);
  return std::shared_ptr<File>(new File(fd, path));
}

File::~File() { ::close(fd_); }

Status File::Write(ByteSpan bytes, uint64_t position) {
  while (!bytes.empty()) {
    const ssize_t n =
        ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (n <= 0) return Failed("pwrite", path_);
    bytes = bytes.subspan(static_cast<size_t>(n));
    position += static_cast<uint64_t>(n);
  }
  return Status::Ok();
}

Status File::Read(std::byte* out, uint64_t bytes, uint64_t position) {
  while (bytes > 0) {
    const ssize_t n = ::pread(fd_, out, bytes, static_cast<off_t>(position));
    if (n <= 0) return Failed("pread", path_);
    out += n;
    bytes -= static_cast<uint64_t>(n);
    position += static_cast<uint64_t>(n);
  }
  return Status::Ok();
}

Status File::SyncData() {
  return ::fdatasync(fd_) == 0 ? Status::Ok() : Failed("fdatasync", path_);
}

Status File::Sync() {
  return ::fsync(fd_) == 0 ? Status::Ok() : Failed("fsync", path_);
}

Status SyncDirectory(const fs::path& directory) {
  STRATA_ASSIGN_OR_RETURN(FilePtr file,
                          File::Open(directory, O_RDONLY | O_DIRECTORY));
  return file->Sync();
}

Status PreWrite(const fs::path& path, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(FilePtr file,
                          File::Open(path, O_RDWR | O_CREAT | O_TRUNC));
  const Buffer piece(kMiB);
  for (uint64_t done = 0; done < bytes; done += kMiB) {
    STRATA_RETURN_IF_ERROR(
        file->Write(piece.span().first(std::min(kMiB, bytes - done)), done));
  }
  return file->Sync();
}

Map::Map(const File& file, uint64_t bytes)
    : size_(bytes),
      data_(::mmap(nullptr, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE,
                   file.fd(), 0)) {}

Map::~Map() {
  if (ok()) ::munmap(data_, size_);
}

bool Map::ok() const { return data_ != MAP_FAILED; }

}  // namespace strata::bench
