#include "warm/warm_file_cache.h"

#include <algorithm>
#include <vector>

namespace strata {

std::shared_ptr<WarmFile> WarmFileCache::Find(uint64_t number) {
  MutexLock lock(mu_);
  const auto it = by_number_.find(number);
  if (it == by_number_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, it->second);
  return *it->second;
}

Result<std::shared_ptr<WarmFile>> WarmFileCache::Open(uint64_t number) {
  std::shared_ptr<WarmFile> stale = Find(number);
  if (stale != nullptr && !stale->stale()) return stale;
  uint64_t forgotten;
  {
    MutexLock lock(mu_);
    forgotten = forgotten_;
  }
  STRATA_ASSIGN_OR_RETURN(std::shared_ptr<WarmFile> file,
                          WarmFile::Open(files_, number, options_.mode));
  std::vector<std::shared_ptr<WarmFile>> closed;  // outlives the lock
  MutexLock lock(mu_);
  if (forgotten != forgotten_) return file;
  if (const auto it = by_number_.find(number); it != by_number_.end()) {
    // Another reader was first.
    if (!(*it->second)->stale()) return *it->second;
    closed.push_back(Take(number));
  }
  while (recent_.size() >= std::max<uint32_t>(options_.max_open_files, 1)) {
    closed.push_back(Take(recent_.back()->number()));
  }
  recent_.push_front(file);
  by_number_.emplace(number, recent_.begin());
  mapped_bytes_ += file->mapped_bytes();
  return file;
}

void WarmFileCache::Forget(uint64_t number) {
  std::shared_ptr<WarmFile> closed;  // outlives the lock
  MutexLock lock(mu_);
  ++forgotten_;
  closed = Take(number);
}

std::shared_ptr<WarmFile> WarmFileCache::Take(uint64_t number) {
  const auto it = by_number_.find(number);
  if (it == by_number_.end()) return nullptr;
  std::shared_ptr<WarmFile> file = std::move(*it->second);
  mapped_bytes_ -= file->mapped_bytes();
  recent_.erase(it->second);
  by_number_.erase(it);
  return file;
}

WarmFileCache::Stats WarmFileCache::stats() const {
  MutexLock lock(mu_);
  return {.open_files = recent_.size(), .mapped_bytes = mapped_bytes_};
}

}  // namespace strata
