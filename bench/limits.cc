#include "bench/limits.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/crc32c.h"
#include "strata/config.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kPieces[] = {64 * kKiB, 1 * kMiB};
constexpr uint64_t kBlockBytes = 4 * kKiB;

// Page-aligned memory, every page touched. Owned by one thread.
class Buffer {
 public:
  explicit Buffer(uint64_t bytes)
      : size_((bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes),
        data_(static_cast<std::byte*>(std::aligned_alloc(kBlockBytes, size_)),
              &std::free) {
    std::memset(data_.get(), 0x5a, size_);
  }
  std::byte* data() const { return data_.get(); }
  ByteSpan span() const { return {data(), size_}; }

 private:
  uint64_t size_;
  std::unique_ptr<std::byte, decltype(&std::free)> data_;
};

std::shared_ptr<Buffer> MakeBuffer(uint64_t bytes) {
  return std::make_shared<Buffer>(bytes);
}

Status Failed(std::string_view what, const fs::path& path) {
  const int error = errno;
  return {error == EINVAL ? StatusCode::kUnsupported : StatusCode::kIoError,
          fmt::format("{} {}: {}", what, path.native(),
                      std::generic_category().message(error))};
}

// An open file. Owned by one thread.
class File {
 public:
  static Result<std::shared_ptr<File>> Open(const fs::path& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (fd < 0) return Failed("open", path);
    return std::shared_ptr<File>(new File(fd, path));
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd() const { return fd_; }

  Status Write(ByteSpan bytes, uint64_t position) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(),
                                 static_cast<off_t>(position));
      if (n <= 0) return Failed("pwrite", path_);
      bytes = bytes.subspan(static_cast<size_t>(n));
      position += static_cast<uint64_t>(n);
    }
    return Status::Ok();
  }

  // The file is at least that long.
  Status Read(std::byte* out, uint64_t bytes, uint64_t position) {
    while (bytes > 0) {
      const ssize_t n = ::pread(fd_, out, bytes, static_cast<off_t>(position));
      if (n <= 0) return Failed("pread", path_);
      out += n;
      bytes -= static_cast<uint64_t>(n);
      position += static_cast<uint64_t>(n);
    }
    return Status::Ok();
  }

  Status SyncData() {
    return ::fdatasync(fd_) == 0 ? Status::Ok() : Failed("fdatasync", path_);
  }
  Status Sync() {
    return ::fsync(fd_) == 0 ? Status::Ok() : Failed("fsync", path_);
  }

 private:
  File(int fd, fs::path path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  fs::path path_;
};
using FilePtr = std::shared_ptr<File>;

// A synced file of `bytes`, whose pages stay in the page cache.
Result<fs::path> PreWritten(const fs::path& directory, uint64_t bytes) {
  const fs::path path = directory / fmt::format("written-{}", bytes);
  STRATA_ASSIGN_OR_RETURN(FilePtr file,
                          File::Open(path, O_RDWR | O_CREAT | O_TRUNC));
  const Buffer piece(kMiB);
  for (uint64_t done = 0; done < bytes; done += kMiB) {
    STRATA_RETURN_IF_ERROR(
        file->Write(piece.span().first(std::min(kMiB, bytes - done)), done));
  }
  STRATA_RETURN_IF_ERROR(file->Sync());
  return path;
}

// Calls step(position, length) for consecutive pieces of [0, bytes).
template <typename Step>
Status ForPieces(uint64_t bytes, uint64_t piece, Step&& step) {
  for (uint64_t at = 0; at < bytes; at += piece) {
    STRATA_RETURN_IF_ERROR(step(at, std::min(piece, bytes - at)));
  }
  return Status::Ok();
}

// Reads the first `bytes` of a file in pieces and hands each to use(span).
template <typename Step>
Status ReadPieces(File& file, const Buffer& buffer, uint64_t bytes,
                  uint64_t piece, Step&& use) {
  return ForPieces(bytes, piece, [&](uint64_t at, uint64_t n) {
    const Status status = file.Read(buffer.data(), n, at);
    if (status.ok()) use(buffer.span().first(n));
    return status;
  });
}

std::string SizeName(uint64_t bytes) {
  return bytes >= kMiB ? fmt::format("{} MiB", bytes / kMiB)
                       : fmt::format("{} KiB", bytes / kKiB);
}

Status SyncDirectory(const fs::path& directory) {
  STRATA_ASSIGN_OR_RETURN(FilePtr file,
                          File::Open(directory, O_RDONLY | O_DIRECTORY));
  return file->Sync();
}

