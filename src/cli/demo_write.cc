#include "cli/demo_write.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "base/mutex.h"
#include "cli/batch_writer.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/sha256.h"
#include "cli/table.h"

namespace strata::cli {
namespace {

constexpr uint32_t kPartitions = 4;
constexpr size_t kMaxWriters = 8;
constexpr std::chrono::milliseconds kProgressStep{20};
constexpr int kMaxSettleRounds = 100;

// The way of one source's batches into one partition. Owned by one thread.
class Lane {
 public:
  Lane(TieredStorage& store, Partition partition, const DemoSource& source,
       const DemoInput& input, DemoShare share)
      : store_(store),
        partition_(std::move(partition)),
        source_(source),
        next_batch_(partition_.name().partition),
        passes_left_(next_batch_ < source.batches.size() ? input.passes : 0),
        repeats_(input.repeats),
        share_(std::move(share)) {}

  // Appends the next batch and answers its bytes; 0 when all is done.
  Result<uint64_t> AppendNext() {
    if (passes_left_ == 0) return uint64_t{0};
    const DemoSource::Batch lines = source_.batches[next_batch_];
    BatchBuilder batch;
    const TimestampMs now = NowMs();
    for (uint32_t r = 0; r < repeats_; ++r) {
      for (size_t i = lines.begin; i < lines.end; ++i) {
        batch.Add(std::nullopt, source_.lines[i], now);
      }
    }
    STRATA_ASSIGN_OR_RETURN(const uint64_t bytes, Append(batch));
    for (uint32_t r = 0; r < repeats_; ++r) {
      for (size_t i = lines.begin; i < lines.end; ++i) {
        digest_.Add(AsBytes(source_.lines[i]));
      }
    }
    ++batches_;
    next_batch_ += kPartitions;
    if (next_batch_ >= source_.batches.size()) {
      next_batch_ = partition_.name().partition;
      --passes_left_;
    }
    return bytes;
  }

  uint64_t batches() const { return batches_; }

  // What was acknowledged. Call once, at the end.
  DemoShare Share() {
    share_.records = digest_.records();
    share_.bytes = digest_.bytes();
    share_.sha256 = digest_.Hex();
    return share_;
  }

 private:
  Result<uint64_t> Append(BatchBuilder& batch) {
    const uint32_t record_count = batch.record_count();
    const TimestampMs max_timestamp = batch.max_timestamp();
    STRATA_ASSIGN_OR_RETURN(const std::string bytes, batch.Build());
    STRATA_ASSIGN_OR_RETURN(
        const AppendResult result,
        store_.Append(partition_, {.bytes = AsBytes(bytes),
                                   .record_count = record_count,
                                   .max_timestamp = max_timestamp,
                                   .format = BatchFormat::kKafkaV2,
                                   .durability = Durability::kDisk,
                                   .expected_offset = share_.offsets.end}));
    share_.offsets.end = result.end_offset;
    return bytes.size();
  }

  TieredStorage& store_;
  const Partition partition_;
  const DemoSource& source_;
  size_t next_batch_;
  uint32_t passes_left_;
  const uint32_t repeats_;
  uint64_t batches_ = 0;
  DemoShare share_;
  RecordDigest digest_;
};

using Lanes = std::vector<std::unique_ptr<Lane>>;

Status OpenLanes(TieredStorage& store, const DemoInput& input, uint64_t run,
                 Lanes& lanes) {
  for (const DemoSource& source : input.sources) {
    Result<TopicInfo> topic = store.DescribeTopic(source.topic);
    if (topic.status().code() == StatusCode::kNotFound) {
      topic = store.CreateTopic(source.topic, kPartitions);
    }
    STRATA_RETURN_IF_ERROR(topic.status());
    for (uint32_t p = 0; p < kPartitions; ++p) {
      const TopicPartition name{source.topic, p};
      STRATA_ASSIGN_OR_RETURN(Partition partition, store.GetPartition(name));
      STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, store.Bounds(partition));
      lanes.push_back(std::make_unique<Lane>(
          store, std::move(partition), source, input,
          DemoShare{.run = run,
                    .partition = name,
                    .topic_id = topic->id,
                    .offsets = {bounds.log_end, bounds.log_end},
                    .sha256 = {}}));
    }
  }
  return Status::Ok();
}

// What the writers share. Thread-safe.
class WriterBoard {
 public:
  explicit WriterBoard(size_t writers) : running_(writers) {}

