// TieredStorageConfig: everything that can be set about a store. Each field
// says its unit, its default and what happens at the limit. All are fixed at
// Open; Validate() tells what is impossible before anything is touched.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "strata/status.h"
#include "strata/types.h"

namespace strata {

inline constexpr uint64_t kKiB = 1024;
inline constexpr uint64_t kMiB = 1024 * kKiB;
inline constexpr uint64_t kGiB = 1024 * kMiB;

// Where cold segments go.
namespace cold {

// A directory on this machine or a network mount. Must support link(2) and
// flock(2). Empty path: <data_dir>/cold.
struct LocalFs {
  std::filesystem::path path;
};

// AWS S3, or what speaks like it: MinIO, Ceph, R2. Without a key pair here it
// is looked for as AWS's own tools do: environment, shared credentials file,
// the container's and the instance's metadata.
struct S3 {
  std::string endpoint;  // "https://host[:port]"; empty: AWS's for the region
  std::string bucket;
  std::string region;  // empty: us-east-1
  std::optional<std::string> access_key;
  std::optional<std::string> secret_key;
  // The bucket in the path of a request, not in its host.
  bool use_path_style = false;
  // Keys begin with it and a '/'. A bucket may hold several logs.
  std::string prefix{};
  std::optional<std::string> session_token{};
  std::string server_side_encryption{};  // empty, "AES256" or "aws:kms"
  std::string kms_key_id{};              // of aws:kms; empty: the account's own
  std::string storage_class{};           // empty: the bucket's
  // PEM file of the authorities to trust; empty: the system's.
  std::filesystem::path ca_bundle{};
};

// Azure Blob Storage, or what speaks like it. At most one of access_key,
// sas_token and connection_string; with none of them
// AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or
// AZURE_STORAGE_SAS_TOKEN of the environment, the first that is there.
struct AzureBlob {
  std::string account;  // empty: that of connection_string
  std::string container;
  std::optional<std::string> access_key;
  // "http[s]://host[:port][/path]". Empty: that of the connection string, else
  // Azure's for the account.
  std::string endpoint{};
  std::string prefix{};
  std::filesystem::path ca_bundle{};
  std::optional<std::string> sas_token{};
  std::optional<std::string> connection_string{};
};

// Google Cloud Storage through its XML API, with an HMAC key.
struct Gcs {
  std::string bucket;
  // Not set: GOOGLE_HMAC_ACCESS_KEY_ID and GOOGLE_HMAC_SECRET of the
  // environment.
  std::optional<std::string> access_key;
  std::optional<std::string> secret_key;
  std::string endpoint{};  // empty: Google's
  std::string prefix{};
  std::filesystem::path ca_bundle{};
};

// Warm is final. A full warm tier refuses writes rather than losing data.
struct Disabled {};

}  // namespace cold

using ColdStorageConfig = std::variant<cold::LocalFs, cold::S3, cold::AzureBlob,
                                       cold::Gcs, cold::Disabled>;

// The cold storage that one URL names:
//
//   s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=eu-west-1
//   azblob://account/container/prefix?endpoint=http://127.0.0.1:10000/account
//   gs://bucket/prefix
//   file:///var/lib/strata-cold; file: is the default, <data_dir>/cold
//   disabled:
//
// Of s3 also: path_style (true where an endpoint is given, unless it says
// false), sse, kms_key_id, storage_class; of all three ca_bundle. Text in it is
// percent-encoded. Credentials are never part of a URL: kInvalidArgument for a
// user or a key in it, which the message does not repeat, as for whatever else
// is unknown or missing.
Result<ColdStorageConfig> ParseColdUrl(std::string_view url);

// The URL of it, without credentials.
std::string ColdUrl(const ColdStorageConfig& cold);

// How warm segments are read.
enum class WarmReadMode : uint8_t {
  kMap,    // views into a memory map; no copy
  kPread,  // one copy per read; for file systems where maps are slow or unsafe
};

struct TieredStorageConfig {
  // ---- tiers ---------------------------------------------------------------

  // Memory of the hot tier: unflushed plus cached bytes, in whole chunks.
  // Readers may pin hot_pinned_max_bytes on top.
  uint64_t hot_tier_max_bytes = 1 * kGiB;
  // Unflushed data older than this is flushed to warm.
  std::chrono::milliseconds hot_tier_max_age = std::chrono::hours(1);
  // Bytes of local segment files. Above warm_high_watermark of it segments
  // with a cold copy are dropped and others are offloaded; at the limit, with
  // nothing that may be dropped, appends wait and then fail with kNoSpace.
  uint64_t warm_tier_max_bytes = 100 * kGiB;
  // Segments sealed longer ago than this are offloaded and leave warm.
  std::chrono::milliseconds warm_tier_max_age = std::chrono::hours(24 * 7);
  // Empty: <data_dir>/warm.
  std::filesystem::path warm_tier_path;
  ColdStorageConfig cold_storage = cold::LocalFs{};
  // How often the tier policy looks for work by age and size. Flushes by hot
  // bytes or WAL length and promotions do not wait for it.
  std::chrono::milliseconds migration_interval = std::chrono::seconds(60);
  // Jobs that run at the same time.
  uint32_t migration_concurrency = 4;
  // Whether reads of warm and cold segments count towards promotion.
  bool enable_promotion = true;
  // Reads of one segment, since its last promotion, that queue one.
  uint64_t promotion_threshold = 100;
  // Dead records / all records above which a segment is compacted, in (0, 1].
  double compaction_threshold = 0.5;

  // ---- where things lie ---------------------------------------------------