// Gives a new file its content with fill(file), makes file and name durable.
// Removes it again, which is not timed.
template <typename Fill>
Result<double> TimeNewFile(const fs::path& directory, Fill&& fill) {
  const fs::path temporary = directory / "created.tmp";
  const fs::path path = directory / "created";
  auto create = [&]() -> Status {
    STRATA_ASSIGN_OR_RETURN(FilePtr file,
                            File::Open(temporary, O_RDWR | O_CREAT | O_TRUNC));
    STRATA_RETURN_IF_ERROR(fill(*file));
    STRATA_RETURN_IF_ERROR(file->Sync());
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      return Failed("rename", temporary);
    }
    return SyncDirectory(directory);
  };
  Result<double> seconds = TimeOf(create);
  std::error_code ignored;  // the directory is removed at the end anyway
  fs::remove(path, ignored);
  return seconds;
}

Status CopyInKernel(File& from, File& to, uint64_t bytes) {
  off_t at = 0;
  while (static_cast<uint64_t>(at) < bytes) {
    const ssize_t n = ::copy_file_range(from.fd(), &at, to.fd(), nullptr,
                                        bytes - static_cast<uint64_t>(at), 0);
    if (n <= 0) return Failed("copy_file_range", "created.tmp");
  }
  return Status::Ok();
}

Way WriteWay(const fs::path& path, uint64_t bytes, uint64_t piece, int flags) {
  const char* kind = (flags & O_DIRECT) != 0 ? "O_DIRECT pwrite" : "pwrite";
  return {fmt::format("{} {} + fdatasync", kind, SizeName(piece)),
          [path, bytes, flags, piece,
           buffer = MakeBuffer(piece)]() -> Result<double> {
            STRATA_ASSIGN_OR_RETURN(FilePtr file,
                                    File::Open(path, O_RDWR | flags));
            return TimeOf([&]() -> Status {
              STRATA_RETURN_IF_ERROR(
                  ForPieces(bytes, piece, [&](uint64_t at, uint64_t n) {
                    return file->Write(buffer->span().first(n), at);
                  }));
              return file->SyncData();
            });
          }};
}

// Writes `stride` bytes and makes them durable, `groups` times.
struct GroupRun {
  uint64_t groups = 0;
  uint64_t stride = 0;
};

Way GroupWay(std::string name, const fs::path& path, const GroupRun& run,
             int flags) {
  return {
      std::move(name),
      [path, run, flags, buffer = MakeBuffer(run.stride)]() -> Result<double> {
        STRATA_ASSIGN_OR_RETURN(FilePtr file, File::Open(path, O_RDWR | flags));
        return TimeOf([&]() -> Status {
          for (uint64_t i = 0; i < run.groups; ++i) {
            STRATA_RETURN_IF_ERROR(
                file->Write(buffer->span().first(run.stride), i * run.stride));
            if ((flags & O_DSYNC) != 0) continue;
            STRATA_RETURN_IF_ERROR(file->SyncData());
          }
          return Status::Ok();
        });
      }};
}

// A map of a whole file, every page mapped. Owned by one thread.
class Map {
 public:
  Map(const File& file, uint64_t bytes)
      : size_(bytes),
        data_(::mmap(nullptr, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE,
                     file.fd(), 0)) {}
  ~Map() {
    if (ok()) ::munmap(data_, size_);
  }
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  bool ok() const { return data_ != MAP_FAILED; }
  ByteSpan span() const {
    return {static_cast<const std::byte*>(data_), size_};
  }

 private:
  uint64_t size_;
  void* data_;
};

}  // namespace

uint64_t Sum(ByteSpan bytes) {
  constexpr size_t kLanes = 8;
  uint64_t lanes[kLanes] = {};
  size_t at = 0;
  for (; at + sizeof(lanes) <= bytes.size(); at += sizeof(lanes)) {
    uint64_t words[kLanes];
    std::memcpy(words, bytes.data() + at, sizeof(words));
    for (size_t i = 0; i < kLanes; ++i) lanes[i] += words[i];
  }
  uint64_t sum = 0;
  for (uint64_t lane : lanes) sum += lane;
  for (; at < bytes.size(); ++at) sum += static_cast<uint64_t>(bytes[at]);
  return sum;
}

