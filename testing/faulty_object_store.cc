#include "testing/faulty_object_store.h"

#include <utility>

namespace strata {
namespace {

constexpr Duration kLate = std::chrono::seconds(1);

bool IsChange(StoreOp op) {
  return op == StoreOp::kPut || op == StoreOp::kDelete;
}

bool IsUnknown(StoreFault fault) {
  return fault == StoreFault::kUnknownDone ||
         fault == StoreFault::kUnknownUndone ||
         fault == StoreFault::kUnknownLate;
}

bool SpoilsAnswer(StoreFault fault) {
  return fault == StoreFault::kShort || fault == StoreFault::kCorrupt;
}

}  // namespace

FaultyObjectStore::FaultyObjectStore(std::shared_ptr<ObjectStore> store,
                                     Runtime& runtime, uint64_t seed)
    : store_(std::move(store)),
      runtime_(runtime),
      random_(seed),
      capabilities_(store_->Capabilities()) {}

void FaultyObjectStore::FailNext(StoreOp op, StoreFault fault, uint64_t count) {
  MutexLock lock(mu_);
  std::deque<StoreFault>& faults = script_[op];
  faults.insert(faults.end(), count, fault);
}

void FaultyObjectStore::ClearScript() {
  MutexLock lock(mu_);
  script_.clear();
}

void FaultyObjectStore::SetChances(StoreChances chances) {
  MutexLock lock(mu_);
  chances_ = chances;
}

void FaultyObjectStore::SetAway(bool away) {
  MutexLock lock(mu_);
  away_ = away;
}

void FaultyObjectStore::SetCapabilities(ObjectStoreCapabilities capabilities) {
  MutexLock lock(mu_);
  capabilities_ = capabilities;
}

ObjectStoreCapabilities FaultyObjectStore::Capabilities() const {
  MutexLock lock(mu_);
  return capabilities_;
}

uint64_t FaultyObjectStore::faults() const {
  MutexLock lock(mu_);
  return faults_;
}

StoreFault FaultyObjectStore::DrawFault(StoreOp op) {
  if (away_) return StoreFault::kUnavailable;
  if (std::deque<StoreFault>& script = script_[op]; !script.empty()) {
    const StoreFault fault = script.front();
    script.pop_front();
    return fault;
  }
  const std::pair<uint32_t, StoreFault> chances[] = {
      {chances_.unavailable, StoreFault::kUnavailable},
      {chances_.unknown_done, StoreFault::kUnknownDone},
      {chances_.unknown_undone, StoreFault::kUnknownUndone},
      {chances_.unknown_late, StoreFault::kUnknownLate},
      {chances_.short_answer, StoreFault::kShort},
      {chances_.corrupt, StoreFault::kCorrupt},
  };
  uint64_t drawn = random_.Next() % 1000;
  for (const auto& [chance, fault] : chances) {
    if (drawn < chance) return fault;
    drawn -= chance;
  }
  return StoreFault::kNone;
}

FaultyObjectStore::Fate FaultyObjectStore::Draw(StoreOp op) {
  MutexLock lock(mu_);
  Fate fate;
  fate.fault = DrawFault(op);
  if (IsUnknown(fate.fault) && !IsChange(op)) {
    fate.fault = StoreFault::kUnavailable;
  }
  if (SpoilsAnswer(fate.fault) && op != StoreOp::kGet) {
    fate.fault = StoreFault::kNone;
  }
  faults_ += fate.fault != StoreFault::kNone;
  fate.where = random_.Next();
  const auto max_delay = static_cast<uint64_t>(chances_.max_delay.count());
  fate.delay = Duration(random_.Next() % (max_delay + 1));
  return fate;
}

template <typename T>
void FaultyObjectStore::Run(Fate fate, Perform<T> perform, Done<T> done) {
  Executor& executor = runtime_.cold_executor();
  executor.PostAfter(fate.delay, [&executor, fate, perform = std::move(perform),
                                  done = std::move(done)]() mutable {
    switch (fate.fault) {
      case StoreFault::kNone:
      case StoreFault::kShort:
      case StoreFault::kCorrupt: return perform(std::move(done));
      case StoreFault::kUnavailable:
        return done(Status(StatusCode::kUnavailable, "injected: away"));
      case StoreFault::kUnknownDone:
        return perform([done = std::move(done)](T) {
          done(Status(StatusCode::kUnknown, "injected: answer lost"));
        });
      case StoreFault::kUnknownLate:
        executor.PostAfter(kLate, [perform = std::move(perform)]() mutable {
          perform([](T) {});
        });
        [[fallthrough]];
      case StoreFault::kUnknownUndone:
        return done(Status(StatusCode::kUnknown, "injected: no answer"));
    }
  });
}

void FaultyObjectStore::Put(std::string key,
                            std::shared_ptr<ObjectSource> source,
                            PutPrecondition precondition, ObjectRequest request,
                            Done<Result<ObjectVersion>> done) {
  auto perform = [=, store = store_](Done<Result<ObjectVersion>> performed) {
    store->Put(key, source, precondition, request, std::move(performed));
  };
  Run<Result<ObjectVersion>>(Draw(StoreOp::kPut), std::move(perform),
                             std::move(done));
}

void FaultyObjectStore::Get(std::string key, uint64_t position,
                            std::span<std::byte> out, ObjectRequest request,
                            Done<Result<size_t>> done) {
  const Fate fate = Draw(StoreOp::kGet);
  auto perform = [=, store = store_](Done<Result<size_t>> performed) {
    store->Get(key, position, out, request, std::move(performed));
  };
  auto spoil = [fate, out, done = std::move(done)](Result<size_t> filled) {
    if (filled.ok() && *filled > 0 && fate.fault == StoreFault::kShort) {
      *filled /= 2;
    }
    if (filled.ok() && *filled > 0 && fate.fault == StoreFault::kCorrupt) {
      out[fate.where / 8 % *filled] ^= std::byte{1} << (fate.where % 8);
    }
    done(std::move(filled));
  };
  Run<Result<size_t>>(fate, std::move(perform), std::move(spoil));
}

void FaultyObjectStore::Head(std::string key, ObjectRequest request,
                             Done<Result<ObjectInfo>> done) {
  auto perform = [=, store = store_](Done<Result<ObjectInfo>> performed) {
    store->Head(key, request, std::move(performed));
  };
  Run<Result<ObjectInfo>>(Draw(StoreOp::kHead), std::move(perform),
                          std::move(done));
}

void FaultyObjectStore::Delete(std::string key, ObjectRequest request,
                               Done<Status> done) {
  auto perform = [=, store = store_](Done<Status> performed) {
    store->Delete(key, request, std::move(performed));
  };
  Run<Status>(Draw(StoreOp::kDelete), std::move(perform), std::move(done));
}

void FaultyObjectStore::List(std::string prefix, std::string after,
                             size_t limit, ObjectRequest request,
                             Done<Result<ListPage>> done) {
  auto perform = [=, store = store_](Done<Result<ListPage>> performed) {
    store->List(prefix, after, limit, request, std::move(performed));
  };
  Run<Result<ListPage>>(Draw(StoreOp::kList), std::move(perform),
                        std::move(done));
}

}  // namespace strata
