// ByteSource: the bytes of one segment image, wherever it lies.
#pragma once

#include <cstdint>
#include <span>

#include "io/file_system.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// Thread-compatible. Positions count from the start of the image.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `out` from `position`; answers fewer bytes only at the end.
  virtual Result<size_t> Read(uint64_t position, std::span<std::byte> out) = 0;
};

// Fills all of `out`; kDataLoss, naming both lengths, where the source ends
// before.
Status ReadExactly(ByteSource& source, uint64_t position,
                   std::span<std::byte> out);

// An image in memory, which it borrows.
class SpanSource final : public ByteSource {
 public:
  explicit SpanSource(ByteSpan image) : image_(image) {}
  Result<size_t> Read(uint64_t position, std::span<std::byte> out) override;

 private:
  ByteSpan image_;
};

// An image within a file, which it borrows.
class FileSource final : public ByteSource {
 public:
  FileSource(File& file, uint64_t image_position, uint64_t image_bytes)
      : file_(file),
        image_position_(image_position),
        image_bytes_(image_bytes) {}
  Result<size_t> Read(uint64_t position, std::span<std::byte> out) override;

 private:
  File& file_;
  const uint64_t image_position_;
  const uint64_t image_bytes_;
};

}  // namespace strata
