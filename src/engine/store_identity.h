// StoreIdentity: by what the bucket knows a store.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "format/manifest_format.h"
#include "strata/types.h"

namespace strata::engine {

// Does not change while the store is open.
struct StoreIdentity {
  TopicId store{};
  uint64_t session = 0;  // of this open; 0 when it is only read
  // The latest ones of this store, this one among them. Each was durable before
  // anything was claimed in it.
  std::vector<uint64_t> sessions{};
  // Whether others can reach the bucket. They cannot when it lies in the
  // store's own directory, which is locked.
  bool shared_bucket = true;

  bool Owns(const ColdClaim& claim) const {
    return claim.owner == store &&
           std::ranges::find(sessions, claim.session) != sessions.end();
  }
  // Whether this store may claim a root that has `claim`, `known` being the
  // claim that it may follow. A lower one than that is of a bucket that was set
  // back.
  bool MayFollow(const ColdClaim& known, const ColdClaim& claim) const {
    return claim.number < known.number || claim == known || Owns(claim);
  }
  // What it claims a root with that has `claim`.
  ColdClaim Next(const ColdClaim& known, const ColdClaim& claim) const {
    return {.number = std::max(known.number, claim.number) + 1,
            .owner = store,
            .session = session};
  }
};

}  // namespace strata::engine
