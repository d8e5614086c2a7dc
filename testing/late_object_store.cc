#include "testing/late_object_store.h"

#include <utility>

namespace strata {

void LateObjectStore::Hold(StoreOp op, std::string part) {
  MutexLock lock(mu_);
  holding_ = true;
  op_ = op;
  part_ = std::move(part);
}

void LateObjectStore::WaitForHeld() {
  MutexLock lock(mu_);
  while (held_.empty()) changed_.Wait(mu_);
}

void LateObjectStore::Release() {
  std::vector<std::function<void()>> held;
  {
    MutexLock lock(mu_);
    holding_ = false;
    held.swap(held_);
  }
  for (auto& send : held) send();
  held.clear();
  MutexLock lock(mu_);
  while (unanswered_ > 0) changed_.Wait(mu_);
}

void LateObjectStore::Answered() {
  MutexLock lock(mu_);
  --unanswered_;
  changed_.SignalAll();
}

template <typename T>
void LateObjectStore::Run(StoreOp op, const std::string& key,
                          std::function<void(Done<T>)> send, Done<T> done) {
  {
    MutexLock lock(mu_);
    if (holding_ && op == op_ && key.find(part_) != std::string::npos) {
      ++unanswered_;
      held_.push_back([this, send = std::move(send), done = std::move(done)] {
        send([this, done](T answer) mutable {
          done(std::move(answer));
          done = nullptr;  // answered means let go of
          Answered();
        });
      });
      changed_.SignalAll();
      return;
    }
  }
  send(std::move(done));
}

void LateObjectStore::Put(std::string key, std::shared_ptr<ObjectSource> source,
                          PutPrecondition precondition, ObjectRequest request,
                          Done<Result<ObjectVersion>> done) {
  Run<Result<ObjectVersion>>(
      StoreOp::kPut, key,
      [this, key, source = std::move(source), precondition,
       request](Done<Result<ObjectVersion>> answer) {
        store_->Put(key, source, precondition, request, std::move(answer));
      },
      std::move(done));
}

// Keeps nothing of `request`: what `done` keeps must do.
void LateObjectStore::Get(std::string key, uint64_t position,
                          std::span<std::byte> out, ObjectRequest,
                          Done<Result<size_t>> done) {
  Run<Result<size_t>>(
      StoreOp::kGet, key,
      [this, key, position, out](Done<Result<size_t>> answer) {
        store_->Get(key, position, out, {}, std::move(answer));
      },
      std::move(done));
}

void LateObjectStore::Head(std::string key, ObjectRequest request,
                           Done<Result<ObjectInfo>> done) {
  Run<Result<ObjectInfo>>(
      StoreOp::kHead, key,
      [this, key, request](Done<Result<ObjectInfo>> answer) {
        store_->Head(key, request, std::move(answer));
      },
      std::move(done));
}

void LateObjectStore::Delete(std::string key, ObjectRequest request,
                             Done<Status> done) {
  Run<Status>(
      StoreOp::kDelete, key,
      [this, key, request](Done<Status> answer) {
        store_->Delete(key, request, std::move(answer));
      },
      std::move(done));
}

void LateObjectStore::List(std::string prefix, std::string after, size_t limit,
                           ObjectRequest request, Done<Result<ListPage>> done) {
  Run<Result<ListPage>>(
      StoreOp::kList, prefix,
      [this, prefix, after, limit, request](Done<Result<ListPage>> answer) {
        store_->List(prefix, after, limit, request, std::move(answer));
      },
      std::move(done));
}

}  // namespace strata
