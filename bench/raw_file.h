// What the ways of limits.cc are made of: memory whose pages are there, files
// and maps without anything between them and the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "strata/config.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata::bench {

// Direct writes are whole blocks.
inline constexpr uint64_t kBlockBytes = 4 * kKiB;

// "1 MiB", "64 KiB", "100 B".
std::string SizeName(uint64_t bytes);

// What `errno` says of a call that failed; kUnsupported for EINVAL, which is
// what a file system answers to flags that it does not know.
Status Failed(std::string_view what, const std::filesystem::path& path);

// Page-aligned memory, every page touched. Owned by one thread.
class Buffer {
 public:
  explicit Buffer(uint64_t bytes);
  std::byte* data() const { return data_.get(); }
  ByteSpan span() const { return {data(), size_}; }

 private:
  uint64_t size_;
  std::unique_ptr<std::byte, decltype(&std::free)> data_;
};

std::shared_ptr<Buffer> MakeBuffer(uint64_t bytes);

// An open file. Owned by one thread.
class File {
 public:
  static Result<std::shared_ptr<File>> Open(const std::filesystem::path& path,
                                            int flags);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd() const { return fd_; }

  Status Write(ByteSpan bytes, uint64_t position);
  // The file is at least that long.
  Status Read(std::byte* out, uint64_t bytes, uint64_t position);
  Status SyncData();
  Status Sync();

 private:
  File(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::filesystem::path path_;
};
using FilePtr = std::shared_ptr<File>;

// Makes the names in a directory durable.
Status SyncDirectory(const std::filesystem::path& directory);

// Writes and syncs a file of `bytes`, whose pages stay in the page cache.
Status PreWrite(const std::filesystem::path& path, uint64_t bytes);

// A map of a whole file, every page mapped. Owned by one thread.
class Map {
 public:
  Map(const File& file, uint64_t bytes);
  ~Map();
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  bool ok() const;
  ByteSpan span() const {
    return {static_cast<const std::byte*>(data_), size_};
  }

 private:
  uint64_t size_;
  void* data_;
};

}  // namespace strata::bench
