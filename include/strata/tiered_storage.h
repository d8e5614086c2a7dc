// Strata: an ordered, append-only log of record batches per topic and
// partition, in three tiers: hot (memory and a write-ahead log), warm
// (memory-mapped local files), cold (object store). Start here.
//
//   auto config = strata::TieredStorageConfig::HighPerformance();
//   config.data_dir = "/var/lib/myapp/log";
//   auto opened = strata::TieredStorage::Open(config);
//   if (!opened.ok()) return Fail(opened.status());
//   auto storage = *std::move(opened);
//
//   auto ack = storage->Append({"orders", 0},
//                              {.bytes = strata::AsBytes("hello")});
//   auto batches = storage->Read({"orders", 0}, ack->base_offset);
//   for (const strata::BatchView& batch : *batches) Use(batch.bytes());
//
// Promises: an acknowledged batch survives what its durability names and is
// returned byte for byte until it is trimmed, truncated or deleted; a reader
// never sees a gap, a later batch or torn bytes in place of the right ones,
// but an error that names what is damaged; offsets are never reused. Data
// moves between the tiers by age, size and use, and readers do not notice.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "strata/batch_view.h"
#include "strata/config.h"
#include "strata/executor.h"
#include "strata/logging.h"
#include "strata/object_store.h"
#include "strata/stats.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

class Runtime;
namespace engine {
class Engine;
class PartitionState;
}  // namespace engine

// One batch to append.
struct AppendRequest {
  // The batch; borrowed during the call, and not to be changed meanwhile: it
  // would be stored with a checksum that is wrong. For kKafkaV2 one RecordBatch
  // whose CRC is checked and whose base offset and leader epoch are set in the
  // stored copy.
  ByteSpan bytes;
  // How many offsets the batch takes; at least 1.
  uint32_t record_count = 1;
  TimestampMs max_timestamp = kNoTimestamp;
  BatchFormat format = BatchFormat::kOpaque;
  Durability durability = Durability::kDisk;
  // Append only if the log end is this offset; kConflict otherwise.
  std::optional<Offset> expected_offset{};
};

struct AppendResult {
  Offset base_offset;  // of the first batch
  Offset end_offset;   // one past the last record of the last batch
  Epoch epoch;
  // What the batch survives now; at least what was asked for.
  Durability durability = Durability::kMemory;
};

struct ReadOptions {
  // Batches are added while their sum stays at or below this; the first one is
  // returned whatever its size.
  uint64_t max_bytes = 1 * kMiB;
  // Nothing at or above this offset is returned (a server's high watermark).
  std::optional<Offset> limit_offset{};
  // At the visible end, wait for appends until so many bytes can be returned;
  // 0: do not wait. Nothing is waited for at limit_offset or max_bytes, nor
  // when batches are there and more would have to come from disk or bucket.
  uint64_t min_bytes = 0;
  // How long the read may take; zero: as long as it takes. At the visible end
  // the answer is then what is there, if only nothing; while disk or bucket is
  // waited for it is kDeadlineExceeded, and the download goes on for the next
  // reader.
  std::chrono::milliseconds timeout{0};
  // The read answers kCancelled soon after it asks to stop.
  std::stop_token cancel{};
};

// Where a partition begins and ends.
struct LogBounds {
  Offset log_start;    // first offset that can be read
  Offset cold_end;     // below this, a verified cold copy exists
  Offset durable_end;  // below this, everything survives loss of power
  Offset visible_end;  // below this, everything has the level it asked for
  Offset log_end;      // the next offset to be assigned
  Epoch epoch;         // of the next append
};

struct EpochEnd {
  Epoch epoch;  // the greatest epoch at or below the one asked for
  Offset end;   // where that epoch ends: the start of the next, or the log end
};

struct TopicInfo {
  std::string name;
  TopicId id;
  uint32_t partitions = 0;
  TopicSettings settings;
};

