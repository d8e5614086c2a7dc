/* append_and_read.cc in C. */
#include <inttypes.h>
#include <stdio.h>

#include "strata/c.h"

static int fail(char* error) {
  fprintf(stderr, "%s\n", error != NULL ? error : "out of memory");
  strata_free(error);
  return 1;
}

static int append_and_read(strata_store* store) {
  strata_append_result ack;
  strata_batches* batches = NULL;
  char* error = NULL;
  size_t i;

  /* Returns once the batch would survive a loss of power. */
  if (strata_append(store, "orders", 0, "hello", 5, NULL, &ack, &error) !=
      STRATA_OK) {
    return fail(error);
  }
  if (strata_read(store, "orders", 0, ack.base_offset, NULL, &batches,
                  &error) != STRATA_OK) {
    return fail(error);
  }
  for (i = 0; i < strata_batches_count(batches); ++i) {
    strata_batch batch;
    if (strata_batches_get(batches, i, &batch, NULL) != STRATA_OK) break;
    printf("%" PRIu64 " %.*s\n", batch.base_offset, (int)batch.length,
           (const char*)batch.bytes);
  }
  strata_batches_release(batches);
  return 0;
}

int main(void) {
  strata_config config;
  strata_store* store = NULL;
  char* error = NULL;
  int result;

  strata_config_init(&config, sizeof config);
  config.data_dir = "orders-log-c";
  if (strata_open(&config, &store, &error) != STRATA_OK) return fail(error);
  result = append_and_read(store);
  if (strata_close(store, &error) != STRATA_OK) return fail(error);
  return result;
}
