#include "bench/cold_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "bench/store.h"
#include "cold/cold_manifest_store.h"
#include "cold/object_names.h"
#include "object_store/instrumented_object_store.h"
#include "object_store/memory/memory_object_store.h"
#include "runtime/thread_runtime.h"

namespace strata::bench {
namespace {

constexpr uint64_t kFewSegments = 10;
// Of a commit that is measured: groups are due every 64th time.
constexpr uint64_t kCommits = 256;

// The cold part of one partition, which grows.
class ColdLog {
 public:
  Status Grow(uint64_t segments) {
    while (next_ < segments) {
      ColdEdit edit;
      const uint64_t end = std::min<uint64_t>(next_ + kAtOnce, segments);
      for (; next_ < end; ++next_) edit.add.push_back(Entry(next_));
      STRATA_RETURN_IF_ERROR(Commit(std::move(edit)));
    }
    return Status::Ok();
  }
  // One segment each.
  Status CommitEach(uint64_t commits) {
    for (uint64_t i = 0; i < commits; ++i) {
      ColdEdit edit;
      edit.add.push_back(Entry(next_++));
      STRATA_RETURN_IF_ERROR(Commit(std::move(edit)));
    }
    return Status::Ok();
  }
  uint64_t requests() const {
    const ObjectStoreCounters& made = store_->counters();
    return made.puts + made.gets + made.heads;
  }
  uint64_t bytes_written() const { return store_->counters().bytes_put; }

 private:
  static constexpr uint64_t kAtOnce = 64;

  SegmentEntry Entry(uint64_t n) const {
    SegmentEntry e;
    e.id = n + 1;
    e.partition = partition_;
    e.offsets = {Offset(n * 1000), Offset(n * 1000 + 1000)};
    e.batch_count = 100;
    e.record_count = 1000;
    e.min_timestamp = e.max_timestamp = static_cast<TimestampMs>(n);
    e.image_bytes = 64 * kMiB;
    e.cold = ColdAddress{SegmentKey(e, 1, "topic", n), 0, e.image_bytes};
    return e;
  }

  Status Commit(ColdEdit edit) {
    std::promise<Status> committed;
    std::future<Status> answer = committed.get_future();
    manifest_->Commit(partition_, std::move(edit),
                      [&committed](const Result<ColdPartitionPtr>& root) {
                        committed.set_value(root.status());
                      });
    return answer.get();
  }

  const PartitionId partition_{};
  const std::unique_ptr<Runtime> runtime_ = MakeThreadRuntime({});
  const std::shared_ptr<InstrumentedObjectStore> store_ =
      std::make_shared<InstrumentedObjectStore>(
          MakeMemoryObjectStore(*runtime_), runtime_->clock());
  const std::unique_ptr<ColdManifest> manifest_ = MakeColdManifest(
      store_, *runtime_, {.request_timeout = std::chrono::minutes(1)});
  uint64_t next_ = 0;
};

Result<std::shared_ptr<ColdLog>> LogOf(uint64_t segments) {
  auto log = std::make_shared<ColdLog>();
  STRATA_RETURN_IF_ERROR(log->Grow(segments));
  return log;
}

Timed TimedCommits(std::shared_ptr<ColdLog> log) {
  return [log] { return TimeOf([&] { return log->CommitEach(kCommits); }); };
}

}  // namespace

Result<Case> CommitColdSegment(const std::filesystem::path&,
                               const Scale& scale) {
  STRATA_ASSIGN_OR_RETURN(const std::shared_ptr<ColdLog> many,
                          LogOf(scale.cold_segments));
  STRATA_ASSIGN_OR_RETURN(const std::shared_ptr<ColdLog> few,
                          LogOf(kFewSegments));
  constexpr double kMark = 1 / 1.5;
  return Case{
      .unit = Unit::kCommitsPerSecond,
      .work = kCommits,
      .ours = TimedCommits(many),
      .limits = {{fmt::format("{} segments", kFewSegments), TimedCommits(few)}},
      .mark = kMark};
}

Result<std::vector<Count>> ColdMetadata(const std::filesystem::path&,
                                        const Scale& scale) {
  std::vector<Count> counts;
  for (const uint64_t segments :
       {kFewSegments, uint64_t{1000}, scale.cold_segments}) {
    STRATA_ASSIGN_OR_RETURN(const std::shared_ptr<ColdLog> log,
                            LogOf(segments));
    const uint64_t requests = log->requests();
    const uint64_t bytes = log->bytes_written();
    STRATA_RETURN_IF_ERROR(log->CommitEach(kCommits));
    const auto each = [](uint64_t value) {
      return static_cast<double>(value) / static_cast<double>(kCommits);
    };
    counts.push_back(
        {.name = fmt::format("{} segments: requests of a commit", segments),
         .value = each(log->requests() - requests)});
    counts.push_back(
        {.name = fmt::format("{} segments: bytes of a commit", segments),
         .value = each(log->bytes_written() - bytes)});
  }
  return counts;
}

}  // namespace strata::bench
