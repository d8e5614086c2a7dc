// Opens a store in ./orders-log, appends a batch and reads it back. The same
// text as in README.md; a test compares them.
#include <iostream>

#include "strata/tiered_storage.h"

int Fail(const strata::Status& status) {
  std::cerr << status << '\n';
  return 1;
}

int main() {
  strata::TieredStorageConfig config;
  config.data_dir = "orders-log";
  auto opened = strata::TieredStorage::Open(config);
  if (!opened.ok()) return Fail(opened.status());
  auto log = *std::move(opened);

  // Returns once the batch would survive a loss of power.
  auto ack = log->Append({"orders", 0}, {.bytes = strata::AsBytes("hello")});
  if (!ack.ok()) return Fail(ack.status());

  auto batches = log->Read({"orders", 0}, ack->base_offset);
  if (!batches.ok()) return Fail(batches.status());
  for (const strata::BatchView& b : *batches) {
    std::cout << b.base_offset() << ' ' << strata::AsText(b.bytes()) << '\n';
  }
}
