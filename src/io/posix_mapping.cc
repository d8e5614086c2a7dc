#include "io/posix_mapping.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>

#include "base/bytes.h"
#include "io/posix_error.h"
#include "io/sigbus_guard.h"

namespace strata {
namespace {

// Thread-safe.
class PosixMapping final : public Mapping {
 public:
  // Takes over the map at `start`.
  PosixMapping(void* start, size_t size_bytes)
      : start_(start),
        size_bytes_(size_bytes),
        damage_(size_bytes / PageBytes() + 1) {}
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;
  ~PosixMapping() override {
    if (guard_) Unguard(*guard_);
    ::munmap(start_, size_bytes_);
  }

  [[nodiscard]] bool GuardIt() {
    guard_ = Guard(start_, AlignUp(size_bytes_, PageBytes()), &damage_);
    return guard_.has_value();
  }

  ByteSpan bytes() const override {
    return {static_cast<const std::byte*>(start_), size_bytes_};
  }
  bool damaged() const override { return damage_.any(); }
  bool DamagedIn(uint64_t position, uint64_t length) const override {
    if (position >= size_bytes_ || length == 0) return false;
    uint64_t last = position + std::min(length, size_bytes_ - position) - 1;
    return damage_.AnyIn(position / PageBytes(), last / PageBytes() + 1);
  }

 private:
  void* const start_;
  const uint64_t size_bytes_;
  PageDamage damage_;
  std::optional<size_t> guard_;
};

// Of an empty file, which cannot be mapped. Immutable.
class EmptyMapping final : public Mapping {
 public:
  ByteSpan bytes() const override { return {}; }
  bool damaged() const override { return false; }
  bool DamagedIn(uint64_t, uint64_t) const override { return false; }
};

}  // namespace

Result<std::shared_ptr<Mapping>> MapFile(int fd, uint64_t size_bytes,
                                         std::string_view path) {
  if (size_bytes == 0) {
    return std::shared_ptr<Mapping>(std::make_shared<EmptyMapping>());
  }
  void* start = ::mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return ErrnoStatus("map", path, errno);
  auto mapping = std::make_shared<PosixMapping>(start, size_bytes);
  if (!mapping->GuardIt()) {
    return Status(StatusCode::kIoError,
                  fmt::format("map {}: {} maps are held, the limit", path,
                              kMaxGuardedRanges));
  }
  return std::shared_ptr<Mapping>(std::move(mapping));
}

}  // namespace strata
