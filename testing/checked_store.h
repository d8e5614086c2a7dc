// CheckedStore: the engine with the reference model beside it. Each operation
// is asked of the engine, its answer is held against the model, and a wrong
// one goes into the journal as the failure. Operations are not waited for.
#pragma once

#include <array>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "testing/reference_model.h"
#include "testing/sim_counters.h"
#include "testing/sim_world.h"

namespace strata {

// Owned by one thread.
class CheckedStore {
 public:
  // An operation under way. `done` once it was answered.
  struct Op {
    SimOp kind = SimOp::kAppend;
    std::string what;
    bool done = false;
    Status status;  // of the answer
    bool bucket_may_fail = false;
    uint64_t bucket_faults = 0;  // when it began
  };
  using OpPtr = std::shared_ptr<Op>;
  using PartitionPtr = engine::PartitionPtr;

  explicit CheckedStore(SimWorld& world) : world_(world) {}

  // --- Operations; the engine is open ---

  struct AppendOptions {
    std::vector<PartitionModel::Payload> payloads;
    Durability durability = Durability::kDisk;
    std::optional<Offset> expected_offset;
  };
  OpPtr Append(const PartitionPtr& partition, const AppendOptions& options);
  OpPtr Write(const PartitionPtr& partition, Offset base,
              PartitionModel::Payload payload, Durability durability);
  OpPtr Read(const PartitionPtr& partition, Offset start, ReadOptions options);
  OpPtr Trim(const PartitionPtr& partition, Offset before);
  // Not while another truncation of the partition is under way.
  OpPtr Truncate(const PartitionPtr& partition, Offset offset, Epoch epoch);
  OpPtr Flush(const PartitionPtr& partition);
  OpPtr FlushAll();
  OpPtr Demote(const PartitionPtr& partition, StorageTier tier);
  OpPtr Promote(const PartitionPtr& partition, StorageTier tier);
  OpPtr RunMigrations();
  OpPtr Segments(const PartitionPtr& partition);
  OpPtr Verify();
  OpPtr CreateTopic(const std::string& name, uint32_t partitions);
  OpPtr DeleteTopic(const std::string& name);
  // All operations under way have to be answered before this one.
  OpPtr Shutdown();

  void CheckBounds(const PartitionPtr& partition);
  void CheckEpochEnd(const PartitionPtr& partition, Epoch epoch);
  // Whether views handed out earlier still show their bytes.
  void CheckHeldViews();
  void ReleaseViews() { held_.clear(); }
  void CheckLimits();

  // --- What is under way ---

  // False when the process has to die first, or a failure is in the journal.
  bool Wait(const OpPtr& op);
  bool WaitForAll();
  size_t under_way() const;
  std::array<uint64_t, kSimOps> UnderWay() const;
  // The process died: answers that come all the same do not count.
  void Abandon();

  ReferenceModel& model() { return model_; }
  PartitionModel* Model(const engine::PartitionState& partition);
  // All partitions that can be used now.
  std::vector<PartitionPtr> Partitions();
  // How often each kind was answered with Ok.
  const std::array<uint64_t, kSimOps>& succeeded() const { return succeeded_; }

 private:
  struct HeldView {
    BatchView view;
    std::string bytes;
  };

  OpPtr Begin(SimOp kind, std::string what);
  // Notes the answer of `op`; a failure unless it is Ok, one of `also`, or one
  // that any operation may get.
  void End(const OpPtr& op, const Status& status,
           const engine::PartitionState* partition = nullptr,
           std::initializer_list<StatusCode> also = {});
  bool BucketFailed(const Op& op) const {
    return op.bucket_may_fail || world_.bucket_faults() != op.bucket_faults;
  }
  bool MayAnswer(const Op& op, StatusCode code,
                 const engine::PartitionState* partition);
  // The model's verdict becomes the failure unless it is Ok.
  void Check(const Op& op, const Status& verdict);
  engine::Engine::StatusDone DoneOf(
      const OpPtr& op, PartitionPtr partition = nullptr,
      std::initializer_list<StatusCode> also = {});
  Outcome OutcomeOf(const Status& status) const;
  OpPtr FinishAppend(OpPtr op, const PartitionPtr& partition,
                     Result<engine::PendingAppend> pending,
                     std::span<const PartitionModel::Payload> payloads,
                     Durability durability, std::optional<Offset> base);
  void FinishRead(const OpPtr& op, const engine::PartitionState& partition,
                  const PartitionModel::ReadTicket& ticket,
                  Result<std::vector<BatchView>> views);
  void FinishSegments(const Op& op, const engine::PartitionState& partition,
                      Offset end_before,
                      const std::vector<SegmentMetadata>& segments);
  void HoldOne(std::span<const BatchView> views);

  SimWorld& world_;
  ReferenceModel model_;
  std::vector<OpPtr> under_way_;
  std::vector<HeldView> held_;
  std::array<uint64_t, kSimOps> succeeded_{};
  bool closing_ = false;
  uint64_t life_ = 0;  // grows when the process dies
};

}  // namespace strata