// A sealed segment, or the unflushed tail of a partition, as it is now.
struct SegmentMetadata {
  std::string topic;
  uint32_t partition = 0;
  Offset base_offset;
  Offset end_offset;  // exclusive
  uint64_t size_bytes = 0;
  // The hottest tier that holds a copy.
  StorageTier tier = StorageTier::kHot;
  // Every tier that holds one.
  bool in_hot = false;
  bool in_warm = false;
  bool in_cold = false;
  // False for the unflushed tail, which still grows.
  bool sealed = false;
  // Seconds since 1970 UTC by the store's clock.
  uint64_t created_at = 0;     // when sealed; for the tail, its oldest batch
  uint64_t last_accessed = 0;  // when last read, else created_at
  // Reads since sealing or the last promotion. Saved at close and now and then
  // between: a crash loses some.
  uint64_t access_count = 0;
  uint64_t dead_records = 0;  // superseded, as far as compaction has counted
  uint64_t total_records = 0;
  uint64_t batch_count = 0;
  TimestampMs max_timestamp = kNoTimestamp;

  uint64_t AgeSeconds(uint64_t now_seconds) const {
    return now_seconds > created_at ? now_seconds - created_at : 0;
  }
  uint64_t IdleSeconds(uint64_t now_seconds) const {
    return now_seconds > last_accessed ? now_seconds - last_accessed : 0;
  }
  // Dead / total records; 0 for an empty segment.
  double CompactionRatio() const;
  // "topic/partition/00000000000000000042".
  std::string SegmentKey() const;
};

// What Open found and did about it. Empty after a clean shutdown.
struct RecoveryReport {
  bool clean = true;  // the last shutdown was clean
  uint64_t replayed_batches = 0;
  uint64_t replayed_bytes = 0;
  // Bytes behind the last sync that were cut as a torn tail.
  uint64_t torn_bytes = 0;
  // Segment files left by interrupted jobs, removed. Objects are not counted:
  // the bucket is not asked at open.
  uint64_t orphans_removed = 0;
  struct Damage {
    std::string partition;  // "topic/3"; empty when it cannot be told
    std::string detail;     // file, position, expected, found
  };
  // Acknowledged bytes that could not be read. The partitions named take no
  // appends until Repair.
  std::vector<Damage> damage;
};

// One finding of Verify.
struct VerifyFinding {
  std::string where;   // partition, file or object
  std::string detail;  // what was expected and found
};

// What Repair did. As it is by default: nothing was damaged.
struct RepairReport {
  bool reopened = false;  // it took no appends before
  uint64_t segments_rewritten = 0;
  uint64_t batches_kept = 0;    // in these
  uint64_t copies_dropped = 0;  // damaged here, whole in the bucket
  // Ascending: where batches are missing now, or where there were gaps before
  // in a segment that was rewritten.
  std::vector<OffsetRange> lost;
};

struct GarbageOptions {
  bool dry_run = false;  // only look
};

// Objects in the bucket that nothing names, and never will.
struct GarbageReport {
  uint64_t objects = 0;
  uint64_t bytes = 0;
  std::vector<std::string> keys;  // of the first 1000
};

struct VerifyReport {
  uint64_t segments = 0;
  uint64_t batches = 0;
  uint64_t bytes = 0;
  std::vector<VerifyFinding> findings;  // empty: all promises hold
};

// Told how many bytes Verify has read so far: from threads of the store, one
// call at a time, while Verify waits. Must not call the store.
using VerifyProgress = std::function<void(uint64_t bytes)>;

// What Restore found in the bucket.
struct RestoreReport {
  std::vector<std::string> topics;  // as they are called now
  uint64_t partitions = 0;
  uint64_t segments = 0;
  uint64_t bytes = 0;  // of their images
  // Topics of several stores had one name: the one that came to the bucket last
  // keeps it. What it was, and what another is called now.
  std::vector<std::pair<std::string, std::string>> renamed;
};

// A partition as a bucket has it.
struct BucketPartition {
  TopicPartition name;
  TopicId topic;
  Offset log_start;
  Offset cold_end;  // one past the last offset in the bucket
  uint64_t segments = 0;
  uint64_t bytes = 0;       // of their images
  uint64_t generation = 0;  // commits so far; 0: nothing was ever offloaded
};

struct OpenOptions {
  // Used in place of config.cold_storage when set.
  std::shared_ptr<ObjectStore> cold_store;
  // Null: warnings and errors go to standard error.
  std::shared_ptr<LogSink> log;
  // Where completions of AppendAsync, ReadAsync and WhenWritable run. Null:
  // on one thread of the store, one after the other.
  std::shared_ptr<CompletionExecutor> executor{};
};

