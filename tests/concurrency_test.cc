// Readers, writers and everything that moves or removes data at once, on real
// threads. Run under the thread sanitizer, too.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "strata/tiered_storage.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

TieredStorageConfig Config(const TempDir& dir) {
  TieredStorageConfig config = TieredStorageConfig::Testing(dir.path() / "s");
  config.hot_tier_max_bytes = 1 * kMiB;
  // Two readers, each holding one view in 97 batches: a chunk for each view.
  config.hot_pinned_max_bytes = 4 * kMiB;
  config.max_batch_bytes = 64 * kKiB;
  config.wal_chunk_bytes = 64 * kKiB;
  config.wal_file_bytes = 1 * kMiB;
  config.min_segment_bytes = 16 * kKiB;
  config.target_segment_bytes = 64 * kKiB;
  config.cold_chunk_bytes = 16 * kKiB;
  config.migration_interval = std::chrono::milliseconds(2);
  config.warm_tier_max_age = std::chrono::milliseconds(5);
  config.hot_tier_max_age = std::chrono::milliseconds(5);
  config.promotion_threshold = 2;
  config.reserve_bytes = 64 * kKiB;
  return config;
}

std::string BatchText(uint64_t offset) {
  std::string text = std::to_string(offset) + "/";
  text.append(offset * 37 % 900, static_cast<char>('a' + offset % 26));
  return text;
}

AppendRequest Request(const std::string& text, Durability durability) {
  AppendRequest request;
  request.bytes = AsBytes(text);
  request.durability = durability;
  return request;
}

size_t ThreadsAlive() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(
      std::distance(begin(tasks), std::filesystem::directory_iterator()));
}

// How many threads are alive once no more than `expected` are: a joined thread
// stays in /proc until the kernel has buried it.
size_t ThreadsAliveInTheEnd(size_t expected) {
  for (int i = 0; i < 10'000 && ThreadsAlive() > expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return ThreadsAlive();
}

TEST(Concurrency, ReadersSeeNoGapWhileEverythingMigrates) {
  const TempDir dir;
  auto opened = TieredStorage::Open(Config(dir));
  ASSERT_TRUE(opened.ok()) << opened.status();
  TieredStorage& storage = **opened;
  ASSERT_TRUE(storage.CreateTopic("t", 1).ok());
  const TopicPartition tp{"t", 0};
  constexpr uint64_t kBatches = 1500;
  std::atomic<bool> written{false};

  std::thread writer([&] {
    for (uint64_t i = 0; i < kBatches; ++i) {
      const auto ack = storage.Append(
          tp, Request(BatchText(i),
                      i % 8 == 0 ? Durability::kDisk : Durability::kMemory));
      ASSERT_TRUE(ack.ok()) << ack.status();
      ASSERT_EQ(ack->base_offset, Offset(i));
    }
    written = true;
  });
  std::thread mover([&] {
    while (!written) {
      Status moved = storage.DemoteTo(tp, StorageTier::kCold);
      ASSERT_TRUE(moved.ok()) << moved;
      moved = storage.PromoteTo(tp, StorageTier::kWarm);
      ASSERT_TRUE(moved.ok()) << moved;
    }
  });
  // Each reads the log from the start, again and again, holding on to some
  // views while what they show is demoted and deleted.
  const auto read_all = [&] {
    bool last_round = false;
    do {
      last_round = written;
      std::vector<BatchView> held;
      Offset next(0);
      while (true) {
        const auto batches = storage.Read(tp, next, {.max_bytes = 16 * kKiB});
        ASSERT_TRUE(batches.ok()) << batches.status();
        if (batches->empty()) break;
        for (const BatchView& batch : *batches) {
          ASSERT_EQ(batch.base_offset(), next);
          ASSERT_EQ(AsText(batch.bytes()), BatchText(next.value()));
          next = batch.end_offset();
          if (next.value() % 97 == 0) held.push_back(batch);
        }
      }
      for (const BatchView& batch : held) {
        ASSERT_TRUE(batch.status().ok());
        ASSERT_EQ(AsText(batch.bytes()),
                  BatchText(batch.base_offset().value()));
      }
    } while (!last_round);
  };
  std::thread reader_a(read_all);
  std::thread reader_b(read_all);
  writer.join();
  mover.join();
  reader_a.join();
  reader_b.join();
  const auto report = storage.Verify();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->findings.empty())
      << report->findings.front().where << report->findings.front().detail;
  EXPECT_TRUE(storage.Shutdown().ok());
}