void Use(uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

Ways CopyAndChecksum(uint64_t bytes) {
  Ways ways;
  auto to = MakeBuffer(bytes);
  auto from = MakeBuffer(kMiB);
  for (const uint64_t piece : {kKiB, 64 * kKiB, kMiB}) {
    ways.push_back(
        {fmt::format("memcpy + CRC32C of {}", SizeName(piece)), [=]() {
           return TimeOf([&] {
             return ForPieces(bytes, piece, [&](uint64_t at, uint64_t n) {
               std::memcpy(to->data() + at, from->data() + at % kMiB, n);
               Use(Crc32c(to->span().subspan(at, n)));
               return Status::Ok();
             });
           });
         }});
  }
  return ways;
}

Ways SumMemory(uint64_t bytes) {
  auto memory = MakeBuffer(bytes);
  return {{"sum of memory", [=]() {
             return TimeOf([&] {
               Use(Sum(memory->span().first(bytes)));
               return Status::Ok();
             });
           }}};
}

Result<Ways> WriteDurably(const fs::path& directory, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(const fs::path path, PreWritten(directory, bytes));
  Ways ways;
  for (const uint64_t piece : kPieces) {
    ways.push_back(WriteWay(path, bytes, piece, 0));
    ways.push_back(WriteWay(path, bytes, piece, O_DIRECT));
  }
  return ways;
}

Result<Ways> SyncRecords(const fs::path& directory, const RecordRun& run) {
  const uint64_t groups = (run.records + run.group - 1) / run.group;
  const uint64_t bytes = run.group * run.record_bytes;
  // Direct writes are whole blocks.
  const uint64_t blocks = (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  STRATA_ASSIGN_OR_RETURN(const fs::path path,
                          PreWritten(directory, groups * blocks));
  const std::string size = SizeName(bytes);
  return Ways{GroupWay(fmt::format("pwrite {} + fdatasync each", size), path,
                       {.groups = groups, .stride = bytes}, 0),
              GroupWay(fmt::format("O_DSYNC pwrite {} each", size), path,
                       {.groups = groups, .stride = bytes}, O_DSYNC),
              GroupWay(fmt::format("O_DIRECT pwrite {} + fdatasync each",
                                   SizeName(blocks)),
                       path, {.groups = groups, .stride = blocks}, O_DIRECT)};
}

Result<Ways> SumFile(const fs::path& directory, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(const fs::path path, PreWritten(directory, bytes));
  STRATA_ASSIGN_OR_RETURN(FilePtr file, File::Open(path, O_RDONLY));
  auto map = std::make_shared<Map>(*file, bytes);
  if (!map->ok()) return Failed("mmap", path);
  Ways ways = {{"sum of a map", [map]() {
                  return TimeOf([&] {
                    Use(Sum(map->span()));
                    return Status::Ok();
                  });
                }}};
  for (const uint64_t piece : kPieces) {
    ways.push_back({fmt::format("pread {} + sum", SizeName(piece)),
                    [file, bytes, piece, buffer = MakeBuffer(piece)]() {
                      return TimeOf([&] {
                        return ReadPieces(
                            *file, *buffer, bytes, piece,
                            [](ByteSpan read) { Use(Sum(read)); });
                      });
                    }});
  }
  return ways;
}

Result<Ways> CreateFile(const fs::path& directory, uint64_t bytes) {
  Ways ways;
  for (const uint64_t piece : kPieces) {
    ways.push_back({fmt::format("write {} + fsync + rename", SizeName(piece)),
                    [=, buffer = MakeBuffer(piece)]() {
                      return TimeNewFile(directory, [&](File& file) {
                        return ForPieces(
                            bytes, piece, [&](uint64_t at, uint64_t n) {
                              return file.Write(buffer->span().first(n), at);
                            });
                      });
                    }});
  }
  return ways;
}

Result<Ways> CopyFile(const fs::path& directory, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(const fs::path path, PreWritten(directory, bytes));
  STRATA_ASSIGN_OR_RETURN(FilePtr from, File::Open(path, O_RDONLY));
  Ways ways = {{"copy_file_range + fsync + rename", [=]() {
                  return TimeNewFile(directory, [&](File& to) {
                    return CopyInKernel(*from, to, bytes);
                  });
                }}};
  for (const uint64_t piece : kPieces) {
    ways.push_back(
        {fmt::format("read, write {} + fsync + rename", SizeName(piece)),
         [=, buffer = MakeBuffer(piece)]() {
           return TimeNewFile(directory, [&](File& to) {
             return ForPieces(
                 bytes, piece, [&](uint64_t at, uint64_t n) -> Status {
                   STRATA_RETURN_IF_ERROR(from->Read(buffer->data(), n, at));
                   return to.Write(buffer->span().first(n), at);
                 });
           });
         }});
  }
  return ways;
}

Result<Ways> ReadStateAndMark(const fs::path& directory, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(const fs::path path, PreWritten(directory, bytes));
  STRATA_ASSIGN_OR_RETURN(FilePtr file, File::Open(path, O_RDWR));
  Ways ways;
  for (const uint64_t piece : kPieces) {
    ways.push_back({fmt::format("pread {} + CRC32C, one sync", SizeName(piece)),
                    [file, bytes, piece, buffer = MakeBuffer(piece)]() {
                      return TimeOf([&]() -> Status {
                        STRATA_RETURN_IF_ERROR(ReadPieces(
                            *file, *buffer, bytes, piece,
                            [](ByteSpan read) { Use(Crc32c(read)); }));
                        STRATA_RETURN_IF_ERROR(
                            file->Write(buffer->span().first(kBlockBytes), 0));
                        return file->SyncData();
                      });
                    }});
  }
  return ways;
}

}  // namespace strata::bench