// A resolved partition, for hot loops: spares the look-up by name. Cheap to
// copy; stays valid when the topic is deleted (calls answer kNotFound) and
// when the store is closed (kClosed).
class Partition {
 public:
  const TopicPartition& name() const { return name_; }

 private:
  friend class TieredStorage;
  Partition(TopicPartition name, std::shared_ptr<engine::PartitionState> state)
      : name_(std::move(name)), state_(std::move(state)) {}

  TopicPartition name_;
  std::shared_ptr<engine::PartitionState> state_;
};

// The store. Thread-safe: any method from any thread. One process per
// directory; a second one gets kConflict with the first one's pid.
class TieredStorage {
 public:
  // Opens or creates the store at config.data_dir, replaying what was not
  // flushed. Cost: what is un-flushed, not what is stored. kInvalidArgument
  // for an impossible config or a foreign directory, kUnsupported for a newer
  // format, kConflict when another process holds it, kDataLoss when the
  // manifest is damaged. Damage in the WAL does not fail the open: see
  // recovery().
  static Result<std::unique_ptr<TieredStorage>> Open(TieredStorageConfig config,
                                                     OpenOptions options = {});

  // Opens an existing store to look at it, also while another process has it
  // open: nothing is locked, written or moved, and every call that would
  // change something answers kReadOnly. What is seen is the store at this
  // moment: with a writer, what that one has synced and noted as such (within
  // its checkpoint_interval); without, what Open would recover. To see more,
  // open again; so too when the writer has deleted what is read here, which
  // then fails with kDataLoss. Cost and errors as of Open; kNotFound when
  // there is no store, kUnavailable when it changes too fast.
  static Result<std::unique_ptr<TieredStorage>> OpenReadOnly(
      TieredStorageConfig config, OpenOptions options = {});

  // Makes config.data_dir a store of all that the bucket of config.cold_storage
  // (or options.cold_store) holds: topics, settings, offsets, epochs. Then Open
  // it with the same bucket; segments stay there and are read from there. What
  // the lost store had not uploaded is gone: each partition ends at its cold
  // end and begins a new epoch. Cost: two requests for each partition, nothing
  // is copied. kNotFound when no store was kept there, kAlreadyExists when
  // data_dir is a store, kDataLoss for damaged metadata (the key), else as
  // Open. A failure leaves no store behind; Restore again.
  static Result<RestoreReport> Restore(TieredStorageConfig config,
                                       OpenOptions options = {});

  // What the bucket of config.cold_storage holds, by topic and partition;
  // config.data_dir is not looked at. Cost and errors as of Restore.
  static Result<std::vector<BucketPartition>> ListBucket(
      TieredStorageConfig config, OpenOptions options = {});

  // Shuts down if Shutdown was not called. Nothing is alive afterwards but the
  // bytes of views that are still held.
  ~TieredStorage();
  TieredStorage(const TieredStorage&) = delete;
  TieredStorage& operator=(const TieredStorage&) = delete;

  const TieredStorageConfig& config() const;
  const RecoveryReport& recovery() const;

  // ---- topics -------------------------------------------------------------

  // Names: 1 to 249 of [a-zA-Z0-9._-], not "." or "..". Durable on return.
  // kAlreadyExists, kInvalidArgument, kUnsupported (a target_segment_bytes that
  // the object store has no room for).
  Result<TopicInfo> CreateTopic(std::string_view name, uint32_t partitions,
                                TopicSettings settings = {});
  // Durable on return, and no crash or restart brings the topic back; a new one
  // may take its name at once. Space is freed in the background: objects in the
  // store as soon as it answers, after a restart too if need be
  // (TieredStorageStats::topics_to_purge tells what is left). kNotFound.
  Status DeleteTopic(std::string_view name);
  // Ascending by name.
  Result<std::vector<TopicInfo>> ListTopics();
  // kNotFound.
  Result<TopicInfo> DescribeTopic(std::string_view name);

  // kNotFound for an unknown topic or partition.
  Result<Partition> GetPartition(const TopicPartition& partition);

  // ---- writing ------------------------------------------------------------

