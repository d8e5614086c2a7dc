// StoreCall: any request to an object store as one value, and the base of
// decorators, which treat all of them alike.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/clock.h"
#include "strata/object_store.h"

namespace strata {

enum class StoreMethod : uint8_t { kPut, kGet, kHead, kDelete, kList };

template <typename T>
struct StoreCall {
  using Done = ObjectStore::Done<T>;

  StoreMethod method = StoreMethod::kGet;
  uint64_t bytes = 0;        // to be moved, at most
  bool conditional = false;  // a Put with a precondition
  ObjectRequest request{};
  // Makes the request; may be called again after it was answered.
  std::function<void(ObjectRequest, Done)> send{};
};

// The time that a request has, across waits and attempts. Immutable.
class RequestDeadline {
 public:
  RequestDeadline(const ObjectRequest& request, const Clock& clock)
      : clock_(&clock) {
    if (request.timeout.count() > 0) at_ = clock.Now() + request.timeout;
  }

  // Whether less than `ahead` is left.
  bool PassedIn(Duration ahead) const {
    return at_ && clock_->Now() + ahead >= *at_;
  }
  // Zero when there is no deadline; at least a millisecond otherwise.
  std::chrono::milliseconds Left() const {
    using std::chrono::milliseconds;
    if (!at_) return milliseconds(0);
    const auto left =
        std::chrono::duration_cast<milliseconds>(*at_ - clock_->Now());
    return std::max(left, milliseconds(1));
  }

 private:
  const Clock* clock_;
  std::optional<MonotonicTime> at_;
};

// kCancelled or kDeadlineExceeded when a request need not begin any more.
inline Status CheckStillWanted(const ObjectRequest& request,
                               const RequestDeadline& deadline) {
  if (request.cancel.stop_requested()) {
    return {StatusCode::kCancelled, "request cancelled"};
  }
  if (deadline.PassedIn(Duration::zero())) {
    return {StatusCode::kDeadlineExceeded, "request not begun in time"};
  }
  return Status::Ok();
}

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
Status StatusOf(const Result<T>& result) {
  return result.status();
}

// An object store that hands its requests to another one in its own way:
//
//   class Mine final : public ObjectStoreDecorator<Mine> {
//     template <typename T>
//     void Run(StoreCall<T> call, ObjectStore::Done<T> done);
//   };
//
// Thread-safe as far as Run is.
template <typename Derived>
class ObjectStoreDecorator : public ObjectStore {
 public:
  explicit ObjectStoreDecorator(std::shared_ptr<ObjectStore> store)
      : store_(std::move(store)) {}

  std::string Describe() const override { return store_->Describe(); }
  ObjectStoreCapabilities Capabilities() const override {
    return store_->Capabilities();
  }

  void Put(std::string key, std::shared_ptr<ObjectSource> source,
           PutPrecondition precondition, ObjectRequest request,
           Done<Result<ObjectVersion>> done) final {
    const uint64_t bytes = source->size();
    const bool conditional = precondition.kind != PutPrecondition::Kind::kNone;
    Hand<Result<ObjectVersion>>(
        {.method = StoreMethod::kPut,
         .bytes = bytes,
         .conditional = conditional,
         .request = std::move(request),
         .send =
             [store = store_, key = std::move(key), source = std::move(source),
              precondition = std::move(precondition)](ObjectRequest r, auto d) {
               store->Put(key, source, precondition, std::move(r),
                          std::move(d));
             }},
        std::move(done));
  }
  void Get(std::string key, uint64_t position, std::span<std::byte> out,
           ObjectRequest request, Done<Result<size_t>> done) final {
    Hand<Result<size_t>>({.method = StoreMethod::kGet,
                          .bytes = out.size(),
                          .request = std::move(request),
                          .send =
                              [store = store_, key = std::move(key), position,
                               out](ObjectRequest r, auto d) {
                                store->Get(key, position, out, std::move(r),
                                           std::move(d));
                              }},
                         std::move(done));
  }
  void Head(std::string key, ObjectRequest request,
            Done<Result<ObjectInfo>> done) final {
    Hand<Result<ObjectInfo>>(
        {.method = StoreMethod::kHead,
         .request = std::move(request),
         .send = [store = store_, key = std::move(key)](
                     ObjectRequest r,
                     auto d) { store->Head(key, std::move(r), std::move(d)); }},
        std::move(done));
  }
  void Delete(std::string key, ObjectRequest request, Done<Status> done) final {
    Hand<Status>(
        {.method = StoreMethod::kDelete,
         .request = std::move(request),
         .send =
             [store = store_, key = std::move(key)](ObjectRequest r, auto d) {
               store->Delete(key, std::move(r), std::move(d));
             }},
        std::move(done));
  }
  void List(std::string prefix, std::string after, size_t limit,
            ObjectRequest request, Done<Result<ListPage>> done) final {
    Hand<Result<ListPage>>(
        {.method = StoreMethod::kList,
         .request = std::move(request),
         .send =
             [store = store_, prefix = std::move(prefix),
              after = std::move(after), limit](ObjectRequest r, auto d) {
               store->List(prefix, after, limit, std::move(r), std::move(d));
             }},
        std::move(done));
  }

 private:
  template <typename T>
  void Hand(StoreCall<T> call, Done<T> done) {
    static_cast<Derived*>(this)->template Run<T>(std::move(call),
                                                 std::move(done));
  }

  const std::shared_ptr<ObjectStore> store_;
};

}  // namespace strata
