#include "strata/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/uri.h"

namespace strata {
namespace {

// Above any machine, and far enough below 2^64 that sums of limits fit.
constexpr uint64_t kMaxBytes = uint64_t{1} << 60;
// Nanoseconds of it fit into 64 bits.
constexpr std::chrono::milliseconds kMaxDuration =
    std::chrono::hours(24) * 365 * 100;
// What the WAL adds to the largest batch: group and frame headers, alignment.
constexpr uint64_t kBatchOverheadBytes = 64 * kKiB;
// Of a WAL file and of what may be unflushed, so that some batch fits.
constexpr uint64_t kMinBatchRoomBytes = 2 * kBatchOverheadBytes;
// WAL files and chunks are written in units of it.
constexpr uint64_t kWalAlignment = 4 * kKiB;
constexpr uint64_t kMinWalFiles = 4;
constexpr uint64_t kMinTargetSegmentBytes = 4 * kKiB;
constexpr uint64_t kMaxTargetSegmentBytes = 2 * kGiB;

template <typename Value, typename Limit>
Status OutOfRange(std::string_view field, const Value& value,
                  const Limit& least, const Limit& most,
                  std::string_view unit) {
  return {StatusCode::kInvalidArgument,
          fmt::format("{} = {}: must be in [{}, {}]{}", field, value, least,
                      most, unit)};
}

Status Refused(std::string_view field, std::string_view value,
               std::string_view rule) {
  return {StatusCode::kInvalidArgument,
          fmt::format("{} = \"{}\": {}", field, value, rule)};
}

Status CheckBytes(std::string_view field, uint64_t value, uint64_t least,
                  uint64_t most = kMaxBytes) {
  if (value >= least && value <= most) return Status::Ok();
  return OutOfRange(field, value, least, most, " bytes");
}

Status CheckCount(std::string_view field, uint64_t value, uint64_t least,
                  uint64_t most) {
  if (value >= least && value <= most) return Status::Ok();
  return OutOfRange(field, value, least, most, "");
}

Status CheckAligned(std::string_view field, uint64_t value, uint64_t unit) {
  if (value % unit == 0) return Status::Ok();
  return {StatusCode::kInvalidArgument,
          fmt::format("{} = {}: must be a multiple of {} bytes", field, value,
                      unit)};
}

Status CheckDuration(std::string_view field, std::chrono::milliseconds value,
                     int64_t least_ms) {
  if (value.count() >= least_ms && value <= kMaxDuration) return Status::Ok();
  return OutOfRange(field, value.count(), least_ms,
                    int64_t{kMaxDuration.count()}, " ms");
}

// (0, most]; refuses NaN too.
Status CheckRatio(std::string_view field, double value, double most) {
  if (value > 0 && value <= most) return Status::Ok();
  return {StatusCode::kInvalidArgument,
          fmt::format("{} = {}: must be in (0, {}]", field, value, most)};
}

Status CheckPath(std::string_view field, const std::filesystem::path& path) {
  if (path.native().find('\0') == std::string::npos) return Status::Ok();
  return Refused(field, path.native().substr(0, path.native().find('\0')),
                 "a path holds no NUL byte");
}

// Orphans are collected per directory: what is not ours must not lie there.
Status CheckApart(std::string_view field, const std::filesystem::path& path,
                  std::string_view other_field,
                  const std::filesystem::path& other) {
  // A separator at the end makes "a" and "a/" the same.
  if ((path / "").lexically_normal() != (other / "").lexically_normal()) {
    return Status::Ok();
  }
  return Refused(field, path.native(),
                 fmt::format("must differ from {}", other_field));
}

Status CheckNamed(std::string_view field, std::string_view value) {
  if (!value.empty()) return Status::Ok();
  return Refused(field, value, "must not be empty");
}

Status CheckEndpoint(const std::string& endpoint) {
  if (endpoint.empty() || ParseEndpoint(endpoint)) return Status::Ok();
  return Refused("cold_storage.endpoint", endpoint,
                 "expected http://host[:port] or https://host[:port]");
}

Status CheckCold(const cold::S3& s3) {
  STRATA_RETURN_IF_ERROR(CheckNamed("cold_storage.bucket", s3.bucket));
  STRATA_RETURN_IF_ERROR(CheckEndpoint(s3.endpoint));
  const std::string& sse = s3.server_side_encryption;
  if (sse.empty() || sse == "AES256" || sse == "aws:kms") return Status::Ok();
  return Refused("cold_storage.server_side_encryption", sse,
                 "expected AES256, aws:kms or nothing");
}
Status CheckCold(const cold::Gcs& gcs) {
  STRATA_RETURN_IF_ERROR(CheckNamed("cold_storage.bucket", gcs.bucket));
  return CheckEndpoint(gcs.endpoint);
}
Status CheckCold(const cold::AzureBlob& azure) {
  if (!azure.connection_string) {  // which may name it
    STRATA_RETURN_IF_ERROR(CheckNamed("cold_storage.account", azure.account));
  }
  STRATA_RETURN_IF_ERROR(CheckNamed("cold_storage.container", azure.container));
  return CheckEndpoint(azure.endpoint);
}
Status CheckCold(const cold::Disabled&) { return Status::Ok(); }
Status CheckCold(const cold::LocalFs& local) {
  return CheckPath("cold_storage.path", local.path);
}

Status CheckPlaces(const TieredStorageConfig& c) {
  STRATA_RETURN_IF_ERROR(CheckNamed("data_dir", c.data_dir.native()));
  STRATA_RETURN_IF_ERROR(CheckPath("data_dir", c.data_dir));
  STRATA_RETURN_IF_ERROR(CheckPath("warm_tier_path", c.warm_tier_path));
  STRATA_RETURN_IF_ERROR(std::visit(
      [](const auto& cold) { return CheckCold(cold); }, c.cold_storage));
  const std::filesystem::path warm = c.EffectiveWarmPath();
  STRATA_RETURN_IF_ERROR(
      CheckApart("warm_tier_path", warm, "data_dir", c.data_dir));
  const auto* local = std::get_if<cold::LocalFs>(&c.cold_storage);
  if (local == nullptr || local->path.empty()) return Status::Ok();
  STRATA_RETURN_IF_ERROR(
      CheckApart("cold_storage.path", local->path, "data_dir", c.data_dir));
  return CheckApart("cold_storage.path", local->path, "warm_tier_path", warm);
}

Status CheckHot(const TieredStorageConfig& c) {
  STRATA_RETURN_IF_ERROR(
      CheckBytes("wal_chunk_bytes", c.wal_chunk_bytes, kWalAlignment, kGiB));
  STRATA_RETURN_IF_ERROR(
      CheckAligned("wal_chunk_bytes", c.wal_chunk_bytes, kWalAlignment));
  // Memory is counted in chunks: none fits into less than one.
  const uint64_t least = std::max(c.wal_chunk_bytes, kMinBatchRoomBytes);
  STRATA_RETURN_IF_ERROR(
      CheckBytes("hot_tier_max_bytes", c.hot_tier_max_bytes, 2 * least));
  STRATA_RETURN_IF_ERROR(
      CheckDuration("hot_tier_max_age", c.hot_tier_max_age, 1));
  if (c.hot_unflushed_max_bytes != 0) {
    STRATA_RETURN_IF_ERROR(CheckBytes("hot_unflushed_max_bytes",
                                      c.hot_unflushed_max_bytes, least,
                                      c.hot_tier_max_bytes));
  }
  return CheckBytes("hot_pinned_max_bytes", c.hot_pinned_max_bytes, 0);
}

Status CheckWal(const TieredStorageConfig& c) {
  STRATA_RETURN_IF_ERROR(CheckBytes("wal_file_bytes", c.wal_file_bytes,
                                    kMinBatchRoomBytes, 4 * kGiB));
  STRATA_RETURN_IF_ERROR(
      CheckAligned("wal_file_bytes", c.wal_file_bytes, kWalAlignment));
  STRATA_RETURN_IF_ERROR(CheckBytes("wal_max_bytes", c.wal_max_bytes,
                                    kMinWalFiles * c.wal_file_bytes));
  STRATA_RETURN_IF_ERROR(
      CheckDuration("checkpoint_interval", c.checkpoint_interval, 1));
  STRATA_RETURN_IF_ERROR(CheckDuration("append_timeout", c.append_timeout, 0));
  // A batch that fits into neither file nor memory would wait for ever.
  const uint64_t room =
      std::min(c.wal_file_bytes, c.EffectiveHotUnflushedMax());
  return CheckBytes("max_batch_bytes", c.max_batch_bytes, 1,
                    std::min(room - kBatchOverheadBytes, kGiB));
}

Status CheckSegments(const TieredStorageConfig& c) {
  STRATA_RETURN_IF_ERROR(
      CheckBytes("warm_tier_max_bytes", c.warm_tier_max_bytes, 64 * kKiB));
  STRATA_RETURN_IF_ERROR(
      CheckDuration("warm_tier_max_age", c.warm_tier_max_age, 1));
  STRATA_RETURN_IF_ERROR(CheckBytes(
      "target_segment_bytes", c.target_segment_bytes, kMinTargetSegmentBytes,
      std::min(c.warm_tier_max_bytes, kMaxTargetSegmentBytes)));
  STRATA_RETURN_IF_ERROR(CheckBytes("min_segment_bytes", c.min_segment_bytes, 0,
                                    c.target_segment_bytes));
  STRATA_RETURN_IF_ERROR(
      CheckBytes("index_interval_bytes", c.index_interval_bytes, 64, kGiB));
  STRATA_RETURN_IF_ERROR(
      CheckRatio("warm_high_watermark", c.warm_high_watermark, 1.0));
  STRATA_RETURN_IF_ERROR(CheckRatio("warm_low_watermark", c.warm_low_watermark,
                                    c.warm_high_watermark));
  STRATA_RETURN_IF_ERROR(
      CheckRatio("compaction_threshold", c.compaction_threshold, 1.0));
  if (c.warm_read_mode > WarmReadMode::kPread) {
    return OutOfRange("warm_read_mode", static_cast<int>(c.warm_read_mode), 0,
                      static_cast<int>(WarmReadMode::kPread), "");
  }
  return CheckCount("warm_max_open_files", c.warm_max_open_files, 1, 1 << 20);
}

Status CheckColdLimits(const TieredStorageConfig& c) {
  STRATA_RETURN_IF_ERROR(
      CheckBytes("cold_chunk_bytes", c.cold_chunk_bytes, 4 * kKiB, kGiB));
  STRATA_RETURN_IF_ERROR(CheckBytes(
      "cold_cache_max_bytes", c.cold_cache_max_bytes, c.cold_chunk_bytes));
  STRATA_RETURN_IF_ERROR(
      CheckDuration("cold_request_timeout", c.cold_request_timeout, 1));
  return CheckCount("cold_max_requests", c.cold_max_requests, 1, 1 << 16);
}

Status CheckMigration(const TieredStorageConfig& c) {
  STRATA_RETURN_IF_ERROR(
      CheckDuration("migration_interval", c.migration_interval, 1));
  STRATA_RETURN_IF_ERROR(
      CheckCount("migration_concurrency", c.migration_concurrency, 1, 256));
  STRATA_RETURN_IF_ERROR(CheckBytes("migration_bytes_per_second",
                                    c.migration_bytes_per_second, 0));
  STRATA_RETURN_IF_ERROR(
      CheckCount("migration_queue_max", c.migration_queue_max, 1, 1 << 20));
  return CheckCount("promotion_threshold", c.promotion_threshold, 1, kMaxBytes);
}

}  // namespace

TieredStorageConfig TieredStorageConfig::HighPerformance() {
  TieredStorageConfig config;
  config.hot_tier_max_bytes = 8 * kGiB;
  config.hot_tier_max_age = std::chrono::hours(2);
  config.warm_tier_max_bytes = 500 * kGiB;
  config.migration_interval = std::chrono::seconds(30);
  return config;
}

TieredStorageConfig TieredStorageConfig::CostOptimized() {
  TieredStorageConfig config;
  config.hot_tier_max_bytes = 256 * kMiB;
  config.hot_tier_max_age = std::chrono::minutes(5);
  config.warm_tier_max_bytes = 10 * kGiB;
  config.warm_tier_max_age = std::chrono::hours(24);
  config.migration_interval = std::chrono::minutes(2);
  config.enable_promotion = false;
  return config;
}

TieredStorageConfig TieredStorageConfig::Testing(
    std::filesystem::path data_dir) {
  TieredStorageConfig config;
  config.data_dir = std::move(data_dir);
  config.hot_tier_max_bytes = 4 * kMiB;
  config.hot_tier_max_age = std::chrono::seconds(1);
  config.warm_tier_max_bytes = 8 * kMiB;
  config.warm_tier_max_age = std::chrono::seconds(10);
  config.migration_interval = std::chrono::hours(1);
  config.promotion_threshold = 3;
  config.wal_file_bytes = 1 * kMiB;
  config.wal_max_bytes = 8 * kMiB;
  config.max_batch_bytes = 512 * kKiB;
  config.min_segment_bytes = 64 * kKiB;
  config.target_segment_bytes = 1 * kMiB;
  config.warm_max_open_files = 16;
  config.cold_chunk_bytes = 64 * kKiB;
  config.cold_cache_max_bytes = 1 * kMiB;
  config.reserve_bytes = 1 * kMiB;
  return config;
}

Status TieredStorageConfig::Validate() const {
  STRATA_RETURN_IF_ERROR(CheckPlaces(*this));
  STRATA_RETURN_IF_ERROR(CheckHot(*this));
  STRATA_RETURN_IF_ERROR(CheckWal(*this));
  STRATA_RETURN_IF_ERROR(CheckSegments(*this));
  STRATA_RETURN_IF_ERROR(CheckColdLimits(*this));
  STRATA_RETURN_IF_ERROR(CheckMigration(*this));
  STRATA_RETURN_IF_ERROR(
      CheckCount("default_partitions", default_partitions, 1, 100'000));
  STRATA_RETURN_IF_ERROR(CheckBytes("reserve_bytes", reserve_bytes, 0));
  return CheckDuration("shutdown_timeout", shutdown_timeout, 0);
}

Status TopicSettings::Validate() const {
  if (hot_max_age) {
    STRATA_RETURN_IF_ERROR(CheckDuration("hot_max_age", *hot_max_age, 1));
  }
  if (warm_max_age) {
    STRATA_RETURN_IF_ERROR(CheckDuration("warm_max_age", *warm_max_age, 1));
  }
  if (!target_segment_bytes) return Status::Ok();
  return CheckBytes("target_segment_bytes", *target_segment_bytes,
                    kMinTargetSegmentBytes, kMaxTargetSegmentBytes);
}

std::filesystem::path TieredStorageConfig::EffectiveWarmPath() const {
  return warm_tier_path.empty() ? data_dir / "warm" : warm_tier_path;
}

uint64_t TieredStorageConfig::EffectiveHotUnflushedMax() const {
  return hot_unflushed_max_bytes != 0 ? hot_unflushed_max_bytes
                                      : hot_tier_max_bytes / 2;
}

uint64_t TieredStorageConfig::EffectiveHotPinnedMax() const {
  return hot_pinned_max_bytes != 0 ? hot_pinned_max_bytes
                                   : hot_tier_max_bytes / 4;
}

}  // namespace strata
