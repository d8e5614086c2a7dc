// PartSender: the parts of one large object, several at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "runtime/executor.h"
#include "strata/status.h"

namespace strata {

// How an object is cut.
struct PartPlan {
  uint64_t object_bytes = 0;
  uint64_t part_bytes = 0;
  uint32_t at_once = 1;

  size_t parts() const { return (object_bytes + part_bytes - 1) / part_bytes; }
};

struct ObjectPart {
  size_t number = 0;  // from 0
  uint64_t position = 0;
  uint64_t length = 0;
};

// One life: all parts are sent, or one fails and those under way are waited
// for. A part that fails for a reason that may pass is tried a few times, since
// the rest would be lost with it. Thread-safe; kept alive by what it waits for.
class PartSender : public std::enable_shared_from_this<PartSender> {
 public:
  using Done = std::function<void(Status)>;
  // Called on the executor, for several parts at a time; calls `done` once.
  using Send = std::function<void(const ObjectPart& part, Done done)>;

  // `executor` lives as long as `send`. `done` gets the first failure.
  PartSender(Executor& executor, PartPlan plan, Send send, Done done);

  void Start();

 private:
  // Sends the next part, if there is one and nothing has failed.
  void SendNext();
  void SendPart(size_t number, int attempt);
  void PartSent(size_t number, int attempt, Status status);
  void Finish(Status status);

  Executor& executor_;
  const PartPlan plan_;
  const Send send_;

  Mutex mu_;
  Done done_ STRATA_GUARDED_BY(mu_);
  size_t next_ STRATA_GUARDED_BY(mu_) = 0;
  size_t under_way_ STRATA_GUARDED_BY(mu_) = 0;
  size_t sent_ STRATA_GUARDED_BY(mu_) = 0;
  Status failed_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