// Each batch says which incarnation of the topic it was written to, and where.
TEST(Concurrency, TopicsAreDeletedAndMadeAgainUnderReadersAndWriters) {
  const TempDir dir;
  TieredStorageConfig config = Config(dir);
  config.default_partitions = 3;
  auto opened = TieredStorage::Open(config);
  ASSERT_TRUE(opened.ok()) << opened.status();
  TieredStorage& storage = **opened;
  std::atomic<bool> done{false};
  std::atomic<int> checked{0};  // batches
  const auto is_gone = [](const Status& s) {
    return s.code() == StatusCode::kNotFound ||
           s.code() == StatusCode::kOutOfRange;
  };
  const auto text_of = [](const TopicId& id, Offset offset) {
    return id.ToString() + BatchText(offset.value());
  };
  struct Incarnation {
    TopicId id;
    Partition partition;
  };
  const auto find = [&](uint32_t number) -> std::optional<Incarnation> {
    const auto before = storage.DescribeTopic("t");
    const auto partition = storage.GetPartition({"t", number});
    const auto after = storage.DescribeTopic("t");
    if (!before.ok() || !partition.ok() || !after.ok()) return std::nullopt;
    if (before->id != after->id) return std::nullopt;
    return Incarnation{before->id, *partition};
  };
  const auto write = [&](uint32_t number) {
    while (!done) {
      const Status made = storage.CreateTopic("t", 3).status();
      ASSERT_TRUE(made.ok() || made.code() == StatusCode::kAlreadyExists)
          << made;
      const auto topic = find(number);
      for (Offset next(0); topic && !done;) {
        const std::string text = text_of(topic->id, next);
        AppendRequest request = Request(text, Durability::kMemory);
        request.expected_offset = next;
        const auto ack = storage.Append(topic->partition, request);
        if (is_gone(ack.status())) break;
        ASSERT_TRUE(ack.ok()) << ack.status();
        next = ack->end_offset;
      }
    }
  };
  const auto check = [&](const TopicId& id, const BatchView& batch) {
    ASSERT_TRUE(batch.status().ok()) << batch.status();
    ASSERT_EQ(AsText(batch.bytes()), text_of(id, batch.base_offset()));
    ++checked;
  };
  const auto read = [&](uint32_t number) {
    while (!done) {
      const auto topic = find(number);
      std::vector<BatchView> held;
      for (Offset next(0); topic && !done;) {
        const auto batches = storage.Read(topic->partition, next);
        if (batches.status().code() == StatusCode::kOutOfRange) {
          next = Offset(5);  // trimmed
          continue;
        }
        if (is_gone(batches.status())) break;
        ASSERT_TRUE(batches.ok()) << batches.status();
        for (const BatchView& batch : *batches) {
          ASSERT_EQ(batch.base_offset(), next);
          check(topic->id, batch);
          next = batch.end_offset();
        }
        if (!batches->empty()) held.assign(1, batches->back());
      }
      // Held while its topic was deleted.
      for (const BatchView& batch : held) check(topic->id, batch);
    }
  };
  std::vector<std::thread> threads;
  for (const uint32_t number : {0u, 1u}) {
    threads.emplace_back(write, number);
    threads.emplace_back(read, number);
  }
  // By name: makes the topic itself when it is gone.
  threads.emplace_back([&] {
    const std::string text(300, 'x');
    while (!done) {
      const auto ack =
          storage.Append({"t", 2}, Request(text, Durability::kMemory));
      ASSERT_TRUE(ack.ok() || is_gone(ack.status())) << ack.status();
    }
  });
  for (int round = 0; round < 20; ++round) {
    for (const int before = checked; checked < before + 20;) {
      std::this_thread::yield();
      if (::testing::Test::HasFailure()) break;
    }
    const Status flushed = storage.FlushAll();
    EXPECT_TRUE(flushed.ok() || is_gone(flushed)) << flushed;
    const Status trimmed = storage.Trim({"t", 0}, Offset(5));
    EXPECT_TRUE(trimmed.ok() || is_gone(trimmed)) << trimmed;
    const Status deleted = storage.DeleteTopic("t");
    EXPECT_TRUE(deleted.ok() || is_gone(deleted)) << deleted;
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(storage.Shutdown().ok());
}

// Whoever only looks, while a writer appends, moves, trims and recycles its
// log files, sees a log of that writer at some moment.
TEST(Concurrency, ViewsOfAStoreThatIsWrittenAreWhole) {
  const TempDir dir;
  TieredStorageConfig config = Config(dir);
  config.checkpoint_interval = std::chrono::milliseconds(5);
  auto opened = TieredStorage::Open(config);
  ASSERT_TRUE(opened.ok()) << opened.status();
  TieredStorage& storage = **opened;
  ASSERT_TRUE(storage.CreateTopic("t", 1).ok());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (uint64_t i = 0; !done; ++i) {
      const auto ack =
          storage.Append({"t", 0}, Request(BatchText(i), Durability::kDisk));
      ASSERT_TRUE(ack.ok()) << ack.status();
    }
  });
  Offset seen(0);
  for (int view = 0; view < 40; ++view) {
    auto looked = TieredStorage::OpenReadOnly(config);
    // Tiny tiers change many times in the time that a view takes.
    if (looked.status().code() == StatusCode::kUnavailable) continue;
    ASSERT_TRUE(looked.ok()) << looked.status();
    EXPECT_TRUE((*looked)->recovery().damage.empty())
        << (*looked)->recovery().damage.front().detail;
    const LogBounds bounds = *(*looked)->Bounds({"t", 0});
    EXPECT_GE(bounds.log_end, seen);
    seen = bounds.log_end;
    // What the writer has deleted meanwhile is told, never made up.
    for (Offset next = bounds.log_start; next < seen;) {
      const auto batches = (*looked)->Read({"t", 0}, next);
      if (batches.status().code() == StatusCode::kDataLoss) break;
      ASSERT_TRUE(batches.ok()) << batches.status();
      ASSERT_FALSE(batches->empty());
      for (const BatchView& batch : *batches) {
        ASSERT_EQ(batch.base_offset(), next);
        ASSERT_EQ(AsText(batch.bytes()), BatchText(next.value()));
        next = batch.end_offset();
      }
    }
  }
  done = true;
  writer.join();
  EXPECT_GT(seen, Offset(0));
  EXPECT_TRUE(storage.Shutdown().ok());
}

