// Appender: from a caller's batches to frames in the WAL and the tail.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/claims.h"
#include "engine/completion.h"
#include "engine/context.h"
#include "engine/engine.h"

namespace strata::engine {

// Thread-safe.
class Appender {
 public:
  // `claims`: null without cold storage.
  Appender(EngineContext& context, Claims* claims, ExecutorPtr executor)
      : context_(context), claims_(claims), executor_(std::move(executor)) {}

  // What is wrong with the call itself, whatever the partition's state.
  Status CheckAppend(std::span<const AppendRequest> requests) const;
  Status CheckWrite(OffsetRange offsets, ByteSpan data) const;
  Result<PendingAppend> TryAppend(PartitionState& partition,
                                  std::span<const AppendRequest> requests);
  // As TryAppend. When it answers Ok it has taken `done`, which is called as
  // AckQueue says.
  Status AppendAsync(PartitionState& partition,
                     std::span<const AppendRequest> requests,
                     AckQueue::Done& done);
  Result<PendingAppend> TryWrite(PartitionState& partition, OffsetRange offsets,
                                 ByteSpan data, Durability durability);
  void WhenDurable(const PendingAppend& append, Engine::StatusDone done);

 private:
  Status CheckRequest(const AppendRequest& request) const;
  Status CheckBytes(uint64_t bytes) const;
  Status CheckRoom() const;
  Status CheckWritable(PartitionState& partition) const
      STRATA_REQUIRES(partition.mu);
  Status CheckRoomOfStuck(const PartitionState& partition) const
      STRATA_REQUIRES(partition.mu);
  Result<PendingAppend> AppendHere(PartitionState& partition,
                                   std::span<const AppendRequest> requests)
      STRATA_REQUIRES(partition.mu);
  // Frames `requests` from `base` on, puts them into the WAL and the tail.
  Result<PendingAppend> Put(PartitionState& partition, Offset base,
                            std::span<const AppendRequest> requests,
                            Durability durability)
      STRATA_REQUIRES(partition.mu);
  // When an append begins; nothing if it is not timed.
  std::optional<MonotonicTime> Start(Durability durability);
  // Notes when it began, and how long it took if it is done.
  Result<PendingAppend> Timed(std::optional<MonotonicTime> started,
                              Result<PendingAppend> pending) const;

  EngineContext& context_;
  Claims* const claims_;
  const ExecutorPtr executor_;  // of completions
  std::atomic<uint32_t> memory_appends_{0};
};

}  // namespace strata::engine
