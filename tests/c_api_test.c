/* strata/c.h from C99: c_api_test DIRECTORY. The directory is emptied first;
 * each test has a store of its own below it. */
#define _XOPEN_SOURCE 700
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "strata/c.h"

static const char* directory;
static int failures = 0;

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      ++failures;                                                              \
      fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
    }                                                                          \
  } while (0)

#define REQUIRE(condition)                                                     \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: required %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

/* The call answers `status`, and a message that holds `text`. `error` is the
 * call's last argument. */
#define EXPECT_ERROR(call, expected, text)                                     \
  do {                                                                         \
    char* error = NULL;                                                        \
    const strata_status found = (call);                                        \
    if (found != (expected) || error == NULL || strstr(error, text) == NULL) { \
      ++failures;                                                              \
      fprintf(stderr, "%s:%d: expected %s with '%s', found %s: %s\n",          \
              __FILE__, __LINE__, strata_status_name(expected), text,          \
              strata_status_name(found), error != NULL ? error : "NULL");      \
    }                                                                          \
    strata_free(error);                                                        \
  } while (0)

static strata_config config_for(const char* name) {
  static char path[4096];
  strata_config config;
  snprintf(path, sizeof path, "%s/%s", directory, name);
  strata_config_init(&config, sizeof config);
  config.data_dir = path;
  config.wal_file_bytes = 1 << 20;
  config.wal_max_bytes = 4 << 20;
  config.wal_chunk_bytes = 64 << 10;
  config.max_batch_bytes = 256 << 10;
  config.reserve_bytes = 0;
  return config;
}

static strata_store* open_store(const char* name) {
  const strata_config config = config_for(name);
  strata_store* store = NULL;
  char* error = "unset";
  const strata_status status = strata_open(&config, &store, &error);
  if (status != STRATA_OK) fprintf(stderr, "%s\n", error);
  REQUIRE(status == STRATA_OK && store != NULL && error == NULL);
  return store;
}

static uint64_t append(strata_store* store, const char* text) {
  strata_append_result ack;
  REQUIRE(strata_append(store, "t", 0, text, strlen(text), NULL, &ack, NULL) ==
          STRATA_OK);
  EXPECT(ack.end_offset == ack.base_offset + 1);
  EXPECT(ack.durability == STRATA_DISK);
  return ack.base_offset;
}

static strata_batches* read_from(strata_store* store, uint64_t start) {
  strata_batches* batches = NULL;
  REQUIRE(strata_read(store, "t", 0, start, NULL, &batches, NULL) == STRATA_OK);
  REQUIRE(batches != NULL);
  return batches;
}

static void expect_batch(const strata_batches* batches, size_t index,
                         uint64_t offset, const char* text, int32_t tier) {
  strata_batch batch;
  REQUIRE(strata_batches_get(batches, index, &batch, NULL) == STRATA_OK);
  EXPECT(batch.base_offset == offset && batch.end_offset == offset + 1);
  EXPECT(batch.length == strlen(text));
  EXPECT(memcmp(batch.bytes, text, strlen(text)) == 0);
  EXPECT(batch.tier == tier && batch.format == STRATA_OPAQUE);
  EXPECT(batch.record_count == 1);
}

static void test_what_is_appended_is_read_after_reopen(void) {
  strata_store* store = open_store("reopen");
  strata_batches* batches;
  strata_bounds bounds;
  EXPECT(append(store, "one") == 0);
  EXPECT(append(store, "two") == 1);
  batches = read_from(store, 0);
  EXPECT(strata_batches_count(batches) == 2);
  expect_batch(batches, 0, 0, "one", STRATA_HOT);
  expect_batch(batches, 1, 1, "two", STRATA_HOT);
  EXPECT(strata_batches_check(batches, NULL) == STRATA_OK);
  strata_batches_release(batches);
  EXPECT(strata_flush(store, NULL) == STRATA_OK);
  EXPECT(strata_close(store, NULL) == STRATA_OK);

  store = open_store("reopen");
  batches = read_from(store, 1);
  EXPECT(strata_batches_count(batches) == 1);
  expect_batch(batches, 0, 1, "two", STRATA_WARM);
  strata_batches_release(batches);
  EXPECT(strata_trim(store, "t", 0, 1, NULL) == STRATA_OK);
  EXPECT(strata_get_bounds(store, "t", 0, &bounds, NULL) == STRATA_OK);
  EXPECT(bounds.log_start == 1 && bounds.log_end == 2);
  EXPECT(bounds.visible_end == 2 && bounds.durable_end == 2);
  batches = NULL;
  EXPECT_ERROR(strata_read(store, "t", 0, 0, NULL, &batches, &error),
               STRATA_OUT_OF_RANGE, "trimmed");
  EXPECT(batches == NULL);
  batches = read_from(store, 2);
  EXPECT(strata_batches_count(batches) == 0);
  strata_batches_release(batches);
  EXPECT(strata_close(store, NULL) == STRATA_OK);
}

