#include "object_store/host_object_store.h"

#include <map>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"

namespace strata {

// The continuations of requests under way. They stay on our side, where Close
// can destroy them: what they hold must not live longer than the engine. The
// host's store gets their numbers only. Thread-safe.
class HostObjectStore::Requests
    : public std::enable_shared_from_this<Requests> {
 public:
  explicit Requests(Executor& answers) : answers_(&answers) {}

  // What the host's store is to call for `done`; it keeps `memory`. Empty, and
  // `done` destroyed, once closed.
  template <typename T>
  Done<T> Add(Done<T> done, std::shared_ptr<void> memory = nullptr) {
    auto kept = std::make_shared<Done<T>>(std::move(done));
    uint64_t number = 0;
    {
      MutexLock lock(mu_);
      if (answers_ == nullptr) return nullptr;
      number = next_++;
      under_way_.emplace(number, std::move(kept));
    }
    return [self = shared_from_this(), number, memory = std::move(memory)](
               T answer) { self->Land<T>(number, std::move(answer)); };
  }

  void Close() {
    std::map<uint64_t, std::shared_ptr<void>> dropped;  // outside the lock
    MutexLock lock(mu_);
    answers_ = nullptr;
    dropped.swap(under_way_);
  }

 private:
  template <typename T>
  void Land(uint64_t number, T answer) {
    MutexLock lock(mu_);
    auto node = under_way_.extract(number);
    if (node.empty()) return;  // closed, or answered before
    auto done = std::static_pointer_cast<Done<T>>(std::move(node.mapped()));
    // Under the lock: Close has to wait, since the executor stops behind it.
    answers_->Post(
        [done = std::move(done), answer = std::move(answer)]() mutable {
          (*done)(std::move(answer));
        });
  }

  Mutex mu_;
  Executor* answers_ STRATA_GUARDED_BY(mu_);  // null: closed
  uint64_t next_ STRATA_GUARDED_BY(mu_) = 0;
  // Each a Done<T>, whose T the one who answers knows.
  std::map<uint64_t, std::shared_ptr<void>> under_way_ STRATA_GUARDED_BY(mu_);
};

HostObjectStore::HostObjectStore(std::shared_ptr<ObjectStore> store,
                                 Executor& answers)
    : store_(std::move(store)),
      requests_(std::make_shared<Requests>(answers)) {}

HostObjectStore::~HostObjectStore() { Close(); }

void HostObjectStore::Close() { requests_->Close(); }

void HostObjectStore::Put(std::string key, std::shared_ptr<ObjectSource> source,
                          PutPrecondition precondition, ObjectRequest request,
                          Done<Result<ObjectVersion>> done) {
  auto answer = requests_->Add(std::move(done));
  if (answer == nullptr) return;
  store_->Put(std::move(key), std::move(source), std::move(precondition),
              std::move(request), std::move(answer));
}

void HostObjectStore::Get(std::string key, uint64_t position,
                          std::span<std::byte> out, ObjectRequest request,
                          Done<Result<size_t>> done) {
  STRATA_CHECK(request.memory != nullptr);
  auto answer = requests_->Add(std::move(done), request.memory);
  if (answer == nullptr) return;
  store_->Get(std::move(key), position, out, std::move(request),
              std::move(answer));
}

void HostObjectStore::Head(std::string key, ObjectRequest request,
                           Done<Result<ObjectInfo>> done) {
  auto answer = requests_->Add(std::move(done));
  if (answer == nullptr) return;
  store_->Head(std::move(key), std::move(request), std::move(answer));
}

void HostObjectStore::Delete(std::string key, ObjectRequest request,
                             Done<Status> done) {
  auto answer = requests_->Add(std::move(done));
  if (answer == nullptr) return;
  store_->Delete(std::move(key), std::move(request), std::move(answer));
}

void HostObjectStore::List(std::string prefix, std::string after, size_t limit,
                           ObjectRequest request, Done<Result<ListPage>> done) {
  auto answer = requests_->Add(std::move(done));
  if (answer == nullptr) return;
  store_->List(std::move(prefix), std::move(after), limit, std::move(request),
               std::move(answer));
}

}  // namespace strata
