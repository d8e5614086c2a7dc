/* Strata for C, and for every language that can load a C library.
 *
 *   strata_config config;
 *   strata_config_init(&config, sizeof config);
 *   config.data_dir = "orders-log";
 *
 *   strata_store* store = NULL;
 *   char* error = NULL;
 *   if (strata_open(&config, &store, &error) != STRATA_OK) {
 *     fprintf(stderr, "%s\n", error);
 *     strata_free(error);
 *     return 1;
 *   }
 *   strata_append_result ack;
 *   strata_append(store, "orders", 0, "hello", 5, NULL, &ack, NULL);
 *
 *   strata_batches* batches = NULL;
 *   strata_read(store, "orders", 0, ack.base_offset, NULL, &batches, NULL);
 *   for (size_t i = 0; i < strata_batches_count(batches); ++i) {
 *     strata_batch batch;
 *     strata_batches_get(batches, i, &batch, NULL);
 *     fwrite(batch.bytes, 1, batch.length, stdout);
 *   }
 *   strata_batches_release(batches);
 *   strata_close(store, NULL);
 *
 * Link libstrata_c.so (pkg-config strata-c, CMake strata::strata_c), or
 * libstrata.a, which has the same functions.
 *
 * Errors. A call that can fail returns a strata_status, and takes `error` as
 * its last argument. It is NULL, or points to a pointer, which becomes NULL
 * when the call succeeded and otherwise a message for people, to be given to
 * strata_free. What a status asks of the caller is said in strata/status.h.
 * Results are written only by calls that succeed.
 *
 * Arguments. A pointer is borrowed during the call, and NULL only where it says
 * so: STRATA_INVALID_ARGUMENT otherwise. Text ends with NUL; names of topics
 * are 1 to 249 of [a-zA-Z0-9._-]. Structs whose first member is `size` may
 * grow: an init function sets it, and what a later version adds has its default
 * for whoever was compiled before.
 *
 * Threads. A store may be used by any threads at once. Other handles belong to
 * one thread at a time. No call of a store may run while it is closed, or
 * later.
 */
#ifndef STRATA_C_H_
#define STRATA_C_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The codes of strata/status.h, by the same numbers. */
typedef enum strata_status {
  STRATA_OK = 0,
  STRATA_INVALID_ARGUMENT = 1,
  STRATA_NOT_FOUND = 2,
  STRATA_ALREADY_EXISTS = 3,
  STRATA_OUT_OF_RANGE = 4,
  STRATA_CONFLICT = 5,
  STRATA_OVERLOADED = 6,
  STRATA_DEADLINE_EXCEEDED = 7,
  STRATA_CANCELLED = 8,
  STRATA_NO_SPACE = 9,
  STRATA_UNAVAILABLE = 10,
  STRATA_UNKNOWN = 11,
  STRATA_DATA_LOSS = 12,
  STRATA_READ_ONLY = 13,
  STRATA_UNSUPPORTED = 14,
  STRATA_IO_ERROR = 15,
  STRATA_CLOSED = 16
} strata_status;

/* "DataLoss"; "Unknown" for a number that is none of these. Static. */
const char* strata_status_name(int status);

/* The version of the library, "0.1.0". Static. */
const char* strata_version(void);

/* Frees what a call of this library allocated as text. NULL is fine. */
void strata_free(char* text);

/* ---- a store ----------------------------------------------------------- */

typedef struct strata_store strata_store;

/* What can be set; each member is described under its name in
 * strata/config.h. Times are in milliseconds. */
typedef struct strata_config {
  size_t size;           /* of this struct, set by strata_config_init */
  const char* data_dir;  /* has to be set */
  const char* warm_dir;  /* NULL: <data_dir>/warm */
  const char* cold_dir;  /* NULL: <data_dir>/cold */
  int32_t cold_disabled; /* not 0: warm is final, cold_dir is not used */
  int32_t create_if_missing;
  uint64_t hot_tier_max_bytes;
  int64_t hot_tier_max_age_ms;
  uint64_t warm_tier_max_bytes;
  int64_t warm_tier_max_age_ms;
  int64_t migration_interval_ms;
  uint64_t migration_bytes_per_second;
  uint32_t migration_concurrency;
  int32_t enable_promotion;
  uint64_t promotion_threshold;
  uint64_t wal_file_bytes;
  uint64_t wal_max_bytes;
  uint64_t wal_chunk_bytes;
  int64_t checkpoint_interval_ms;
  uint64_t max_batch_bytes;
  int64_t append_timeout_ms;
  uint64_t hot_unflushed_max_bytes;
  uint64_t hot_pinned_max_bytes;
  uint64_t min_segment_bytes;
  uint64_t target_segment_bytes;
  uint64_t cold_chunk_bytes;
  uint64_t cold_cache_max_bytes;
  int64_t cold_request_timeout_ms;
  int32_t auto_create_topics;
  uint32_t default_partitions;
  uint64_t reserve_bytes;
  int64_t shutdown_timeout_ms;
  /* NULL: cold_dir says. Else in its place, as ParseColdUrl of
   * strata/config.h has it: "s3://bucket/prefix?endpoint=...". Keys come from
   * the environment. */
  const char* cold_url;
} strata_config;

/* Fills `config`, of `size` bytes (sizeof *config), with the defaults. */
void strata_config_init(strata_config* config, size_t size);

/* Opens or creates the store at config->data_dir. Statuses as of
 * TieredStorage::Open: STRATA_CONFLICT when it is open already, in this process
 * or another. */
strata_status strata_open(const strata_config* config, strata_store** store,
                          char** error);

