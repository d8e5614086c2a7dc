// strata/c.h over strata/tiered_storage.h. Nothing is thrown across it.
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "c_api/c_config.h"
#include "strata/c.h"
#include "strata/prometheus.h"
#include "strata/tiered_storage.h"

using strata::Result;
using strata::Status;
using strata::StatusCode;
using strata::TopicPartition;
using strata::ToPrometheusText;

struct strata_store {
  std::unique_ptr<strata::TieredStorage> storage;
};

struct strata_batches {
  std::vector<strata::BatchView> views;
};

namespace {

static_assert(STRATA_CLOSED == static_cast<int>(StatusCode::kClosed));
static_assert(STRATA_DATA_LOSS == static_cast<int>(StatusCode::kDataLoss));
static_assert(STRATA_DISK == static_cast<int>(strata::Durability::kDisk));
static_assert(STRATA_SEED_MESSAGES ==
              static_cast<int>(strata::BatchFormat::kSeedMessages));
static_assert(STRATA_COLD == static_cast<int>(strata::StorageTier::kCold));

// A member that is added later must not fall into padding, which callers do
// not set.
template <typename Struct, typename Last>
constexpr bool EndsWith(size_t last_at) {
  return last_at + sizeof(Last) == sizeof(Struct);
}
static_assert(EndsWith<strata_config, const char*>(offsetof(strata_config,
                                                            cold_url)));
static_assert(EndsWith<strata_append_options, uint64_t>(
    offsetof(strata_append_options, expected_offset)));
static_assert(EndsWith<strata_read_options, int64_t>(
    offsetof(strata_read_options, timeout_ms)));

strata_status Answer(const Status& status, char** error) {
  // Null when there is no memory for it either: the code has to do.
  if (error != nullptr) {
    *error = status.ok() ? nullptr : ::strdup(status.ToString().c_str());
  }
  return static_cast<strata_status>(status.code());
}

// Calls `body`, which returns a Status. What is thrown, for want of memory
// above all, leaves the outcome open.
template <typename Body>
strata_status Guarded(char** error, Body&& body) {
  try {
    return Answer(body(), error);
  } catch (const std::exception& thrown) {
    try {
      return Answer(Status(StatusCode::kUnknown, thrown.what()), error);
    } catch (...) {
    }
  } catch (...) {
  }
  if (error != nullptr) *error = nullptr;
  return STRATA_UNKNOWN;
}

struct Argument {
  const char* name;
  const void* pointer;
};

// kInvalidArgument for the first that is null.
Status Require(std::initializer_list<Argument> arguments) {
  for (const Argument& argument : arguments) {
    if (argument.pointer != nullptr) continue;
    return {StatusCode::kInvalidArgument,
            std::string(argument.name) + " is NULL"};
  }
  return Status::Ok();
}

template <typename Enum>
Result<Enum> ToEnum(const char* name, int32_t value, Enum last) {
  if (value >= 0 && value <= static_cast<int32_t>(last)) {
    return static_cast<Enum>(value);
  }
  return Status(StatusCode::kInvalidArgument,
                std::string(name) + " is " + std::to_string(value) +
                    ", expected 0 to " +
                    std::to_string(static_cast<int32_t>(last)));
}

std::optional<strata::Offset> ToOffset(uint64_t offset) {
  if (offset == STRATA_NO_OFFSET) return std::nullopt;
  return strata::Offset(offset);
}

strata_append_options DefaultAppendOptions() {
  const strata::AppendRequest defaults;
  return {.size = sizeof(strata_append_options),
          .record_count = defaults.record_count,
          .format = static_cast<int32_t>(defaults.format),
          .durability = static_cast<int32_t>(defaults.durability),
          .max_timestamp = defaults.max_timestamp,
          .expected_offset = STRATA_NO_OFFSET};
}

strata_read_options DefaultReadOptions() {
  const strata::ReadOptions defaults;
  return {.size = sizeof(strata_read_options),
          .max_bytes = defaults.max_bytes,
          .limit_offset = STRATA_NO_OFFSET,
          .timeout_ms = defaults.timeout.count()};
}

Result<strata::AppendRequest> ToRequest(const strata_append_options* given,
                                        strata::ByteSpan bytes) {
  strata_append_options options = DefaultAppendOptions();
  if (given != nullptr) {
    STRATA_RETURN_IF_ERROR(strata::c_api::Take(*given, options));
  }
  strata::AppendRequest request;
  request.bytes = bytes;
  request.record_count = options.record_count;
  request.max_timestamp = options.max_timestamp;
  request.expected_offset = ToOffset(options.expected_offset);
  STRATA_ASSIGN_OR_RETURN(request.format,
                          ToEnum("append options: format", options.format,
                                 strata::BatchFormat::kSeedMessages));
  STRATA_ASSIGN_OR_RETURN(
      request.durability,
      ToEnum("append options: durability", options.durability,
             strata::Durability::kDisk));
  return request;
}

strata_batch ToC(const strata::BatchView& view) {
  return {.bytes = view.bytes().data(),
          .length = view.bytes().size(),
          .base_offset = view.base_offset().value(),
          .end_offset = view.end_offset().value(),
          .max_timestamp = view.max_timestamp(),
          .epoch = view.epoch().value(),
          .record_count = view.record_count(),
          .format = static_cast<int32_t>(view.format()),
          .tier = static_cast<int32_t>(view.tier())};
}

}  // namespace

