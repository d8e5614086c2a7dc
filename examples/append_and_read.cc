// Opens a store in ./orders-log, appends a batch and reads it back. The same
// text as in README.md; a test compares them.
#include <iostream>
#include "strata/tiered_storage.h"

int main() {
  strata::TieredStorageConfig config;
  config.data_dir = "orders-log";
  auto opened = strata::TieredStorage::Open(config);
  if (!opened.ok()) { std::cerr << opened.status() << '\n'; return 1; }
  auto storage = *std::move(opened);

  // Returns once the batch would survive a loss of power.
  auto ack = storage->Append({"orders", 0}, {.bytes = strata::AsBytes("hello")});
  if (!ack.ok()) { std::cerr << ack.status() << '\n'; return 1; }

  auto batches = storage->Read({"orders", 0}, ack->base_offset);
  if (!batches.ok()) { std::cerr << batches.status() << '\n'; return 1; }
  for (const strata::BatchView& batch : *batches)
    std::cout << batch.base_offset() << ' ' << strata::AsText(batch.bytes()) << '\n';
}
