#include "strata/settings.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/setting_text.h"

namespace strata {
namespace {

using Config = TieredStorageConfig;
using Milliseconds = std::chrono::milliseconds;
using enum SettingKind;

// ---- a value of each type -------------------------------------------------

// How a value of type T is read and printed; `kind` tells bytes from counts.
template <SettingKind kind, typename T>
std::optional<T> ParseAs(std::string_view text) {
  if constexpr (kind == kBytes) {
    return ParseBytes(text);
  } else if constexpr (kind == kDuration) {
    return ParseDuration(text);
  } else if constexpr (kind == kBool) {
    return ParseBool(text);
  } else if constexpr (kind == kText) {
    return T(std::string(text));
  } else {
    return ParseNumber<T>(text);
  }
}

template <SettingKind kind, typename T>
std::string PrintAs(const T& value) {
  if constexpr (kind == kBytes) {
    return PrintBytes(value);
  } else if constexpr (kind == kDuration) {
    return PrintDuration(value);
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return value.native();
  } else {
    return fmt::format("{}", value);
  }
}

Status NotExpected(std::string_view expected, std::string_view found) {
  return {StatusCode::kInvalidArgument,
          fmt::format("expected {}, found '{}'", expected, found)};
}

template <typename T>
struct ValueOf {
  using type = T;
};
template <typename T>
struct ValueOf<std::optional<T>> {
  using type = T;
};

// Reads `text` into a field, which may be optional.
template <SettingKind kind, typename Field>
Status SetField(Field& field, std::string_view text) {
  auto value = ParseAs<kind, typename ValueOf<Field>::type>(text);
  if (!value) return NotExpected(Expected(kind), text);
  field = *std::move(value);
  return Status::Ok();
}

template <SettingKind kind, typename Field>
std::optional<std::string> GetField(const Field& field) {
  if constexpr (std::is_same_v<Field, typename ValueOf<Field>::type>) {
    return PrintAs<kind>(field);
  } else {
    if (!field) return std::nullopt;
    return PrintAs<kind>(*field);
  }
}

template <typename Member>
struct ClassOf;
template <typename Class, typename Type>
struct ClassOf<Type Class::*> {
  using type = Class;
};

// The setting of the member `member`.
template <SettingKind kind, auto member,
          typename Target = typename ClassOf<decltype(member)>::type>
constexpr Setting<Target> Of(std::string_view name,
                             std::string_view description) {
  return {
      .name = name,
      .kind = kind,
      .expected = Expected(kind),
      .description = description,
      .set =
          [](Target& target, std::string_view text) {
            return SetField<kind>(target.*member, text);
          },
      .get =
          [](const Target& target) { return GetField<kind>(target.*member); }};
}

// ---- choices --------------------------------------------------------------

constexpr std::string_view kReadModes = "map or pread";

Status SetReadMode(Config& config, std::string_view text) {
  if (text == "map") {
    config.warm_read_mode = WarmReadMode::kMap;
  } else if (text == "pread") {
    config.warm_read_mode = WarmReadMode::kPread;
  } else {
    return NotExpected(kReadModes, text);
  }
  return Status::Ok();
}

std::optional<std::string> GetReadMode(const Config& config) {
  return config.warm_read_mode == WarmReadMode::kPread ? "pread" : "map";
}

constexpr std::string_view kColdTypes = "local, disabled, s3, azure or gcs";
// In the order of ColdStorageConfig's alternatives.
constexpr std::array<std::string_view, std::variant_size_v<ColdStorageConfig>>
    kColdTypeNames = {"local", "s3", "azure", "gcs", "disabled"};

template <size_t... I>
bool EmplaceCold(ColdStorageConfig& cold, size_t index,
                 std::index_sequence<I...>) {
  return ((index == I && (cold.emplace<I>(), true)) || ...);
}

Status SetColdType(Config& config, std::string_view text) {
  for (size_t i = 0; i < kColdTypeNames.size(); ++i) {
    if (text != kColdTypeNames[i]) continue;
    if (config.cold_storage.index() != i) {
      EmplaceCold(config.cold_storage, i,
                  std::make_index_sequence<kColdTypeNames.size()>());
    }
    return Status::Ok();
  }
  return NotExpected(kColdTypes, text);
}

std::optional<std::string> GetColdType(const Config& config) {
  return std::string(kColdTypeNames[config.cold_storage.index()]);
}

Status SetColdUrl(Config& config, std::string_view text) {
  STRATA_ASSIGN_OR_RETURN(config.cold_storage, ParseColdUrl(text));
  return Status::Ok();
}

std::optional<std::string> GetColdUrl(const Config& config) {
  return ColdUrl(config.cold_storage);
}

// ---- fields of the cold storages that have them ---------------------------

// The field of the alternative in use, if it is that of one of `members`.
template <SettingKind kind, auto... members>
Status SetCold(Config& config, std::string_view text) {
  std::optional<Status> status;
  const auto attempt = [&](auto member) {
    using Cold = typename ClassOf<decltype(member)>::type;
    if (auto* cold = std::get_if<Cold>(&config.cold_storage)) {
      status = SetField<kind>(cold->*member, text);
    }
  };
  (attempt(members), ...);
  if (status) return *status;
  return {StatusCode::kInvalidArgument,
          fmt::format("cold storage of type {} has no such setting",
                      *GetColdType(config))};
}

template <SettingKind kind, auto... members>
std::optional<std::string> GetCold(const Config& config) {
  std::optional<std::string> text;
  const auto attempt = [&](auto member) {
    using Cold = typename ClassOf<decltype(member)>::type;
    if (const auto* cold = std::get_if<Cold>(&config.cold_storage)) {
      text = GetField<kind>(cold->*member);
    }
  };
  (attempt(members), ...);
  return text;
}

template <SettingKind kind, auto... members>
constexpr StoreSetting ColdOf(std::string_view name,
                              std::string_view description,
                              bool secret = false) {
  return {.name = name,
          .kind = kind,
          .expected = Expected(kind),
          .description = description,
          .secret = secret,
          .set = SetCold<kind, members...>,
          .get = GetCold<kind, members...>};
}

// ---- the tables -----------------------------------------------------------

constexpr auto kStoreSettings = std::to_array<StoreSetting>({
    Of<kText, &Config::data_dir>(
        "data_dir",
        "The store's home: lock, manifest, write-ahead log, and what is not "
        "placed elsewhere."),
    Of<kBool, &Config::create_if_missing>(
        "create_if_missing", "Whether an absent store is created."),

    Of<kBytes, &Config::hot_tier_max_bytes>(
        "hot_tier_max_bytes",
        "Memory of the hot tier: unflushed plus cached bytes, in whole "
        "chunks."),
    Of<kDuration, &Config::hot_tier_max_age>(
        "hot_tier_max_age", "Unflushed data older than this goes to warm."),
    Of<kBytes, &Config::hot_unflushed_max_bytes>(
        "hot_unflushed_max_bytes",
        "Of hot_tier_max_bytes, what may be unflushed; 0: half of it."),
    Of<kBytes, &Config::hot_pinned_max_bytes>(
        "hot_pinned_max_bytes",
        "Evicted memory that readers may still hold; 0: a quarter of "
        "hot_tier_max_bytes."),

    Of<kBytes, &Config::wal_file_bytes>(
        "wal_file_bytes",
        "Size of one file of the write-ahead log; files are pre-written and "
        "recycled."),
    Of<kBytes, &Config::wal_max_bytes>(
        "wal_max_bytes",
        "Space of all log files with unflushed data: half of it starts a "
        "flush, all of it makes appends wait."),
    Of<kBytes, &Config::wal_chunk_bytes>(
        "wal_chunk_bytes",
        "Piece of memory in which batches are gathered, written and cached."),
    Of<kDuration, &Config::checkpoint_interval>(
        "checkpoint_interval",
        "Buffered memory appends are written out at least this often."),
    Of<kBytes, &Config::max_batch_bytes>("max_batch_bytes",
                                         "Largest batch that is taken."),
    Of<kDuration, &Config::append_timeout>(
        "append_timeout",
        "How long an append waits for room before it is refused."),

    Of<kBytes, &Config::warm_tier_max_bytes>(
        "warm_tier_max_bytes",
        "Bytes of local segment files; at the limit, with nothing that may be "
        "dropped, appends wait and then fail."),
    Of<kDuration, &Config::warm_tier_max_age>(
        "warm_tier_max_age",
        "Segments sealed longer ago than this are offloaded and leave warm."),
    Of<kText, &Config::warm_tier_path>(
        "warm_tier_path",
        "Directory of the segment files; empty: <data_dir>/warm."),
    Of<kRatio, &Config::warm_high_watermark>(
        "warm_high_watermark",
        "Share of warm_tier_max_bytes above which segments leave warm."),
    Of<kRatio, &Config::warm_low_watermark>(
        "warm_low_watermark",
        "Share of warm_tier_max_bytes down to which they do."),
    StoreSetting{.name = "warm_read_mode",
                 .kind = kChoice,
                 .expected = kReadModes,
                 .description =
                     "How segment files are read: map, without a copy, or "
                     "pread, where maps are slow or unsafe.",
                 .set = SetReadMode,
                 .get = GetReadMode},
    Of<kCount, &Config::warm_max_open_files>(
        "warm_max_open_files", "Segment files mapped or open at once."),
    Of<kBytes, &Config::min_segment_bytes>(
        "min_segment_bytes",
        "A flushed partition with at least this much gets a file of its own; "
        "smaller ones share one."),
    Of<kBytes, &Config::target_segment_bytes>(
        "target_segment_bytes",
        "Segments are cut at this size, and merged up to it before offload."),
    Of<kBytes, &Config::index_interval_bytes>(
        "index_interval_bytes",
        "One index entry per this many bytes of a segment."),

    Of<kDuration, &Config::migration_interval>(
        "migration_interval",
        "How often the policy looks for data to move by age and size."),
    Of<kCount, &Config::migration_concurrency>(
        "migration_concurrency", "Jobs that run at the same time."),
    Of<kCount, &Config::migration_queue_max>("migration_queue_max",
                                             "Jobs that may wait."),
    Of<kBytes, &Config::migration_bytes_per_second>(
        "migration_bytes_per_second",
        "Bytes per second of all jobs together; 0: no limit."),
    Of<kBool, &Config::enable_promotion>(
        "enable_promotion",
        "Whether reads of warm and cold segments count towards promotion."),
    Of<kCount, &Config::promotion_threshold>(
        "promotion_threshold",
        "Reads of one segment, since its last promotion, that promote it."),
    Of<kRatio, &Config::compaction_threshold>(
        "compaction_threshold",
        "Share of dead records above which a segment is compacted; checked, "
        "not used yet."),

    Of<kBytes, &Config::cold_chunk_bytes>(
        "cold_chunk_bytes", "Unit of reads from cold and of their cache."),
    Of<kBytes, &Config::cold_cache_max_bytes>(
        "cold_cache_max_bytes", "Memory of the cache of cold chunks."),
    Of<kDuration, &Config::cold_request_timeout>(
        "cold_request_timeout",
        "Of one request to the object store; of an upload a second more per "
        "MiB."),
    Of<kCount, &Config::cold_max_requests>(
        "cold_max_requests",
        "Reads at the object store at once; sixteen times as many may wait."),

    Of<kBool, &Config::auto_create_topics>(
        "auto_create_topics", "Whether an append creates an unknown topic."),
    Of<kCount, &Config::default_partitions>(
        "default_partitions", "Partitions of topics created by an append."),
    Of<kBytes, &Config::reserve_bytes>(
        "reserve_bytes",
        "Disk space kept aside so that a full disk can still be emptied."),
    Of<kDuration, &Config::shutdown_timeout>(
        "shutdown_timeout",
        "How long closing waits for running jobs to reach a safe point."),

    StoreSetting{.name = "cold_storage.type",
                 .kind = kChoice,
                 .expected = kColdTypes,
                 .description =
                     "Where cold segments go; disabled: warm is final, and a "
                     "full warm tier refuses writes.",
                 .set = SetColdType,
                 .get = GetColdType},
    StoreSetting{.name = "cold_storage.url",
                 .kind = kText,
                 .expected = "a URL such as s3://bucket/prefix",
                 .description =
                     "Type, place and parameters in one: "
                     "s3://bucket/prefix?endpoint=...&region=..., "
                     "gs://bucket/prefix, "
                     "azblob://account/container/prefix, file:///directory or "
                     "disabled:. Credentials are never part of it.",
                 .set = SetColdUrl,
                 .get = GetColdUrl},
    ColdOf<kText, &cold::LocalFs::path>(
        "cold_storage.path",
        "Of local: the directory; empty: <data_dir>/cold."),
    ColdOf<kText, &cold::S3::endpoint, &cold::AzureBlob::endpoint,
           &cold::Gcs::endpoint>(
        "cold_storage.endpoint",
        "Of s3, azure and gcs: the service's address, http:// or https://; "
        "empty: the cloud's own."),
    ColdOf<kText, &cold::S3::bucket, &cold::Gcs::bucket>(
        "cold_storage.bucket", "Of s3 and gcs: the bucket's name."),
    ColdOf<kText, &cold::S3::region>("cold_storage.region",
                                     "Of s3: the bucket's region; empty: "
                                     "us-east-1."),
    ColdOf<kText, &cold::S3::prefix, &cold::AzureBlob::prefix,
           &cold::Gcs::prefix>(
        "cold_storage.prefix",
        "Of s3, azure and gcs: all keys begin with it and a '/'."),
    ColdOf<kBool, &cold::S3::use_path_style>(
        "cold_storage.use_path_style",
        "Of s3: whether the bucket is named in the path of a request, not in "
        "its host."),
    ColdOf<kText, &cold::AzureBlob::account>("cold_storage.account",
                                             "Of azure: the storage account."),
    ColdOf<kText, &cold::AzureBlob::container>("cold_storage.container",
                                               "Of azure: the container."),
    ColdOf<kText, &cold::S3::access_key, &cold::AzureBlob::access_key,
           &cold::Gcs::access_key>(
        "cold_storage.access_key",
        "Of s3, azure and gcs: the key; not set: that of the environment.",
        true),
    ColdOf<kText, &cold::AzureBlob::sas_token>(
        "cold_storage.sas_token",
        "Of azure, in place of a key: a shared access signature.", true),
    ColdOf<kText, &cold::AzureBlob::connection_string>(
        "cold_storage.connection_string",
        "Of azure, in place of a key: what Azure's portal calls so.", true),
    ColdOf<kText, &cold::S3::secret_key, &cold::Gcs::secret_key>(
        "cold_storage.secret_key", "Of s3 and gcs: the key's secret.", true),
    ColdOf<kText, &cold::S3::session_token>("cold_storage.session_token",
                                            "Of s3: of temporary keys.", true),
    ColdOf<kText, &cold::S3::server_side_encryption>(
        "cold_storage.server_side_encryption",
        "Of s3: AES256, aws:kms or empty for the bucket's own."),
    ColdOf<kText, &cold::S3::kms_key_id>("cold_storage.kms_key_id",
                                         "Of s3 with aws:kms: the key."),
    ColdOf<kText, &cold::S3::storage_class>(
        "cold_storage.storage_class", "Of s3: empty for the bucket's own."),
    ColdOf<kText, &cold::S3::ca_bundle, &cold::AzureBlob::ca_bundle,
           &cold::Gcs::ca_bundle>(
        "cold_storage.ca_bundle",
        "Of s3, azure and gcs: a PEM file of the authorities to trust; empty: "
        "the system's."),
});

constexpr auto kTopicSettings = std::to_array<TopicSetting>({
    Of<kDuration, &TopicSettings::hot_max_age>(
        "hot_max_age", "In place of the store's hot_tier_max_age."),
    Of<kDuration, &TopicSettings::warm_max_age>(
        "warm_max_age", "In place of the store's warm_tier_max_age."),
    Of<kBytes, &TopicSettings::target_segment_bytes>(
        "target_segment_bytes", "In place of the store's."),
    Of<kBool, &TopicSettings::enable_promotion>("enable_promotion",
                                                "In place of the store's."),
});

template <typename Target>
const Setting<Target>* Find(std::span<const Setting<Target>> settings,
                            std::string_view name) {
  for (const Setting<Target>& setting : settings) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

}  // namespace

template <typename Target>
Status Setting<Target>::Set(Target& target, std::string_view text) const {
  return set(target, text).WithContext(name);
}
template Status Setting<Config>::Set(Config&, std::string_view) const;
template Status Setting<TopicSettings>::Set(TopicSettings&,
                                            std::string_view) const;

std::span<const StoreSetting> StoreSettings() { return kStoreSettings; }
std::span<const TopicSetting> TopicSettingTable() { return kTopicSettings; }

const StoreSetting* FindStoreSetting(std::string_view name) {
  return Find(StoreSettings(), name);
}
const TopicSetting* FindTopicSetting(std::string_view name) {
  return Find(TopicSettingTable(), name);
}

}  // namespace strata