/* Shuts the store down and frees it, also when it answers an error: then the
 * next open recovers what could not be closed. Batches that are held stay
 * valid. NULL is fine. */
strata_status strata_close(strata_store* store, char** error);

/* All figures of the store as Prometheus text (strata/prometheus.h), to be
 * given to strata_free. */
strata_status strata_get_stats(strata_store* store, char** text, char** error);

/* Flushes all that is in memory to local segment files; returns when done. */
strata_status strata_flush(strata_store* store, char** error);

/* ---- topics ------------------------------------------------------------- */

/* Durable on return. STRATA_ALREADY_EXISTS. */
strata_status strata_create_topic(strata_store* store, const char* topic,
                                  uint32_t partitions, char** error);
/* Durable on return. STRATA_NOT_FOUND. */
strata_status strata_delete_topic(strata_store* store, const char* topic,
                                  char** error);

/* ---- writing ------------------------------------------------------------ */

/* Stands for "no offset" in options. */
#define STRATA_NO_OFFSET UINT64_MAX
/* Stands for "no timestamp". */
#define STRATA_NO_TIMESTAMP ((int64_t)-1)

enum strata_durability {
  STRATA_MEMORY = 0, /* survives as long as the process lives */
  STRATA_DISK = 1    /* survives loss of power */
};

enum strata_format {
  STRATA_OPAQUE = 0,
  STRATA_KAFKA_V2 = 1, /* one RecordBatch, checked */
  STRATA_SEED_MESSAGES = 2
};

typedef struct strata_append_options {
  size_t size;              /* set by strata_append_options_init */
  uint32_t record_count;    /* how many offsets the batch takes; default 1 */
  int32_t format;           /* strata_format; default STRATA_OPAQUE */
  int32_t durability;       /* strata_durability; default STRATA_DISK */
  int64_t max_timestamp;    /* default STRATA_NO_TIMESTAMP */
  uint64_t expected_offset; /* append only if the log ends there, else
                               STRATA_CONFLICT; default STRATA_NO_OFFSET */
} strata_append_options;

void strata_append_options_init(strata_append_options* options, size_t size);

typedef struct strata_append_result {
  uint64_t base_offset;
  uint64_t end_offset; /* one past the last record */
  uint32_t epoch;
  int32_t durability; /* strata_durability: what the batch survives now */
} strata_append_result;

/* Appends `length` bytes as one batch and returns when it has its durability.
 * Nobody may change them meanwhile.
 * `options` and `result` may be NULL. Statuses as of TieredStorage::Append. */
strata_status strata_append(strata_store* store, const char* topic,
                            uint32_t partition, const void* bytes,
                            size_t length, const strata_append_options* options,
                            strata_append_result* result, char** error);

/* Offsets below `before` are gone; durable on return. STRATA_OUT_OF_RANGE above
 * the visible end. */
strata_status strata_trim(strata_store* store, const char* topic,
                          uint32_t partition, uint64_t before, char** error);

/* ---- reading ------------------------------------------------------------ */

/* Batches that one read found. */
typedef struct strata_batches strata_batches;

typedef struct strata_read_options {
  size_t size;           /* set by strata_read_options_init */
  uint64_t max_bytes;    /* default 1 MiB; the first batch comes whatever its
                            size */
  uint64_t limit_offset; /* nothing at or above it; default STRATA_NO_OFFSET */
  int64_t timeout_ms;    /* 0, the default: as long as requests may take */
} strata_read_options;

void strata_read_options_init(strata_read_options* options, size_t size);

enum strata_tier { STRATA_HOT = 0, STRATA_WARM = 1, STRATA_COLD = 2 };

/* A batch as it lies in the store: nothing is copied. */
typedef struct strata_batch {
  const void* bytes; /* until strata_batches_release */
  size_t length;
  uint64_t base_offset;
  uint64_t end_offset; /* one past the last record */
  int64_t max_timestamp;
  uint32_t epoch;
  uint32_t record_count;
  int32_t format; /* strata_format */
  int32_t tier;   /* strata_tier that served it */
} strata_batch;

/* Batches from the one that holds `start` on, in order: at least one if there
 * is one, none at the end of the log. `options` may be NULL. They are to be
 * given to strata_batches_release. Statuses as of TieredStorage::Read. */
strata_status strata_read(strata_store* store, const char* topic,
                          uint32_t partition, uint64_t start,
                          const strata_read_options* options,
                          strata_batches** batches, char** error);

/* 0 for NULL. */
size_t strata_batches_count(const strata_batches* batches);

/* Batch `index`. STRATA_OUT_OF_RANGE when there are not so many. */
strata_status strata_batches_get(const strata_batches* batches, size_t index,
                                 strata_batch* batch, char** error);

/* STRATA_DATA_LOSS when bytes of these batches were lost after they were handed
 * out (a disk failed under a memory map): ask once the bytes were used, before
 * acting on them. */
strata_status strata_batches_check(const strata_batches* batches, char** error);

/* Before or after the store is closed. NULL is fine. */
void strata_batches_release(strata_batches* batches);

/* Where a partition begins and ends; as LogBounds in strata/tiered_storage.h.
 */
typedef struct strata_bounds {
  uint64_t log_start;
  uint64_t cold_end;
  uint64_t durable_end;
  uint64_t visible_end;
  uint64_t log_end;
  uint32_t epoch;
} strata_bounds;

strata_status strata_get_bounds(strata_store* store, const char* topic,
                                uint32_t partition, strata_bounds* bounds,
                                char** error);

#ifdef __cplusplus
}
#endif

#endif /* STRATA_C_H_ */
