#include "engine/file_reaper.h"

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
  std::vector<uint64_t> unnamed;
  {
    MutexLock lock(mu_);
    const std::set<uint64_t>& retired = retired_;
    context_.manifest.WithState([&](const ManifestState& state) {
      for (const uint64_t file : retired) {
        if (!state.file_segments().contains(file)) unnamed.push_back(file);
      }
    });
    for (const uint64_t file : unnamed) retired_.erase(file);
  }
  for (const uint64_t file : unnamed) {
    context_.warm.Forget(file);
    const Status removed = context_.warm_fs.Remove(SegmentFileName(file));
    // What stays behind is removed as an orphan by the next open.
    if (!removed.ok() && removed.code() != StatusCode::kNotFound) {
      context_.log.Warning("segment file not removed: {}", removed.message());
    }
  }
}

}  // namespace strata::engine
