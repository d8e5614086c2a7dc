// HostObjectStore: the door between the engine and an object store that the
// host brought, which has threads of its own and may answer at any time, also
// when there is no engine any more.
#pragma once

#include <memory>
#include <string>

#include "runtime/executor.h"
#include "strata/object_store.h"

namespace strata {

// Answers run on an executor of the engine, never on a thread of the host, so
// that they end with it. Thread-safe.
class HostObjectStore final : public ObjectStore {
 public:
  // `answers` outlives Close.
  HostObjectStore(std::shared_ptr<ObjectStore> store, Executor& answers);
  ~HostObjectStore() override;

  // From now on nothing reaches the host's store, and no answer comes from it:
  // the `done` of every request, under way or made later, is destroyed. What
  // the host's store may still touch lives on as long as it holds its own
  // `done`: the source of a Put, ObjectRequest::memory of a Get. Call it before
  // the executor stops.
  void Close();

  std::string Describe() const override { return store_->Describe(); }
  ObjectStoreCapabilities Capabilities() const override {
    return store_->Capabilities();
  }
  void Put(std::string key, std::shared_ptr<ObjectSource> source,
           PutPrecondition precondition, ObjectRequest request,
           Done<Result<ObjectVersion>> done) override;
  // `request.memory` is set.
  void Get(std::string key, uint64_t position, std::span<std::byte> out,
           ObjectRequest request, Done<Result<size_t>> done) override;
  void Head(std::string key, ObjectRequest request,
            Done<Result<ObjectInfo>> done) override;
  void Delete(std::string key, ObjectRequest request,
              Done<Status> done) override;
  void List(std::string prefix, std::string after, size_t limit,
            ObjectRequest request, Done<Result<ListPage>> done) override;

 private:
  class Requests;

  const std::shared_ptr<ObjectStore> store_;
  // Shared with what the host's store holds.
  const std::shared_ptr<Requests> requests_;
};

}  // namespace strata