  // Appends one batch; the store assigns offsets. Returns when the level asked
  // for is reached. kNotFound (unknown topic that is not to be created, see
  // TieredStorageConfig::auto_create_topics; unknown partition), kConflict
  // (expected_offset), kInvalidArgument (empty, too
  // large, malformed), kOverloaded (no room within append_timeout), kNoSpace,
  // kReadOnly (damaged: Repair; or another store, restored from the bucket, has
  // taken the partition over: append there), kUnknown (the log failed to sync:
  // the batch may survive; read back).
  // Where other machines can reach the bucket, the first append to a partition
  // after Open waits until the store has claimed it there: one request, and not
  // longer than a few seconds if this store was the last to claim it.
  // kUnavailable: a restored store cannot claim, the bucket does not answer.
  Result<AppendResult> Append(const TopicPartition& partition,
                              const AppendRequest& request);
  Result<AppendResult> Append(const Partition& partition,
                              const AppendRequest& request);
  // Several batches, contiguous, all or none, also across a crash. The
  // strongest durability among them holds for all; expected_offset is taken
  // from the first.
  Result<AppendResult> Append(const TopicPartition& partition,
                              std::span<const AppendRequest> requests);
  Result<AppendResult> Append(const Partition& partition,
                              std::span<const AppendRequest> requests);

  // Stores a batch under offsets that the caller has: [base, end). A gap
  // between the log end and base is recorded as such; base below the log end
  // is refused with kConflict, end <= base with kInvalidArgument.
  Result<AppendResult> Write(const TopicPartition& partition, Offset base,
                             Offset end, ByteSpan data,
                             Durability durability = Durability::kDisk);

  // As Append, without waiting. The bytes are copied before this returns.
  // `done` is called exactly once, on the executor given at Open, never inside
  // the call nor under a lock; it may call anything but Shutdown and the
  // destructor. Those of a partition's appends that were taken are called in
  // the order of their offsets. Errors as of Append, but without room the
  // answer is kOverloaded or kNoSpace at once (see WhenWritable), kOverloaded
  // also while the partition is being claimed, and topics are not created. An
  // append under way at Shutdown is still made durable.
  using AppendDone = std::function<void(Result<AppendResult>)>;
  void AppendAsync(const Partition& partition, const AppendRequest& request,
                   AppendDone done);
  void AppendAsync(const Partition& partition,
                   std::span<const AppendRequest> requests, AppendDone done);

  // Calls `ready` once, as above, when an append that was refused for want of
  // room may be tried again: Ok, or kClosed when the store shuts down. There
  // may be no room again by then.
  void WhenWritable(std::function<void(Status)> ready);

  // Cuts the log: offsets at and above `offset` are gone, the next append gets
  // `offset` and `epoch`, which must be above the current one. Durable on
  // return. kOutOfRange outside [max(log start, cold end), log end];
  // kInvalidArgument inside a batch, for an old epoch, or one above
  // kMaxGivenEpoch; errors of the bucket where it has to say what is cold
  // (kUnavailable, kDataLoss): nothing was cut then. An append that waits
  // to be durable while it is cut is answered Ok: it came before the cut.
  Status TruncateTail(const TopicPartition& partition, Offset offset,
                      Epoch epoch);

  // Kafka's DeleteRecords: offsets below `before` are gone. Durable on return;
  // space is freed in the background. Ok and without effect at or below the
  // log start; kOutOfRange above the visible end.
  Status Trim(const TopicPartition& partition, Offset before);

  // ---- reading ------------------------------------------------------------

  // Batches from the one that holds `start` (or the next one after a gap) on,
  // in order, from whatever tier has them: at least one if there is one,
  // nothing at the visible end. kOutOfRange below the log start or above the
  // log end; kDataLoss where bytes are damaged or missing.
  Result<std::vector<BatchView>> Read(const TopicPartition& partition,
                                      Offset start, ReadOptions options = {});
  Result<std::vector<BatchView>> Read(const Partition& partition, Offset start,
                                      ReadOptions options = {});

  // As Read, without waiting; `done` as of AppendAsync. At Shutdown the answer
  // is kClosed, or what is there already.
  using ReadDone = std::function<void(Result<std::vector<BatchView>>)>;
  void ReadAsync(const Partition& partition, Offset start, ReadOptions options,
                 ReadDone done);

  // As they are at this moment. kNotFound.
  Result<LogBounds> Bounds(const TopicPartition& partition);
  Result<LogBounds> Bounds(const Partition& partition);