const char* strata_status_name(int status) {
  // Names are literals, and so end with NUL.
  if (status < STRATA_OK || status > STRATA_CLOSED) status = STRATA_UNKNOWN;
  return strata::StatusCodeName(static_cast<StatusCode>(status)).data();
}

const char* strata_version(void) { return STRATA_VERSION; }

void strata_free(char* text) { ::free(text); }

// ---- a store --------------------------------------------------------------

void strata_config_init(strata_config* config, size_t size) {
  strata::c_api::Init(strata::c_api::DefaultConfig(), config, size);
}

strata_status strata_open(const strata_config* config, strata_store** store,
                          char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(Require({{"config", config}, {"store", store}}));
    STRATA_ASSIGN_OR_RETURN(strata::TieredStorageConfig cpp,
                            strata::c_api::ToConfig(*config));
    auto opened = std::make_unique<strata_store>();
    STRATA_ASSIGN_OR_RETURN(opened->storage,
                            strata::TieredStorage::Open(std::move(cpp)));
    *store = opened.release();
    return Status::Ok();
  });
}

strata_status strata_close(strata_store* store, char** error) {
  return Guarded(error, [&] {
    const std::unique_ptr<strata_store> owned(store);
    return owned == nullptr ? Status::Ok() : owned->storage->Shutdown();
  });
}

strata_status strata_get_stats(strata_store* store, char** text, char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(Require({{"store", store}, {"text", text}}));
    char* copy = ::strdup(ToPrometheusText(store->storage->Stats()).c_str());
    if (copy == nullptr) return {StatusCode::kOverloaded, "out of memory"};
    *text = copy;
    return Status::Ok();
  });
}

strata_status strata_flush(strata_store* store, char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(Require({{"store", store}}));
    return store->storage->FlushAll();
  });
}

// ---- topics ---------------------------------------------------------------

strata_status strata_create_topic(strata_store* store, const char* topic,
                                  uint32_t partitions, char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(Require({{"store", store}, {"topic", topic}}));
    return store->storage->CreateTopic(topic, partitions).status();
  });
}

strata_status strata_delete_topic(strata_store* store, const char* topic,
                                  char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(Require({{"store", store}, {"topic", topic}}));
    return store->storage->DeleteTopic(topic);
  });
}

// ---- writing --------------------------------------------------------------

void strata_append_options_init(strata_append_options* options, size_t size) {
  strata::c_api::Init(DefaultAppendOptions(), options, size);
}

