#include "object_store/instrumented_object_store.h"

#include <utility>

namespace strata {
namespace {

void Add(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

void CountAnswer(ObjectStoreCounters& counters, StatusCode code) {
  if (code != StatusCode::kOk && code != StatusCode::kNotFound &&
      code != StatusCode::kConflict) {
    Add(counters.failures, 1);
  }
}

}  // namespace

MonotonicTime InstrumentedObjectStore::Shared::Now() {
  MutexLock lock(mu);
  return clock == nullptr ? MonotonicTime() : clock->Now();
}

void InstrumentedObjectStore::Shared::RecordSince(MonotonicTime started,
                                                  LatencyHistogram& latency) {
  MonotonicTime now;
  {
    MutexLock lock(mu);
    if (clock == nullptr) return;
    now = clock->Now();
  }
  latency.Record(now - started);
}

void InstrumentedObjectStore::StopTiming() {
  MutexLock lock(shared_->mu);
  shared_->clock = nullptr;
}

void InstrumentedObjectStore::Put(std::string key,
                                  std::shared_ptr<ObjectSource> source,
                                  PutPrecondition precondition,
                                  ObjectRequest request,
                                  Done<Result<ObjectVersion>> done) {
  Add(shared_->counters.puts, 1);
  const uint64_t bytes = source->size();
  store_->Put(std::move(key), std::move(source), std::move(precondition),
              std::move(request),
              [shared = shared_, started = shared_->Now(), bytes,
               done = std::move(done)](Result<ObjectVersion> version) {
                ObjectStoreCounters& counters = shared->counters;
                shared->RecordSince(started, counters.put_latency);
                CountAnswer(counters, version.status().code());
                if (version.ok()) Add(counters.bytes_put, bytes);
                done(std::move(version));
              });
}

void InstrumentedObjectStore::Get(std::string key, uint64_t position,
                                  std::span<std::byte> out,
                                  ObjectRequest request,
                                  Done<Result<size_t>> done) {
  Add(shared_->counters.gets, 1);
  store_->Get(std::move(key), position, out, std::move(request),
              [shared = shared_, started = shared_->Now(),
               done = std::move(done)](Result<size_t> filled) {
                ObjectStoreCounters& counters = shared->counters;
                shared->RecordSince(started, counters.get_latency);
                CountAnswer(counters, filled.status().code());
                if (filled.ok()) Add(counters.bytes_got, *filled);
                done(std::move(filled));
              });
}

void InstrumentedObjectStore::Head(std::string key, ObjectRequest request,
                                   Done<Result<ObjectInfo>> done) {
  Add(shared_->counters.heads, 1);
  store_->Head(
      std::move(key), std::move(request),
      [shared = shared_, done = std::move(done)](Result<ObjectInfo> info) {
        CountAnswer(shared->counters, info.status().code());
        done(std::move(info));
      });
}

void InstrumentedObjectStore::Delete(std::string key, ObjectRequest request,
                                     Done<Status> done) {
  Add(shared_->counters.deletes, 1);
  store_->Delete(std::move(key), std::move(request),
                 [shared = shared_, done = std::move(done)](Status status) {
                   CountAnswer(shared->counters, status.code());
                   done(std::move(status));
                 });
}

void InstrumentedObjectStore::List(std::string prefix, std::string after,
                                   size_t limit, ObjectRequest request,
                                   Done<Result<ListPage>> done) {
  Add(shared_->counters.lists, 1);
  store_->List(
      std::move(prefix), std::move(after), limit, std::move(request),
      [shared = shared_, done = std::move(done)](Result<ListPage> page) {
        CountAnswer(shared->counters, page.status().code());
        done(std::move(page));
      });
}

}  // namespace strata
