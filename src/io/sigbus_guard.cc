#include "io/sigbus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"

namespace strata {
namespace {

constexpr size_t kBitsPerWord = 64;

// A guarded range, read by the signal handler without a lock. `version` is odd
// while the fields change: the handler passes over a slot that changes under
// its eyes, as the range it looks for is pinned by whoever touched it.
struct Slot {
  std::atomic<uint32_t> version = 0;
  std::atomic<uintptr_t> begin = 0;
  std::atomic<uintptr_t> end = 0;  // == begin: free
  std::atomic<PageDamage*> damage = nullptr;
};

// Static, without constructor or destructor: a signal may come at any time.
constinit Slot slots[kMaxGuardedRanges];
// Slots from here on were never used. Pairs: Guard stores, the handler loads.
constinit std::atomic<size_t> slots_used = 0;
struct sigaction previous_action;
constinit std::atomic<size_t> page_bytes = 0;

// Whose turn it is to write slots; never taken by the handler.
struct FreeSlots {
  Mutex mu;
  std::vector<size_t> numbers STRATA_GUARDED_BY(mu);
};

FreeSlots& TheFreeSlots() {
  static FreeSlots* const instance = new FreeSlots;  // outlives all maps
  return *instance;
}

// One writer at a time: under FreeSlots::mu.
void SetSlot(Slot& slot, uintptr_t begin, uintptr_t end, PageDamage* damage) {
  uint32_t version = slot.version.load(std::memory_order_relaxed);
  slot.version.store(version + 1);
  slot.begin.store(begin);
  slot.end.store(end);
  slot.damage.store(damage);
  slot.version.store(version + 2);
}

struct Found {
  PageDamage* damage = nullptr;
  uintptr_t begin = 0;
};

Found FindRange(uintptr_t address) noexcept {
  const size_t used = slots_used.load();
  for (size_t i = 0; i < used; ++i) {
    const Slot& slot = slots[i];
    uint32_t version = slot.version.load();
    Found found{slot.damage.load(), slot.begin.load()};
    bool inside = found.begin <= address && address < slot.end.load();
    if (inside && version % 2 == 0 && version == slot.version.load()) {
      return found;
    }
  }
  return {};
}

bool ReplaceLostPage(uintptr_t address) noexcept {
  Found found = FindRange(address);
  if (found.damage == nullptr) return false;
  const size_t page = page_bytes.load();
  const size_t number = (address - found.begin) / page;
  // Marked first: no other thread may see zeros without the mark.
  found.damage->Mark(number);
  const uintptr_t start = found.begin + number * page;
  // Not ::mmap: sanitizers wrap it, which is not safe in a signal handler.
  const long result = ::syscall(SYS_mmap, start, page, PROT_READ,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return static_cast<uintptr_t>(result) == start;
}

void PassOn(int signal, siginfo_t* info, void* context) {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
    return;
  }
  const bool sent = info->si_code <= 0;  // by kill(), not by a fault
  if (previous_action.sa_handler == SIG_IGN && sent) return;
  if (previous_action.sa_handler != SIG_IGN &&
      previous_action.sa_handler != SIG_DFL) {
    previous_action.sa_handler(signal);
    return;
  }
  // Default action: a fault repeats itself on return, a sent signal does not.
  struct sigaction fall_back = {};
  fall_back.sa_handler = SIG_DFL;
  ::sigaction(signal, &fall_back, nullptr);
  if (sent) ::raise(signal);
}

void HandleSigbus(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool fault = info->si_code > 0 && info->si_code != BUS_MCEERR_AO;
  if (!fault || !ReplaceLostPage(reinterpret_cast<uintptr_t>(info->si_addr))) {
    PassOn(signal, info, context);
  }
  errno = saved_errno;
}

void InstallOnce() {
  static const bool installed = [] {
    page_bytes.store(PageBytes());
    // Read before it is replaced: a fault may come right after.
    STRATA_CHECK(::sigaction(SIGBUS, nullptr, &previous_action) == 0);
    struct sigaction action = {};
    action.sa_sigaction = &HandleSigbus;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  STRATA_CHECK(installed);
}

}  // namespace

PageDamage::PageDamage(size_t pages)
    : bits_(new std::atomic<uint64_t>[pages / kBitsPerWord + 1]()) {}

void PageDamage::Mark(size_t page) noexcept {
  bits_[page / kBitsPerWord].fetch_or(uint64_t{1} << (page % kBitsPerWord),
                                      std::memory_order_release);
  any_.store(true, std::memory_order_release);
}

bool PageDamage::AnyIn(size_t first, size_t end) const {
  if (!any()) return false;
  for (size_t page = first; page < end; ++page) {
    uint64_t word = bits_[page / kBitsPerWord].load(std::memory_order_acquire);
    if ((word >> (page % kBitsPerWord) & 1) != 0) return true;
  }
  return false;
}

size_t PageBytes() {
  static const size_t bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

std::optional<size_t> Guard(const void* begin, size_t length_bytes,
                            PageDamage* damage) {
  InstallOnce();
  FreeSlots& free = TheFreeSlots();
  MutexLock lock(free.mu);
  size_t number = slots_used.load();
  if (!free.numbers.empty()) {
    number = free.numbers.back();
    free.numbers.pop_back();
  } else if (number == kMaxGuardedRanges) {
    return std::nullopt;
  }
  uintptr_t address = reinterpret_cast<uintptr_t>(begin);
  SetSlot(slots[number], address, address + length_bytes, damage);
  if (number == slots_used.load()) slots_used.store(number + 1);
  return number;
}

void Unguard(size_t guard) {
  FreeSlots& free = TheFreeSlots();
  MutexLock lock(free.mu);
  SetSlot(slots[guard], 0, 0, nullptr);
  free.numbers.push_back(guard);
}

}  // namespace strata