  void Done(const Status& status) {
    if (!status.ok()) {
      MutexLock lock(mu_);
      if (first_error_.ok()) first_error_ = status;
      stop_.store(true, std::memory_order_relaxed);
    }
    running_.fetch_sub(1, std::memory_order_release);
  }
  // Pairs with Done: whoever sees 0 sees the error, too.
  bool AllDone() const { return running_.load(std::memory_order_acquire) == 0; }
  Status first_error() {
    MutexLock lock(mu_);
    return first_error_;
  }

  bool MustStop() const {
    return Interrupted() || stop_.load(std::memory_order_relaxed);
  }
  void AddBytes(uint64_t bytes) {
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  Mutex mu_;
  Status first_error_ STRATA_GUARDED_BY(mu_);
  std::atomic<size_t> running_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> bytes_{0};
};

// Appends a batch to each of the lanes first, first + step, ... in turns until
// all are done.
Status WriteLanes(Lanes& lanes, size_t first, size_t step, WriterBoard& board) {
  for (bool more = true; more;) {
    more = false;
    for (size_t i = first; i < lanes.size(); i += step) {
      if (board.MustStop()) return Status::Ok();
      STRATA_ASSIGN_OR_RETURN(const uint64_t bytes, lanes[i]->AppendNext());
      board.AddBytes(bytes);
      more = more || bytes > 0;
    }
  }
  return Status::Ok();
}

// About: what batches add to the lines is guessed.
uint64_t ExpectedBytes(const DemoInput& input) {
  uint64_t records = input.bytes;
  uint64_t headers = 0;
  for (const DemoSource& source : input.sources) {
    records += 8 * source.lines.size();
    headers += kRecordBatchHeaderBytes * source.batches.size();
  }
  return (records * input.repeats + headers) * input.passes;
}

Status RunWriters(TieredStorage& store, Lanes& lanes, Progress& progress,
                  DemoWritten& written) {
  const size_t writers = std::min(kMaxWriters, lanes.size());
  WriterBoard board(writers);
  std::vector<std::jthread> threads;
  for (size_t w = 0; w < writers; ++w) {
    threads.emplace_back([&lanes, &board, w, writers] {
      board.Done(WriteLanes(lanes, w, writers, board));
    });
  }
  while (!board.AllDone()) {
    std::this_thread::sleep_for(kProgressStep);
    if (progress.IsDue()) {
      progress.Update(board.bytes(), TierBytes(store.Stats()));
    }
  }
  threads.clear();
  written.bytes = board.bytes();
  progress.Finish(written.bytes, TierBytes(store.Stats()));
  return board.first_error();
}

}  // namespace

std::string TierBytes(const TieredStorageStats& stats) {
  return fmt::format(
      "hot {}, warm {}, cold {}, {}", FormatBytes(stats.hot.bytes),
      FormatBytes(stats.warm.bytes), FormatBytes(stats.cold.bytes),
      Counted(stats.jobs_queued + stats.jobs_running, "job"));
}

DemoWritten WriteDemoInput(TieredStorage& store, const DemoInput& input,
                           uint64_t run) {
  DemoWritten written;
  Lanes lanes;
  written.status = OpenLanes(store, input, run, lanes);
  if (!written.status.ok()) return written;
  const auto begin = std::chrono::steady_clock::now();
  Progress progress("writing", ExpectedBytes(input));
  written.status = RunWriters(store, lanes, progress, written);
  written.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  for (const auto& lane : lanes) {
    written.batches += lane->batches();
    if (lane->batches() > 0) written.shares.push_back(lane->Share());
  }
  return written;
}

Status SettleTiers(TieredStorage& store) {
  const auto finished = [](const TieredStorageStats& s) {
    return s.migrations_completed + s.migrations_failed;
  };
  uint64_t before = finished(store.Stats());
  for (int round = 0; round < kMaxSettleRounds;) {
    STRATA_RETURN_IF_ERROR(CheckInterrupt());
    STRATA_RETURN_IF_ERROR(store.RunMigrations());
    const TieredStorageStats stats = store.Stats();
    if (stats.jobs_queued + stats.jobs_running > 0) {
      // Of another pass: this one found what it would do in their hands.
      std::this_thread::sleep_for(kProgressStep);
      continue;
    }
    if (finished(stats) == before) return Status::Ok();
    before = finished(stats);
    ++round;
  }
  return {StatusCode::kUnavailable,
          fmt::format("the tier policy still finds work after {} passes",
                      kMaxSettleRounds)};
}

}  // namespace strata::cli