strata_status strata_append(strata_store* store, const char* topic,
                            uint32_t partition, const void* bytes,
                            size_t length, const strata_append_options* options,
                            strata_append_result* result, char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(
        Require({{"store", store}, {"topic", topic}, {"bytes", bytes}}));
    STRATA_ASSIGN_OR_RETURN(
        const strata::AppendRequest request,
        ToRequest(options, {static_cast<const std::byte*>(bytes), length}));
    STRATA_ASSIGN_OR_RETURN(
        const strata::AppendResult ack,
        store->storage->Append(TopicPartition{topic, partition}, request));
    if (result != nullptr) {
      *result = {.base_offset = ack.base_offset.value(),
                 .end_offset = ack.end_offset.value(),
                 .epoch = ack.epoch.value(),
                 .durability = static_cast<int32_t>(ack.durability)};
    }
    return Status::Ok();
  });
}

strata_status strata_trim(strata_store* store, const char* topic,
                          uint32_t partition, uint64_t before, char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(Require({{"store", store}, {"topic", topic}}));
    return store->storage->Trim({topic, partition}, strata::Offset(before));
  });
}

// ---- reading --------------------------------------------------------------

void strata_read_options_init(strata_read_options* options, size_t size) {
  strata::c_api::Init(DefaultReadOptions(), options, size);
}

strata_status strata_read(strata_store* store, const char* topic,
                          uint32_t partition, uint64_t start,
                          const strata_read_options* options,
                          strata_batches** batches, char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(
        Require({{"store", store}, {"topic", topic}, {"batches", batches}}));
    strata_read_options given = DefaultReadOptions();
    if (options != nullptr) {
      STRATA_RETURN_IF_ERROR(strata::c_api::Take(*options, given));
    }
    strata::ReadOptions how;
    how.max_bytes = given.max_bytes;
    how.limit_offset = ToOffset(given.limit_offset);
    how.timeout = std::chrono::milliseconds(given.timeout_ms);
    auto found = std::make_unique<strata_batches>();
    STRATA_ASSIGN_OR_RETURN(
        found->views, store->storage->Read(TopicPartition{topic, partition},
                                           strata::Offset(start), how));
    *batches = found.release();
    return Status::Ok();
  });
}

size_t strata_batches_count(const strata_batches* batches) {
  return batches == nullptr ? 0 : batches->views.size();
}

strata_status strata_batches_get(const strata_batches* batches, size_t index,
                                 strata_batch* batch, char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(Require({{"batches", batches}, {"batch", batch}}));
    if (index >= batches->views.size()) {
      return {StatusCode::kOutOfRange,
              "batch " + std::to_string(index) + " of " +
                  std::to_string(batches->views.size())};
    }
    *batch = ToC(batches->views[index]);
    return Status::Ok();
  });
}

strata_status strata_batches_check(const strata_batches* batches,
                                   char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(Require({{"batches", batches}}));
    for (const strata::BatchView& view : batches->views) {
      STRATA_RETURN_IF_ERROR(view.status());
    }
    return Status::Ok();
  });
}

void strata_batches_release(strata_batches* batches) { delete batches; }

strata_status strata_get_bounds(strata_store* store, const char* topic,
                                uint32_t partition, strata_bounds* bounds,
                                char** error) {
  return Guarded(error, [&]() -> Status {
    STRATA_RETURN_IF_ERROR(
        Require({{"store", store}, {"topic", topic}, {"bounds", bounds}}));
    STRATA_ASSIGN_OR_RETURN(
        const strata::LogBounds found,
        store->storage->Bounds(TopicPartition{topic, partition}));
    *bounds = {.log_start = found.log_start.value(),
               .cold_end = found.cold_end.value(),
               .durable_end = found.durable_end.value(),
               .visible_end = found.visible_end.value(),
               .log_end = found.log_end.value(),
               .epoch = found.epoch.value()};
    return Status::Ok();
  });
}
