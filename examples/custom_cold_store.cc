// A cold tier of one's own: implements ObjectStore over a map in memory, gives
// it to a store, moves a batch there and reads it back.
//
// What a back end for a real bucket adds is requests in flight at once, time
// limits and the answer kUnknown where an outcome cannot be told.
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <queue>
#include <thread>

#include "strata/object_store.h"
#include "strata/tiered_storage.h"

namespace {

using strata::ObjectRequest;
using strata::Result;
using strata::Status;
using strata::StatusCode;

// Thread-safe. Requests run one after the other on a thread of the store, so
// that no method calls `done` itself; only that thread touches the objects.
class MapStore final : public strata::ObjectStore {
 public:
  MapStore() : worker_([this] { Work(); }) {}
  // Answers what was asked before.
  ~MapStore() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    worker_.join();
  }

  std::string Describe() const override { return "map:"; }
  strata::ObjectStoreCapabilities Capabilities() const override {
    return {.put_if_absent = true,
            .put_if_version = true,
            .max_object_bytes = strata::kGiB};
  }

  void Put(std::string key, std::shared_ptr<strata::ObjectSource> source,
           strata::PutPrecondition precondition, ObjectRequest request,
           Done<Result<strata::ObjectVersion>> done) override {
    Post(request, done, key,
         [=, this] { return PutNow(key, *source, precondition); });
  }

  void Get(std::string key, uint64_t position, std::span<std::byte> out,
           ObjectRequest request, Done<Result<size_t>> done) override {
    Post(request, done, key, [=, this] { return GetNow(key, position, out); });
  }

  void Head(std::string key, ObjectRequest request,
            Done<Result<strata::ObjectInfo>> done) override {
    Post(request, done, key, [=, this]() -> Result<strata::ObjectInfo> {
      STRATA_ASSIGN_OR_RETURN(const Object* object, Find(key));
      return strata::ObjectInfo{key, object->bytes.size(), object->version};
    });
  }

  void Delete(std::string key, ObjectRequest request,
              Done<Status> done) override {
    Post(request, done, key, [=, this] {
      objects_.erase(key);
      return Status::Ok();
    });
  }

  void List(std::string prefix, std::string after, size_t limit,
            ObjectRequest request,
            Done<Result<strata::ListPage>> done) override {
    Post(request, done, std::nullopt,
         [=, this] { return ListNow(prefix, after, limit); });
  }

 private:
  struct Object {
    std::string bytes;
    strata::ObjectVersion version;
  };

  // Answers done(run()), or why it was not run, on the worker. `key`: to be
  // checked.
  template <typename T, typename Run>
  void Post(ObjectRequest request, Done<T> done, std::optional<std::string> key,
            Run run) {
    const auto due = std::chrono::steady_clock::now() + request.timeout;
    std::lock_guard lock(mutex_);
    tasks_.push([=] {
      Status status = key ? strata::ValidateObjectKey(*key) : Status::Ok();
      if (request.cancel.stop_requested()) {
        status = {StatusCode::kCancelled, "map: cancelled"};
      } else if (request.timeout.count() > 0 &&
                 std::chrono::steady_clock::now() > due) {
        status = {StatusCode::kDeadlineExceeded, "map: too late to begin"};
      }
      done(status.ok() ? T(run()) : T(status));
    });
    changed_.notify_one();
  }

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  Result<const Object*> Find(const std::string& key) const {
    const auto found = objects_.find(key);
    if (found != objects_.end()) return &found->second;
    return Status(StatusCode::kNotFound, "map:" + key + ": no such object");
  }

  Result<strata::ObjectVersion> PutNow(
      const std::string& key, strata::ObjectSource& source,
      const strata::PutPrecondition& condition) {
    using Kind = strata::PutPrecondition::Kind;
    const auto found = objects_.find(key);
    const bool exists = found != objects_.end();
    if ((condition.kind == Kind::kAbsent && exists) ||
        (condition.kind == Kind::kVersion &&
         (!exists || found->second.version != condition.version))) {
      return Status(StatusCode::kConflict,
                    "map:" + key + ": its precondition does not hold");
    }
    Object object{std::string(source.size(), '\0'),
                  std::to_string(++last_version_)};
    STRATA_RETURN_IF_ERROR(
        source.ReadAt(0, std::as_writable_bytes(std::span(object.bytes))));
    return (objects_[key] = std::move(object)).version;
  }

  Result<size_t> GetNow(const std::string& key, uint64_t position,
                        std::span<std::byte> out) const {
    STRATA_ASSIGN_OR_RETURN(const Object* object, Find(key));
    if (out.empty()) return size_t{0};
    if (position >= object->bytes.size()) {
      return Status(StatusCode::kOutOfRange,
                    "map:" + key + ": nothing at " + std::to_string(position));
    }
    const strata::ByteSpan bytes =
        strata::AsBytes(object->bytes).subspan(position);
    const size_t n = std::min(out.size(), bytes.size());
    std::copy_n(bytes.begin(), n, out.begin());
    return n;
  }

  Result<strata::ListPage> ListNow(const std::string& prefix,
                                   const std::string& after,
                                   size_t limit) const {
    strata::ListPage page;
    auto it = after < prefix ? objects_.lower_bound(prefix)
                             : objects_.upper_bound(after);
    for (; it != objects_.end() && it->first.starts_with(prefix); ++it) {
      if (page.objects.size() == limit) {
        page.more = true;
        break;
      }
      page.objects.push_back(
          {it->first, it->second.bytes.size(), it->second.version});
    }
    return page;
  }

  std::map<std::string, Object> objects_;  // the worker's
  uint64_t last_version_ = 0;              // the worker's
  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::function<void()>> tasks_;  // under mutex_
  bool stopping_ = false;                    // under mutex_
  std::thread worker_;                       // last: uses all of the above
};

Status Run() {
  strata::TieredStorageConfig config;
  config.data_dir = "custom-cold-log";
  STRATA_ASSIGN_OR_RETURN(
      const auto storage,
      strata::TieredStorage::Open(
          config, {.cold_store = std::make_shared<MapStore>(), .log = {}}));

  const strata::TopicPartition orders{"orders", 0};
  STRATA_ASSIGN_OR_RETURN(
      const strata::AppendResult ack,
      storage->Append(orders, {.bytes = strata::AsBytes("hello")}));
  STRATA_RETURN_IF_ERROR(storage->DemoteTo(orders, strata::StorageTier::kCold));
  STRATA_ASSIGN_OR_RETURN(const auto batches,
                          storage->Read(orders, ack.base_offset));
  for (const strata::BatchView& batch : batches) {
    std::cout << batch.base_offset() << ' ' << strata::AsText(batch.bytes())
              << " (" << batch.tier() << ")\n";
  }
  // This cold tier goes with the process: the topic must not outlive it.
  return storage->DeleteTopic(orders.topic);
}

}  // namespace

int main() {
  const Status status = Run();
  if (status.ok()) return 0;
  std::cerr << status << '\n';
  return 1;
}
