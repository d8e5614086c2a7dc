#include "bench/counted_calls.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

// Relaxed everywhere: whoever compares two values has synchronised with the
// threads in question by then. One more for each allocation costs a few
// nanoseconds, and that counts against us only.
std::atomic<uint64_t> allocations{0};
std::atomic<uint64_t> file_syncs{0};

void* Allocate(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

void* Allocate(std::size_t size, std::align_val_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const auto unit = static_cast<std::size_t>(alignment);
  if (void* memory =
          std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) {
    return memory;
  }
  throw std::bad_alloc();
}

}  // namespace

// The array forms and those without exceptions end here too.
void* operator new(std::size_t size) { return Allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return Allocate(size, alignment);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

// In place of the C library's.
extern "C" int fsync(int fd) {
  file_syncs.fetch_add(1, std::memory_order_relaxed);
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int fdatasync(int fd) {
  file_syncs.fetch_add(1, std::memory_order_relaxed);
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace strata::bench {

uint64_t Allocations() { return allocations.load(std::memory_order_relaxed); }
uint64_t FileSyncs() { return file_syncs.load(std::memory_order_relaxed); }

}  // namespace strata::bench
