// Kills a process with SIGKILL at random moments while it appends, flushes and
// offloads on the real file system, opens the store again, and looks for every
// batch that was acknowledged at kDisk.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "strata/tiered_storage.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

constexpr int kKills = 30;
constexpr uint32_t kPartitions = 3;

TieredStorageConfig Config(const TempDir& dir) {
  TieredStorageConfig config = TieredStorageConfig::Testing(dir.path() / "s");
  config.hot_tier_max_bytes = 2 * kMiB;
  config.max_batch_bytes = 64 * kKiB;
  config.wal_chunk_bytes = 64 * kKiB;
  config.wal_file_bytes = 1 * kMiB;
  config.min_segment_bytes = 32 * kKiB;
  config.target_segment_bytes = 128 * kKiB;
  config.migration_interval = std::chrono::milliseconds(5);
  config.warm_tier_max_age = std::chrono::milliseconds(20);
  config.hot_tier_max_age = std::chrono::milliseconds(10);
  config.reserve_bytes = 64 * kKiB;
  return config;
}

// What the batch at `offset` of `partition` holds: its place and a filling
// whose length and bytes follow from it.
std::string BatchText(uint32_t partition, uint64_t offset) {
  std::string text = std::to_string(partition) + ":" + std::to_string(offset);
  std::mt19937_64 random(offset * 31 + partition);
  text.resize(text.size() + random() % 2000);
  for (size_t i = text.size() / 2; i < text.size(); ++i) {
    text[i] = static_cast<char>(random());
  }
  return text;
}

// An acknowledgement as it crosses the pipe: small enough to be written whole.
struct Ack {
  uint32_t partition;
  uint64_t offset;
};

[[noreturn]] void GiveUp(const char* what, const Status& status) {
  std::fprintf(stderr, "child: %s: %s\n", what, status.ToString().c_str());
  _exit(2);
}

// The child: appends until it is killed, and tells what was acknowledged.
[[noreturn]] void AppendForEver(const TempDir& dir, int pipe) {
  auto storage = TieredStorage::Open(Config(dir));
  if (!storage.ok()) GiveUp("open", storage.status());
  std::mt19937_64 random(static_cast<uint64_t>(getpid()));
  while (true) {
    const auto partition = static_cast<uint32_t>(random() % kPartitions);
    const auto bounds = (*storage)->Bounds({"t", partition});
    if (!bounds.ok()) GiveUp("bounds", bounds.status());
    const Offset at = bounds->log_end;
    const std::string text = BatchText(partition, at.value());
    AppendRequest request;
    request.bytes = AsBytes(text);
    request.expected_offset = at;
    const auto ack = (*storage)->Append({"t", partition}, request);
    if (!ack.ok()) GiveUp("append", ack.status());
    const Ack told{partition, ack->base_offset.value()};
    if (write(pipe, &told, sizeof told) != sizeof told) _exit(5);
    if (random() % 64 == 0) {
      const Status moved =
          (*storage)->DemoteTo({"t", partition}, StorageTier::kCold);
      if (!moved.ok()) GiveUp("demote", moved);
    }
  }
}

// Reads a partition from start to end; answers where it ends.
uint64_t CheckLog(TieredStorage& storage, uint32_t partition) {
  const TopicPartition tp{"t", partition};
  Offset next(0);
  while (true) {
    const auto batches = storage.Read(tp, next);
    EXPECT_TRUE(batches.ok()) << batches.status();
    if (!batches.ok() || batches->empty()) return next.value();
    for (const BatchView& batch : *batches) {
      EXPECT_EQ(batch.base_offset(), next);
      EXPECT_EQ(AsText(batch.bytes()), BatchText(partition, next.value()));
      next = batch.end_offset();
    }
  }
}

TEST(Kill, AcknowledgedOnDiskSurvivesSigkillAtAnyMoment) {
  const TempDir dir;
  {
    auto storage = TieredStorage::Open(Config(dir));
    ASSERT_TRUE(storage.ok()) << storage.status();
    ASSERT_TRUE((*storage)->CreateTopic("t", kPartitions).ok());
  }
  const char* given = std::getenv("STRATA_KILL_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  std::mt19937_64 random(seed);
  SCOPED_TRACE("STRATA_KILL_SEED=" + std::to_string(seed));
  std::map<uint32_t, uint64_t> acknowledged;  // one past the last offset
  uint64_t acks = 0;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    int fds[2];
    ASSERT_EQ(pipe(fds), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(fds[0]);
      AppendForEver(dir, fds[1]);
    }
    close(fds[1]);
    // Some number of acknowledgements, then the end, wherever it stands.
    const uint64_t wanted = random() % 120;
    Ack ack;
    for (uint64_t i = 0; i < wanted; ++i) {
      ASSERT_EQ(read(fds[0], &ack, sizeof ack), ssize_t{sizeof ack})
          << "the child ended by itself";
      acknowledged[ack.partition] = ack.offset + 1;
      ++acks;
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    while (read(fds[0], &ack, sizeof ack) == ssize_t{sizeof ack}) {
      acknowledged[ack.partition] = ack.offset + 1;
      ++acks;
    }
    close(fds[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status))
        << "the child ended by itself: " << WEXITSTATUS(status);

    auto storage = TieredStorage::Open(Config(dir));
    ASSERT_TRUE(storage.ok()) << storage.status();
    EXPECT_TRUE((*storage)->recovery().damage.empty());
    for (uint32_t p = 0; p < kPartitions; ++p) {
      EXPECT_GE(CheckLog(**storage, p), acknowledged[p]) << "partition " << p;
    }
    ASSERT_FALSE(HasFailure()) << "kill " << kill_number;
  }
  EXPECT_GT(acks, uint64_t{kKills});
}

}  // namespace
}  // namespace strata
