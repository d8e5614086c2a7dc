// Engine::Impl: owns the parts and wires them. Included by the engine's own
// .cc files only.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cold/cold_manifest_store.h"
#include "engine/appender.h"
#include "engine/claims.h"
#include "engine/cold_roots.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/file_reaper.h"
#include "engine/flusher.h"
#include "engine/garbage_collector.h"
#include "engine/log_admin.h"
#include "engine/migrator.h"
#include "engine/purger.h"
#include "engine/reader.h"
#include "engine/repairer.h"
#include "engine/topic_publisher.h"
#include "engine/wal_mover.h"
#include "tiering/job_runner.h"

namespace strata::engine {

// Thread-safe.
class Engine::Impl final : public Attention {
 public:
  Impl(TieredStorageConfig config, EngineEnvironment environment);
  ~Impl() override;

  // ---- open (engine_open.cc), blocking
  Status Open();
  // False when the store changed while it was read: start over with a new one.
  Result<bool> OpenView();

  // ---- Attention
  void RequestFlush() override;
  void RequestMigrations() override;
  void NotifyWritable() override;
  void RestoreReserve() override;

  uint64_t WhenWritable(UniqueFunction<void()> ready);
  void CancelWritable(uint64_t id);
  // An append was refused; `room_events` is what room_events_ was before it.
  void NoteRefusal(uint64_t room_events) { refused_at_.store(room_events); }
  void Flush(std::vector<PartitionPtr> partitions, StatusDone done);
  void DemoteTo(PartitionPtr partition, StorageTier tier, StatusDone done);
  void PromoteTo(PartitionPtr partition, StorageTier tier, StatusDone done);
  // Runs one migration and counts it.
  void RunJob(const PlannedJob& job, StatusDone done);
  // Plans and runs what is due; `only_flush` looks at the tails only.
  void RunPolicy(StatusDone done);
  void Collect(StatusDone done);
  void DeleteTopic(std::string name, StatusDone done);
  void Segments(PartitionPtr partition,
                Done<std::vector<SegmentMetadata>> done);
  void SegmentAt(PartitionPtr partition, Offset offset,
                 Done<SegmentMetadata> done);
  TieredStorageStats Stats() const;
  void Verify(VerifyProgress progress, Done<VerifyReport> done);
  void Shutdown(StatusDone done);

  // Whether the object store can take what a topic of `settings` becomes.
  Status CheckColdStore(const TopicSettings& settings) const;
  // Why nothing may be changed; Ok when it may.
  Status RefuseChange() const;
  bool stopping() const { return stopping_.load(std::memory_order_acquire); }

  bool read_only_ = false;  // set before anything runs
  const TieredStorageConfig config_;
  const EngineEnvironment environment_;
  Runtime& runtime_;
  Logger log_;
  RecoveryReport report_;
  StoreIdentity identity_;  // set before anything runs
  Counters counters_;
  Topics topics_;

  // How often room for appends may have come, and at which of these one was
  // refused last: what came in between is not to be missed.
  std::atomic<uint64_t> room_events_{0};
  std::atomic<uint64_t> refused_at_{0};

  // Until the last task of this life is gone: after Shutdown, too, rounds and
  // jobs that were left may still write.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<Manifest> manifest_;
  std::unique_ptr<HotTier> hot_;
  std::unique_ptr<WarmTier> warm_;
  std::shared_ptr<InstrumentedObjectStore> cold_store_;
  std::unique_ptr<ColdTier> cold_;
  std::unique_ptr<ColdManifest> cold_manifest_;
  std::unique_ptr<WalWriter> wal_;

  std::unique_ptr<EngineContext> context_;
  std::unique_ptr<ColdRoots> cold_roots_;
  std::unique_ptr<TopicPublisher> publisher_;  // null: cold storage disabled
  std::unique_ptr<Claims> claims_;             // null: cold storage disabled
  std::unique_ptr<GarbageCollector> collector_;  // null: likewise
  std::unique_ptr<FileReaper> reaper_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<WalMover> mover_;
  std::unique_ptr<Migrator> migrator_;
  std::unique_ptr<Purger> purger_;
  std::unique_ptr<LogAdmin> admin_;
  std::unique_ptr<Repairer> repairer_;
  std::unique_ptr<Appender> appender_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<JobRunner> runner_;

