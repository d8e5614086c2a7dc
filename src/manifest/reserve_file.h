// ReserveFile: disk space kept aside in a file of real bytes, to be given back
// when the disk is full.
#pragma once

#include <atomic>
#include <cstdint>

#include "io/file_system.h"
#include "runtime/random.h"

namespace strata {

// intact() is thread-safe; the rest is used by one thread at a time.
class ReserveFile {
 public:
  // Zero `bytes`: there is no reserve, and it is always intact.
  ReserveFile(FileSystem& files, Random& random, uint64_t bytes);

  // Looks whether the file is there, whole.
  void Find();
  // Writes the file unless it is there or less than `free_bytes` are free.
  // What fails leaves no file behind: intact() tells. Blocking.
  void Restore(uint64_t free_bytes);
  // Gives the space back; false when there was none to give.
  bool Remove();

  uint64_t bytes() const { return bytes_; }
  bool intact() const { return bytes_ == 0 || present_; }

 private:
  Status Write();

  FileSystem& files_;
  Random& random_;
  const uint64_t bytes_;
  // Written by the one thread, read by any; nothing else hangs on it.
  std::atomic<bool> present_{false};
};

}  // namespace strata
