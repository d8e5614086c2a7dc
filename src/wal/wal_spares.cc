#include "wal/wal_spares.h"

#include <utility>

#include "wal/wal_recovery.h"

namespace strata {
namespace {

// How long after a file could not be prepared it is tried again.
constexpr std::chrono::seconds kRetry{1};

std::optional<uint64_t> PopBack(std::vector<uint64_t>& lives) {
  if (lives.empty()) return std::nullopt;
  const uint64_t life = lives.back();
  lives.pop_back();
  return life;
}

}  // namespace

WalSpares::WalSpares(FileSystem& files, Runtime& runtime, Logger log,
                     Start start, UniqueFunction<void()> on_change)
    : files_(files),
      runtime_(runtime),
      log_(std::move(log)),
      file_bytes_(start.file_bytes),
      may_grow_(std::move(start.may_grow)),
      on_change_(std::move(on_change)),
      strand_(runtime.log_executor()),
      last_life_(start.last_life),
      recyclable_(std::move(start.recyclable)) {}

void WalSpares::PrepareNow() {
  {
    MutexLock lock(mu_);
    preparing_ = true;
  }
  Prepare();
}

Result<std::shared_ptr<WalFile>> WalSpares::Take() {
  MutexLock lock(mu_);
  if (ready_ != nullptr) {
    std::shared_ptr<WalFile> taken = std::exchange(ready_, nullptr);
    last_taken_ = taken->life;
    Kick();
    return taken;
  }
  if (error_.code() == StatusCode::kNoSpace) return error_;
  if (error_.ok()) Kick();
  return Status(StatusCode::kOverloaded,
                error_.ok()
                    ? "the next WAL file is being prepared"
                    : "no WAL file can be prepared: " + error_.ToString());
}

Result<std::shared_ptr<WalFile>> WalSpares::TakeBlocking() {
  uint64_t life;
  std::optional<uint64_t> recycled;
  {
    MutexLock lock(mu_);
    if (ready_ != nullptr) {
      last_taken_ = ready_->life;
      return std::exchange(ready_, nullptr);
    }
    life = last_taken_ = ++last_life_;
    recycled = PopBack(recyclable_);
  }
  return PrepareWalFile(files_, life, file_bytes_, recycled);
}

Result<std::shared_ptr<WalFile>> WalSpares::Make(
    uint64_t life, std::optional<uint64_t> recycled) {
  if (!recycled && may_grow_ && !may_grow_()) {
    return Status(StatusCode::kNoSpace,
                  "what is free on the disk is kept for the manifest");
  }
  return PrepareWalFile(files_, life, file_bytes_, recycled);
}

void WalSpares::Kick() {
  if (preparing_ || stopped_ || ready_ != nullptr) return;
  preparing_ = true;
  strand_.Post([this] { Prepare(); });
}

void WalSpares::Prepare() {
  uint64_t life;
  std::optional<uint64_t> recycled;
  {
    MutexLock lock(mu_);
    life = ++last_life_;
    recycled = PopBack(recyclable_);
  }
  Result<std::shared_ptr<WalFile>> file = Make(life, recycled);
  bool news;
  {
    MutexLock lock(mu_);
    preparing_ = false;
    // An error is told once, not at each retry.
    news = file.ok() || error_.code() != file.status().code();
    error_ = file.status();
    if (file.ok() && life < last_taken_) {
      // Lives ascend in the order of use.
      recyclable_.push_back(life);
      Kick();
      return;
    }
    if (file.ok()) {
      ready_ = *std::move(file);
    } else {
      ArmRetry();
    }
  }
  if (!news) return;
  if (!file.ok()) {
    log_.Warning("WAL: no file could be prepared: {}",
                 file.status().ToString());
  }
  on_change_();
}

void WalSpares::ArmRetry() {
  if (std::exchange(retry_armed_, true)) return;
  runtime_.log_executor().PostAfter(kRetry, [this] {
    MutexLock lock(mu_);
    retry_armed_ = false;
    Kick();
  });
}

void WalSpares::Recycle(std::vector<uint64_t> lives) {
  MutexLock lock(mu_);
  recyclable_.insert(recyclable_.end(), lives.begin(), lives.end());
  Kick();
}

void WalSpares::Remove(std::vector<uint64_t> lives) {
  strand_.Post([this, lives = std::move(lives)] {
    for (const uint64_t life : lives) {
      const Status removed = files_.Remove(WalFilePath(life));
      if (!removed.ok()) log_.Warning("WAL: {}", removed.ToString());
    }
    MutexLock lock(mu_);
    Kick();
  });
}

void WalSpares::Stop() {
  MutexLock lock(mu_);
  stopped_ = true;
}

}  // namespace strata
