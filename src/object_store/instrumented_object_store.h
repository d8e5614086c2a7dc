// InstrumentedObjectStore: counts requests and bytes, and times requests, for
// statistics.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/latency_histogram.h"
#include "base/mutex.h"
#include "runtime/clock.h"
#include "strata/object_store.h"

namespace strata {

// Independent counters, relaxed order. Thread-safe.
struct ObjectStoreCounters {
  // Requests made, whatever came of them.
  std::atomic<uint64_t> puts{0};
  std::atomic<uint64_t> gets{0};
  std::atomic<uint64_t> heads{0};
  std::atomic<uint64_t> deletes{0};
  std::atomic<uint64_t> lists{0};
  // Answered with anything but Ok, kNotFound and kConflict.
  std::atomic<uint64_t> failures{0};
  // Of requests that were answered Ok.
  std::atomic<uint64_t> bytes_put{0};
  std::atomic<uint64_t> bytes_got{0};
  // From the call to the answer, whatever it was.
  LatencyHistogram put_latency;
  LatencyHistogram get_latency;
};

// Thread-safe.
class InstrumentedObjectStore final : public ObjectStore {
 public:
  // `clock` is used until StopTiming.
  InstrumentedObjectStore(std::shared_ptr<ObjectStore> store,
                          const Clock& clock)
      : store_(std::move(store)), shared_(std::make_shared<Shared>(clock)) {}

  ~InstrumentedObjectStore() override { StopTiming(); }

  // Valid as long as this.
  const ObjectStoreCounters& counters() const { return shared_->counters; }

  // Requests that are answered later are not timed.
  void StopTiming();

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
  // With requests under way, which may outlive this and the clock.
  struct Shared {
    explicit Shared(const Clock& c) : clock(&c) {}
    MonotonicTime Now();
    void RecordSince(MonotonicTime started, LatencyHistogram& latency);

    ObjectStoreCounters counters;
    Mutex mu;
    const Clock* clock STRATA_GUARDED_BY(mu);  // null: not timed any more
  };

  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace strata
