// FaultyObjectStore: an object store as the network shows it: slow, away,
// reporting success as failure, answering short or damaged bytes. By script or
// by seeded chance, the same way for the same seed under SimRuntime.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "runtime/runtime.h"
#include "runtime/xoshiro.h"
#include "strata/object_store.h"

namespace strata {

enum class StoreOp { kPut, kGet, kHead, kDelete, kList };

enum class StoreFault {
  kNone,
  kUnavailable,  // not done, kUnavailable
  // Of changes; for reads as kUnavailable:
  kUnknownDone,    // done, answered kUnknown
  kUnknownUndone,  // not done, answered kUnknown
  kUnknownLate,    // answered kUnknown, done a second later
  // Of Get; for others as kNone:
  kShort,    // half of the bytes, answered Ok
  kCorrupt,  // one bit flipped, answered Ok
};

// Of a thousand requests, how many meet each fault.
struct StoreChances {
  uint32_t unavailable = 0;
  uint32_t unknown_done = 0;
  uint32_t unknown_undone = 0;
  uint32_t unknown_late = 0;
  uint32_t short_answer = 0;
  uint32_t corrupt = 0;
  // Each request waits for a random part of it.
  Duration max_delay = Duration::zero();
};

// Thread-safe.
class FaultyObjectStore final : public ObjectStore {
 public:
  // `runtime` outlives this and its requests.
  FaultyObjectStore(std::shared_ptr<ObjectStore> store, Runtime& runtime,
                    uint64_t seed);

  // The next `count` requests of `op` meet `fault`; queues up behind others.
  void FailNext(StoreOp op, StoreFault fault, uint64_t count = 1);
  // No request meets what FailNext asked for any more.
  void ClearScript();
  void SetChances(StoreChances chances);
  // While away, all requests are kUnavailable.
  void SetAway(bool away);
  // What Capabilities answers from now on, instead of what is true.
  void SetCapabilities(ObjectStoreCapabilities capabilities);
  // Requests that met a fault; away counts too.
  uint64_t faults() const;

  std::string Describe() const override { return store_->Describe(); }
  ObjectStoreCapabilities Capabilities() const override;
  void Put(std::string key, std::shared_ptr<ObjectSource> source,
           PutPrecondition precondition, ObjectRequest request,
           Done<Result<ObjectVersion>> done) override;
  void Get(std::string key, uint64_t position, std::span<std::byte> out,
           ObjectRequest request, Done<Result<size_t>> done) override;
  void Head(std::string key, ObjectRequest request,
            Done<Result<ObjectInfo>> done) override;
  void Delete(std::string key, ObjectRequest request,
              Done<Status> done) override;
  void List(std::string prefix, std::string after, size_t limit,
            ObjectRequest request, Done<Result<ListPage>> done) override;

 private:
  // What becomes of one request.
  struct Fate {
    StoreFault fault = StoreFault::kNone;
    Duration delay = Duration::zero();
    uint64_t where = 0;  // bit to flip, modulo the answer's size
  };
  template <typename T>
  using Perform = std::function<void(Done<T>)>;

  Fate Draw(StoreOp op);
  StoreFault DrawFault(StoreOp op) STRATA_REQUIRES(mu_);
  template <typename T>
  void Run(Fate fate, Perform<T> perform, Done<T> done);

  const std::shared_ptr<ObjectStore> store_;
  Runtime& runtime_;
  mutable Mutex mu_;
  Xoshiro256 random_ STRATA_GUARDED_BY(mu_);
  std::map<StoreOp, std::deque<StoreFault>> script_ STRATA_GUARDED_BY(mu_);
  StoreChances chances_ STRATA_GUARDED_BY(mu_);
  bool away_ STRATA_GUARDED_BY(mu_) = false;
  uint64_t faults_ STRATA_GUARDED_BY(mu_) = 0;
  ObjectStoreCapabilities capabilities_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
