// EngineTest: a store in memory, simulated from below, that can be closed,
// crashed and opened again.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cold/object_names.h"
#include "engine/engine.h"
#include "format/cold_root_format.h"
#include "object_store/memory/memory_object_store.h"
#include "testing/await.h"
#include "testing/faulty_object_store.h"
#include "testing/object_store_client.h"
#include "testing/sim_completions.h"
#include "testing/sim_file_system.h"
#include "testing/sim_runtime.h"

namespace strata::engine {

// A store in memory that can be closed, crashed and opened again.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { config_ = TieredStorageConfig::Testing("/sim"); }

  void Open() {
    Result<std::unique_ptr<Engine>> engine = TryOpen();
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }

  Result<std::unique_ptr<Engine>> TryOpen() {
    return Engine::Open(config_, {.runtime = runtime_,
                                  .data_fs = *data_,
                                  .warm_fs = *warm_,
                                  .cold = cold_,
                                  .log = nullptr,
                                  .executor = executor_,
                                  .shared_bucket = shared_bucket_});
  }

  void Close() {
    const Status status = Await<Status>(
        runtime_, [&](auto done) { engine_->Shutdown(std::move(done)); });
    EXPECT_TRUE(status.ok()) << status;
    runtime_.RunUntilIdle();
    Drop();
  }

  // As a power cut: nothing more happens, what was not synced is lost.
  void Crash() {
    Drop();
    disk_.Crash(SimUnsyncedFate::kLost);
  }

  void Drop() {
    runtime_.DropAllTasks();
    engine_.reset();
  }

  PartitionPtr Topic(const std::string& name, uint32_t partitions = 1) {
    const auto info = Await<Result<TopicInfo>>(runtime_, [&](auto done) {
      engine_->CreateTopic(name, partitions, {}, std::move(done));
    });
    EXPECT_TRUE(info.ok() || info.status().code() == StatusCode::kAlreadyExists)
        << info.status();
    return Find(name);
  }

  PartitionPtr Find(const std::string& name, uint32_t partition = 0) {
    const Result<PartitionPtr> found =
        engine_->FindPartition({name, partition});
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *found : nullptr;
  }

  Result<AppendResult> Append(PartitionState& p, std::string_view text,
                              Durability durability = Durability::kDisk) {
    AppendRequest request;
    request.bytes = AsBytes(text);
    request.durability = durability;
    Result<PendingAppend> pending = engine_->TryAppend(p, {&request, 1});
    while (IsBeingClaimed(p)) {
      (void)Await<Status>(runtime_, [&](auto done) {
        engine_->WhenWritable(
            [done = std::move(done)]() mutable { done(Status::Ok()); });
      }).ok();
      pending = engine_->TryAppend(p, {&request, 1});
    }
    if (!pending.ok()) return pending.status();
    STRATA_RETURN_IF_ERROR(Await<Status>(runtime_, [&](auto done) {
      engine_->WhenDurable(*pending, std::move(done));
    }));
    return pending->result;
  }

  static bool IsBeingClaimed(PartitionState& p) {
    MutexLock lock(p.mu);
    return p.claim.under_way && !p.claim.appends_ahead;
  }

  // As the bucket has it; an empty one when it has none.
  ColdRoot RootOf(PartitionState& p) {
    ObjectStoreClient bucket(*cold_, runtime_);
    const Result<std::string> bytes = bucket.Get(RootKey(p.id));
    if (bytes.status().code() == StatusCode::kNotFound) return {};
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    Result<ColdRoot> root = DecodeColdRoot(p.id, AsBytes(*bytes));
    EXPECT_TRUE(root.ok()) << root.status();
    return *std::move(root);
  }

  Status Do(auto&& start) {
    return Await<Status>(runtime_, [&](auto done) { start(std::move(done)); });
  }
  Status Demote(PartitionPtr p, StorageTier tier) {
    return Do([&](auto done) { engine_->DemoteTo(p, tier, std::move(done)); });
  }
  Status Promote(PartitionPtr p, StorageTier tier) {
    return Do([&](auto done) { engine_->PromoteTo(p, tier, std::move(done)); });
  }

  Result<std::vector<BatchView>> Read(PartitionPtr p, uint64_t offset,
                                      ReadOptions options = {}) {
    return Await<Result<std::vector<BatchView>>>(runtime_, [&](auto done) {
      engine_->Read(p, Offset(offset), options, std::move(done));
    });
  }

  // "h:a w:b": tier and text of every batch from `offset` to the end.
  std::string ReadAll(PartitionPtr p, uint64_t offset = 0) {
    std::string all;
    while (true) {
      const auto batches = Read(p, offset);
      if (!batches.ok()) return all + batches.status().ToString();
      if (batches->empty()) return all;
      for (const BatchView& batch : *batches) {
        if (!all.empty()) all += ' ';
        all += Name(batch.tier()).substr(0, 1);
        all += ':';
        all += AsText(batch.bytes());
        EXPECT_TRUE(batch.status().ok());
        offset = batch.end_offset().value();
      }
    }
  }

  TieredStorageConfig config_;
  bool shared_bucket_ = false;  // whether appends wait for claims
  SimRuntime runtime_{1};
  SimFileSystem disk_{1};
  std::unique_ptr<SimFileSystem> data_ = disk_.Mount("data");
  std::unique_ptr<SimFileSystem> warm_ = disk_.Mount("warm");
  std::shared_ptr<ObjectStore> cold_ = MakeMemoryObjectStore(runtime_);
  std::shared_ptr<CompletionExecutor> executor_ =
      std::make_shared<SimCompletions>(runtime_);
  std::unique_ptr<Engine> engine_;
};

}  // namespace strata::engine
