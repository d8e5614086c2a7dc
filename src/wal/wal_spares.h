// WalSpares: keeps one file ready, so that the log never waits for one to be
// created. Released files are used again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/unique_function.h"
#include "runtime/log.h"
#include "runtime/runtime.h"
#include "runtime/strand.h"
#include "wal/wal_files.h"

namespace strata {

// Thread-safe. Destroy after the runtime has stopped.
class WalSpares {
 public:
  struct Start {
    uint64_t file_bytes = 0;
    std::function<bool()> may_grow{};  // WalOptions::may_grow
    uint64_t last_life = 0;            // greatest number in the directory
    std::vector<uint64_t> recyclable;  // files of file_bytes
  };

  // `on_change` is called, on the log executor, when a file became ready and
  // when none can be made.
  WalSpares(FileSystem& files, Runtime& runtime, Logger log, Start start,
            UniqueFunction<void()> on_change);

  // Makes one ready. Blocking: at open.
  void PrepareNow();

  // The file that is ready; the next one is prepared. Lives ascend from call
  // to call. kOverloaded while there is none, kNoSpace when the disk is full.
  Result<std::shared_ptr<WalFile>> Take();
  // The same, but makes one if none is ready. Blocking.
  Result<std::shared_ptr<WalFile>> TakeBlocking();

  // Files that the log no longer needs, to be used again.
  void Recycle(std::vector<uint64_t> lives);
  // To be removed.
  void Remove(std::vector<uint64_t> lives);
  // Prepares no more.
  void Stop();

 private:
  void Kick() STRATA_REQUIRES(mu_);
  void ArmRetry() STRATA_REQUIRES(mu_);
  void Prepare();
  Result<std::shared_ptr<WalFile>> Make(uint64_t life,
                                        std::optional<uint64_t> recycled);

  FileSystem& files_;
  Runtime& runtime_;
  const Logger log_;
  const uint64_t file_bytes_;
  const std::function<bool()> may_grow_;
  UniqueFunction<void()> on_change_;
  Strand strand_;

  Mutex mu_;
  uint64_t last_life_ STRATA_GUARDED_BY(mu_);
  // What is in use already; a file prepared under a lower number is late.
  uint64_t last_taken_ STRATA_GUARDED_BY(mu_) = 0;
  std::vector<uint64_t> recyclable_ STRATA_GUARDED_BY(mu_);
  std::shared_ptr<WalFile> ready_ STRATA_GUARDED_BY(mu_);
  bool preparing_ STRATA_GUARDED_BY(mu_) = false;
  bool stopped_ STRATA_GUARDED_BY(mu_) = false;
  bool retry_armed_ STRATA_GUARDED_BY(mu_) = false;
  // Of the last preparation.
  Status error_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