static void test_batches_stay_valid_after_close(void) {
  strata_store* store = open_store("views");
  strata_batches* hot;
  strata_batches* warm;
  append(store, "held");
  hot = read_from(store, 0);
  EXPECT(strata_close(store, NULL) == STRATA_OK);
  store = open_store("views");
  EXPECT(strata_flush(store, NULL) == STRATA_OK);
  EXPECT(strata_close(store, NULL) == STRATA_OK);
  store = open_store("views");
  warm = read_from(store, 0);
  EXPECT(strata_delete_topic(store, "t", NULL) == STRATA_OK);
  EXPECT(strata_close(store, NULL) == STRATA_OK);
  expect_batch(hot, 0, 0, "held", STRATA_HOT);
  expect_batch(warm, 0, 0, "held", STRATA_WARM);
  EXPECT(strata_batches_check(warm, NULL) == STRATA_OK);
  strata_batches_release(hot);
  strata_batches_release(warm);
}

static void test_second_open_is_refused(void) {
  const strata_config config = config_for("twice");
  strata_store* first = open_store("twice");
  strata_store* second = NULL;
  EXPECT_ERROR(strata_open(&config, &second, &error), STRATA_CONFLICT, "pid");
  EXPECT(second == NULL);
  EXPECT(strata_close(first, NULL) == STRATA_OK);
  EXPECT(strata_open(&config, &second, NULL) == STRATA_OK);
  EXPECT(strata_close(second, NULL) == STRATA_OK);
}

static void test_topics(void) {
  strata_store* store = open_store("topics");
  EXPECT(strata_create_topic(store, "t", 2, NULL) == STRATA_OK);
  EXPECT_ERROR(strata_create_topic(store, "t", 1, &error),
               STRATA_ALREADY_EXISTS, "'t'");
  EXPECT_ERROR(strata_create_topic(store, "no/good", 1, &error),
               STRATA_INVALID_ARGUMENT, "position 2");
  EXPECT_ERROR(strata_append(store, "t", 2, "x", 1, NULL, NULL, &error),
               STRATA_NOT_FOUND, "2");
  EXPECT(strata_delete_topic(store, "t", NULL) == STRATA_OK);
  EXPECT_ERROR(strata_delete_topic(store, "t", &error), STRATA_NOT_FOUND,
               "'t'");
  EXPECT(strata_close(store, NULL) == STRATA_OK);
}

static void test_append_options(void) {
  strata_store* store = open_store("append");
  strata_append_options options;
  strata_append_result ack;
  strata_read_options read;
  strata_batches* batches = NULL;
  strata_append_options_init(&options, sizeof options);
  options.record_count = 3;
  options.durability = STRATA_MEMORY;
  options.expected_offset = 0;
  EXPECT(strata_append(store, "t", 0, "abc", 3, &options, &ack, NULL) ==
         STRATA_OK);
  EXPECT(ack.base_offset == 0 && ack.end_offset == 3);
  EXPECT_ERROR(strata_append(store, "t", 0, "abc", 3, &options, &ack, &error),
               STRATA_CONFLICT, "expected offset 0");
  options.durability = 7;
  EXPECT_ERROR(strata_append(store, "t", 0, "abc", 3, &options, &ack, &error),
               STRATA_INVALID_ARGUMENT, "durability is 7");
  options.durability = STRATA_DISK;
  options.format = -1;
  EXPECT_ERROR(strata_append(store, "t", 0, "abc", 3, &options, &ack, &error),
               STRATA_INVALID_ARGUMENT, "format is -1");
  memset(&options, 0, sizeof options);
  EXPECT_ERROR(strata_append(store, "t", 0, "abc", 3, &options, &ack, &error),
               STRATA_INVALID_ARGUMENT, "not initialised");
  append(store, "behind");
  strata_read_options_init(&read, sizeof read);
  read.limit_offset = 3;
  EXPECT(strata_read(store, "t", 0, 0, &read, &batches, NULL) == STRATA_OK);
  EXPECT(strata_batches_count(batches) == 1);
  strata_batches_release(batches);
  EXPECT(strata_close(store, NULL) == STRATA_OK);
}

