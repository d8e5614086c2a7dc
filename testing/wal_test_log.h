// A log on a simulated disk, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "testing/sim_file_system.h"
#include "testing/sim_runtime.h"
#include "wal/wal_recovery.h"
#include "wal/wal_writer.h"

namespace strata {

// Memory up to a limit, full of garbage when it is handed out. Thread-safe.
class TestChunks final : public ChunkSource {
 public:
  Result<std::shared_ptr<Chunk>> Take(size_t size_bytes, Limit limit) override {
    if (limit == Limit::kHonour && in_use_ > 0 &&
        in_use_ + size_bytes > limit_) {
      return Status(StatusCode::kOverloaded, "chunks: full");
    }
    ++taken;
    return std::shared_ptr<Chunk>(std::make_shared<Memory>(*this, size_bytes));
  }

  void set_limit(uint64_t bytes) { limit_ = bytes; }
  uint64_t in_use() const { return in_use_; }
  // Called whenever a chunk is given back.
  std::function<void()> on_room;
  std::atomic<uint64_t> taken = 0;

 private:
  class Memory final : public Chunk {
   public:
    Memory(TestChunks& source, size_t size_bytes)
        : source_(source), bytes_(size_bytes, std::byte{0xab}) {
      source_.in_use_ += size_bytes;
    }
    ~Memory() override {
      source_.in_use_ -= bytes_.size();
      if (source_.on_room) source_.on_room();
    }
    std::span<std::byte> bytes() override { return bytes_; }

   private:
    TestChunks& source_;
    std::vector<std::byte> bytes_;
  };

  std::atomic<uint64_t> limit_ = UINT64_MAX;
  std::atomic<uint64_t> in_use_ = 0;
};

// What a recovery found. Keeps the chunks while `keep_chunks`.
struct FoundFrames final : WalVisitor {
  struct Frame {
    FrameHeader header;
    std::string payload;
    std::shared_ptr<Chunk> chunk;
    uint64_t seq = 0;
    std::string where;
    bool payload_damaged = false;
  };

  void OnFrame(RecoveredFrame frame) override {
    frames.push_back({.header = frame.header,
                      .payload = std::string(AsText(frame.payload)),
                      .chunk = keep_chunks ? frame.chunk : nullptr,
                      .seq = frame.seq,
                      .where = frame.where(),
                      .payload_damaged = frame.payload_damaged});
  }
  void OnDamage(const WalDamage& d) override { damage.push_back(d); }

  // In log order, those with a good payload.
  std::vector<std::string> payloads() const {
    std::vector<std::string> out;
    for (const Frame& frame : frames) {
      if (!frame.payload_damaged) out.push_back(frame.payload);
    }
    return out;
  }

  bool keep_chunks = true;
  std::vector<Frame> frames;
  std::vector<WalDamage> damage;
};

// Owned by one thread.
class TestLog {
 public:
  explicit TestLog(uint64_t seed = 1) : disk(seed), runtime(seed) {
    id.bytes.fill(std::byte{0x5a});
    EXPECT_TRUE(disk.CreateDirectory(kWalDirectory).ok());
  }
  ~TestLog() { Kill(); }

  // Runs recovery only.
  Result<WalRecovered> Recover() {
    found = FoundFrames();
    return RecoverWal(disk, chunks, options,
                      {.needed_from_seq = needed_from,
                       .synced_seq = synced_seq,
                       .log_id = id,
                       .access = access},
                      found);
  }
  // Recovers, and goes on with a writer.
  void Open() {
    Result<WalRecovered> recovered = Recover();
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    torn_bytes = recovered->torn_bytes;
    Result<std::unique_ptr<WalWriter>> opened = WalWriter::Open(
        disk, runtime, Logger(sink), chunks, options, *std::move(recovered));
    ASSERT_TRUE(opened.ok()) << opened.status();
    writer = *std::move(opened);
    chunks.on_room = [this] {
      if (writer != nullptr) writer->NotifyRoom();
    };
  }
  // The process ends.
  void Kill() {
    runtime.DropAllTasks();
    chunks.on_room = nullptr;
    places.clear();
    found = FoundFrames();
    writer.reset();
  }
  // The power fails.
  void Crash(SimUnsyncedFate fate = SimUnsyncedFate::kByChance) {
    Kill();
    disk.Crash(fate);
  }

  FrameHeader Header(uint64_t offset) const {
    FrameHeader header;
    header.topic = id;
    header.offsets = {Offset(offset), Offset(offset + 1)};
    header.record_count = 1;
    return header;
  }
  // Appends the payloads together; their places are kept.
  Status Append(const std::vector<std::string>& payloads) {
    std::vector<WalFrame> frames;
    for (const std::string& payload : payloads) {
      frames.push_back({Header(next_offset++), AsBytes(payload)});
    }
    std::vector<WalPlace> out(frames.size());
    Status status = writer->Append(frames, out);
    if (status.ok()) {
      places.insert(places.end(), out.begin(), out.end());
    } else {
      next_offset -= payloads.size();
    }
    return status;
  }
  uint64_t last_seq() const { return places.back().end_seq; }
  // Makes what was appended durable; answers how that ended.
  std::optional<Status> Sync() {
    std::optional<Status> result;
    writer->Sync([&result](Status status) { result = std::move(status); });
    runtime.RunUntilIdle();
    return result;
  }
  // Gives back what is releasable, as the engine does.
  bool Release() {
    const std::optional<WalReleasable> releasable = writer->Releasable();
    if (!releasable) return false;
    needed_from = std::max(needed_from, releasable->needed_from_seq);
    writer->Release(releasable->file);
    return true;
  }
  std::vector<std::string> WalFiles() const {
    std::vector<std::string> files;
    for (const std::string& path : disk.Files()) {
      if (path.starts_with(kWalDirectory)) files.push_back(path);
    }
    return files;
  }

  struct Quiet final : LogSink {
    void Log(LogLevel, std::string_view) override {}
  };

  TopicId id;
  SimFileSystem disk;
  SimRuntime runtime;
  TestChunks chunks;
  WalOptions options{.file_bytes = 64 << 10,
                     .max_bytes = 1 << 20,
                     .chunk_bytes = 16 << 10,
                     .checkpoint_interval = std::chrono::seconds(1)};
  std::shared_ptr<LogSink> sink = std::make_shared<Quiet>();
  uint64_t needed_from = 0;
  uint64_t synced_seq = 0;
  WalAccess access = WalAccess::kRecover;
  FoundFrames found;
  uint64_t torn_bytes = 0;
  std::unique_ptr<WalWriter> writer;
  uint64_t next_offset = 0;
  std::vector<WalPlace> places;
};

}  // namespace strata
