#include "c_api/c_config.h"

#include <chrono>

namespace strata::c_api {
namespace {

// The members that say the same in both structs, once for both directions.
template <typename C, typename Cpp, typename Pair>
void ForEachMember(C& c, Cpp& cpp, Pair&& pair) {
  pair(c.create_if_missing, cpp.create_if_missing);
  pair(c.hot_tier_max_bytes, cpp.hot_tier_max_bytes);
  pair(c.hot_tier_max_age_ms, cpp.hot_tier_max_age);
  pair(c.warm_tier_max_bytes, cpp.warm_tier_max_bytes);
  pair(c.warm_tier_max_age_ms, cpp.warm_tier_max_age);
  pair(c.migration_interval_ms, cpp.migration_interval);
  pair(c.migration_bytes_per_second, cpp.migration_bytes_per_second);
  pair(c.migration_concurrency, cpp.migration_concurrency);
  pair(c.enable_promotion, cpp.enable_promotion);
  pair(c.promotion_threshold, cpp.promotion_threshold);
  pair(c.wal_file_bytes, cpp.wal_file_bytes);
  pair(c.wal_max_bytes, cpp.wal_max_bytes);
  pair(c.wal_chunk_bytes, cpp.wal_chunk_bytes);
  pair(c.checkpoint_interval_ms, cpp.checkpoint_interval);
  pair(c.max_batch_bytes, cpp.max_batch_bytes);
  pair(c.append_timeout_ms, cpp.append_timeout);
  pair(c.hot_unflushed_max_bytes, cpp.hot_unflushed_max_bytes);
  pair(c.hot_pinned_max_bytes, cpp.hot_pinned_max_bytes);
  pair(c.min_segment_bytes, cpp.min_segment_bytes);
  pair(c.target_segment_bytes, cpp.target_segment_bytes);
  pair(c.cold_chunk_bytes, cpp.cold_chunk_bytes);
  pair(c.cold_cache_max_bytes, cpp.cold_cache_max_bytes);
  pair(c.cold_request_timeout_ms, cpp.cold_request_timeout);
  pair(c.auto_create_topics, cpp.auto_create_topics);
  pair(c.default_partitions, cpp.default_partitions);
  pair(c.reserve_bytes, cpp.reserve_bytes);
  pair(c.shutdown_timeout_ms, cpp.shutdown_timeout);
}

struct ToC {
  void operator()(int64_t& c, std::chrono::milliseconds cpp) const {
    c = cpp.count();
  }
  void operator()(auto& c, auto cpp) const { c = cpp; }
};

struct ToCpp {
  void operator()(int64_t c, std::chrono::milliseconds& cpp) const {
    cpp = std::chrono::milliseconds(c);
  }
  void operator()(int32_t c, bool& cpp) const { cpp = c != 0; }
  void operator()(auto c, auto& cpp) const { cpp = c; }
};

}  // namespace

strata_config DefaultConfig() {
  strata_config c{};
  c.size = sizeof c;
  const TieredStorageConfig defaults;
  ForEachMember(c, defaults, ToC());
  return c;
}

Result<TieredStorageConfig> ToConfig(const strata_config& given) {
  strata_config c = DefaultConfig();
  STRATA_RETURN_IF_ERROR(Take(given, c));
  if (c.data_dir == nullptr) {
    return Status(StatusCode::kInvalidArgument, "config: data_dir is NULL");
  }
  TieredStorageConfig config;
  config.data_dir = c.data_dir;
  if (c.warm_dir != nullptr) config.warm_tier_path = c.warm_dir;
  if (c.cold_disabled != 0) {
    config.cold_storage = cold::Disabled();
  } else if (c.cold_url != nullptr) {
    STRATA_ASSIGN_OR_RETURN(config.cold_storage, ParseColdUrl(c.cold_url));
  } else if (c.cold_dir != nullptr) {
    config.cold_storage = cold::LocalFs{c.cold_dir};
  }
  ForEachMember(c, config, ToCpp());
  return config;
}

}  // namespace strata::c_api
