// Accounts: who holds which memory of the hot tier, how much each account has,
// and which copies go first. The mechanism behind hot_tier.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/unique_function.h"
#include "hot/hot_tier.h"

namespace strata::hot {

inline constexpr size_t kAlignment = 4096;

struct FreeAligned {
  void operator()(std::byte* p) const {
    ::operator delete[](p, std::align_val_t(kAlignment));
  }
};
using Buffer = std::unique_ptr<std::byte[], FreeAligned>;

// Null when the system has no memory.
Buffer AllocateBuffer(uint64_t size_bytes);

enum class Account : uint8_t { kUnflushed, kCached, kPinned, kFree };

class Accounts;

// One piece of memory. Its owners hold it by shared_ptr; the buffer goes when
// the last holder that is counted here goes. Thread-safe as marked.
struct Memory {
  Memory(std::shared_ptr<Accounts> owner, uint64_t bytes)
      : accounts(std::move(owner)), size_bytes(bytes) {}

  const std::shared_ptr<Accounts> accounts;
  const uint64_t size_bytes;
  // Set by the first holder before others see it; gone with the last one.
  Buffer buffer;

  // Guarded by the accounts' mutex. The holders by kind, and what they add up
  // to: the account that is charged.
  bool unflushed = false;
  uint32_t cached = 0;  // HotCopies
  uint32_t pins = 0;
  Account account = Account::kFree;

  // The pin that all views share. Taken after the accounts' mutex, if both.
  Mutex pin_mutex;
  std::weak_ptr<const internal::ViewOwner> pin STRATA_GUARDED_BY(pin_mutex);
};

// What a copy consists of. Immutable.
struct CopyContent {
  struct Entry {
    HotBatch batch;
    uint32_t memory = 0;  // index into memories
  };
  std::vector<Entry> entries;  // ascending by offset
  std::vector<std::shared_ptr<Memory>> memories;
  // Of the entries. Counts as cached, too: of tiny batches it is the most.
  uint64_t index_bytes = 0;
};

inline constexpr uint64_t IndexBytes(uint64_t batches) {
  return batches * sizeof(CopyContent::Entry);
}

using Pin = std::shared_ptr<const internal::ViewOwner>;

// Thread-safe. Every operation touches the holders it is about and, to make
// room, those it evicts; none walks over copies or chunks.
class Accounts : public std::enable_shared_from_this<Accounts> {
 public:
  explicit Accounts(const HotLimits& limits) : limits_(limits) {}

  // ---- unflushed ----
  // Memory in the unflushed account, for one UnflushedChunk.
  Result<std::shared_ptr<Memory>> TakeUnflushed(uint64_t size_bytes,
                                                ChunkSource::Limit limit);
  void ReleaseUnflushed(Memory& memory);
  void SetRoomCallback(UniqueFunction<void()> callback);

  // ---- cached ----
  // Makes `copy` a holder of the content's memories, most recently used.
  void Insert(HotCopy& copy, std::shared_ptr<const CopyContent> content);
  // The same with new memories, which the caller may fill until EndFill, even
  // if the copy is evicted meanwhile. kOverloaded when they cannot fit.
  Status InsertNew(HotCopy& copy, std::shared_ptr<const CopyContent> content);
  void EndFill(const CopyContent& content);
  // Replaces the content by one with the same memories; false when evicted.
  bool SetContent(HotCopy& copy, std::shared_ptr<const CopyContent> content);
  // The content, marked as used; null when evicted.
  std::shared_ptr<const CopyContent> Use(HotCopy& copy);
  void Evict(HotCopy& copy);
  bool Holds(const HotCopy& copy) const;

  // ---- pinned ----
  bool pinned_full() const { return pinned_full_.load(); }
  // The caller keeps `memory` in another account during the call.
  Pin TakePin(const std::shared_ptr<Memory>& memory);
  // A pin for each of `memories`, indexes into the content's; nullopt when the
  // copy was evicted.
  std::optional<std::vector<Pin>> TakePins(
      const HotCopy& copy, const std::vector<uint32_t>& memories);
  void ReleasePin(Memory& memory);
  // Memory in the pinned account, released with its pin.
  Result<std::pair<std::shared_ptr<Memory>, Pin>> TakePinned(
      uint64_t size_bytes);

  HotStats stats() const;

 private:
  // What is to be destroyed outside the lock.
  struct Trash {
    std::vector<Buffer> buffers;
    std::vector<std::shared_ptr<const CopyContent>> contents;
  };

  uint64_t& Charged(Account account) STRATA_REQUIRES(mutex_) {
    return charged_[static_cast<size_t>(account)];
  }
  uint64_t Charged(Account account) const STRATA_REQUIRES(mutex_) {
    return charged_[static_cast<size_t>(account)];
  }
  // Moves `memory` to the account that its holders add up to.
  void Settle(Memory& memory, Trash& trash) STRATA_REQUIRES(mutex_);
  void Link(HotCopy& copy, std::shared_ptr<const CopyContent> content,
            Trash& trash) STRATA_REQUIRES(mutex_);
  void Drop(HotCopy& copy, Trash& trash) STRATA_REQUIRES(mutex_);
  // Drops copies, least recently used first, until total_bytes holds.
  void DropCopies(Trash& trash) STRATA_REQUIRES(mutex_);
  // Frees pooled buffers until total_bytes holds with those that are left.
  void CutPool(Trash& trash) STRATA_REQUIRES(mutex_);
  uint64_t Held() const STRATA_REQUIRES(mutex_) {
    return Charged(Account::kUnflushed) + Charged(Account::kCached);
  }
  Pin TakePinLocked(const std::shared_ptr<Memory>& memory)
      STRATA_REQUIRES(mutex_);
  Buffer TakePooled(uint64_t size_bytes) STRATA_REQUIRES(mutex_);

  const HotLimits limits_;

  mutable Mutex mutex_;
  uint64_t charged_[3] STRATA_GUARDED_BY(mutex_) = {};
  std::vector<Buffer> pool_ STRATA_GUARDED_BY(mutex_);  // of chunk_bytes each
  // Most recently used first.
  std::list<HotCopy*> copies_ STRATA_GUARDED_BY(mutex_);
  uint64_t evictions_ STRATA_GUARDED_BY(mutex_) = 0;
  uint64_t list_steps_ STRATA_GUARDED_BY(mutex_) = 0;
  uint64_t copied_batches_ STRATA_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<UniqueFunction<void()>> room_callback_
      STRATA_GUARDED_BY(mutex_);
  // Written under the mutex, read without: a reader that sees it late pins
  // what it might have copied.
  std::atomic<bool> pinned_full_{false};
};

}  // namespace strata::hot

namespace strata {

class HotCopy {
 public:
  explicit HotCopy(std::shared_ptr<hot::Accounts> accounts)
      : accounts_(std::move(accounts)) {}
  ~HotCopy() { accounts_->Evict(*this); }
  HotCopy(const HotCopy&) = delete;
  HotCopy& operator=(const HotCopy&) = delete;

 private:
  friend class hot::Accounts;

  const std::shared_ptr<hot::Accounts> accounts_;
  // Guarded by the accounts' mutex; null when evicted.
  std::shared_ptr<const hot::CopyContent> content_;
  std::list<HotCopy*>::iterator place_;
};

}  // namespace strata
