// FileSystem: the only way to files. The real one (posix_file_system.h) is
// rooted in a directory and resolves every path beneath it without following
// symbolic links; testing/sim_file_system.h is its twin in memory, which at a
// crash forgets or tears what was not synced.
//
// Paths are relative, '/'-separated, without "." or "..": "wal/0001.wal". One
// that is not is refused with kInvalidArgument.
//
// Errors: kNotFound, kAlreadyExists, kNoSpace (disk full or quota), kIoError
// (everything else); the message carries operation, path, position and errno.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// A read-only view of a whole file. Stays valid and unchanged when the file is
// removed meanwhile. Thread-safe.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual ByteSpan bytes() const = 0;
  // True once a page of the map could not be read (I/O error, file cut short
  // by somebody else): that page now shows zeros, the process lives on. A
  // reader checks it after it has touched the bytes.
  virtual bool damaged() const = 0;
  // Whether a byte of [position, position + length) is in a page that could
  // not be read.
  virtual bool DamagedIn(uint64_t position, uint64_t length) const = 0;
};

// An open file. Positional; thread-safe, as pread and pwrite are.
class File {
 public:
  virtual ~File() = default;

  // Fills `out` from `position`; answers fewer bytes only at the file's end.
  virtual Result<size_t> Read(uint64_t position, std::span<std::byte> out) = 0;
  // Writes all of `data`; after an error any part of it may be written.
  virtual Status Write(uint64_t position, ByteSpan data) = 0;
  // Returns when data (and size) are on the device: fdatasync. After an error
  // nothing may be assumed about what was written since the last good sync,
  // and calling again does not help.
  virtual Status Sync() = 0;
  virtual Status Truncate(uint64_t size_bytes) = 0;
  virtual Result<uint64_t> Size() = 0;
  // Maps the file as long as it is now; an empty file gives an empty view.
  virtual Result<std::shared_ptr<Mapping>> Map() = 0;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // must not exist; kAlreadyExists otherwise
};

struct FileStat {
  uint64_t size_bytes = 0;
  bool is_directory = false;
  // Identify one version of a file's content that is only ever replaced by
  // rename: a new file has another pair.
  uint64_t inode = 0;
  uint64_t change_time_ns = 0;
};

// Held lock; released at destruction, and by the system when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The root in words, for messages: "/var/lib/strata".
  virtual std::string Describe() const = 0;

  virtual Result<std::unique_ptr<File>> Open(std::string_view path,
                                             OpenMode mode) = 0;
  // Replaces `to` if it exists. Durable once the directories are synced.
  virtual Status Rename(std::string_view from, std::string_view to) = 0;
  // A second name for a file; kAlreadyExists when `to` exists.
  virtual Status Link(std::string_view from, std::string_view to) = 0;
  virtual Status Remove(std::string_view path) = 0;
  // Creates the directory and its parents, each made durable in its parent;
  // Ok when it is there already.
  virtual Status CreateDirectory(std::string_view path) = 0;
  virtual Status RemoveDirectory(std::string_view path) = 0;
  // Makes creations, renames and removals directly in `path` durable. "" is
  // the root.
  virtual Status SyncDirectory(std::string_view path) = 0;
  // Names (not paths) in `path`, ascending. "" is the root.
  virtual Result<std::vector<std::string>> List(std::string_view path) = 0;
  virtual Result<FileStat> Stat(std::string_view path) = 0;
  // Creates the file if absent and locks it for this process and this
  // FileSystem object; kConflict at once when somebody else holds it, with
  // what that one wrote (its pid and command) in the message. `note` is
  // written into the file.
  virtual Result<std::unique_ptr<FileLock>> TryLock(std::string_view path,
                                                    std::string_view note) = 0;
  // Whether somebody holds the lock, without getting in anybody's way; false
  // when there is no such file.
  virtual Result<bool> IsLocked(std::string_view path) = 0;
  // As TryLock, but waits for the other one. For locks held for microseconds.
  virtual Result<std::unique_ptr<FileLock>> Lock(std::string_view path) = 0;
  // Bytes that this process may still write.
  virtual Result<uint64_t> FreeBytes() = 0;
};

// kInvalidArgument, naming the fault, unless `path` follows the rules above.
Status ValidatePath(std::string_view path);

}  // namespace strata