 private:
  Status CheckHome();
  void BuildTopics(const ManifestState& state);
  void MakeLocalTiers();
  // Reads the log into the tails of the partitions.
  struct ReplayedWal {
    WalRecovered log;
    std::set<PartitionId> newly_damaged;
  };
  Result<ReplayedWal> ReplayWal(const ManifestOpened& opened, WalAccess access);
  WalOptions LogOptions() const;
  Status BeginEpochs(const std::set<PartitionId>& newly_damaged,
                     uint64_t synced_seq);
  void TellKnownDamage(const PartitionState& p) STRATA_REQUIRES(p.mu);
  Status RemoveOrphans(const ManifestState& state);
  void MakeColdParts();
  void WarnOfOnlyCold();
  void Wire();
  Status CommitAndWait(ManifestEdit edit);
  // What to save of how segments were read: an edit for each partition where
  // that changed.
  std::vector<ManifestEdit> AccessEdits();

  bool RoomIsAwaited();
  void FlushDue();
  void NoteRoomOnDisk(const Status& status);
  void NoteStuck(JobKind kind, const PartitionId& partition,
                 const Status& status);
  // Of `due`, those that alone hold the oldest WAL file with few bytes.
  std::vector<PartitionPtr> TakeIdle(const std::vector<PolicyTail>& tails,
                                     std::vector<PartitionPtr>& due);
  void MigrationTick();
  void LookForMissingCold(StatusDone done);
  SegmentMetadata DescribeLocal(const PartitionState& p, const Segment& segment,
                                const ColdPartition* root) const
      STRATA_REQUIRES(p.mu);
  SegmentMetadata DescribeCold(const PartitionState& p,
                               const SegmentEntry& entry) const
      STRATA_REQUIRES(p.mu);
  // `root` and what it names, `cold`; null when nothing is cold.
  std::vector<SegmentMetadata> DescribeAll(PartitionState& p,
                                           const ColdPartition* root,
                                           const ColdEntries& cold) const;
  void ListCold(PartitionPtr partition, ColdPartitionPtr root,
                Done<std::vector<SegmentMetadata>> done);
  std::vector<PolicyTail> Tails();
  std::vector<PolicySegment> PolicySegments();
  PolicyLimits Limits();
  // Segments to move because somebody asked for it.
  struct ForcedMove {
    JobKind kind = JobKind::kOffload;
    PartitionId partition{};
    struct Segment {
      uint64_t id = 0;
      Offset base{};
      uint64_t bytes = 0;
    };
    std::vector<Segment> segments{};
    size_t next = 0;  // the first that no job was made for

    void Add(const SegmentEntry& entry);
  };
  // One job after the other, each after those that have its segments.
  void RunForced(ForcedMove move, StatusDone done);
  // How far a forced demotion to cold has come.
  struct Demotion {
    Offset end{};                    // what was in segments when it began
    Offset start{};                  // of what was not cold when it last looked
    std::vector<SegmentPtr> sole{};  // what was not cold then
    int fruitless = 0;               // offloads in a row that changed neither
  };
  // What is left of DemoteTo behind the flush.
  void DemoteFlushed(PartitionPtr partition, StorageTier tier, StatusDone done);
  void DemoteCold(PartitionPtr partition, Demotion demotion, StatusDone done);
  void DropLocal(PartitionPtr partition, StatusDone done);
  void PromoteFlushed(PartitionPtr partition, StorageTier tier,
                      StatusDone done);
  void PromoteHot(PartitionPtr partition, StatusDone done);
  void CloseLogs(StatusDone done);

  std::atomic<uint64_t> next_segment_id_{1};
  std::atomic<uint64_t> next_file_number_{1};
  std::atomic<uint64_t> warm_bytes_{0};
  // Release in Shutdown pairs with the acquires of whoever looks.
  std::atomic<bool> stopping_{false};
  std::atomic<bool> flush_requested_{false};
  std::atomic<bool> flush_failed_{false};  // the last one unasked
  // The last flush or merge found the disk full.
  std::atomic<bool> disk_full_{false};
  std::atomic<bool> migrations_requested_{false};
  std::atomic<uint64_t> migrations_completed_{0};
  std::atomic<uint64_t> migrations_failed_{0};

  Mutex writable_mu_;
  // Who waits for room, by number.
  std::map<uint64_t, UniqueFunction<void()>> writable_
      STRATA_GUARDED_BY(writable_mu_);
  uint64_t next_writable_ STRATA_GUARDED_BY(writable_mu_) = 0;
  bool waits_for_wal_ STRATA_GUARDED_BY(writable_mu_) = false;
};

}  // namespace strata::engine