// Many appends of several threads under way at once, readers that wait for
// them, and a shutdown in the middle.
TEST(Concurrency, EveryAsynchronousCallIsAnsweredOnceAndInOrder) {
  const TempDir dir;
  constexpr int kWriters = 3;
  constexpr int kAppends = 400;
  struct Tally {
    std::atomic<int> taken{0}, closed{0}, other{0}, reads{0};
    std::atomic<bool> ordered{true};
    Offset last{};  // by one completion after the other
  } tally;
  int reads_asked = 0;
  {
    auto opened = TieredStorage::Open(Config(dir));
    ASSERT_TRUE(opened.ok()) << opened.status();
    TieredStorage& storage = **opened;
    ASSERT_TRUE(storage.CreateTopic("t", 1).ok());
    const Partition partition = *storage.GetPartition({"t", 0});
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&] {
        for (int i = 0; i < kAppends; ++i) {
          const std::string text(100, 'x');
          storage.AppendAsync(partition,
                              Request(text, i % 2 == 0 ? Durability::kDisk
                                                       : Durability::kMemory),
                              [&tally](Result<AppendResult> ack) {
                                if (ack.ok()) {
                                  if (ack->end_offset <= tally.last)
                                    tally.ordered = false;
                                  tally.last = ack->end_offset;
                                  ++tally.taken;
                                } else {
                                  ++(ack.status().code() == StatusCode::kClosed
                                         ? tally.closed
                                         : tally.other);
                                }
                              });
        }
      });
    }
    for (uint64_t at = 0; at < 200; ++at, ++reads_asked) {
      ReadOptions options;
      options.min_bytes = 100;
      if (at % 4 == 0) options.timeout = std::chrono::milliseconds(1);
      storage.ReadAsync(
          partition, Offset(at), options,
          [&tally](Result<std::vector<BatchView>>) { ++tally.reads; });
    }
    EXPECT_TRUE(storage.Shutdown().ok());
    for (std::thread& writer : writers) writer.join();
  }
  EXPECT_EQ(tally.taken + tally.closed, kWriters * kAppends);
  EXPECT_EQ(tally.other, 0);
  EXPECT_EQ(tally.reads, reads_asked);
  EXPECT_TRUE(tally.ordered);
}

