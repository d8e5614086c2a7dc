// The log on real threads: what the sanitizers are to look at.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "runtime/thread_runtime.h"
#include "testing/wal_test_log.h"

namespace strata {
namespace {

constexpr int kThreads = 4;
constexpr int kAppends = 300;

class WalThreadTest : public ::testing::Test {
 protected:
  WalThreadTest() : runtime(MakeThreadRuntime()) {
    EXPECT_TRUE(disk.CreateDirectory(kWalDirectory).ok());
    FoundFrames nothing;
    Result<WalRecovered> recovered =
        RecoverWal(disk, chunks, options, {}, nothing);
    EXPECT_TRUE(recovered.ok()) << recovered.status();
    auto opened = WalWriter::Open(disk, *runtime,
                                  Logger(std::make_shared<TestLog::Quiet>()),
                                  chunks, options, *std::move(recovered));
    EXPECT_TRUE(opened.ok()) << opened.status();
    writer = *std::move(opened);
  }
  ~WalThreadTest() override { runtime.reset(); }

  // Runs `start` with a continuation and waits for it.
  Status Wait(const std::function<void(UniqueFunction<void(Status)>)>& start) {
    auto result = std::make_shared<Status>();
    const std::shared_ptr<Event> event = runtime->NewEvent();
    start([result, event](Status status) {
      *result = std::move(status);
      event->Set();
    });
    event->WaitUntil(std::nullopt);
    return *result;
  }

  // Appends one frame, waiting for room where it must.
  Status AppendFrame(WalFrame frame, WalPlace& place) {
    for (;;) {
      const Status status = writer->Append({&frame, 1}, {&place, 1});
      if (status.code() != StatusCode::kOverloaded) return status;
      STRATA_RETURN_IF_ERROR(Wait([&](auto done) {
        writer->WhenWritable(
            [done = std::move(done)]() mutable { done(Status::Ok()); });
      }));
    }
  }
  Status WaitDurable(const WalPlace& place) {
    return Wait([&](auto done) {
      writer->WhenDurable(place.end_seq, std::move(done));
    });
  }

  // Every third append waits to be durable. What is in memory only is let go
  // at once.
  void Append(int thread) {
    for (int i = 0; i < kAppends; ++i) {
      const std::string payload = std::to_string(thread) + ":" +
                                  std::to_string(i) + ":" +
                                  std::string(i * 7 % 2000, 'x');
      FrameHeader header;
      header.offsets = {Offset(i), Offset(i + 1)};
      WalPlace place;
      ASSERT_EQ(AppendFrame({header, AsBytes(payload)}, place), Status::Ok());
      ASSERT_EQ(AsText(place.payload), payload);
      if (i % 3 == 0) {
        ASSERT_EQ(WaitDurable(place), Status::Ok());
        ASSERT_GE(writer->durable_seq(), place.end_seq);
      }
    }
  }

  SimFileSystem disk;
  TestChunks chunks;
  WalOptions options{.file_bytes = 256 << 10,
                     .max_bytes = 64 << 20,
                     .chunk_bytes = 32 << 10,
                     .checkpoint_interval = std::chrono::milliseconds(1)};
  std::unique_ptr<WalWriter> writer;
  std::unique_ptr<Runtime> runtime;
};

TEST_F(WalThreadTest, ThreadsShareTheLogAndEachKeepsItsOrder) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] { Append(t); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Wait([&](auto done) { writer->Close(std::move(done)); }),
            Status::Ok());
  EXPECT_GT(writer->Stats().files, 2u);
  runtime.reset();
  writer.reset();

  disk.Crash(SimUnsyncedFate::kLost);
  FoundFrames found;
  ASSERT_TRUE(RecoverWal(disk, chunks, options, {}, found).ok());
  EXPECT_TRUE(found.damage.empty());
  ASSERT_EQ(found.frames.size(), size_t{kThreads * kAppends});
  std::map<std::string, uint64_t> next;  // by thread
  for (const FoundFrames::Frame& frame : found.frames) {
    const std::string thread = frame.payload.substr(0, 1);
    EXPECT_EQ(frame.header.offsets.base.value(), next[thread]++);
  }
}

TEST_F(WalThreadTest, FailedSyncsAmongThreadsLoseNothingThatWasAcknowledged) {
  Mutex mutex;
  std::vector<std::string> durable;
  int failures = 0;  // of the first thread
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      // One failure moves the log to a new file, one more in the move would
      // end it: the next is planted when an append was durable after the last.
      bool settled = true;
      for (int i = 0; i < 50; ++i) {
        if (t == 0 && settled && i % 10 == 5) {
          disk.FailNext(FileOp::kSync, "wal/");
          settled = false;
          ++failures;
        }
        const std::string payload = std::to_string(t) + ":" + std::to_string(i);
        FrameHeader header;
        header.offsets = {Offset(0), Offset(1)};
        WalPlace place;
        ASSERT_EQ(AppendFrame({header, AsBytes(payload)}, place), Status::Ok());
        // What was in the failed sync is not known to be durable.
        if (!WaitDurable(place).ok()) continue;
        settled = true;
        MutexLock lock(mutex);
        durable.push_back(payload);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  runtime.reset();
  writer.reset();
  disk.ClearFaults();

  disk.Crash(SimUnsyncedFate::kLost);
  FoundFrames found;
  ASSERT_TRUE(RecoverWal(disk, chunks, options, {}, found).ok());
  EXPECT_TRUE(found.damage.empty());
  std::vector<std::string> kept = found.payloads();
  std::ranges::sort(kept);
  EXPECT_GT(failures, 1);
  EXPECT_GT(durable.size(), 20u);
  for (const std::string& payload : durable) {
    EXPECT_TRUE(std::ranges::binary_search(kept, payload)) << payload;
  }
}

}  // namespace
}  // namespace strata
