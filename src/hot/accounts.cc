#include "hot/accounts.h"

#include <fmt/format.h>

#include "base/check.h"

namespace strata::hot {
namespace {

// What all views of one memory share.
class MemoryPin final : public internal::ViewOwner {
 public:
  explicit MemoryPin(std::shared_ptr<Memory> memory)
      : memory_(std::move(memory)) {}
  ~MemoryPin() override { memory_->accounts->ReleasePin(*memory_); }
  Status Check(ByteSpan) const override { return Status::Ok(); }

 private:
  const std::shared_ptr<Memory> memory_;
};

Status OutOfMemory(uint64_t bytes) {
  return {StatusCode::kOverloaded,
          fmt::format("the system has no {} bytes of memory", bytes)};
}

}  // namespace

Buffer AllocateBuffer(uint64_t size_bytes) {
  return Buffer(static_cast<std::byte*>(::operator new[](
      size_bytes, std::align_val_t(kAlignment), std::nothrow)));
}

// ---- bookkeeping -----------------------------------------------------------

void Accounts::Settle(Memory& memory, Trash& trash) {
  const Account next = memory.unflushed    ? Account::kUnflushed
                       : memory.cached > 0 ? Account::kCached
                       : memory.pins > 0   ? Account::kPinned
                                           : Account::kFree;
  if (next == memory.account) return;
  if (memory.account != Account::kFree) {
    Charged(memory.account) -= memory.size_bytes;
  }
  memory.account = next;
  if (next != Account::kFree) {
    Charged(next) += memory.size_bytes;
  } else if (memory.buffer != nullptr) {
    const bool pooled = memory.size_bytes == limits_.chunk_bytes;
    (pooled ? pool_ : trash.buffers).push_back(std::move(memory.buffer));
  }
  pinned_full_ = Charged(Account::kPinned) >= limits_.pinned_bytes;
}

void Accounts::Link(HotCopy& copy, std::shared_ptr<const CopyContent> content,
                    Trash& trash) {
  for (const auto& memory : content->memories) {
    ++memory->cached;
    Settle(*memory, trash);
  }
  Charged(Account::kCached) += content->index_bytes;
  copy.content_ = std::move(content);
  copies_.push_front(&copy);
  copy.place_ = copies_.begin();
}

void Accounts::Drop(HotCopy& copy, Trash& trash) {
  for (const auto& memory : copy.content_->memories) {
    --memory->cached;
    Settle(*memory, trash);
  }
  Charged(Account::kCached) -= copy.content_->index_bytes;
  trash.contents.push_back(std::move(copy.content_));
  copies_.erase(copy.place_);
  ++list_steps_;
}

void Accounts::DropCopies(Trash& trash) {
  while (Held() > limits_.total_bytes && !copies_.empty()) {
    Drop(*copies_.back(), trash);
    ++evictions_;
  }
}

void Accounts::CutPool(Trash& trash) {
  while (!pool_.empty() &&
         Held() + pool_.size() * limits_.chunk_bytes > limits_.total_bytes) {
    trash.buffers.push_back(std::move(pool_.back()));
    pool_.pop_back();
  }
}

Buffer Accounts::TakePooled(uint64_t size_bytes) {
  if (size_bytes != limits_.chunk_bytes || pool_.empty()) return nullptr;
  Buffer buffer = std::move(pool_.back());
  pool_.pop_back();
  return buffer;
}

// ---- unflushed -------------------------------------------------------------

Result<std::shared_ptr<Memory>> Accounts::TakeUnflushed(
    uint64_t size_bytes, ChunkSource::Limit limit) {
  auto memory = std::make_shared<Memory>(shared_from_this(), size_bytes);
  Trash trash;
  {
    MutexLock lock(mutex_);
    const uint64_t before = Charged(Account::kUnflushed);
    if (limit == ChunkSource::Limit::kHonour && before > 0 &&
        before + size_bytes > limits_.unflushed_bytes) {
      return Status(StatusCode::kOverloaded,
                    fmt::format("{} of {} bytes of hot memory are unflushed: "
                                "no room for {}",
                                before, limits_.unflushed_bytes, size_bytes));
    }
    memory->unflushed = true;
    Settle(*memory, trash);
    // Before the pool is cut, so that the buffer just evicted is used again.
    DropCopies(trash);
    memory->buffer = TakePooled(size_bytes);
    CutPool(trash);
  }
  if (memory->buffer == nullptr) memory->buffer = AllocateBuffer(size_bytes);
  if (memory->buffer != nullptr) return memory;
  ReleaseUnflushed(*memory);
  return OutOfMemory(size_bytes);
}

void Accounts::ReleaseUnflushed(Memory& memory) {
  Trash trash;
  std::shared_ptr<UniqueFunction<void()>> callback;
  {
    MutexLock lock(mutex_);
    memory.unflushed = false;
    Settle(memory, trash);
    CutPool(trash);
    callback = room_callback_;
  }
  if (callback != nullptr && *callback) (*callback)();
}

void Accounts::SetRoomCallback(UniqueFunction<void()> callback) {
  auto next = std::make_shared<UniqueFunction<void()>>(std::move(callback));
  MutexLock lock(mutex_);
  room_callback_.swap(next);
}

// ---- cached ----------------------------------------------------------------

void Accounts::Insert(HotCopy& copy,
                      std::shared_ptr<const CopyContent> content) {
  Trash trash;
  MutexLock lock(mutex_);
  Link(copy, std::move(content), trash);
  DropCopies(trash);
  CutPool(trash);
}

Status Accounts::InsertNew(HotCopy& copy,
                           std::shared_ptr<const CopyContent> content) {
  uint64_t needed = content->index_bytes;
  for (const auto& memory : content->memories) needed += memory->size_bytes;
  const auto keep = content;
  Trash trash;
  {
    MutexLock lock(mutex_);
    const uint64_t unflushed = Charged(Account::kUnflushed);
    if (unflushed + needed > limits_.total_bytes) {
      return Status(StatusCode::kOverloaded,
                    fmt::format("a hot copy of {} bytes does not fit: {} of {} "
                                "are unflushed",
                                needed, unflushed, limits_.total_bytes));
    }
    for (const auto& memory : keep->memories) memory->pins = 1;
    Link(copy, std::move(content), trash);
    DropCopies(trash);
    for (const auto& memory : keep->memories) {
      memory->buffer = TakePooled(memory->size_bytes);
    }
    CutPool(trash);
  }
  for (const auto& memory : keep->memories) {
    if (memory->buffer != nullptr) continue;
    memory->buffer = AllocateBuffer(memory->size_bytes);
    if (memory->buffer == nullptr) {
      Evict(copy);
      EndFill(*keep);
      return OutOfMemory(memory->size_bytes);
    }
  }
  return Status::Ok();
}

void Accounts::EndFill(const CopyContent& content) {
  for (const auto& memory : content.memories) ReleasePin(*memory);
}

bool Accounts::SetContent(HotCopy& copy,
                          std::shared_ptr<const CopyContent> content) {
  MutexLock lock(mutex_);
  if (copy.content_ == nullptr) return false;
  copy.content_.swap(content);
  return true;
}

std::shared_ptr<const CopyContent> Accounts::Use(HotCopy& copy) {
  MutexLock lock(mutex_);
  if (copy.content_ == nullptr) return nullptr;
  copies_.splice(copies_.begin(), copies_, copy.place_);
  ++list_steps_;
  return copy.content_;
}

bool Accounts::Holds(const HotCopy& copy) const {
  MutexLock lock(mutex_);
  return copy.content_ != nullptr;
}

void Accounts::Evict(HotCopy& copy) {
  Trash trash;
  MutexLock lock(mutex_);
  if (copy.content_ == nullptr) return;
  Drop(copy, trash);
  CutPool(trash);
}

// ---- pinned ----------------------------------------------------------------

Pin Accounts::TakePin(const std::shared_ptr<Memory>& memory) {
  {
    MutexLock lock(memory->pin_mutex);
    if (Pin pin = memory->pin.lock()) return pin;
  }
  MutexLock lock(mutex_);
  return TakePinLocked(memory);
}

Pin Accounts::TakePinLocked(const std::shared_ptr<Memory>& memory) {
  MutexLock lock(memory->pin_mutex);
  if (Pin pin = memory->pin.lock()) return pin;
  auto pin = std::make_shared<MemoryPin>(memory);
  ++memory->pins;
  memory->pin = pin;
  return pin;
}

std::optional<std::vector<Pin>> Accounts::TakePins(
    const HotCopy& copy, const std::vector<uint32_t>& memories) {
  std::vector<Pin> pins;
  pins.reserve(memories.size());
  MutexLock lock(mutex_);
  if (copy.content_ == nullptr) return std::nullopt;
  for (const uint32_t index : memories) {
    pins.push_back(TakePinLocked(copy.content_->memories[index]));
  }
  return pins;
}

void Accounts::ReleasePin(Memory& memory) {
  Trash trash;
  MutexLock lock(mutex_);
  --memory.pins;
  Settle(memory, trash);
  CutPool(trash);
}

Result<std::pair<std::shared_ptr<Memory>, Pin>> Accounts::TakePinned(
    uint64_t size_bytes) {
  auto memory = std::make_shared<Memory>(shared_from_this(), size_bytes);
  Pin pin;
  {
    Trash trash;
    MutexLock lock(mutex_);
    const uint64_t pinned = Charged(Account::kPinned);
    if (pinned + size_bytes > 2 * limits_.pinned_bytes) {
      return Status(StatusCode::kOverloaded,
                    fmt::format("views hold {} bytes of hot memory, at most "
                                "{}: release some",
                                pinned, 2 * limits_.pinned_bytes));
    }
    pin = TakePinLocked(memory);
    Settle(*memory, trash);
    ++copied_batches_;
  }
  memory->buffer = AllocateBuffer(size_bytes);
  if (memory->buffer == nullptr) return OutOfMemory(size_bytes);
  return std::pair(std::move(memory), std::move(pin));
}

HotStats Accounts::stats() const {
  MutexLock lock(mutex_);
  return {.unflushed_bytes = Charged(Account::kUnflushed),
          .cached_bytes = Charged(Account::kCached),
          .pinned_bytes = Charged(Account::kPinned),
          .pool_bytes = pool_.size() * limits_.chunk_bytes,
          .copies = copies_.size(),
          .evictions = evictions_,
          .copied_batches = copied_batches_,
          .list_steps = list_steps_};
}

}  // namespace strata::hot
