// WarmFileCache: the segment files that are open, at most so many; the least
// recently used one goes first.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>

#include "base/mutex.h"
#include "io/file_system.h"
#include "strata/config.h"
#include "warm/warm_file.h"

namespace strata {

struct WarmOptions {
  WarmReadMode mode = WarmReadMode::kMap;
  uint32_t max_open_files = 512;  // at least 1
};

// Thread-safe.
class WarmFileCache {
 public:
  struct Stats {
    uint64_t open_files = 0;
    uint64_t mapped_bytes = 0;
  };

  WarmFileCache(FileSystem& files, WarmOptions options)
      : files_(files), options_(options) {}

  // The file if it is open; null otherwise. No I/O.
  std::shared_ptr<WarmFile> Find(uint64_t number);
  // The file, opened if need be, and anew if it is stale.
  Result<std::shared_ptr<WarmFile>> Open(uint64_t number);
  // Takes the file out; whoever holds it goes on.
  void Forget(uint64_t number);

  Stats stats() const;

 private:
  using Files = std::list<std::shared_ptr<WarmFile>>;

  // Takes the file out and answers it, so that it is closed outside the lock.
  std::shared_ptr<WarmFile> Take(uint64_t number) STRATA_REQUIRES(mu_);

  FileSystem& files_;
  const WarmOptions options_;
  mutable Mutex mu_;
  Files recent_ STRATA_GUARDED_BY(mu_);  // most recently used first
  std::map<uint64_t, Files::iterator> by_number_ STRATA_GUARDED_BY(mu_);
  uint64_t mapped_bytes_ STRATA_GUARDED_BY(mu_) = 0;
  // Counts calls of Forget: a file opened while one ran is not kept.
  uint64_t forgotten_ STRATA_GUARDED_BY(mu_) = 0;
};

}  // namespace strata
