// PrefixedObjectStore: what lies below a prefix of a bucket as an object store
// of its own: a bucket may hold several logs, and more.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "strata/object_store.h"

namespace strata {

// Thread-safe.
class PrefixedObjectStore final : public ObjectStore {
 public:
  // `prefix` ends with '/'.
  PrefixedObjectStore(std::shared_ptr<ObjectStore> store, std::string prefix)
      : store_(std::move(store)), prefix_(std::move(prefix)) {}

  std::string Describe() const override {
    return store_->Describe() + "/" + prefix_;
  }
  ObjectStoreCapabilities Capabilities() const override {
    return store_->Capabilities();
  }
  void Put(std::string key, std::shared_ptr<ObjectSource> source,
           PutPrecondition precondition, ObjectRequest request,
           Done<Result<ObjectVersion>> done) override {
    store_->Put(prefix_ + key, std::move(source), std::move(precondition),
                std::move(request), std::move(done));
  }
  void Get(std::string key, uint64_t position, std::span<std::byte> out,
           ObjectRequest request, Done<Result<size_t>> done) override {
    store_->Get(prefix_ + key, position, out, std::move(request),
                std::move(done));
  }
  void Head(std::string key, ObjectRequest request,
            Done<Result<ObjectInfo>> done) override {
    store_->Head(prefix_ + key, std::move(request),
                 [cut = prefix_.size(),
                  done = std::move(done)](Result<ObjectInfo> info) {
                   if (info.ok()) info->key.erase(0, cut);
                   done(std::move(info));
                 });
  }
  void Delete(std::string key, ObjectRequest request,
              Done<Status> done) override {
    store_->Delete(prefix_ + key, std::move(request), std::move(done));
  }
  void List(std::string prefix, std::string after, size_t limit,
            ObjectRequest request, Done<Result<ListPage>> done) override {
    if (!after.empty()) after = prefix_ + after;
    store_->List(
        prefix_ + prefix, std::move(after), limit, std::move(request),
        [cut = prefix_.size(), done = std::move(done)](Result<ListPage> page) {
          if (page.ok()) {
            for (auto& object : page->objects) {
              object.key.erase(0, cut);
            }
          }
          done(std::move(page));
        });
  }

 private:
  const std::shared_ptr<ObjectStore> store_;
  const std::string prefix_;
};

}  // namespace strata
