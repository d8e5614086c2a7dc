#include "engine/file_reaper.h"

#include <utility>

#include "engine/segment_output.h"

namespace strata::engine {

void FileReaper::Retire(std::vector<uint64_t> files) {
  {
    MutexLock lock(mu_);
    retired_.insert(files.begin(), files.end());
    if (retired_.empty()) return;
  }
  context_.runtime.job_executor().Post([this] { Reap(); });
}

void FileReaper::Reap() {
  std::set<uint64_t> retired;
  {
    MutexLock lock(mu_);
    retired.swap(retired_);
  }
  std::vector<uint64_t> unnamed;
  context_.manifest.WithState([&](const ManifestState& state) {
    std::erase_if(retired, [&](uint64_t file) {
      if (state.file_segments().contains(file)) return false;
      unnamed.push_back(file);
      return true;
    });
  });
  {
    MutexLock lock(mu_);
    retired_.merge(retired);
  }
  if (unnamed.empty()) return;
  // The state runs ahead of the disk: what an edit let go, the next open may
  // find named again until that edit is durable.
  context_.manifest.WhenDurable(
      [this, unnamed = std::move(unnamed)](Status status) mutable {
        if (status.ok()) {
          context_.runtime.job_executor().Post(
              [this, unnamed = std::move(unnamed)] { Remove(unnamed); });
          return;
        }
        MutexLock lock(mu_);
        retired_.insert(unnamed.begin(), unnamed.end());
      });
}

void FileReaper::Remove(const std::vector<uint64_t>& files) {
  for (const uint64_t file : files) {
    context_.warm.Forget(file);
    const Status removed = context_.warm_fs.Remove(SegmentFileName(file));
    // What stays behind is removed as an orphan by the next open.
    if (!removed.ok() && removed.code() != StatusCode::kNotFound) {
      context_.log.Warning("segment file not removed: {}", removed.message());
    }
  }
  context_.attention.RestoreReserve();
}

}  // namespace strata::engine
