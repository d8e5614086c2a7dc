// FileReaper: removes segment files once no manifest edit names them, not even
// one that a crash could bring back.
#pragma once

#include <set>
#include <vector>

#include "base/mutex.h"
#include "engine/context.h"

namespace strata::engine {

// Thread-safe.
class FileReaper {
 public:
  explicit FileReaper(EngineContext& context) : context_(context) {}

  // The manifest lost, or is about to lose, references to these files: those
  // without any are removed, on the job executor; the others are looked at
  // again with the next call.
  void Retire(std::vector<uint64_t> files);

 private:
  void Reap();
  // No edit names them any more, and that is durable.
  void Remove(const std::vector<uint64_t>& files);

  EngineContext& context_;
  Mutex mu_;
  std::set<uint64_t> retired_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata::engine
