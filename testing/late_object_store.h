// LateObjectStore: an object store that holds requests back until it is told to
// go on, as one that hangs does, and then does and answers them all the same.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/condition.h"
#include "strata/object_store.h"
#include "testing/faulty_object_store.h"

namespace strata {

// Thread-safe.
class LateObjectStore final : public ObjectStore {
 public:
  explicit LateObjectStore(std::shared_ptr<ObjectStore> store)
      : store_(std::move(store)) {}

  // From now on requests of `op` whose key (List: prefix) has `part` in it are
  // held back.
  void Hold(StoreOp op, std::string part);
  // Blocks until a request is held back.
  void WaitForHeld();
  // Sends on what is held back, holds nothing any more, and blocks until all
  // that was held is answered.
  void Release();

  std::string Describe() const override { return store_->Describe(); }
  ObjectStoreCapabilities Capabilities() const override {
    return store_->Capabilities();
  }
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
  // Calls `send` with `done`, now or at Release.
  template <typename T>
  void Run(StoreOp op, const std::string& key,
           std::function<void(Done<T>)> send, Done<T> done);
  void Answered();

  const std::shared_ptr<ObjectStore> store_;
  Mutex mu_;
  Condition changed_;
  bool holding_ STRATA_GUARDED_BY(mu_) = false;
  StoreOp op_ STRATA_GUARDED_BY(mu_) = StoreOp::kPut;
  std::string part_ STRATA_GUARDED_BY(mu_);
  std::vector<std::function<void()>> held_ STRATA_GUARDED_BY(mu_);
  size_t unanswered_ STRATA_GUARDED_BY(mu_) = 0;  // of those that were held
};

}  // namespace strata