static void test_null_is_refused(void) {
  strata_store* store = NULL;
  strata_batches* batches = NULL;
  strata_batch batch;
  strata_bounds bounds;
  strata_config config = config_for("null");
  EXPECT_ERROR(strata_open(NULL, &store, &error), STRATA_INVALID_ARGUMENT,
               "config is NULL");
  EXPECT_ERROR(strata_open(&config, NULL, &error), STRATA_INVALID_ARGUMENT,
               "store is NULL");
  config.data_dir = NULL;
  EXPECT_ERROR(strata_open(&config, &store, &error), STRATA_INVALID_ARGUMENT,
               "data_dir");
  EXPECT_ERROR(strata_append(NULL, "t", 0, "x", 1, NULL, NULL, &error),
               STRATA_INVALID_ARGUMENT, "store is NULL");
  EXPECT_ERROR(strata_flush(NULL, &error), STRATA_INVALID_ARGUMENT, "store");
  EXPECT(strata_close(NULL, NULL) == STRATA_OK);
  store = open_store("null");
  EXPECT_ERROR(strata_append(store, NULL, 0, "x", 1, NULL, NULL, &error),
               STRATA_INVALID_ARGUMENT, "topic is NULL");
  EXPECT_ERROR(strata_append(store, "t", 0, NULL, 1, NULL, NULL, &error),
               STRATA_INVALID_ARGUMENT, "bytes is NULL");
  EXPECT_ERROR(strata_append(store, "t", 0, "", 0, NULL, NULL, &error),
               STRATA_INVALID_ARGUMENT, "0 bytes");
  EXPECT_ERROR(strata_read(store, "t", 0, 0, NULL, NULL, &error),
               STRATA_INVALID_ARGUMENT, "batches is NULL");
  EXPECT_ERROR(strata_create_topic(store, NULL, 1, &error),
               STRATA_INVALID_ARGUMENT, "topic is NULL");
  EXPECT_ERROR(strata_delete_topic(store, NULL, &error),
               STRATA_INVALID_ARGUMENT, "topic is NULL");
  EXPECT_ERROR(strata_trim(store, NULL, 0, 0, &error), STRATA_INVALID_ARGUMENT,
               "topic is NULL");
  EXPECT_ERROR(strata_get_bounds(store, "t", 0, NULL, &error),
               STRATA_INVALID_ARGUMENT, "bounds is NULL");
  EXPECT_ERROR(strata_get_bounds(store, "t", 0, &bounds, &error),
               STRATA_NOT_FOUND, "'t'");
  EXPECT_ERROR(strata_batches_get(NULL, 0, &batch, &error),
               STRATA_INVALID_ARGUMENT, "batches is NULL");
  append(store, "x");
  batches = read_from(store, 0);
  EXPECT_ERROR(strata_batches_get(batches, 1, &batch, &error),
               STRATA_OUT_OF_RANGE, "1 of 1");
  EXPECT_ERROR(strata_batches_get(batches, 0, NULL, &error),
               STRATA_INVALID_ARGUMENT, "batch is NULL");
  strata_batches_release(batches);
  strata_batches_release(NULL);
  strata_free(NULL);
  EXPECT(strata_batches_count(NULL) == 0);
  EXPECT(strata_close(store, NULL) == STRATA_OK);
}

/* What a program compiled with another version of the header gives. */
static void test_config_of_other_sizes(void) {
  struct {
    strata_config config;
    uint64_t added_later;
  } newer;
  strata_store* store = NULL;
  const strata_config known = config_for("sizes");
  strata_config older = known;
  strata_config_init(&newer.config, sizeof newer);
  EXPECT(newer.config.size == sizeof newer && newer.added_later == 0);
  newer.config.data_dir = known.data_dir;
  newer.added_later = 1;
  EXPECT_ERROR(strata_open(&newer.config, &store, &error), STRATA_UNSUPPORTED,
               "older than the header");
  older.size = offsetof(strata_config, auto_create_topics);
  older.auto_create_topics = 0;
  EXPECT(strata_open(&older, &store, NULL) == STRATA_OK);
  append(store, "makes its topic");
  EXPECT(strata_close(store, NULL) == STRATA_OK);
  older.size = sizeof older;
  older.hot_tier_max_bytes = 1;
  EXPECT_ERROR(strata_open(&older, &store, &error), STRATA_INVALID_ARGUMENT,
               "hot_tier_max_bytes");
}

static void test_stats(void) {
  strata_store* store = open_store("stats");
  char* text = NULL;
  append(store, "12345");
  EXPECT_ERROR(strata_get_stats(NULL, &text, &error), STRATA_INVALID_ARGUMENT,
               "store is NULL");
  EXPECT_ERROR(strata_get_stats(store, NULL, &error), STRATA_INVALID_ARGUMENT,
               "text is NULL");
  REQUIRE(strata_get_stats(store, &text, NULL) == STRATA_OK);
  EXPECT(strstr(text, "\nstrata_appended_bytes_total 5\n") != NULL);
  strata_free(text);
  EXPECT(strata_close(store, NULL) == STRATA_OK);
}

static void test_names(void) {
  EXPECT(strcmp(strata_status_name(STRATA_OK), "Ok") == 0);
  EXPECT(strcmp(strata_status_name(STRATA_CLOSED), "Closed") == 0);
  EXPECT(strcmp(strata_status_name((strata_status)99), "Unknown") == 0);
  EXPECT(strchr(strata_version(), '.') != NULL);
}

static int remove_entry(const char* path, const struct stat* status, int type,
                        struct FTW* place) {
  (void)status, (void)type, (void)place;
  return remove(path);
}

int main(int argc, char** argv) {
  REQUIRE(argc == 2);
  directory = argv[1];
  nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  REQUIRE(mkdir(directory, 0700) == 0);
  test_names();
  test_null_is_refused();
  test_what_is_appended_is_read_after_reopen();
  test_batches_stay_valid_after_close();
  test_second_open_is_refused();
  test_topics();
  test_append_options();
  test_stats();
  test_config_of_other_sizes();
  if (failures == 0) puts("all passed");
  return failures == 0 ? 0 : 1;
}
