// The raw limits of this machine: what a program that does nothing but the
// unavoidable work would take. Each function answers several ways of doing the
// same work; the fastest one is the limit, whichever it is here.
//
// A way prepares its memory and files when it is made, touches all of them
// once, and reuses them: no page fault of fresh memory, no allocation of file
// blocks and no creation of a file is timed unless the work is to create one.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "strata/status.h"
#include "strata/types.h"

namespace strata::bench {

// Does a fixed piece of work once and answers the seconds it took. A way that
// the file system does not offer (O_DIRECT on tmpfs) answers kUnsupported.
using Timed = std::function<Result<double>()>;

struct Way {
  std::string name;
  Timed run;
};
using Ways = std::vector<Way>;

// Seconds that `work`, a callable that answers a Status, takes.
template <typename Work>
Result<double> TimeOf(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  Status status = work();
  const std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - begin;
  if (!status.ok()) return status;
  return taken.count();
}

// The sum of the 64-bit words of `bytes`: touches each byte once at the speed
// of memory. Bytes after the last whole word are added one by one.
uint64_t Sum(ByteSpan bytes);

// Keeps the compiler from dropping the computation of `value`.
void Use(uint64_t value);

// memcpy of `bytes` into memory that was used before, and the CRC32C of each
// piece of `piece` bytes.
Ways CopyAndChecksum(uint64_t bytes, uint64_t piece);

// Sum of `bytes` that lie in memory.
Ways SumMemory(uint64_t bytes);

// `bytes` into a pre-written file of `directory`, durable at the end.
Result<Ways> WriteDurably(const std::filesystem::path& directory,
                          uint64_t bytes);

// `records` of `record_bytes` each, by one writer, into a pre-written file,
// durable after every `group` of them.
struct RecordRun {
  uint64_t records = 0;
  uint64_t record_bytes = 0;
  uint64_t group = 1;
};
Result<Ways> SyncRecords(const std::filesystem::path& directory,
                         const RecordRun& run);

// As the first way of SyncRecords, by `writers` threads at once, each into a
// pre-written file of its own; run.records are those of one of them.
Result<Ways> SyncOwnFiles(const std::filesystem::path& directory,
                          uint32_t writers, const RecordRun& run);

// `bytes` twice: into a pre-written file, as a log does, and into new files of
// `file_bytes` that are synced and renamed.
Result<Ways> WriteTwice(const std::filesystem::path& directory, uint64_t bytes,
                        uint64_t file_bytes);

// Sum of `bytes` of a file whose pages are in the page cache.
Result<Ways> SumFile(const std::filesystem::path& directory, uint64_t bytes);

// `bytes` of memory into a new file that is synced and renamed.
Result<Ways> CreateFile(const std::filesystem::path& directory, uint64_t bytes);

// `bytes` of a cached file into a new file that is synced and renamed.
Result<Ways> CopyFile(const std::filesystem::path& directory, uint64_t bytes);

// Reads and checksums `bytes` of a cached file, then writes and syncs 4 KiB:
// the least that an open does, as it has to note that the store is in use.
Result<Ways> ReadStateAndMark(const std::filesystem::path& directory,
                              uint64_t bytes);

}  // namespace strata::bench
