// GarbageCollector: finds what lies in the bucket and nothing names, and
// removes it.
//
// Of a live partition these are uploads that a crash cut before their commit,
// or whose deletion failed. One cannot tell them by a listing alone: a root may
// be about to name them. So the partition is claimed anew first. From then on
// nothing is committed under a lower claim, whenever it arrives; what was
// listed, carries a lower one in its key and is not named by the root, as it
// was read behind the listing, can never be named again.
//
// Of topics that the bucket does not name these are objects that arrived after
// the topic was deleted. A topic is named before anything of it is uploaded, so
// what was listed before the topics were read, and is of none of them, is of a
// deleted one. Roots of such topics are closed or gone: where one is neither,
// somebody has lost the object of topics, and nothing is touched.
#pragma once

#include <memory>
#include <vector>

#include "engine/claims.h"
#include "engine/cold_roots.h"
#include "engine/context.h"
#include "engine/engine.h"

namespace strata::engine {

// Thread-safe. Only with cold storage.
class GarbageCollector {
 public:
  // `store` is the bucket.
  GarbageCollector(EngineContext& context, ColdRoots& roots, Claims& claims,
                   std::shared_ptr<ObjectStore> store)
      : context_(context),
        roots_(roots),
        claims_(claims),
        store_(std::move(store)) {}

  // See TieredStorage::CollectGarbage.
  void Collect(GarbageOptions options, Engine::Done<GarbageReport> done);

 private:
  class Collection;

  EngineContext& context_;
  ColdRoots& roots_;
  Claims& claims_;
  const std::shared_ptr<ObjectStore> store_;
};

}  // namespace strata::engine