  // Where `epoch` ends, for a reader that wants to know whether the log was
  // cut behind it (Kafka's OffsetForLeaderEpoch). kNotFound when the partition
  // has no epoch at or below it.
  Result<EpochEnd> EpochEndOffset(const TopicPartition& partition, Epoch epoch);

  // ---- tiers --------------------------------------------------------------

  // The segment that holds `offset`, or the unflushed tail. kNotFound below the
  // log's first segment and from the log end on. The bucket is asked only for
  // what is nowhere else; kUnavailable and the like then.
  Result<SegmentMetadata> GetSegmentMetadata(const TopicPartition& partition,
                                             Offset offset);
  // All of a partition, ascending. Where some of it is cold the bucket is asked
  // once after open; errors as of GetSegmentMetadata.
  Result<std::vector<SegmentMetadata>> Segments(
      const TopicPartition& partition);

  // Flushes hot to warm and returns when it is done.
  Status FlushHotTier(const TopicPartition& partition);
  // The same for all partitions.
  Status FlushAll();

  // Moves all of a partition that can move: to kWarm flushes the tail and
  // drops hot copies; to kCold offloads too and drops warm copies. Returns
  // when done; jobs under way for the same segments are waited for, and the
  // limits of migration hold. kUnavailable, kUnsupported (cold disabled),
  // kOverloaded (too many jobs wait), kDataLoss (lost offsets or a segment
  // that cannot be read are in the way: Repair), kConflict (another store
  // writes the partition's root).
  Status DemoteTo(const TopicPartition& partition, StorageTier tier);
  // Adds warm copies of cold segments, or hot copies of everything: where that
  // is more than the hot tier's limit, the copies made last stay. Errors as of
  // DemoteTo.
  Status PromoteTo(const TopicPartition& partition, StorageTier tier);

  // One pass of the tier policy now; returns when its jobs are done.
  Status RunMigrations();

  // ---- the rest -----------------------------------------------------------

  TieredStorageStats Stats() const;

  // Reads every byte of every tier and checks every checksum and invariant.
  Result<VerifyReport> Verify(VerifyProgress progress = {});

  // Accepts what this partition has lost. The ranges that recovery() reported
  // become gaps, a new epoch begins, appends go on. Every local segment is
  // read; one that is missing or damaged is replaced by a segment of the
  // batches that can still be read from it (or from memory), and by none where
  // the bucket has the same; from then on it can be demoted again. Damage in
  // the bucket stays. kNoSpace: nothing has changed, free some room for what is
  // written anew. kUnavailable, or kDataLoss because the bucket lacks what was
  // cold: damaged copies of that are still here, all else is done.
  Result<RepairReport> Repair(const TopicPartition& partition);

  // Removes from the bucket what uploads that were cut, and deletions that
  // failed, have left behind: they cost space and harm nobody. Claims each
  // partition anew; partitions that belong to other stores are not looked at.
  // Costs a LIST for 1000 objects, a GET for 64 segments, a PUT for a partition.
  // dry_run changes nothing, also in a store that is only read; uploads that are
  // under way then count as garbage. Blocks; errors end it, what is gone is
  // gone: call again. kUnsupported with cold storage disabled.
  Result<GarbageReport> CollectGarbage(GarbageOptions options = {});

  // No new work; running jobs stop at a safe point, or are left after
  // config.shutdown_timeout, so that an object store that does not answer is
  // not waited for; then WAL and manifest are synced and a checkpoint is
  // written. Later calls answer kClosed. Ok when called again. The directory
  // stays locked until this object is destroyed.
  Status Shutdown();

 private:
  struct World;

  explicit TieredStorage(std::unique_ptr<World> world);
  static Result<std::unique_ptr<TieredStorage>> OpenWorld(
      TieredStorageConfig config, OpenOptions options, bool read_only);

  engine::Engine& engine() const;
  Runtime& runtime() const;
  // `check` finds what is wrong with the call itself.
  template <typename Check>
  Result<Partition> PartitionForAppend(const TopicPartition& partition,
                                       Check&& check);
  template <typename Call>
  Status OnPartition(const TopicPartition& partition, Call&& call);

  std::unique_ptr<World> world_;
};

// kInvalidArgument, naming the rule broken, unless `name` is a topic name.
Status ValidateTopicName(std::string_view name);

}  // namespace strata