// Reads that wait without a deadline, and are cancelled wherever the appends
// beside them have brought them.
TEST(Concurrency, CancelledReadIsAnsweredOnceAndNeverOkWithNothing) {
  const TempDir dir;
  constexpr uint64_t kReads = 4000;
  struct Tally {
    std::atomic<int> some{0}, cancelled{0}, closed{0}, nothing{0}, other{0};
    std::vector<std::atomic<int>> answers;
    Tally() : answers(kReads) {}

    void Count(uint64_t read, const Result<std::vector<BatchView>>& batches) {
      ++answers[read];
      if (batches.ok()) {
        ++(batches->empty() ? nothing : some);
      } else if (batches.status().code() == StatusCode::kCancelled) {
        ++cancelled;
      } else {
        ++(batches.status().code() == StatusCode::kClosed ? closed : other);
      }
    }
  } tally;
  {
    auto opened = TieredStorage::Open(Config(dir));
    ASSERT_TRUE(opened.ok()) << opened.status();
    TieredStorage& storage = **opened;
    ASSERT_TRUE(storage.CreateTopic("t", 1).ok());
    const Partition partition = *storage.GetPartition({"t", 0});
    std::atomic<bool> done{false};
    std::thread writer([&] {
      for (uint64_t i = 0; !done; ++i) {
        const std::string text(1 + i % 200, 'x');
        const auto ack = storage.Append(
            partition, Request(text, i % 64 == 0 ? Durability::kDisk
                                                 : Durability::kMemory));
        ASSERT_TRUE(ack.ok()) << ack.status();
      }
    });
    const auto read = [&](uint64_t i, uint64_t min_bytes) {
      std::stop_source stop;
      ReadOptions options;
      options.min_bytes = min_bytes;
      options.cancel = stop.get_token();
      const Offset end = storage.Bounds(partition)->log_end;
      storage.ReadAsync(partition, end, std::move(options),
                        [&tally, i](Result<std::vector<BatchView>> batches) {
                          tally.Count(i, batches);
                        });
      return stop;
    };
    for (uint64_t i = 0; i + 1 < kReads; ++i) {
      const bool cancels = i % 100 != 0;
      std::stop_source stop = read(i, cancels ? 1 + i % 500 : 1);
      // Wakes the read on one thread, half of the times to find nothing that
      // it may show yet, while another one hears of the end.
      const auto level = i % 2 == 0 ? Durability::kDisk : Durability::kMemory;
      storage.AppendAsync(partition, Request("y", level),
                          [](const Result<AppendResult>&) {});
      for (std::atomic<int> spins{static_cast<int>(i % 64 * 16)}; spins > 0;)
        --spins;
      if (cancels) stop.request_stop();
    }
    done = true;
    writer.join();
    read(kReads - 1, 1);
    EXPECT_TRUE(storage.Shutdown().ok());
  }
  for (const std::atomic<int>& answers : tally.answers) EXPECT_EQ(answers, 1);
  EXPECT_EQ(tally.nothing, 0);
  EXPECT_EQ(tally.other, 0);
  for (const std::atomic<int>* kind :
       {&tally.some, &tally.cancelled, &tally.closed}) {
    EXPECT_GT(*kind, 0);
  }
}

// D30: background work keeps the store alive after the last handle is gone.
TEST(Concurrency, D30NothingIsAliveAfterTheLastHandle) {
  const TempDir dir;
  std::vector<BatchView> views;
  // Counted in a thread: with the first one the thread sanitizer starts its
  // own.
  size_t threads_before = 0;
  std::thread([&] { threads_before = ThreadsAlive() - 1; }).join();
  for (int round = 0; round < 5; ++round) {
    auto opened = TieredStorage::Open(Config(dir));
    ASSERT_TRUE(opened.ok()) << opened.status();
    const std::string text = BatchText(static_cast<uint64_t>(round));
    ASSERT_TRUE(
        (*opened)->Append({"t", 0}, Request(text, Durability::kMemory)).ok());
    const auto batches = (*opened)->Read({"t", 0}, Offset(0));
    ASSERT_TRUE(batches.ok()) << batches.status();
    views.push_back(batches->back());
    // Destroyed here; the next open gets the lock, and views live on.
    opened->reset();
    EXPECT_EQ(ThreadsAliveInTheEnd(threads_before), threads_before);
  }
  for (size_t i = 0; i < views.size(); ++i) {
    EXPECT_FALSE(views[i].bytes().empty());
    EXPECT_TRUE(views[i].status().ok());
  }
}

}  // namespace
}  // namespace strata
