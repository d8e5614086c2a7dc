#include "cli/demo_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "cli/demo_write.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/sha256.h"
#include "cli/store.h"

namespace strata::cli {
namespace {

constexpr uint64_t kReadBytes = 256 * kKiB;

Status Different(const std::string& what, const std::string& expected,
                 const std::string& found) {
  return {StatusCode::kDataLoss,
          fmt::format("{}: expected {}, found {}", what, expected, found)};
}

// Owned by one thread.
class Checker {
 public:
  Checker(TieredStorage& store, uint64_t total_bytes)
      : store_(store), progress_("reading back", total_bytes) {}

  // kDataLoss, or what reading answered, unless all of the share is there.
  Status Check(const DemoShare& share) {
    RecordDigest digest;
    for (Offset next = share.offsets.base; next < share.offsets.end;) {
      STRATA_RETURN_IF_ERROR(CheckInterrupt());
      STRATA_ASSIGN_OR_RETURN(const std::vector<BatchView> batches,
                              Read(share, next));
      for (const BatchView& batch : batches) {
        if (batch.base_offset() != next) {
          return Different("batch", fmt::format("offset {}", next.value()),
                           fmt::to_string(batch.base_offset().value()));
        }
        STRATA_RETURN_IF_ERROR(ForEachRecord(batch, [&](const Record& record) {
          digest.Add(record.value.value_or(ByteSpan()));
          return Status::Ok();
        }));
        next = batch.end_offset();
      }
      progress_.Update(done_bytes_ + digest.bytes());
    }
    done_bytes_ += digest.bytes();
    if (digest.records() != share.records) {
      return Different("records", fmt::to_string(share.records),
                       fmt::to_string(digest.records()));
    }
    const std::string sha256 = digest.Hex();
    if (sha256 != share.sha256) {
      return Different("SHA-256", share.sha256, sha256);
    }
    result_.records += share.records;
    return Status::Ok();
  }

  DemoReadBack Finish() {
    progress_.Finish(done_bytes_);
    return std::move(result_);
  }
  DemoReadBack& result() { return result_; }

 private:
  // At least one batch from `next` on. Timed with copying the bytes out: views
  // of hot and warm alone would cost next to nothing.
  Result<std::vector<BatchView>> Read(const DemoShare& share, Offset next) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    STRATA_ASSIGN_OR_RETURN(
        std::vector<BatchView> batches,
        store_.Read(share.partition, next,
                    {.max_bytes = kReadBytes,
                     .limit_offset = share.offsets.end,
                     .timeout = std::chrono::milliseconds(0)}));
    if (batches.empty()) {
      return Different(
          "log",
          fmt::format("batches up to offset {}", share.offsets.end.value()),
          fmt::format("nothing from {} on", next.value()));
    }
    StorageTier slowest = StorageTier::kHot;
    for (const BatchView& batch : batches) {
      copy_.resize(std::max(copy_.size(), batch.bytes().size()));
      STRATA_RETURN_IF_ERROR(batch.CopyTo(copy_));
      slowest = std::max(slowest, batch.tier());
    }
    const std::chrono::duration<double, std::micro> time = Clock::now() - begin;
    // Almost always one tier; else the slowest one made the time.
    TierReads& reads = result_.tiers[static_cast<size_t>(slowest)];
    reads.micros.push_back(time.count());
    for (const BatchView& batch : batches) reads.bytes += batch.bytes().size();
    return batches;
  }

  TieredStorage& store_;
  Progress progress_;
  uint64_t done_bytes_ = 0;
  std::vector<std::byte> copy_;
  DemoReadBack result_;
};

bool IsDeleted(TieredStorage& store, const DemoShare& share) {
  const Result<TopicInfo> topic = store.DescribeTopic(share.partition.topic);
  return topic.ok() ? topic->id != share.topic_id
                    : topic.status().code() == StatusCode::kNotFound;
}

}  // namespace

double TierReads::MegabytesPerSecond() const {
  const double total = std::accumulate(micros.begin(), micros.end(), 0.0);
  return total > 0 ? static_cast<double>(bytes) / total : 0;
}

double TierReads::Percentile(double share) const {
  if (micros.empty()) return 0;
  std::vector<double> sorted = micros;
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  const size_t at = std::max<size_t>(static_cast<size_t>(rank), 1) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<long>(at),
                   sorted.end());
  return sorted[at];
}

Result<DemoReadBack> ReadDemoBack(TieredStorage& store,
                                  const std::vector<DemoShare>& shares) {
  uint64_t total = 0;
  for (const DemoShare& share : shares) total += share.bytes;
  Checker checker(store, total);
  for (const DemoShare& share : shares) {
    if (IsDeleted(store, share)) {
      ++checker.result().deleted;
      continue;
    }
    ++checker.result().shares;
    const Status status = checker.Check(share);
    STRATA_RETURN_IF_ERROR(CheckInterrupt());
    if (!status.ok()) {
      checker.result().differences.push_back(
          fmt::format("run {}, {}, offsets [{}, {}): {}", share.run,
                      share.partition.ToString(), share.offsets.base.value(),
                      share.offsets.end.value(), status.message()));
    }
  }
  return checker.Finish();
}

}  // namespace strata::cli