  // The store's home: lock, manifest, WAL, and what is not placed elsewhere.
  std::filesystem::path data_dir = "/var/lib/strata";
  // Created if absent; otherwise Open of an absent store answers kNotFound.
  bool create_if_missing = true;

  // ---- write-ahead log ----------------------------------------------------

  // Size of one WAL file; files are pre-written and recycled.
  uint64_t wal_file_bytes = 64 * kMiB;
  // Space of all WAL files that hold unflushed data. Reaching half of it
  // starts a flush, all of it makes appends wait. At least 4 files.
  uint64_t wal_max_bytes = 1 * kGiB;
  // Piece of memory in which batches are gathered, written and cached; the
  // unit in which hot memory is counted. A larger batch gets its own.
  uint64_t wal_chunk_bytes = 1 * kMiB;
  // Buffered kMemory appends are written out, and what was synced is noted for
  // recovery, at least this often.
  std::chrono::milliseconds checkpoint_interval = std::chrono::seconds(1);
  // Largest batch, in bytes; kInvalidArgument above. At most 64 KiB less than
  // wal_file_bytes and than what may be unflushed, and 1 GiB.
  uint64_t max_batch_bytes = 16 * kMiB;
  // How long an append waits for room before it answers kOverloaded (or
  // kNoSpace when a full disk or warm tier is the reason).
  std::chrono::milliseconds append_timeout = std::chrono::seconds(30);

  // ---- hot ----------------------------------------------------------------

  // Of hot_tier_max_bytes, what may be unflushed. 0: half of it.
  uint64_t hot_unflushed_max_bytes = 0;
  // Evicted chunks and copies that views still hold. When full, a hot read is
  // copied into this account; at twice the limit it answers kOverloaded.
  // 0: a quarter of hot_tier_max_bytes.
  uint64_t hot_pinned_max_bytes = 0;

  // ---- segments and warm --------------------------------------------------

  // A flushed partition with at least this much gets a file of its own;
  // smaller ones share one.
  uint64_t min_segment_bytes = 4 * kMiB;
  // Segments are cut at this size when flushed, and small neighbours are
  // merged up to it before offload.
  uint64_t target_segment_bytes = 64 * kMiB;
  // One index entry per this many bytes of a segment.
  uint64_t index_interval_bytes = 4 * kKiB;
  double warm_high_watermark = 0.9;
  double warm_low_watermark = 0.8;
  WarmReadMode warm_read_mode = WarmReadMode::kMap;
  // Segment files mapped (or open) at once; least recently used ones go first.
  uint32_t warm_max_open_files = 512;

  // ---- cold ---------------------------------------------------------------

  // Unit of ranged reads and of the cache.
  uint64_t cold_chunk_bytes = 1 * kMiB;
  uint64_t cold_cache_max_bytes = 128 * kMiB;
  // Of one request to the object store. An upload may take a second more for
  // each MiB.
  std::chrono::milliseconds cold_request_timeout = std::chrono::seconds(30);
  // Reads at the object store at once. Sixteen times as many may wait for their
  // turn, kOverloaded above.
  uint32_t cold_max_requests = 64;

  // ---- migration ----------------------------------------------------------

  // Bytes per second of all jobs together. 0: no limit.
  uint64_t migration_bytes_per_second = 0;
  // Jobs waiting; the policy proposes the rest again at its next pass.
  uint32_t migration_queue_max = 1024;

  // ---- the rest -----------------------------------------------------------

  // Append to an unknown topic creates it with default_partitions; one to a
  // partition beyond these is kNotFound and creates nothing.
  bool auto_create_topics = true;
  uint32_t default_partitions = 1;
  // Disk space kept aside so that trim, delete, offload and demotion work on a
  // full disk. What is not flushed yet needs room of its own first, which they
  // make.
  uint64_t reserve_bytes = 64 * kMiB;
  // How long Shutdown waits for running jobs to reach a safe point; syncing the
  // WAL and the manifest comes on top. Jobs are safe to leave at any point:
  // what is cut off is finished or cleaned up at the next open, and so a store
  // that does not answer is not waited for.
  std::chrono::milliseconds shutdown_timeout = std::chrono::seconds(2);

  // Low latency: 8 GiB hot for two hours, 500 GiB warm, a pass every 30 s.
  static TieredStorageConfig HighPerformance();
  // Archive: 256 MiB hot for five minutes, 10 GiB warm for a day, a pass every
  // two minutes, no promotion.
  static TieredStorageConfig CostOptimized();
  // Small and eager, so that data moves through all tiers within a test: 4 MiB
  // hot, 8 MiB warm, 1 MiB WAL files. No background pass unless
  // migration_interval is set: it is an hour.
  static TieredStorageConfig Testing(std::filesystem::path data_dir);

  // kInvalidArgument naming field, value and permitted range for the first
  // impossible value; Ok otherwise. Open calls it.
  Status Validate() const;

  // The value in force where 0 or empty stands for a computed one.
  std::filesystem::path EffectiveWarmPath() const;
  uint64_t EffectiveHotUnflushedMax() const;
  uint64_t EffectiveHotPinnedMax() const;
};

// Per-topic settings; unset ones follow the store's configuration.
struct TopicSettings {
  std::optional<std::chrono::milliseconds> hot_max_age;
  std::optional<std::chrono::milliseconds> warm_max_age;
  std::optional<uint64_t> target_segment_bytes;
  std::optional<bool> enable_promotion;

  // As of TieredStorageConfig; CreateTopic calls it.
  Status Validate() const;

  friend bool operator==(const TopicSettings&, const TopicSettings&) = default;
};

}  // namespace strata
