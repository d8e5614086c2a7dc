// ColdRoots: a partition's cold part as the object store has it, reconciled
// with what the local manifest knows.
//
// The order of an offload is upload, root commit, local edit. A crash between
// the last two leaves a root that reaches further than the local cold_end;
// the first look at the root after open adopts it.
#pragma once

#include <memory>

#include "engine/context.h"
#include "engine/engine.h"

namespace strata::engine {

// Thread-safe. Only with cold storage.
class ColdRoots {
 public:
  explicit ColdRoots(EngineContext& context) : context_(context) {}

  // The root's entries; from memory after the first time.
  void Load(PartitionPtr partition, Engine::Done<ColdPartitionPtr> done);
  // As Load, from the object store even if it is in memory.
  void Reload(PartitionPtr partition, Engine::Done<ColdPartitionPtr> done);

 private:
  void Adopt(PartitionPtr partition, ColdPartitionPtr root,
             Engine::Done<ColdPartitionPtr> done);

  EngineContext& context_;
};

}  // namespace strata::engine
