// Keeps the process alive when a page of one of our file maps cannot be read.
//
// Touching such a page raises SIGBUS. The handler, installed with the first
// guarded range, puts a page of zeros in its place and marks it; the reader
// goes on with zeros and learns it from the marks. A SIGBUS anywhere else goes
// to the handler that was there before, or kills the process as ever. Code
// that installs a SIGBUS handler later must pass on what is not its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace strata {

// Which pages of a range were lost. Marked by the signal handler; thread-safe.
class PageDamage {
 public:
  explicit PageDamage(size_t pages);

  // Async-signal-safe. Seen by everyone who sees the zeros.
  void Mark(size_t page) noexcept;
  bool any() const { return any_.load(std::memory_order_acquire); }
  // A page of [first, end) is lost.
  bool AnyIn(size_t first, size_t end) const;

 private:
  std::atomic<bool> any_ = false;
  std::unique_ptr<std::atomic<uint64_t>[]> bits_;  // one a page
};

// Ranges guarded at a time. Half of Linux's default limit of 65530 maps per
// process, as each lost page may split a map in three.
inline constexpr size_t kMaxGuardedRanges = 32768;

size_t PageBytes();

// Guards the pages [begin, begin + length_bytes) until Unguard: `damage` must
// live as long. Answers the number of the guard, or nullopt when there are
// kMaxGuardedRanges. Thread-safe.
std::optional<size_t> Guard(const void* begin, size_t length_bytes,
                            PageDamage* damage);
// Nobody may touch the range any more. Thread-safe.
void Unguard(size_t guard);

}  // namespace strata
