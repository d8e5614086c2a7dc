// BlockingObjectStore: the asynchronous half of back ends whose work blocks.
// A request becomes a task of the cold executor; the back end says what the
// task does.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/unique_function.h"
#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

// Thread-safe; lives as long as its requests. Owned by shared_ptr.
class BlockingObjectStore
    : public ObjectStore,
      public std::enable_shared_from_this<BlockingObjectStore> {
 public:
  void Put(std::string key, std::shared_ptr<ObjectSource> source,
           PutPrecondition precondition, ObjectRequest request,
           Done<Result<ObjectVersion>> done) final;
  void Get(std::string key, uint64_t position, std::span<std::byte> out,
           ObjectRequest request, Done<Result<size_t>> done) final;
  void Head(std::string key, ObjectRequest request,
            Done<Result<ObjectInfo>> done) final;
  void Delete(std::string key, ObjectRequest request, Done<Status> done) final;
  void List(std::string prefix, std::string after, size_t limit,
            ObjectRequest request, Done<Result<ListPage>> done) final;

 protected:
  // `runtime` outlives this.
  explicit BlockingObjectStore(Runtime& runtime) : runtime_(runtime) {}

  Runtime& runtime() { return runtime_; }

 private:
  // As the method of the interface without "Now"; on the cold executor, several
  // at once. Keys and limits are valid by ValidateObjectKey.
  virtual Result<ObjectVersion> PutNow(const std::string& key,
                                       ObjectSource& source,
                                       const PutPrecondition& condition) = 0;
  virtual Result<size_t> GetNow(const std::string& key, uint64_t position,
                                std::span<std::byte> out) = 0;
  virtual Result<ObjectInfo> HeadNow(const std::string& key) = 0;
  virtual Status DeleteNow(const std::string& key) = 0;
  virtual Result<ListPage> ListNow(const std::string& prefix,
                                   const std::string& after, size_t limit) = 0;

  // Posts a task that answers `valid` unless it is Ok, that the request was
  // given up, or what `work` answers.
  template <typename T>
  void Run(Status valid, ObjectRequest request, UniqueFunction<T()> work,
           Done<T> done);

  Runtime& runtime_;
};

}  // namespace strata
