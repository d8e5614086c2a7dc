// WalMover: copies the tails of idle partitions forward in the WAL, so that a
// few bytes of theirs do not hold a whole old file, nor become tiny segments.
#pragma once

#include <vector>

#include "engine/context.h"
#include "engine/engine.h"

namespace strata::engine {

// Thread-safe.
class WalMover {
 public:
  explicit WalMover(EngineContext& context) : context_(context) {}

  // Appends the tails again, as they are, and lets go of the older copies once
  // the new ones are durable. Replay takes either.
  void Move(std::vector<PartitionPtr> partitions, Engine::StatusDone done);

 private:
  struct Copy;

  Status CopyTail(const PartitionPtr& partition, std::vector<Copy>& copies);
  void Swap(const std::vector<Copy>& copies);

  EngineContext& context_;
};

}  // namespace strata::engine
